"""Routing: `decide` looks (routing/deciding.py, pure), `route` acts on what waits.

Waiting work is the column `Message.routed_at`; a batch is claimed, decided, placed and recorded in one transaction, so
a crash in the middle leaves the whole batch waiting and nothing is routed twice.

What no rule places a model reads, where one is in force (routing/reading.py). To read is slow, so it is done between
two transactions: in the first rules place what they can, and the rest is let go; then that is read while nothing is
locked; in the second what still waits of it is placed with its scores. It waits until then, so a crash loses nothing,
and what somebody else has routed meanwhile is passed over.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from departments.away import is_away
from departments.models import Department
from departments.rows import id_of
from inbox.actions import place_many
from inbox.models import Message, QueueItem
from inbox.waiting import Waiting, claim, lock_talks
from routing.breaking import note_broken
from routing.deciding import Book, Named, RuleSets, Verdict, WhyNot, decide, why_not
from routing.facts import Facts
from routing.gathering import asked_by, gather
from routing.in_force import live_rule_sets, made_ready, rule_sets_that_ran
from routing.languages import languages_of
from routing.models import Decision
from routing.placing import placements_of
from routing.reading import Reader, Reading, keep, reader
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
#: So many messages are read before they are placed: the more, the longer waits the first of them.
AT_ONCE = 64
#: What was in force so long ago is looked up again.
FRESH = timedelta(seconds=1)

logger = logging.getLogger(__name__)


def scores_of(facts: Facts) -> Scores:
    """What is known of the text without a model. Where the network names the language, nobody has to guess it."""
    return Scores(language=facts.lang or language_of(facts.text[facts.head :]))


# Acting ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Routed:
    """A message with its verdict and what it took."""

    message: Waiting
    facts: Facts
    verdict: Verdict
    scores: Scores
    duration_us: int
    at: datetime
    reading: Reading | None = None


@dataclass(frozen=True)
class _House:
    """What is in force while a batch is routed."""

    departments: dict[str, Department]
    rule_sets: RuleSets
    at: datetime

    @classmethod
    def now(cls, model: Reader | None = None) -> "_House":
        at, thresholds = timezone.now(), model.thresholds if model else {}
        departments = {each.slug: each for each in Department.objects.open()}
        return cls(departments, replace(live_rule_sets(departments.values()), thresholds=thresholds), at)


def route(batch: int = BATCH, *, history: bool | None = None) -> int:
    """Route up to `batch` waiting messages, live ones before history, or only one of the two; how many left the queue.

    All that rules place in one transaction; what has to be read in further ones, `AT_ONCE` messages in each.
    """
    with transaction.atomic():
        messages = claim(batch, tried_less_than=ATTEMPTS, history=history)
        if not messages:
            return 0
        model = reader()
        house = _House.now(model)
        wants = asked_by(house.rule_sets)
        decided = _decide_all(messages, house, gather(messages, wants))
        aside = _to_read(decided, house) if model else set()
        placed = [each for each in decided if each.message.conversation_id not in aside]
        done = _keep(placed, house)
        if not placed and not wants:
            transaction.set_rollback(True)  # nothing was written, so nobody has to wait for the disk
    if model and aside:
        unread = [each for each in decided if each.message.conversation_id in aside]
        done += sum(_route_read(part, model, house) for part in _parts(unread))
    return done


def _to_read(decided: Sequence[_Routed], house: _House) -> set[str]:
    """The conversations that have to be read first: with a message that no rule placed, or about which a rule would ask
    a model. The whole of each, so that its messages are routed in their order."""
    asked = house.rule_sets.asks_models
    return {each.message.conversation_id for each in decided if each.verdict.is_open or asked}


def _parts(unread: Sequence[_Routed]) -> Iterator[list[_Routed]]:
    """Portions of about `AT_ONCE`, each of whole conversations, in the order of their first messages."""
    talks: dict[str, list[_Routed]] = defaultdict(list)
    for each in unread:
        talks[each.message.conversation_id].append(each)
    part: list[_Routed] = []
    for talk in talks.values():
        part += talk
        if len(part) >= AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _route_read(unread: Sequence[_Routed], model: Reader, house: _House) -> int:
    """Read these, and route those that still wait as they were, by what was in force just now."""
    facts = {each.message.id: each.facts for each in unread}
    languages = {each.message.id: each.scores.language for each in unread}
    readings = model.look([each.message for each in unread], facts, languages)
    with transaction.atomic():
        claimed = claim(len(unread), tried_less_than=ATTEMPTS, among=facts)
        messages = [each for each in claimed if each.revision == readings[each.id].revision]
        if not messages:
            return 0
        if timezone.now() - house.at > FRESH:
            house = _House.now(model.anew())
        return _keep(_decide_all(messages, house, facts, readings), house)


def _keep(routed: Sequence[_Routed], house: _House) -> int:
    """Store what was decided; how many left the queue. When the batch can not be stored, each message is stored for
    itself, and the one at fault is put to Triage with the reason, so that nothing is held up by one message."""
    if not routed:
        return 0
    try:
        with transaction.atomic():
            _store(routed, house.departments)
        watch(routed, house.rule_sets, house.departments)
        return len(routed)
    except Exception as error:
        _or_away(error)
        logger.exception("A batch could not be stored; its messages are stored one by one.")
        return sum(_store_alone(each, house.departments) for each in routed)


def _holders(messages: Sequence[Waiting]) -> dict[str, str]:
    """Conversation → the department that leads it, of those that lie somewhere already."""
    seen = {each.conversation_id for each in messages if each.talk.routed_at}
    leads = QueueItem.objects.filter(conversation__among=seen, lead=True) if seen else QueueItem.objects.none()
    return dict(leads.annotate(talk=id_of("conversation_id")).values_list("talk", "department__slug"))


def _decide_all(
    messages: Sequence[Waiting],
    house: _House,
    facts: Mapping[str, Facts],
    readings: Mapping[str, Reading] | None = None,
) -> list[_Routed]:
    routed, holders = [], _holders(messages)
    languages = languages_of(messages, facts) if readings is None else {}
    for message in messages:
        reading = readings[message.id] if readings else None
        scores = reading.scores if reading else Scores(language=languages[message.id])
        holder = holders.get(message.conversation_id, "")
        each = _decide_one(message, facts[message.id], house, scores, holder, reading)
        # The next message of the same conversation in this batch continues it.
        holders.setdefault(message.conversation_id, each.verdict.department)
        routed.append(each)
    return routed


def _decide_one(
    message: Waiting, facts: Facts, house: _House, scores: Scores, holder: str, reading: Reading | None
) -> _Routed:
    begun = time.perf_counter_ns()
    try:
        verdict = decide(facts, house.rule_sets, scores, holder=holder)
    except Exception as error:
        logger.exception("Message %s could not be decided and goes to Triage.", message.pk)
        scores, verdict = Scores(), failed(facts, house.rule_sets, error, holder)
    return _Routed(message, facts, verdict, scores, (time.perf_counter_ns() - begun) // 1000, house.at, reading)


def _store(routed: Sequence[_Routed], departments: dict[str, Department]) -> None:
    """Place, record, and mark as routed: a fixed number of statements, and one for each language met."""
    keep(each.reading for each in routed if each.reading)
    note_broken(each.verdict for each in routed)
    place_many(placement for each in routed for placement in placements_of(each.verdict, each.message, departments))
    Decision.objects.keep(
        [as_row(each.verdict, each.message, departments, each.duration_us) | {"at": each.at} for each in routed]
    )
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
        _store_anew(replace(each, verdict=verdict, reading=None), departments)
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
