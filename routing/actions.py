"""What is done to rule sets: one function per verb, atomic, audited, `by=` whom (a person, or "system" for the house).

A version goes from draft to shadow to live to retired, or leaves steps out, and never back. Only a draft is changed or
thrown away; what ran once stands: to change rules is to publish a new version, and to undo is to publish an old one
again. A verb raises PermissionDenied when the person may not, and Refused (the place, a sentence) when it can not be
done.
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
from routing.knowing import known_to
from routing.models import BackTest, RuleSet, RuleSetVersion
from routing.rules import read_rules, stored
from routing.saying import listed, quoted

By = User | str
State = RuleSetVersion.State

sentences(
    rules_drafted="{by} drafted version {number} of the rules {of}",
    rules_amended="{by} changed the draft of version {number} of the rules {of}",
    rules_discarded="{by} threw the draft of version {number} of the rules {of} away",
    rules_shadowed="{by} lets version {number} of the rules {of} run in the shadow",
    rules_unshadowed="{by} ended the shadow of version {number} of the rules {of}",
    rules_published="{by} published version {number} of the rules {of}",
    rules_restored="{by} published version {number} of the rules {of}, which is version {old} again",
    rules_back_tested="{by} tried version {number} of the rules {of} on what came in before",
)

#: Trials of one person that wait or run at a time.
MOST_TRIALS = 3


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
    """A new version that is not in force, made from the live one. `rules` is a list of rules as JSON."""
    version = _new_version(rule_set, rules, by, why)
    _told("rules_drafted", version, by)
    return version


@transaction.atomic
def amend(version: RuleSetVersion, rules: Any, *, by: By, why: str | None = None) -> RuleSetVersion:
    """Put these rules into a draft in the place of those it has; without `why` its reason stays."""
    version = _locked(version, by)
    _only(version, State.DRAFT)
    version.rules = [stored(rule) for rule in _read(version.rule_set, rules)]
    version.why = version.why if why is None else _reason(why)
    version.save(update_fields=["rules", "why"])
    _told("rules_amended", version, by)
    return version


@transaction.atomic
def discard(version: RuleSetVersion, *, by: By) -> None:
    """Throw a draft away, with what was tried of it."""
    version = _locked(version, by)
    _only(version, State.DRAFT)
    _told("rules_discarded", version, by)
    version.delete()


@transaction.atomic
def shadow(version: RuleSetVersion, *, by: By) -> RuleSetVersion:
    """Let a draft be evaluated beside the live version on all that comes in; what would differ is kept, and nothing is
    moved. One version of a set does so at a time. From now on it stands."""
    version = _locked(version, by)
    _only(version, State.DRAFT)
    if other := version.rule_set.versions.shadow().first():
        raise Refused({"state": f"Version {other.number} runs in the shadow already; stop it first."})
    _read(version.rule_set, version.rules)
    version.state, version.shadow_since = State.SHADOW, timezone.now()
    version.save(update_fields=["state", "shadow_since"])
    _told("rules_shadowed", version, by)
    return version


@transaction.atomic
def unshadow(version: RuleSetVersion, *, by: By) -> RuleSetVersion:
    """End a version's time in the shadow. What it showed stays readable, and its rules can be published again."""
    version = _locked(version, by)
    _only(version, State.SHADOW)
    version.state, version.retired_at = State.RETIRED, timezone.now()
    version.save(update_fields=["state", "retired_at"])
    _told("rules_unshadowed", version, by)
    return version


@transaction.atomic
def publish(rule_set: RuleSet, rules: Any, *, by: By, why: str = "", based_on: int | None = None) -> RuleSetVersion:
    """Put these rules in force as a new version; the one before is retired. Messages that wait are routed by them.

    `based_on` is the number of the version that the person had before them: when another one is live by now, it is
    refused, so that nobody's change is overwritten unseen.
    """
    version = _new_version(rule_set, rules, by, why, based_on)
    _go_live(version, by)
    _told("rules_published", version, by)
    return version


@transaction.atomic
def publish_draft(version: RuleSetVersion, *, by: By, based_on: int | None = None) -> RuleSetVersion:
    """Put a version in force that is drafted or runs in the shadow. Its rules are read again, because a department may
    have closed since."""
    version = _locked(version, by)
    _only(version, State.DRAFT, State.SHADOW)
    _unless_meanwhile(version.rule_set, based_on)
    _read(version.rule_set, version.rules)
    _go_live(version, by)
    _told("rules_published", version, by)
    return version


@transaction.atomic
def restore(version: RuleSetVersion, *, by: By, based_on: int | None = None) -> RuleSetVersion:
    """Put the rules of an old version in force again, as a new version."""
    _only(version, State.LIVE, State.RETIRED)
    why = f"Back to version {version.number}"
    again = _new_version(version.rule_set, version.rules, by, why, based_on, parent=version)
    _go_live(again, by)
    _told("rules_restored", again, by, old=version.number)
    return again


