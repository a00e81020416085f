"""What a queue item copies from its conversation's newest message, so that a page of the list is one indexed read."""

from datetime import timedelta

from inbox.models import Message
from inbox.waiting import Waiting

#: Where no clock runs an item sorts behind all that have one, by age: its own time, moved out of every clock's reach.
BEHIND = timedelta(days=36_500)

SHOWN = (
    "preview",
    "kind",
    "network",
    "author_name",
    "author_handle",
    "followers",
    "language",
    "rating",
    "last_message_at",
)


def shown(message: Message | Waiting) -> dict:
    """The copied fields, by name. Needs the message's `identity` and `channel`."""
    identity = message.identity
    return {
        "preview": preview(message),
        "kind": message.kind,
        "network": message.channel.network,
        "author_name": identity.name or identity.handle if identity else "",
        "author_handle": identity.handle if identity else "",
        "followers": identity.followers if identity else None,
        "language": message.language,
        "rating": message.rating,
        "last_message_at": message.created_at,
    }


def preview(message: Message | Waiting) -> str:
    """The first words on one line; a post without any says what it holds."""
    words = " ".join(f"{message.title} {message.text}"[:1200].split())
    if words:
        return words[:300]
    if message.deleted_at:
        return "Deleted on the network"
    return "Picture or video" if message.media else "No text"


def sort(item) -> None:
    """Give the item its place in the order “most urgent first”."""
    item.sort_at = item.due_at or item.last_message_at + BEHIND
