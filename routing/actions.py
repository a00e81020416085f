"""What is done to rule sets: one function per verb, atomic, audited, `by=` whom (a person, or "system" for the house).

A version is never changed: to change rules is to publish a new version, and to undo is to publish an old one again. A
verb raises PermissionDenied when the person may not, and Refused (the place, a sentence) when it can not be done.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from departments import bell
from departments.access import may, rights
from departments.actions import may_object_to_closing
from departments.audit import record, sentences
from departments.models import Department, User
from routing.conditions import Refused
from routing.models import RuleSet, RuleSetVersion
from routing.rules import read_rules, stored
from routing.saying import listed, quoted

By = User | str
State = RuleSetVersion.State

sentences(
    rules_drafted="{by} drafted version {number} of the rules {of}",
    rules_published="{by} published version {number} of the rules {of}",
    rules_restored="{by} published version {number} of the rules {of}, which is version {old} again",
)


def may_edit(user: User, rule_set: RuleSet) -> bool:
    """The house's rules are for coordinator and admin; a department's own for its lead, and while the department is not
    confidential for them as well."""
    department, held = rule_set.department, rights(user)
    if department is None:
        return held.coordinator or held.admin
    return may(user, "lead_queue", department) or (held.admin and not department.confidential)


def found_rule_set(department: Department | None = None, *, by: By) -> RuleSet:
    """The house's rule set, or a department's own; as it stands when it is there already."""
    if there := RuleSet.objects.filter(department=department).first():
        return there
    rule_set = RuleSet(department=department)
    _check(rule_set, by)
    rule_set.save(force_insert=True)
    return rule_set


@transaction.atomic
def draft(rule_set: RuleSet, rules: Any, *, by: By, why: str = "") -> RuleSetVersion:
    """A new version that is not in force. `rules` is a list of rules as JSON."""
    version = _new_version(rule_set, rules, by, why)
    record("rules_drafted", version, by=by, department=rule_set.department, **_facts(version))
    return version


@transaction.atomic
def publish(rule_set: RuleSet, rules: Any, *, by: By, why: str = "", based_on: int | None = None) -> RuleSetVersion:
    """Put these rules in force as a new version; the one before is retired. Messages that wait are routed by them.

    `based_on` is the number of the version that the person had before them: when another one is live by now, it is
    refused, so that nobody's change is overwritten unseen.
    """
    version = _new_version(rule_set, rules, by, why, based_on)
    _go_live(version, by)
    record("rules_published", version, by=by, department=rule_set.department, **_facts(version))
    return version


@transaction.atomic
def publish_draft(version: RuleSetVersion, *, by: By) -> RuleSetVersion:
    """Put a drafted version in force. Its rules are read again, because a department may have closed since."""
    _check(version.rule_set, by)
    _lock(version.rule_set)
    version = RuleSetVersion.objects.select_related("rule_set__department").get(pk=version.pk)
    if version.state != State.DRAFT:
        raise Refused({"state": f"Version {version.number} is {version.get_state_display().lower()}, not a draft."})
    _read(version.rule_set, version.rules)
    _go_live(version, by)
    record("rules_published", version, by=by, department=version.rule_set.department, **_facts(version))
    return version


@transaction.atomic
def restore(version: RuleSetVersion, *, by: By, based_on: int | None = None) -> RuleSetVersion:
    """Put the rules of an old version in force again, as a new version."""
    why = f"Back to version {version.number}"
    again = _new_version(version.rule_set, version.rules, by, why, based_on)
    _go_live(again, by)
    record("rules_restored", again, by=by, department=version.rule_set.department, old=version.number, **_facts(again))
    return again


# What they share ------------------------------------------------------------------------------------------------
def _check(rule_set: RuleSet, by: By) -> None:
    if isinstance(by, User) and not may_edit(by, rule_set):
        raise PermissionDenied("Only a coordinator or admin changes these rules, and a department’s own its lead.")


def _lock(rule_set: RuleSet) -> None:
    """One at a time changes a rule set, so that numbers follow one another and one version is live."""
    RuleSet.objects.select_for_update().get(pk=rule_set.pk)


def _new_version(rule_set: RuleSet, rules: Any, by: By, why: str, based_on: int | None = None) -> RuleSetVersion:
    _check(rule_set, by)
    read = _read(rule_set, rules)
    _lock(rule_set)
    live = rule_set.versions.live().select_related("published_by").first()
    if based_on is not None and live is not None and live.number != based_on:
        whose = f" by {live.published_by}" if live.published_by else ""
        raise Refused(
            {"based_on": f"Version {live.number} was published meanwhile{whose}. Look at it, then save again."}
        )
    newest = rule_set.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return RuleSetVersion.objects.create(
        rule_set=rule_set,
        number=newest + 1,
        rules=[stored(rule) for rule in read],
        why=" ".join(why.split())[:300],
        created_by=by if isinstance(by, User) else None,
    )


def _read(rule_set: RuleSet, rules: Any):
    departments = dict(Department.objects.open().filter(is_triage=False).values_list("slug", "name"))
    return read_rules(rules, departments, own=rule_set.department is not None)


def _go_live(version: RuleSetVersion, by: By) -> None:
    version.rule_set.versions.live().update(state=State.RETIRED)
    version.state, version.published_at = State.LIVE, timezone.now()
    version.published_by = by if isinstance(by, User) else None
    version.save(update_fields=["state", "published_at", "published_by"])
    bell.ring_about("rules")


def _facts(version: RuleSetVersion) -> dict[str, Any]:
    department = version.rule_set.department
    return {"number": version.number, "of": f"of {department.name}" if department else "for everybody"}


def _in_a_live_rule(department: Department) -> str:
    """Why a department can not be closed: a live rule would lead to nobody."""
    live = RuleSetVersion.objects.live().filter(rule_set__department=None).values_list("rules", flat=True).first() or []
    named = [
        rule["name"]
        for rule in live
        if department.slug in (rule["then"].get("place"), *(rule["then"].get("join") or []))
    ]
    return f"Rules still lead to {department}: {listed(quoted(named), 'and', most=5)}." if named else ""


may_object_to_closing(_in_a_live_rule)
