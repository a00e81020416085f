"""Messages that wait for the router, read with all that deciding and placing ask of them, and with nothing else: an
instance for each message, its person and its conversation would cost more than to decide."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.models import Channel
from inbox.models import Conversation, Message

_SAID = (
    "pk",
    "conversation_id",
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
_WHO = ("external_id", "handle", "name", "followers", "verified")


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

    pk: UUID
    conversation_id: UUID
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


def claim(batch: int, *, tried_less_than: int, history: bool | None = None) -> list[Waiting]:
    """Up to `batch` waiting messages, live ones before history, or only one of the two; locked with their
    conversations to the end of the transaction. What another worker holds is passed over."""
    waiting = Message.objects.waiting_for_route().filter(route_attempts__lt=tried_less_than)
    if history is not None:
        waiting = waiting.filter(history=history)
    ids = list(waiting.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:batch])
    messages = _read(ids) if ids else []
    _lock_conversations({message.conversation_id for message in messages})
    return messages


def _read(ids: list[UUID]) -> list[Waiting]:
    names = (*_SAID, "channel_id", "parent__direction", "identity_id", *(f"identity__{name}" for name in _WHO))
    found = {row[0]: row for row in Message.objects.filter(pk__among=ids).values_list(*names).order_by()}
    split = len(_SAID)
    # The same few channels come hundreds of times.
    channels = Channel.objects.in_bulk({row[split] for row in found.values()})
    return [_made(found[id][:split], channels, *found[id][split:]) for id in ids]


def _made(said: tuple, channels: dict, channel_id: UUID, answers: str | None, identity_id, *who) -> Waiting:
    return Waiting(*said, channels[channel_id], Person(*who) if identity_id else None, answers == Message.Direction.OUT)


def _lock_conversations(ids: set[UUID]) -> None:
    """So that two workers do not both decide who leads; in the order in which placing locks them again. Without their
    keys (as the messages): who answers meanwhile holds the conversation, and at the end only names the message."""
    locked = Conversation.objects.select_for_update(no_key=True).filter(pk__among=ids).order_by("pk")
    list(locked.values_list("pk", flat=True))
