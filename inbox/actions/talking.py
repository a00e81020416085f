"""What we say: to colleagues in notes, and to the person outside in replies, of which one at a time goes out."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from connectors.contract import Sent
from connectors.registry import connector_for
from departments import bell
from departments.access import may, rights
from departments.audit import record
from departments.models import Department, User
from departments.roles import Role
from inbox import outbox
from inbox.actions.step import finish, keep, locked, remember, ring_all, snapshot, visible_conversation
from inbox.actions.telling import ask_leads
from inbox.errors import Refused, SomethingNewer
from inbox.indexing import index_note
from inbox.models import Conversation, Message, Note, QueueItem, Reply

State = Reply.State
#: What can be answered by a direct message instead, where the network lets us.
PUBLIC_KINDS = ("comment", "reply", "mention")


@transaction.atomic
def note(conversation: Conversation, text: str, *, audience: Department | None = None, by: User) -> Note:
    """Text for colleagues: for everyone on the conversation, or (`audience`) for one department of the writer's."""
    conversation = visible_conversation(conversation, by)
    item = _own_share(conversation, by)
    if item is None and not rights(by).coordinator:
        raise PermissionDenied("Only people whose department is on this conversation write notes on it.")
    if not text.strip():
        raise Refused("The note is empty.")
    if audience and not may(by, "work_queue", audience):
        raise Refused(f"You do not work in {audience}, so you would not see your own note.")
    written = Note.objects.create(conversation=conversation, author=by, audience=audience, text=text.strip())
    index_note(written)
    # The audit keeps no text, and not for whom: who may not read the note learns no more than that there was one.
    record("note_written", written, by=by, department=audience, conversation_id=conversation.pk)
    if item:
        keep(item)
        remember(item, "note", by=by, before=snapshot(item) | {"note": str(written.pk)})
    ring_all(conversation)
    return written


@transaction.atomic
def remove_note(written: Note, *, by: User) -> None:
    """Take one's own note back. Somebody who lost sight of the conversation can not (the note is not theirs to see)."""
    conversation = visible_conversation(written.conversation, by)
    if written.author != by:
        raise PermissionDenied("Only its writer takes a note back.")
    if written.removed_at is None:
        written.removed_at = timezone.now()
        written.save(update_fields=["removed_at"])
        index_note(written)
        record("note_removed", written, by=by, department=written.audience, conversation_id=conversation.pk)
    ring_all(conversation)


@transaction.atomic
def reply(
    item: QueueItem,
    text: str,
    *,
    seen: UUID | str,
    by: User,
    in_reply_to: UUID | str | None = None,
    resolve: bool = False,
    private: bool = False,
) -> Reply:
    """Hand a reply to the outbox. `seen` is the last message that its author had read: when a newer one, or another
    answer of ours, came since, it is refused with `SomethingNewer`, so that nobody answers past the person or past a
    colleague.

    The text goes out to `in_reply_to`, else to their last message; with `private` as a direct message to its author.
    With `resolve` the item is resolved once it was sent.
    """
    item = locked(item, by)
    conversation = item.conversation
    _may_speak(item)
    known = message_of(conversation, seen, "seen")
    target = message_of(conversation, in_reply_to, "in_reply_to") if in_reply_to else _last_from_outside(conversation)
    nothing_newer(conversation, known)
    text = sendable(text, target, private)
    before = snapshot(item)
    # What was sent back is done with: this one stands for it.
    conversation.replies.filter(state=State.DRAFT).update(state=State.CANCELLED)
    written = Reply.objects.create(
        conversation=conversation,
        department=item.department,
        channel=target.channel,
        target=target,
        author=by,
        text=text,
        private=private,
        seen=known,
        resolve=resolve,
        **_way_out(item, outbox.body_hash(text, target, private)),
    )
    if item.needs_approval:
        ask_leads(written)
    item.assignee = item.assignee or by
    item.unread = False
    before["reply"] = str(written.pk)
    finish(item, "reply", by=by, before=before, audit="reply_written", reply=str(written.pk))
    bell.wake("send")
    return written


def _way_out(item: QueueItem, hashed: str) -> dict:
    """Out in a moment; or first to a lead, where a rule wants that."""
    if item.needs_approval:
        return {"body_hash": hashed, "approved_hash": "", "state": State.WAITING_APPROVAL, "send_after": None}
    soon = timezone.now() + timedelta(seconds=settings.UNDO_SEND_SECONDS)
    return {"body_hash": hashed, "approved_hash": hashed, "state": State.APPROVED, "send_after": soon}


def _may_speak(item: QueueItem) -> None:
    conversation = item.conversation
    if not item.lead:
        speaker = QueueItem.objects.of(conversation).filter(lead=True).select_related("department").first()
        raise Refused(
            f"{item.department} contributes here; {speaker.department if speaker else 'the lead'} speaks. "
            "Write an internal note with your proposal."
        )
    if item.offer_id:
        raise Refused("Accept the hand-off first.")


