"""A verdict as it is kept, and the one that is kept where deciding failed."""

from collections.abc import Mapping
from typing import Any

from departments.models import Department
from inbox.waiting import Waiting
from routing.deciding import TRIAGE, RuleSets, Verdict
from routing.facts import Facts


def as_row(
    verdict: Verdict, message: Waiting, departments: Mapping[str, Department], duration_us: int = 0
) -> dict[str, Any]:
    """The decision as a row; `departments` are the open ones by slug."""
    return {
        "message_id": message.id,
        "revision": message.revision,
        "department_id": departments[verdict.department].pk,
        "source": verdict.source,
        "rule_uid": verdict.by.rule.uid if verdict.by else "",
        "rule_name": verdict.by.rule.name if verdict.by else "",
        "label": verdict.label,
        "because": verdict.reason,
        "spans": places(verdict),
        "also_matched": also(verdict),
        "matched": [match.rule.uid for match in verdict.matches],
        "broken": [each.uid for each in verdict.broken],
        "joins": [slug for slug, _ in verdict.joins],
        "tags": list(verdict.tags),
        "priority": verdict.priority,
        "probably_nothing": verdict.probably_nothing,
        "versions": [version for version in verdict.versions if version],
        "facts": verdict.facts.frozen(),
        "model_id": verdict.model or None,
        "guesses": [list(each) for each in verdict.guesses],
        "duration_us": duration_us,
    }


def places(verdict: Verdict) -> list[list]:
    """Where the reason stands, as it is kept and sent: [part, start, end, term], part being title or text."""
    head = verdict.facts.head
    return [
        ["text", span.start - head, span.end - head, span.term]
        if span.start >= head
        else ["title", span.start, min(span.end, head - 1), span.term]
        for span in verdict.spans
    ]


def also(verdict: Verdict) -> list[dict[str, str]]:
    """The other rules that fitted, as they are kept and sent."""
    return [
        {"uid": match.rule.uid, "name": match.rule.name, "version": match.version, "because": match.reason}
        for match in verdict.also
    ]


def failed(facts: Facts, rule_sets: RuleSets, error: Exception, holder: str = "") -> Verdict:
    """What becomes of a message whose routing failed: it stays where its thread lies, or goes to Triage, and says
    why."""
    where = holder or TRIAGE
    return Verdict(
        department=where,
        source="none",
        name=rule_sets.name(where),
        told=f"routing failed ({type(error).__name__})",
        facts=facts,
        versions=(rule_sets.house.version,) if rule_sets.house.version else (),
        failed=True,
    )
