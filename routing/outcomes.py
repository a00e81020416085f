"""What a verdict comes to: for comparing two of the same message."""

from typing import Any

from routing.deciding import Verdict

#: Where a verdict lies that says it is nobody's: in Triage, in a tab of its own.
NOTHING = "none"


def place_of(verdict: Verdict) -> str:
    return NOTHING if verdict.probably_nothing else verdict.department


def outcome(verdict: Verdict) -> tuple:
    """All that a verdict does: two that are equal here differ in nothing that anybody would notice."""
    joins = tuple(slug for slug, _ in verdict.joins)
    more = tuple(getattr(verdict, name, None) for name in ("assign", "spam", "snooze", "approval", "notify"))
    return verdict.department, verdict.probably_nothing, joins, verdict.priority, verdict.tags, more


def in_short(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is listed beside another."""
    return {
        "place": place_of(verdict),
        "label": verdict.label,
        "because": verdict.because,
        "joins": [slug for slug, _ in verdict.joins],
        "priority": verdict.priority,
        "tags": list(verdict.tags),
    }
