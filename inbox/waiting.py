"""Messages that wait for the router, read with all that deciding and placing ask of them, and with nothing else: an
instance for each message, its person and its conversation would cost more than to decide."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from connectors.models import Channel
from departments.rows import id_of
from inbox.models import Conversation, Message

_SAID = (
    "kind",
    "title",
    "text",
    "language",
    "rating",
    "visibility",
    "created_at",
    "deleted_at",
    "revision",
    "shows",
)
_WHO = tuple(f"identity__{name}" for name in ("external_id", "handle", "name", "followers", "verified"))


@dataclass(slots=True)
class Person:
    """Who wrote a message."""

    external_id: str
    handle: str
    name: str
    followers: int | None
    verified: bool


@dataclass(slots=True)
class Talk:
    """A conversation under lock."""

    id: str
    history: bool
    confidential: bool
    language: str
    mood: int | None
    # Before that nobody but the router sees it, and no department has a share in it.
    routed_at: datetime | None


@dataclass(slots=True)
class Waiting:
    """A message under lock; in these words it is read like a `Message`."""

    id: str
    conversation_id: str
    kind: str
    title: str
    text: str
    language: str
    rating: int | None
    visibility: str
    created_at: datetime
    deleted_at: datetime | None
    revision: int
    media: bool  # whether there is any
    channel: Channel
    identity: Person | None
    answers_us: bool
    talk: Talk

    @property
    def pk(self) -> UUID:
        return UUID(self.id)


def claim(
    batch: int, *, tried_less_than: int, history: bool | None = None, among: Iterable[str] | None = None
) -> list[Waiting]:
    """Up to `batch` waiting messages, live ones before history, or only one of the two, or only those `among` these
    ids; locked with their conversations to the end of the transaction. What another worker holds is passed over."""
    waiting = Message.objects.waiting_for_route().filter(route_attempts__lt=tried_less_than)
    if history is not None:
        waiting = waiting.filter(history=history)
    if among is not None:
        waiting = waiting.filter(pk__among=[*among])
    locked = waiting.select_for_update(skip_locked=True, no_key=True).annotate(named=id_of("pk"))
    ids = list(locked.values_list("named", flat=True)[:batch])
    return _read(ids, lock_talks) if ids else []


def as_they_waited(ids: Iterable[str]) -> list[Waiting]:
    """These messages in the order of their ids as they were read when they waited, without a lock: for who only looks
    at what rules would do. What is no longer there is left out."""
    return _read([*ids], look_at_talks)


def look_at_talks(ids: Iterable[str]) -> dict[str, Talk]:
    """These conversations by their ids, as they are just now."""
    return _talks(Conversation.objects.filter(pk__among=ids))


def lock_talks(ids: Iterable[str]) -> dict[str, Talk]:
    """These conversations, locked, by their ids: in the order in which everybody locks them, and without their keys:
    who answers meanwhile holds the conversation, and at the end only names the message."""
    return _talks(Conversation.objects.select_for_update(no_key=True).filter(pk__among=ids).order_by("pk"))


def _talks(selected) -> dict[str, Talk]:
    told = selected.annotate(named=id_of("pk")).values_list("named", *Talk.__slots__[1:])
    return {row[0]: Talk(*row) for row in told}


def _read(ids: list[str], talks_of: Callable[[Iterable[str]], dict[str, Talk]]) -> list[Waiting]:
    named = {"named": id_of("pk"), "talk": id_of("conversation_id"), "way": id_of("channel_id")}
    asked = Message.objects.filter(pk__among={*ids}).annotate(**named, shows=~Q(media=[])).order_by()
    found = {row[0]: row for row in asked.values_list("named", "talk", "way", "parent__direction", *_SAID, *_WHO)}
    # The same few channels come hundreds of times.
    ways = {str(each.pk): each for each in Channel.objects.filter(pk__in={row[2] for row in found.values()})}
    # Locked, so that two workers do not both decide who leads.
    talks = talks_of({row[1] for row in found.values()})
    return [_made(talks, ways, *found[id]) for id in ids if id in found]


def _made(talks: dict[str, Talk], ways: dict[str, Channel], id: str, talk: str, way: str, answers, *rest) -> Waiting:
    said, who = rest[: len(_SAID)], rest[len(_SAID) :]
    person = None if who[0] is None else Person(*who)
    return Waiting(id, talk, *said, ways[way], person, answers == Message.Direction.OUT, talks[talk])
