"""Why a conversation lies where it does, and why not elsewhere, for the strip above it. The decision that was kept says
why; why not is worked out again, by the versions that ran and the facts as they were then."""

from collections.abc import Mapping, Sequence
from typing import Any

from departments.models import Department, User
from inbox.models import Conversation, QueueItem
from routing.assignment import why_theirs
from routing.deciding import WhyNot, why_not
from routing.engine import rule_sets_that_ran
from routing.facts import facts_again
from routing.grounds import has_grounds, named
from routing.learning.confirming import offered
from routing.models import Decision, RoutingModel, RuleSetVersion
from routing.saying import listed

#: Terms of a long list, and names of rules, that a strip can hold.
TERMS, RULES = 4, 3


def explain(conversation: Conversation, user: User) -> Mapping[str, Any]:
    """What the inbox's page takes (`NO_REASON` in inbox/thread.py). The user was found to see the conversation."""
    lead = QueueItem.objects.of(conversation).filter(lead=True).select_related("department").first()
    decisions = list(
        Decision.objects.live().about(conversation).select_related("message__channel", "message__identity")
    )
    placed = next((each for each in decisions if each.source != Decision.Source.THREAD), None)
    return {
        "label": lead.why if lead else "",
        "because": _because(lead, placed),
        "not": _elsewhere(placed, lead) if placed else [],
        "version": _versions(placed) if placed else "",
        "guesses": named(placed.guesses) if placed and has_grounds(placed) else [],
        "has_grounds": placed is not None and has_grounds(placed),
        "decision": placed,
        "spans": _spans(decisions),
        "given": why_theirs(conversation),
        "confirm": offered(lead, user, placed),
    }


def _because(lead: QueueItem | None, placed: Decision | None) -> str:
    """The rule's reason, while the conversation still lies where the rule put it; else where it was put first."""
    if placed is None or lead is None:
        return ""
    if lead.department_id == placed.department_id:
        return placed.because
    return f"routing had put it in {placed.department.name} first, because {placed.because}"


def _elsewhere(placed: Decision, lead: QueueItem | None) -> list[dict[str, str]]:
    """For each other department, what its rules lacked; the nearest miss first."""
    facts, rule_sets = facts_again(placed.message, placed.facts), rule_sets_that_ran(placed.versions)
    there = {placed.department_id, lead.department_id if lead else None}
    misses = []
    for department in Department.objects.open().exclude(pk__in=there).exclude(slug__in=placed.joins):
        if found := sorted(why_not(department.slug, facts, rule_sets, most=TERMS), key=lambda miss: not miss.fits):
            misses.append((found[0].fits, {"department": department.name, "because": _missed(found)}))
    return [said for _, said in sorted(misses, key=lambda miss: not miss[0])]


def _missed(misses: Sequence[WhyNot]) -> str:
    """The nearest miss in full, the others by name."""
    first, *others = misses
    names = listed((f"“{miss.rule}”" for miss in others), "nor", most=RULES)
    return f"“{first.rule}”: {first.reason}" + (f"; nor does {names} fit" if others and not first.fits else "")


def _versions(placed: Decision) -> str:
    ran = RuleSetVersion.objects.filter(pk__in=placed.versions).select_related("rule_set__department")
    asked = RoutingModel.objects.told().filter(pk=placed.model_id) if placed.model_id else ()
    return "; ".join(str(each) for each in (*ran, *asked))


def _spans(decisions: Sequence[Decision]) -> dict[str, list[tuple[int, int]]]:
    """Message → the stretches of its text that rules found. Those of an earlier revision would point elsewhere now."""
    return {
        str(each.message_id): [(start, end) for part, start, end, _ in each.spans if part == "text"]
        for each in decisions
        if each.revision == each.message.revision and not each.message.deleted_at
    }
