"""Replies that a lead reads before they go out: approved, sent back with a word, or changed by who wrote them.

An approval is bound to the very text that was read (`approved_hash`): another text waits for one of its own, and the
outbox asks once more before it sends.
"""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from departments import bell
from departments.access import may
from departments.models import User
from inbox import outbox
from inbox.actions.talking import locked_reply, message_of, nothing_newer, sendable, turn
from inbox.actions.telling import ask_leads, leave
from inbox.errors import Refused
from inbox.models import Reply

State = Reply.State


@transaction.atomic
def approve(written: Reply, *, body_hash: str, seen: UUID | str | None = None, by: User) -> Reply:
    """Let it go out. `body_hash` names the text that was read, `seen` the last message (else the one that its writer
    had seen): when the text was changed, or they wrote again, it is refused."""
    current = _waiting(written, by)
    if current.author_id == by.pk:
        raise PermissionDenied("Somebody else approves what you wrote.")
    if body_hash != current.body_hash:
        raise Refused("The text was changed since you read it. Read it again.")
    known = message_of(current.conversation, seen or current.seen_id, "seen")
    nothing_newer(current.conversation, known, but=current, told="came since it was written. Read it, then decide.")
    current.approved_hash, current.send_after, current.trouble = current.body_hash, timezone.now(), ""
    approved = turn(current, State.APPROVED, by, "reply_approved")
    bell.wake("send")
    return approved


@transaction.atomic
def send_back(written: Reply, note: str = "", *, by: User) -> Reply:
    """Not like this: its author is told, and finds the text with what was said."""
    current = _waiting(written, by)
    if current.author_id == by.pk:
        raise Refused("It is yours: change or withdraw it.")
    current.send_after, current.trouble = None, note.strip()[:500]
    leave([(current.author, str(current.conversation_id), f"{by} sent your reply back")])
    return turn(current, State.DRAFT, by, "reply_sent_back")


@transaction.atomic
def revise(written: Reply, text: str, *, by: User) -> Reply:
    """Another text for a reply that did not leave yet. An approval that it had is void; it waits for another."""
    current = locked_reply(written, by)
    if current.author_id != by.pk:
        raise PermissionDenied("Only its writer changes a reply.")
    if current.state not in (State.WAITING_APPROVAL, State.APPROVED) or current.leased_until:
        raise Refused(f"It can not be changed any more: {current.get_state_display().lower()}.")
    current.text = sendable(text, current.target, current.private)
    current.body_hash = outbox.body_hash(current.text, current.target, current.private)
    current.trouble = ""
    if not _is_asked_for(current):
        current.approved_hash = current.body_hash
        return turn(current, current.state, by, "reply_changed")
    current.approved_hash, current.send_after = "", None
    ask_leads(current)
    return turn(current, State.WAITING_APPROVAL, by, "reply_changed")


def _is_asked_for(reply: Reply) -> bool:
    share = reply.conversation.items.filter(department=reply.department, needs_approval=True)
    return reply.state == State.WAITING_APPROVAL or share.exists()


def _waiting(written: Reply, by: User) -> Reply:
    """The reply, locked, if this person may decide about it and it waits for that."""
    current = locked_reply(written, by)
    if not may(by, "lead_queue", current.department):
        raise PermissionDenied(f"A lead of {current.department} approves its replies.")
    if current.state != State.WAITING_APPROVAL:
        raise Refused(f"It does not wait for approval: {current.get_state_display().lower()}.")
    return current
