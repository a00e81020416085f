"""What came in before, as it can be decided again: stored messages with the facts that their decisions kept, and with
what models said of them. For trials on what was, and for checking what is stored. Read in slices, as rows.

What a decision kept is taken as it was; only what it did not ask for then is looked up now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min
from django.utils import timezone

from departments.rows import id_of
from inbox.models import Message
from inbox.waiting import Waiting, as_they_waited
from routing.facts import Facts
from routing.gathering import gather_again
from routing.models import Decision, MessageScores, RoutingModel
from routing.scoring import Scores
from routing.scoring.language import language_of
from routing.scoring.similar import Copies

#: Messages in one slice: a few statements and a tenth of a second.
SLICE = 1000
#: No trial goes through more, however many days it was asked for.
MOST = 500_000


@dataclass(slots=True)
class Past:
    """One stored message. `thread` is where its conversation lay when it came (a department's slug), if that was why it
    stayed there; `scored` whether a model had read it."""

    message: Waiting
    facts: Facts
    scores: Scores
    thread: str = ""
    scored: bool = False


@dataclass(slots=True, frozen=True)
class Kept:
    """What is kept of a message's decisions: the facts of its last one, and where the thread lay at the first."""

    facts: Mapping[str, Any]
    thread: str


def ids_within(user, scope: Mapping[str, int], now: datetime | None = None) -> list[str]:
    """The messages of `{"days": n}` or `{"posts": n}` that this person may see, the oldest first."""
    seen = Message.objects.visible_to(user).from_outside().filter(routed_at__isnull=False, deleted_at=None)
    if days := scope.get("days"):
        seen = seen.filter(created_at__gte=(now or timezone.now()) - timedelta(days=days))
    newest = seen.order_by("-created_at", "-pk").annotate(named=id_of("pk")).values_list("named", flat=True)
    return list(newest[: scope.get("posts", MOST)])[::-1]


def slices(
    ids: Sequence[str], model: RoutingModel | None = None, asks: frozenset[str] = frozenset()
) -> Iterator[list[Past]]:
    """These messages, the oldest first, slice by slice, with what this model said of them. `asks` is what rules ask
    that has to be looked up (`gathering.asked_by`)."""
    near, met = Copies(), set[str]()
    for start in range(0, len(ids), SLICE):
        yield _read(ids[start : start + SLICE], model, asks, near, met)


def _read(
    ids: Sequence[str], model: RoutingModel | None, asks: frozenset[str], near: Copies, met: set[str]
) -> list[Past]:
    """These messages in their order; those that are there no more are left out. `met` are conversations of earlier
    slices."""
    messages, kept, scores = as_they_waited(ids), _kept(ids), _scores(ids, model)
    facts = gather_again(messages, asks, frozen={id: each.facts for id, each in kept.items()}, near=near)
    first = _first_of({each.conversation_id for each in messages if each.id in kept and kept[each.id].thread} - met)
    met.update(each.conversation_id for each in messages)
    return [
        _past(each, facts[each.id], kept.get(each.id), scores.get((each.id, each.revision)), first) for each in messages
    ]


def _first_of(talks: set[str]) -> dict[str, datetime]:
    """When each of these conversations began. What came at once may have been routed in another order than it was
    written: then the first message is said to continue what the second began."""
    if not talks:
        return {}
    asked = Message.objects.from_outside().filter(conversation__among=talks).order_by()
    began = asked.annotate(of=id_of("conversation_id")).values_list("of").annotate(first=Min("created_at"))
    return dict(began.values_list("of", "first"))


def _past(
    message: Waiting, facts: Facts, kept: Kept | None, scores: Scores | None, first: Mapping[str, datetime]
) -> Past:
    began = first.get(message.conversation_id) == message.created_at
    if not facts.lang:
        facts = facts.in_language(scores.language if scores else language_of(facts.text[facts.head :]))
    thread = kept.thread if kept and not began else ""
    # What an older model said when it was routed tells more than nothing.
    known = scores or Scores(facts.lang, facts.mood, facts.labels)
    return Past(message, facts.as_read(known), known, thread, bool(known.labels))


def _kept(ids: Sequence[str]) -> dict[str, Kept]:
    """Message → what its live decisions kept."""
    asked = Decision.objects.live().filter(message__among=ids).order_by("id").annotate(of=id_of("message_id"))
    found: dict[str, Kept] = {}
    for message, facts, source, department in asked.values_list("of", "facts", "source", "department__slug"):
        if earlier := found.get(message):
            found[message] = Kept(facts, earlier.thread)
        else:
            found[message] = Kept(facts, department if source == Decision.Source.THREAD else "")
    return found


def _scores(ids: Iterable[str], model: RoutingModel | None) -> dict[tuple[str, int], Scores]:
    """(message, revision) → what this model said of it."""
    if model is None:
        return {}
    asked = MessageScores.objects.filter(message__among=ids, model=model).annotate(of=id_of("message_id")).order_by()
    rows = asked.values_list("of", "revision", "language", "mood", "labels")
    return {
        (message, revision): Scores(language, mood, tuple((slug, p) for slug, p in labels), str(model.pk))
        for message, revision, language, mood, labels in rows
    }
