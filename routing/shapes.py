"""Rules and decisions as JSON: what each looks like to a program."""

from typing import Any

from routing.deciding import RuleSets, Verdict, why_not
from routing.models import Decision, RuleSet, RuleSetVersion
from routing.recording import also, places


def rule_set(found: RuleSet, *, may_edit: bool) -> dict[str, Any]:
    """A rule set with its versions, without their rules."""
    return {
        "id": found.pk,
        "department": found.department.slug if found.department else None,
        "name": str(found),
        "may_edit": may_edit,
        "versions": [version(each, rules=False) for each in found.versions.all()],
    }


def version(found: RuleSetVersion, *, rules: bool = True) -> dict[str, Any]:
    said = {
        "number": found.number,
        "state": found.state,
        "why": found.why,
        "created_at": found.created_at,
        "published_at": found.published_at,
        "published_by": found.published_by.username if found.published_by else None,
    }
    return said | ({"rules": found.rules} if rules else {})


def decision(found: Decision) -> dict[str, Any]:
    """The record of one evaluation."""
    return {
        "message": found.message_id,
        "revision": found.revision,
        "mode": found.mode,
        "department": found.department.slug,
        "source": found.source,
        "rule": {"uid": found.rule_uid, "name": found.rule_name} if found.rule_uid else None,
        "label": found.label,
        "because": found.sentence,
        "spans": found.spans,
        "also_matched": found.also_matched,
        "joins": found.joins,
        "priority": found.priority,
        "tags": found.tags,
        "probably_nothing": found.probably_nothing,
        "broken": found.broken,
        "versions": found.versions,
        "model": str(found.model_id) if found.model_id else None,
        "guesses": found.guesses,
        "at": found.at,
    }


def verdict(found: Verdict, rule_sets: RuleSets) -> dict[str, Any]:
    """What would be decided; with why not, for each other department."""
    by = found.by.rule if found.by else None
    return {
        "department": found.department,
        "source": found.source,
        "rule": {"uid": by.uid, "name": by.name} if by else None,
        "label": found.label,
        "because": found.because,
        "spans": places(found),
        "also_matched": also(found),
        "joins": [slug for slug, _ in found.joins],
        "priority": found.priority,
        "tags": list(found.tags),
        "probably_nothing": found.probably_nothing,
        "broken": [each.uid for each in found.broken],
        "language": found.facts.lang,
        "versions": [version for version in found.versions if version],
        "model": found.model or None,
        "guesses": [list(each) for each in found.guesses],
        "why_not": {
            slug: [{"rule": miss.rule, "because": miss.reason} for miss in misses]
            for slug in rule_sets.departments
            if slug != found.department and (misses := why_not(slug, found.facts, rule_sets))
        },
    }
