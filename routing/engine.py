"""Routing: `decide` looks (routing/deciding.py, pure), `route` acts on what waits.

Waiting work is the column `Message.routed_at`; a batch is claimed, decided, placed and recorded in one transaction, so
a crash in the middle leaves the whole batch waiting and nothing is routed twice.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from departments.away import is_away
from departments.models import Department
from departments.rows import id_of
from inbox.actions import place_many
from inbox.models import Message, QueueItem
from inbox.waiting import Waiting, claim, lock_talks
from routing.deciding import Book, Named, RuleSets, Verdict, WhyNot, decide, why_not
from routing.facts import Facts
from routing.gathering import asked_by, gather
from routing.in_force import live_rule_sets, made_ready, rule_sets_that_ran
from routing.models import Decision
from routing.placing import placements_of
from routing.recording import as_row, failed
from routing.scoring import Scores
from routing.scoring.language import UNKNOWN, language_of
from routing.shadowing import watch

__all__ = [
    "Verdict",
    "WhyNot",
    "decide",
    "live_rule_sets",
    "made_ready",
    "route",
    "rule_sets_that_ran",
    "scores_of",
    "why_not",
]

BATCH = 1000
#: A message that could not even be put to Triage is left alone after so many tries; the log names it.
ATTEMPTS = 5

logger = logging.getLogger(__name__)


def scores_of(facts: Facts) -> Scores:
    """What models read out of the text. Where the network names the language, nobody has to guess it."""
    return Scores(language=facts.lang or language_of(facts.text[facts.head :]))


# Acting ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Routed:
    """A message with its verdict and what it took."""

    message: Waiting
    verdict: Verdict
    scores: Scores
    duration_us: int


def route(batch: int = BATCH, *, history: bool | None = None) -> int:
    """Route up to `batch` waiting messages, live ones before history, or only one of the two; how many left the queue.

    All in one transaction. When the batch can not be stored, each message is stored for itself, and the one at fault is
    put to Triage with the reason, so that nothing is held up by one message.
    """
    with transaction.atomic():
        messages = claim(batch, tried_less_than=ATTEMPTS, history=history)
        if not messages:
            return 0
        departments = {each.slug: each for each in Department.objects.open()}
        holders = _holders(messages)
        rule_sets = live_rule_sets(departments.values())
        routed = _decide_all(messages, rule_sets, holders)
        try:
            with transaction.atomic():
                _store(routed, departments)
            watch(routed, rule_sets, departments)
            return len(routed)
        except Exception as error:
            _or_away(error)
            logger.exception("A batch could not be stored; its messages are stored one by one.")
            return sum(_store_alone(each, departments) for each in routed)


def _holders(messages: Sequence[Waiting]) -> dict[str, str]:
    """Conversation → the department that leads it, of those that lie somewhere already."""
    seen = {each.conversation_id for each in messages if each.talk.routed_at}
    leads = QueueItem.objects.filter(conversation__among=seen, lead=True) if seen else QueueItem.objects.none()
    return dict(leads.annotate(talk=id_of("conversation_id")).values_list("talk", "department__slug"))


def _decide_all(messages: Sequence[Waiting], rule_sets: RuleSets, holders: dict[str, str]) -> list[_Routed]:
    routed = []
    facts = gather(messages, asked_by(rule_sets))
    for message in messages:
        each = _decide_one(message, facts[message.id], rule_sets, holders.get(message.conversation_id, ""))
        # The next message of the same conversation in this batch continues it.
        holders.setdefault(message.conversation_id, each.verdict.department)
        routed.append(each)
    return routed


def _decide_one(message: Waiting, facts: Facts, rule_sets: RuleSets, holder: str) -> _Routed:
    begun = time.perf_counter_ns()
    try:
        scores = scores_of(facts)
        verdict = decide(facts, rule_sets, scores, holder=holder)
    except Exception as error:
        logger.exception("Message %s could not be decided and goes to Triage.", message.pk)
        scores, verdict = Scores(), failed(facts, rule_sets, error, holder)
    return _Routed(message, verdict, scores, (time.perf_counter_ns() - begun) // 1000)


def _store(routed: Sequence[_Routed], departments: dict[str, Department]) -> None:
    """Place, record, and mark as routed: a fixed number of statements, and one for each language met."""
    place_many(placement for each in routed for placement in placements_of(each.verdict, each.message, departments))
    Decision.objects.keep([as_row(each.verdict, each.message, departments, each.duration_us) for each in routed])
    by_language: dict[str, set[str]] = defaultdict(set)
    for each in routed:
        by_language[each.message.language or _known(each.scores.language)].add(each.message.id)
    now = timezone.now()
    for language, ids in by_language.items():
        Message.objects.filter(pk__among=ids).update(routed_at=now, language=language)


def _store_alone(each: _Routed, departments: dict[str, Department]) -> int:
    """Store one message behind a savepoint; if even that fails, put it to Triage with the reason."""
    try:
        _store_anew(each, departments)
        return 1
    except Exception as error:
        _or_away(error)
        logger.exception("Message %s could not be placed.", each.message.pk)
        return _put_to_triage(each, error, departments)


def _put_to_triage(each: _Routed, error: Exception, departments: dict[str, Department]) -> int:
    names = {slug: Named(department.name, department.confidential) for slug, department in departments.items()}
    verdict = failed(each.verdict.facts, RuleSets(Book("", 0, []), names), error)
    try:
        _store_anew(_Routed(each.message, verdict, each.scores, each.duration_us), departments)
        return 1
    except Exception as error:
        _or_away(error)
        logger.exception("Message %s could not be put to Triage either; it is tried again.", each.message.pk)
        Message.objects.filter(pk=each.message.pk).update(route_attempts=F("route_attempts") + 1)
        return 0


@transaction.atomic
def _store_anew(each: _Routed, departments: dict[str, Department]) -> None:
    """With the conversation as the message before left it, and not as a try that failed did."""
    message = each.message
    message.talk = lock_talks([message.conversation_id])[message.conversation_id]
    _store([each], departments)


def _or_away(error: Exception) -> None:
    """No message is to blame while the database is full or takes no writes: nothing is counted, all of it waits."""
    if is_away(error):
        raise error


def _known(lang: str) -> str:
    return "" if lang == UNKNOWN else lang
