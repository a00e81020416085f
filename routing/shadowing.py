"""Versions in the shadow: what they would have decided of each message beside the live rules, kept where it differs.

Nothing is moved by it, and nothing that goes wrong here reaches the live routing. Where several sets have a version in
the shadow they are evaluated together, as if all were published. A message that continues a conversation is taken to
lie where it really lies: the shadow moves nothing, so it has no other place for it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from django.db import transaction

from departments.away import is_away
from departments.models import Department, User
from inbox.waiting import Waiting
from routing.breaking import note_broken
from routing.deciding import RuleSets, Verdict, decide
from routing.gathering import Asked, asked_by, look_up
from routing.in_force import book_of
from routing.learning.live import thresholds_of
from routing.models import Decision, RoutingModel, RuleSetVersion
from routing.outcomes import outcome, unless_read
from routing.querysets import DecisionQuerySet
from routing.recording import as_row, failed
from routing.scoring import Scores

logger = logging.getLogger(__name__)


class Routed(Protocol):
    """A message with what was decided of it, and what was known of its text."""

    @property
    def message(self) -> Waiting: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def scores(self) -> Scores: ...


def watch(routed: Sequence[Routed], live: RuleSets, departments: Mapping[str, Department]) -> int:
    """Inside the transaction in which these were routed by `live`: keep what the versions in the shadow would have
    decided otherwise. Returns how many. Costs one small question while there are none."""
    try:
        with transaction.atomic():
            versions = list(RuleSetVersion.objects.shadow().values_list("rule_set__department__slug", "pk"))
            return _watch(routed, live, departments, versions) if versions else 0
    except Exception as error:
        if is_away(error):
            raise  # the live routing could not go on either
        logger.exception("What versions in the shadow would have decided could not be kept.")
        return 0


def _watch(routed: Sequence[Routed], live: RuleSets, departments: Mapping[str, Department], versions) -> int:
    beside = _beside(live, {slug: book_of(pk) for slug, pk in versions})
    facts = _facts(routed, asked_by(beside) - asked_by(live))
    verdicts = [_decided(each, facts[each.message.id], beside) for each in routed]
    rows = [
        as_row(verdict, each.message, departments) | {"mode": Decision.Mode.SHADOW}
        for each, verdict in zip(routed, verdicts, strict=True)
        if outcome(verdict) != outcome(each.verdict)
    ]
    note_broken(verdicts)
    Decision.objects.keep(rows)
    return len(rows)


def _beside(live: RuleSets, books: dict) -> RuleSets:
    """What is in force, with the versions in the shadow in their places."""
    house = books.pop(None, live.house)
    model = RoutingModel.objects.live().defer("artefact", "vocabulary").first()
    sure = live.thresholds or (thresholds_of(model) if model else {})
    return replace(live, house=house, own={**live.own, **books}, thresholds=sure)


def _facts(routed: Sequence[Routed], wants: frozenset[str]) -> dict:
    """What was known when it was routed, with what only a rule in the shadow asks."""
    known = {each.message.id: each.verdict.facts for each in routed}
    if not wants:
        return known
    asked = [Asked(each.message.id, each.verdict.facts, wants, each.message.talk.confidential) for each in routed]
    return known | look_up(asked, keep=True)


def _decided(each: Routed, facts, beside: RuleSets) -> Verdict:
    holder = each.verdict.department if each.verdict.source == Decision.Source.THREAD else ""
    try:
        return unless_read(decide(facts, beside, each.scores, holder=holder), each.scores, beside)
    except Exception as error:
        return failed(facts, beside, error, holder)


# What came of it ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Seen:
    """What a version in the shadow showed, as far as one person may see it."""

    differences: DecisionQuerySet
    evaluated: int
    differing: int

    def newest(self, many: int) -> list[tuple[Decision, Decision | None]]:
        """The newest differences, each with what was really decided of that message."""
        people = ("department", "message__channel", "message__identity")
        found = list(self.differences.select_related(*people).order_by("-id")[:many])
        live = Decision.objects.live().filter(message__in=[each.message_id for each in found])
        really = {(each.message_id, each.revision): each for each in live.select_related("department")}
        return [(each, really.get((each.message_id, each.revision))) for each in found]


def seen(version: RuleSetVersion, user: User) -> Seen:
    """How many messages were evaluated beside it since it began, and those that it would have decided otherwise."""
    decisions = Decision.objects.visible_to(user).filter(at__gte=version.shadow_since)
    if until := version.retired_at if version.published_at is None else version.published_at:
        decisions = decisions.filter(at__lte=until)
    differences = decisions.shadow().filter(versions__contains=[version.pk])
    return Seen(differences, decisions.live().count(), differences.count())