def message_of(conversation: Conversation, given: UUID | str, name: str) -> Message:
    try:
        found = Message.objects.filter(conversation=conversation, pk=UUID(str(given))).select_related("channel").first()
    except ValueError:
        found = None
    if found is None:
        raise Refused(f"“{name}” names no message of this conversation. Load it again.")
    return found


def _last_from_outside(conversation: Conversation) -> Message:
    living = conversation.messages.from_outside().filter(deleted_at=None).select_related("channel")
    last = living.order_by("-created_at", "-id").first()
    if last is None:
        raise Refused("There is nothing left here to answer: they deleted what they wrote.")
    return last


def nothing_newer(conversation: Conversation, known: Message, *, but: Reply | None = None, told: str = "") -> None:
    """Raises SomethingNewer when another reply (than `but`) is on its way, or something came after this message."""
    others = conversation.replies.on_their_way().exclude(pk=but and but.pk)
    on_its_way = others.select_related("author", "department").first()
    if on_its_way:
        raise SomethingNewer(
            f"{on_its_way.author} of {on_its_way.department} has answered already: that reply is on its way.",
            [on_its_way],
        )
    newer = list(
        conversation.messages.filter(received_at__gt=known.received_at, deleted_at=None)
        .exclude(pk=known.pk)
        .select_related("identity")
        .order_by("received_at", "created_at")
    )
    if newer:
        ours = any(each.direction == Message.Direction.OUT for each in newer)
        what = "A colleague’s answer" if ours else "A newer message"
        raise SomethingNewer(f"{what} {told or 'came while you were writing. Read it, then send.'}", newer)


def sendable(text: str, target: Message, private: bool) -> str:
    channel, text = target.channel, text.strip()
    connector = connector_for(channel)
    if not text:
        raise Refused("The reply is empty.")
    if not connector.offers.replies:
        raise Refused(f"{connector.name} takes no replies from here.")
    if channel.frozen_at:
        raise Refused(f"Sending through {channel} is stopped. The text is kept; somebody has to start it again.")
    if target.deleted_at:
        raise Refused("They deleted the message that you answer.")
    if private and not (connector.offers.private_replies and target.kind in PUBLIC_KINDS):
        raise Refused(f"{connector.name} takes no private answer to this.")
    if closed := target.closed_to_replies(timezone.now()):
        raise Refused(closed)
    if too_long := connector.too_long(text):
        raise Refused(too_long)
    return text


@transaction.atomic
def cancel_reply(written: Reply, *, by: User) -> Reply:
    """Stop a reply that is not going out yet."""
    current = locked_reply(written, by)
    stoppable = (State.DRAFT, State.WAITING_APPROVAL, State.APPROVED)
    if current.state not in stoppable or (current.leased_until and current.leased_until > timezone.now()):
        raise Refused(f"It can not be stopped any more: {current.get_state_display().lower()}.")
    return turn(current, State.CANCELLED, by, "reply_cancelled")


@transaction.atomic
def confirm_sent(written: Reply, *, url: str = "", by: User) -> Reply:
    """A person found on the network what could not be confirmed."""
    current = locked_reply(written, by)
    if current.state != State.NEEDS_PERSON:
        raise Refused(f"Nothing has to be confirmed: {current.get_state_display().lower()}.")
    outbox.settle_sent(current, Sent(id="", url=url.strip()), audit="reply_confirmed", by=by)
    return current


@transaction.atomic
def send_again(written: Reply, *, by: User) -> Reply:
    """A person looked, it is not there: one more attempt."""
    current = locked_reply(written, by)
    if current.state != State.NEEDS_PERSON:
        raise Refused(f"It can not be sent again: {current.get_state_display().lower()}.")
    current.send_after, current.looks, current.trouble = timezone.now(), 0, ""
    current = turn(current, State.APPROVED, by, "reply_sent_again")
    bell.wake("send")
    return current


def locked_reply(written: Reply, by: User) -> Reply:
    conversation = visible_conversation(written.conversation, by)
    current = (
        Reply.objects.select_for_update(of=("self",))
        .select_related("author", "department", "conversation", "target__channel")
        .get(pk=written.pk)
    )
    if not may(by, "work_queue", current.department):
        raise PermissionDenied(f"Only {current.department} decides about its reply.")
    current.conversation = conversation
    return current


def turn(current: Reply, state: str, by: User, audit: str) -> Reply:
    current.state, current.leased_until = state, None
    current.save()
    record(audit, current, by=by, department=current.department, conversation_id=current.conversation_id)
    ring_all(current.conversation)
    return current


def _own_share(conversation: Conversation, by: User) -> QueueItem | None:
    mine = rights(by).at_least(Role.AGENT)
    return (
        QueueItem.objects.of(conversation)
        .filter(department__in=mine)
        .select_for_update(of=("self",))
        .select_related("department", "conversation")
        .first()
    )
