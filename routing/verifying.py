"""Whether what is stored can still be reached: each decision worked out again from the message's text, the facts that
it kept, the versions that ran, and what the model that ran said of it.

What can not be asked any more is not compared but counted: erased messages, texts that were edited since (another
decision was made of the new one), and decisions that were no decision (routing failed, or a person placed it).
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from departments.models import Department
from inbox.waiting import Waiting, as_they_waited
from routing.deciding import RuleSets, decide
from routing.facts import facts_again
from routing.in_force import rule_sets_that_ran
from routing.learning.live import thresholds_of
from routing.models import Decision, MessageScores, RoutingModel, ThresholdOverride
from routing.recording import as_row
from routing.scoring import Scores

SLICE = 1000
#: What has to be the same. What a sentence says beside it may change with a department's name.
COMPARED = (
    "department_id", "source", "rule_uid", "matched", "joins", "tags", "priority", "probably_nothing", "spans",
    "guesses",
)  # fmt: skip
#: The label of a decision that was none (`Verdict.label`).
FAILED = "Routing failed"
#: Differences that are told one by one.
MOST_TOLD = 100


@dataclass
class Verified:
    """What came of it. `different`: decision, message, and what is not the same: name → (kept, worked out)."""

    counts: Counter = field(default_factory=Counter)
    different: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        names = ("decisions", "same", "different", "erased", "revised", "failed", "by_people")
        return {name: self.counts[name] for name in names} | {"differences": self.different}


def verify(*, days: int | None = None, limit: int | None = None) -> Verified:
    """Check the decisions of the last days, the newest ones, at most so many; without either all."""
    found, house = Verified(), _House()
    for rows in _slices(_asked(days), limit):
        messages = {each.id: each for each in as_they_waited({str(row.message_id) for row in rows})}
        scores = _scores(rows)
        for row in rows:
            found.counts["decisions"] += 1
            _check(row, messages.get(str(row.message_id)), scores, house, found)
    return found


def _asked(days: int | None) -> QuerySet[Decision]:
    decisions = Decision.objects.order_by("-id")
    return decisions.filter(at__gte=timezone.now() - timedelta(days=days)) if days else decisions


def _slices(asked: QuerySet[Decision], limit: int | None) -> Iterator[list[Decision]]:
    last, left = None, limit
    while left is None or left > 0:
        more = asked if last is None else asked.filter(id__lt=last)
        rows = list(more[: SLICE if left is None else min(SLICE, left)])
        if not rows:
            return
        yield rows
        last, left = rows[-1].pk, None if left is None else left - len(rows)


def _check(row: Decision, message: Waiting | None, scores: Mapping, house: "_House", found: Verified) -> None:
    if reason := _not_asked(row, message):
        found.counts[reason] += 1
        return
    assert message is not None
    again = worked_out(row, message, scores.get((row.message_id, row.revision, row.model_id)), house)
    differs = {
        name: [str(getattr(row, name)), str(again[name])] for name in COMPARED if getattr(row, name) != again[name]
    }
    found.counts["different" if differs else "same"] += 1
    if differs and len(found.different) < MOST_TOLD:
        found.different.append({"decision": row.pk, "message": str(row.message_id), "what": differs})


def _not_asked(row: Decision, message: Waiting | None) -> str:
    if row.source == Decision.Source.PERSON:
        return "by_people"
    if row.label == FAILED:
        return "failed"
    if message is None or message.deleted_at:
        return "erased"
    return "revised" if message.revision != row.revision else ""


def worked_out(row: Decision, message: Waiting, scores: Scores | None, house: "_House") -> dict[str, Any]:
    """The decision anew, as it would be kept."""
    facts = facts_again(message, row.facts)
    holder = house.slugs[row.department_id] if row.source == Decision.Source.THREAD else ""
    known = scores or Scores(facts.lang, facts.mood, facts.labels, str(row.model_id or ""))
    verdict = decide(facts, house.as_of(row), known, holder=holder)
    return as_row(verdict, message, house.departments)


def _scores(rows: Sequence[Decision]) -> dict[tuple, Scores]:
    """(message, revision, model) → what this model said."""
    models = {row.model_id for row in rows if row.model_id}
    if not models:
        return {}
    asked = MessageScores.objects.filter(message__among={str(row.message_id) for row in rows}, model__in=models)
    told = asked.order_by().values_list("message_id", "revision", "model_id", "language", "mood", "labels")
    return {
        (message, revision, model): Scores(language, mood, tuple((slug, p) for slug, p in labels), str(model))
        for message, revision, model, language, mood, labels in told
    }


class _House:
    """The departments, and the rules as they ran."""

    def __init__(self) -> None:
        self._sets: dict[tuple, RuleSets] = {}

    @cached_property
    def departments(self) -> dict[str, Department]:
        return {each.slug: each for each in Department.objects.all()}

    @cached_property
    def slugs(self) -> dict:
        return {each.pk: slug for slug, each in self.departments.items()}

    def as_of(self, row: Decision) -> RuleSets:
        """The versions that ran, the departments that were open then, and how sure the model had to be."""
        open_then = tuple(slug for slug, each in self.departments.items() if _was_open(each, row.at))
        key = (tuple(row.versions), open_then, row.model_id, bisect(self._choices, row.at))
        if key not in self._sets:
            sets = rule_sets_that_ran(row.versions, [self.departments[slug] for slug in open_then])
            self._sets[key] = replace(sets, thresholds=self._thresholds(row))
        return self._sets[key]

    @cached_property
    def _choices(self) -> list[datetime]:
        """When people chose how sure models have to be."""
        return list(ThresholdOverride.objects.order_by("at").values_list("at", flat=True))

    def _thresholds(self, row: Decision) -> dict[str, float]:
        if row.model_id is None:
            return {}
        return thresholds_of(RoutingModel.objects.defer("artefact", "vocabulary").get(pk=row.model_id), row.at)


def _was_open(department: Department, at: datetime) -> bool:
    return department.closed_at is None or department.closed_at > at
