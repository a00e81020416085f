"""Messages that wait for the router, read with all that deciding and placing ask of them, and with nothing else: an
instance for each message, its person and its conversation would cost more than to decide."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.models import Channel
from departments.rows import id_of
from inbox.models import Conversation, Message

_SAID = (
    "kind",
    "title",
    "text",
    "language",
    "rating",
    "media",
    "visibility",
    "created_at",
    "deleted_at",
    "revision",
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
class Waiting:
    """A message under lock; in these words it is read like a `Message`."""

    id: str
    conversation_id: str
    kind: str
    title: str
    text: str
    language: str
    rating: int | None
    media: list[Any]
    visibility: str
    created_at: datetime
    deleted_at: datetime | None
    revision: int
    channel: Channel
    identity: Person | None
    answers_us: bool

    @property
    def pk(self) -> UUID:
        return UUID(self.id)


def claim(batch: int, *, tried_less_than: int, history: bool | None = None) -> list[Waiting]:
    """Up to `batch` waiting messages, live ones before history, or only one of the two; locked with their
    conversations to the end of the transaction. What another worker holds is passed over."""
    waiting = Message.objects.waiting_for_route().filter(route_attempts__lt=tried_less_than)
    if history is not None:
        waiting = waiting.filter(history=history)
    locked = waiting.select_for_update(skip_locked=True, no_key=True).annotate(named=id_of("pk"))
    ids = list(locked.values_list("named", flat=True)[:batch])
    messages = _read(ids) if ids else []
    _lock_conversations({message.conversation_id for message in messages})
    return messages


def _read(ids: list[str]) -> list[Waiting]:
    named = {"named": id_of("pk"), "talk": id_of("conversation_id"), "way": id_of("channel_id")}
    asked = Message.objects.filter(pk__among=ids).annotate(**named).order_by()
    found = {row[0]: row for row in asked.values_list("named", "talk", "way", "parent__direction", *_SAID, *_WHO)}
    # The same few channels come hundreds of times.
    ways = {str(each.pk): each for each in Channel.objects.filter(pk__in={row[2] for row in found.values()})}
    return [_made(ways, *found[id]) for id in ids]


def _made(ways: dict[str, Channel], id: str, talk: str, way: str, answers: str | None, *rest) -> Waiting:
    said, who = rest[: len(_SAID)], rest[len(_SAID) :]
    person = None if who[0] is None else Person(*who)
    return Waiting(id, talk, *said, ways[way], person, answers == Message.Direction.OUT)


def _lock_conversations(ids: set[str]) -> None:
    """So that two workers do not both decide who leads; in the order in which placing locks them again. Without their
    keys (as the messages): who answers meanwhile holds the conversation, and at the end only names the message."""
    locked = Conversation.objects.select_for_update(no_key=True).filter(pk__among=ids).order_by("pk")
    list(locked.values_list("history", flat=True))