# Trials ---------------------------------------------------------------------------------------------------------
@transaction.atomic
def back_test(version: RuleSetVersion, scope: dict[str, int], *, by: User) -> BackTest:
    """Ask for a trial of this version on what came in before: `{"days": n}` or `{"posts": n}`, at most BackTest.MOST.
    The worker does it; the row tells how far it is."""
    _check(version.rule_set, by)
    _lock(version.rule_set)
    _measured(scope)
    if BackTest.objects.under_way().filter(asked_by=by).count() >= MOST_TRIALS:
        raise Refused({"scope": f"{MOST_TRIALS} of your back-tests are under way; wait for one, or cancel it."})
    live = version.rule_set.versions.live().first()
    trial = BackTest.objects.create(version=version, against=live, asked_by=by, scope=scope)
    record("rules_back_tested", version, by=by, department=version.rule_set.department, **_facts(version))
    bell.wake("back_test")
    return trial


@transaction.atomic
def cancel_back_test(trial: BackTest, *, by: User) -> BackTest:
    """End a trial of one's own before it is done; one that is over stays as it is."""
    if trial.asked_by_id != by.pk:
        raise PermissionDenied("Only who asked for a back-test cancels it.")
    BackTest.objects.under_way().filter(pk=trial.pk).update(
        state=BackTest.State.CANCELLED, finished_at=timezone.now(), leased_until=None
    )
    trial.refresh_from_db()
    return trial


# What they share ------------------------------------------------------------------------------------------------
def _check(rule_set: RuleSet, by: By) -> None:
    if isinstance(by, User) and not may_edit(by, rule_set):
        raise PermissionDenied("Only a coordinator or admin changes these rules, and a department’s own its lead.")


def _lock(rule_set: RuleSet) -> None:
    """One at a time changes a rule set, so that numbers follow one another and one version is live."""
    RuleSet.objects.select_for_update().get(pk=rule_set.pk)


def _locked(version: RuleSetVersion, by: By) -> RuleSetVersion:
    """The version as it is now, with its rule set under lock, when the person may change it."""
    _check(version.rule_set, by)
    _lock(version.rule_set)
    found = RuleSetVersion.objects.select_related("rule_set__department").filter(pk=version.pk).first()
    if found is None:
        raise Refused({"state": f"Version {version.number} was thrown away meanwhile."})
    return found


def _only(version: RuleSetVersion, *states: str) -> None:
    if version.state not in states:
        wanted = listed(f"a {State(each).label.lower()}" for each in states)
        raise Refused({"state": f"Version {version.number} is {version.get_state_display().lower()}, not {wanted}."})


def _measured(scope: dict[str, int]) -> None:
    (unit, many), *more = [*scope.items(), ("", 0)]
    if len(more) != 1 or unit not in BackTest.MOST or not 0 < many <= BackTest.MOST[unit]:
        most = listed(f"{number:,} {unit}" for unit, number in BackTest.MOST.items())
        raise Refused({"scope": f"Say how far back: at most {most}."})


def _unless_meanwhile(rule_set: RuleSet, based_on: int | None) -> RuleSetVersion | None:
    """The live version, unless another one than the person had before them went live meanwhile."""
    live = rule_set.versions.live().select_related("published_by").first()
    if based_on is not None and live is not None and live.number != based_on:
        whose = f" by {live.published_by}" if live.published_by else ""
        raise Refused(
            {"based_on": f"Version {live.number} was published meanwhile{whose}. Look at it, then save again."}
        )
    return live


def _new_version(
    rule_set: RuleSet,
    rules: Any,
    by: By,
    why: str,
    based_on: int | None = None,
    parent: RuleSetVersion | None = None,
) -> RuleSetVersion:
    _check(rule_set, by)
    read = _read(rule_set, rules)
    _lock(rule_set)
    live = _unless_meanwhile(rule_set, based_on)
    newest = rule_set.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return RuleSetVersion.objects.create(
        rule_set=rule_set,
        number=newest + 1,
        rules=[stored(rule) for rule in read],
        why=_reason(why),
        parent=parent or live,
        created_by=by if isinstance(by, User) else None,
    )


def _reason(why: str) -> str:
    return " ".join(why.split())[:300]


def _read(rule_set: RuleSet, rules: Any):
    return read_rules(rules, known_to(rule_set.department), own=rule_set.department is not None)


def _go_live(version: RuleSetVersion, by: By) -> None:
    now = timezone.now()
    version.rule_set.versions.live().update(state=State.RETIRED, retired_at=now)
    version.state, version.published_at = State.LIVE, now
    version.published_by = by if isinstance(by, User) else None
    version.save(update_fields=["state", "published_at", "published_by"])


def _told(verb: str, version: RuleSetVersion, by: By, **more: Any) -> None:
    record(verb, version, by=by, department=version.rule_set.department, **_facts(version), **more)
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
