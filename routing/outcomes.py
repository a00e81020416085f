"""What a verdict comes to: for comparing two of the same message."""

from dataclasses import replace
from typing import Any

from routing.deciding import RuleSets, Verdict
from routing.scoring import Scores

#: Where a verdict lies that says it is nobody's: in Triage, in a tab of its own.
NOTHING = "none"


def place_of(verdict: Verdict) -> str:
    return NOTHING if verdict.probably_nothing else verdict.department


def outcome(verdict: Verdict) -> tuple:
    """All that a verdict does: two that are equal here differ in nothing that anybody would notice."""
    joins = tuple(slug for slug, _ in verdict.joins)
    more = tuple(getattr(verdict, name, None) for name in ("assign", "spam", "snooze", "approval", "notify"))
    return verdict.department, verdict.probably_nothing, joins, verdict.priority, verdict.tags, more


def is_open(verdict: Verdict) -> bool:
    """Whether no rule placed it, so that a model is asked where one is in force."""
    return verdict.source == "none" and verdict.by is None and not verdict.failed


def unless_read(verdict: Verdict, scores: Scores, rule_sets: RuleSets) -> Verdict:
    """A verdict by other rules than the live ones may be open where the live ones placed it, so that no model has read
    it: then it says that it might have been placed by one."""
    if scores.labels or not rule_sets.thresholds or not is_open(verdict):
        return verdict
    return replace(verdict, told="no rule fits, and the model had not read it, because a live rule placed it")


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
