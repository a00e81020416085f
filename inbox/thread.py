"""What a conversation's page shows between its title and its composer: everything that was said, inside and outside,
and what was done about it, in one row of time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from departments import audit
from departments.models import AuditEntry, User
from inbox.models import Conversation, Message, Note, Reply
from inbox.paging import Cursor, Order, page
from inbox.pieces import changed, marked

#: What the page takes from above, when nobody up there knows why the conversation is where it is.
NO_REASON: Mapping[str, Any] = {
    "label": "",
    "because": "",
    "not": [],
    "version": "",
    "guesses": [],
    "has_grounds": False,
    "decision": None,
    "spans": {},
    "confirm": None,
    "given": {},
}

NEWEST = Order("created_at", descending=True)
#: Messages on a page; older ones are a page of their own.
SHOWN = 100
#: Steps told on a page, and edits shown of one message: the newest.
STEPS, EDITS = 300, 5
#: Acts that stand in the thread themselves need no sentence beside it.
SHOWN_ITSELF = ("reply_written", "reply_sent", "reply_unknown", "reply_refused")
LEFT_OUT = (Reply.State.CANCELLED,)


def unexplained(conversation: Conversation, user: User) -> Mapping[str, Any]:
    """For a house without rules."""
    return NO_REASON


@dataclass
class Thread:
    """One page of a conversation, oldest first."""

    entries: list[dict]
    messages: list[Message] = field(default_factory=list)
    older: Cursor | None = None

    @property
    def seen(self) -> Message | None:
        """The message that came to us last of those shown: who answers has seen everything up to it."""
        return max(self.messages, key=lambda each: (each.received_at, each.created_at), default=None)


def read(
    conversation: Conversation, user: User, *, spans: Mapping | None = None, cursor: Cursor | None = None
) -> Thread:
    """The newest page, or the one before `cursor`. A fixed number of queries, whatever the conversation holds.

    `spans` are the stretches of each message's text (by its id) that rules found.
    """
    found = page([_messages(conversation)], NEWEST, cursor=cursor, size=SHOWN)
    messages = found.rows[::-1]
    since = messages[0].created_at if found.next and messages else None
    until = cursor.value if cursor else None
    within = _Window(since, until)
    entries = [
        *_said(messages, conversation, user, spans or {}),
        *_on_their_way(conversation, within),
        *_noted(conversation, user, within),
        *_done(conversation, within),
    ]
    entries.sort(key=lambda entry: entry["at"])
    return Thread(list(_with_days(_folded(entries))), messages, found.next)


@dataclass(frozen=True)
class _Window:
    """The stretch of time that this page tells of; open at an end where no further page lies."""

    since: datetime | None
    until: datetime | None

    def of(self, rows, name: str):
        if self.since:
            rows = rows.filter(**{f"{name}__gte": self.since})
        return rows.filter(**{f"{name}__lt": self.until}) if self.until else rows


def _messages(conversation: Conversation):
    return (
        Message.objects.filter(conversation=conversation)
        .select_related("identity", "parent__identity", "reply__author", "reply__department")
        .prefetch_related("revisions", "moderations")
    )


# What was said --------------------------------------------------------------------------------------------------------
def _said(messages: list[Message], conversation: Conversation, user: User, spans: Mapping) -> Iterator[dict]:
    quotable = _quotable(messages, conversation, user)
    for message in messages:
        yield {
            "type": "message",
            "at": message.created_at,
            "message": message,
            "pieces": [] if message.deleted_at else marked(message.text, spans.get(str(message.pk), ())),
            "parent": message.parent if message.parent_id in quotable else None,
            "revisions": [] if message.deleted_at else edits(message),
            "reply": getattr(message, "reply", None),
            "moderation": next(iter(message.moderations.all()), None),
        }


def _quotable(messages: list[Message], conversation: Conversation, user: User) -> set:
    """Which parents may be quoted: those of this conversation, those of others that the user sees as well, and what we
    ourselves said in public. A parent that stands right above what answers it is not repeated."""
    parents = [each.parent for each in messages if each.parent_id]
    elsewhere = {each.conversation_id for each in parents} - {conversation.pk}
    seen = {
        conversation.pk,
        *Conversation.objects.visible_to(user).filter(pk__in=elsewhere).values_list("pk", flat=True),
    }
    above = {
        message.pk for before, message in zip(messages, messages[1:], strict=False) if message.parent_id == before.pk
    }
    shown = {each.pk for each in parents if each.conversation_id in seen or _is_ours_in_public(each)}
    return shown - {each.parent_id for each in messages if each.pk in above}


def _is_ours_in_public(message: Message) -> bool:
    return message.direction == Message.Direction.OUT and message.visibility == "public" and message.kind != "dm"


def edits(message: Message) -> list[dict]:
    """How the message changed, oldest first: each with the words that went and came."""
    kept = list(message.revisions.all())[-EDITS:]
    texts = [*(each.text for each in kept), message.text]
    return [
        {"number": old.number, "at": old.replaced_at, "pieces": changed(old.text, new)}
        for old, new in zip(kept, texts[1:], strict=True)
    ]


def _on_their_way(conversation: Conversation, within: _Window) -> Iterator[dict]:
    """Replies that are not in the thread yet, or had trouble on their way."""
    replies = Reply.objects.filter(conversation=conversation, message=None).exclude(state__in=LEFT_OUT)
    for reply in within.of(replies.select_related("author", "department", "channel", "target"), "created_at"):
        yield {"type": "reply", "at": reply.created_at, "reply": reply}


def _noted(conversation: Conversation, user: User, within: _Window) -> Iterator[dict]:
    notes = Note.objects.visible_to(user).filter(conversation=conversation).select_related("author", "audience")
    for note in within.of(notes, "at"):
        yield {"type": "note", "at": note.at, "note": note}


# What was done --------------------------------------------------------------------------------------------------------
def _done(conversation: Conversation, within: _Window) -> Iterator[dict]:
    entries = steps(conversation).order_by("-id")
    for entry in within.of(entries, "at")[:STEPS]:
        yield {"type": "step", "at": entry.at, "text": audit.sentence(entry)}


def steps(conversation: Conversation) -> QuerySet[AuditEntry]:
    """The acts that the thread does not show by itself."""
    return told(conversation).exclude(verb__in=SHOWN_ITSELF)


def told(conversation: Conversation) -> QuerySet[AuditEntry]:
    """What was done about this conversation, oldest first. Of notes nothing is told here: for whom they are is not
    everybody's to know."""
    entries = AuditEntry.objects.about(conversation.pk).exclude(verb__in=("note_written", "note_removed"))
    return entries.select_related("by", "department")


def _folded(entries: Iterable[dict]) -> Iterator[dict]:
    """Steps that nothing stands between become one entry."""
    fold: list[dict] = []
    for entry in entries:
        if entry["type"] == "step":
            fold.append({"at": entry["at"], "text": entry["text"]})
            continue
        if fold:
            yield {"type": "steps", "at": fold[0]["at"], "sentences": fold}
            fold = []
        yield entry
    if fold:
        yield {"type": "steps", "at": fold[0]["at"], "sentences": fold}


def _with_days(entries: Iterable[dict]) -> Iterator[dict]:
    """A line before the first entry of each day, by the reader's own calendar."""
    day = None
    for entry in entries:
        if (today := timezone.localtime(entry["at"]).date()) != day:
            day = today
            yield {"type": "day", "at": entry["at"]}
        yield entry
