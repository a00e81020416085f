"""Replies on their way out: one attempt each, and never a blind second one (docs/architecture.md).

A reply is marked `sending` and committed before the network is called. What is then not certainly unsent is
`unknown`: we look for our own post on the network at growing distances, and only when it is not found is a person
asked.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from connectors import http, trouble, waits
from connectors.contract import Outgoing, Sent, Target
from connectors.errors import BudgetSpent, ConnectorError, NotAuthorized, NotSent, RateLimited, Rejected
from connectors.lanes import Lanes
from connectors.models import Channel, Usage
from connectors.registry import connector_for
from departments import bell
from departments.audit import record
from departments.models import User
from inbox import lifecycle
from inbox.indexing import index_messages
from inbox.intake import key_of, ref_of
from inbox.models import Conversation, Message, QueueItem, Reply, Sighting
from inbox.rechecking import recheck

State = Reply.State
logger = logging.getLogger(__name__)

#: After which seconds to look for a reply that was not confirmed; then a person is asked.
LOOKS = (5, 30, 120, 600)
#: How long to wait when the network certainly did not take it.
WAIT = timedelta(minutes=2)
#: For how long nobody else doubts a reply that is being sent: what is asked before it, and the attempt.
SENDING = timedelta(seconds=90)
#: When to see whether what the network confirmed is really there.
VERIFY_AFTER = timedelta(seconds=30)
#: How often that is put off, each time for twice as long; the last time is an hour and a half after the first.
MOST_LOOKS = 6


#: How many replies of one process are on their way at once.
HANDS = 4
#: So that a network that takes its time, or never answers, delays no reply to another.
_lanes = Lanes(HANDS)


class LostLease(Exception):
    """Another worker took this reply over; what we know of it is old."""


def send_due(held: Callable[[], bool] = lambda: False) -> int:
    """Move a due reply one step. Returns how many were looked at: none or one. Safe to call from many threads and
    workers at once.

    While `held()` says yes nothing leaves; it is asked last of all, inside the transaction that marks a reply. One at a
    time, so that its lease covers its own step and nobody else's.
    """
    with _lanes.door() as enter:
        claimed = Reply.objects.all().claim(batch=1, closed=_lanes.closed(), admits=enter)
    for reply in claimed:
        began = time.monotonic()
        try:
            step(reply, held)
        except LostLease:
            logger.info("Reply %s was taken over by another worker.", reply.pk)
        except Exception:
            # The lease runs out, and the reply is looked at again; the others must not wait for it.
            logger.exception("Reply %s could not be moved.", reply.pk)
        finally:
            _lanes.leave(reply, time.monotonic() - began)
    return len(claimed)


def step(reply: Reply, held: Callable[[], bool] = lambda: False) -> None:
    """One step of a reply whose lease we hold."""
    if reply.state == State.APPROVED:
        attempt(reply, held)
    elif reply.state == State.SENDING:
        # Whoever was sending it died in between: nobody knows what the network heard.
        doubt(reply)
    elif reply.state == State.UNKNOWN:
        look(reply)
    elif reply.state == State.SENT:
        verify(reply)


def attempt(reply: Reply, held: Callable[[], bool] = lambda: False) -> None:
    """Mark it, call the network once, keep what came of it. The network is never called inside a transaction."""
    try:
        waits.check(reply.channel)
        _look_once_more(reply)
        connector = connector_for(reply.channel)
    except RateLimited as error:
        _wait(reply, waits.note(reply.channel, error), error.sentence)
        return
    except ConnectorError as error:  # there is no way to the network: nothing can have left
        _wait(reply, timezone.now() + WAIT, error.sentence)
        return
    if not _mark_sending(reply, held):
        return
    try:
        with http.gated(lambda: stop_if_frozen(reply.channel)):
            sent = connector.send(_outgoing(reply))
    except Rejected as error:
        _settle(reply, State.REFUSED, "reply_refused", trouble=trouble.said(reply.channel, error))
    except RateLimited as error:
        _wait(reply, waits.note(reply.channel, error), error.sentence)
    except (NotSent, NotAuthorized) as error:
        _wait(reply, timezone.now() + WAIT, error.sentence)
    except Exception as error:
        logger.warning("Reply %s is not confirmed: %s", reply.pk, type(error).__name__)
        doubt(reply)
    else:
        settle_sent(reply, sent)


def stop_if_frozen(channel: Channel) -> None:
    """Asked again right before the request that writes: what a connector has to ask before that takes its time. Raises
    NotSent."""
    if Channel.objects.filter(pk=channel.pk, frozen_at__isnull=False).exists():
        raise NotSent("Sending through this channel is stopped.")


def _look_once_more(reply: Reply) -> None:
    """They may have changed or deleted what we answer, on a network that does not tell: `_reason_to_stop` sees it.
    Raises RateLimited when the network wants to be left alone."""
    try:
        if not reply.channel.frozen_at:
            recheck(reply.target)
    except BudgetSpent:
        pass  # it binds reading alone
    except RateLimited:
        raise
    except ConnectorError as error:
        logger.info("Whether reply %s still fits is not known: %s", reply.pk, type(error).__name__)


@transaction.atomic
def _mark_sending(reply: Reply, held: Callable[[], bool] = lambda: False) -> bool:
    current = _held(reply)
    stop = _reason_to_stop(current)
    if stop:
        _settle(reply, State.REFUSED, "reply_refused", trouble=stop)
        return False
    if current.channel.frozen_at:
        _wait(reply, timezone.now() + WAIT, "Sending through this channel is stopped.")
        return False
    if held():
        _wait(reply, timezone.now() + WAIT, "Nothing leaves until an admin has confirmed the restore.")
        return False
    current.state, current.attempts, current.attempted_at = State.SENDING, current.attempts + 1, timezone.now()
    # Anew, for looking once more took its share of it.
    current.leased_until = current.attempted_at + SENDING
    current.save(update_fields=["state", "attempts", "attempted_at", "leased_until"])
    reply.state, reply.attempts, reply.attempted_at = current.state, current.attempts, current.attempted_at
    _ring(reply)
    return True


def _reason_to_stop(reply: Reply) -> str:
    """Why an approved reply must not leave after all; empty when it may."""
    target = reply.target
    if target.deleted_at:
        return "They deleted the message before the reply left."
    if target.edited_at and target.edited_at > reply.created_at:
        return "They changed the message before the reply left. Read it again, then send."
    if closed := target.closed_to_replies(timezone.now()):
        return closed
    if reply.approved_hash != body_hash(reply.text, target, reply.private):
        return "The text is not the one that was approved."
    return ""


def doubt(reply: Reply) -> None:
    """Not certainly unsent: begin to look for it."""
    _settle(reply, State.UNKNOWN, "reply_unknown", send_after=timezone.now() + timedelta(seconds=LOOKS[0]), looks=0)


@transaction.atomic
def doubt_all(before: datetime) -> int:
    """Replies written before then may have left without our knowing, as after a restore: whatever was on its way is
    looked for first. Those that wait for an approval say so, for whoever approves them. Returns how many are in
    doubt."""
    written = Reply.objects.filter(created_at__lt=before)
    written.filter(state=State.WAITING_APPROVAL).update(trouble="Look whether it has left: this is an older backup.")
    on_their_way = written.filter(state__in=[State.APPROVED, State.SENDING]).select_for_update(of=("self",))
    found = list(on_their_way.select_related("department"))
    for reply in found:
        doubt(reply)
    return len(found)


def look(reply: Reply) -> None:
    """Look for our own post on the network. Not being able to look is not the same as not finding it."""
    try:
        found = _find(reply)
    except RateLimited as error:
        _wait(reply, waits.note(reply.channel, error), error.sentence, state=State.UNKNOWN)
        return
    except ConnectorError as error:
        _wait(reply, timezone.now() + timedelta(seconds=LOOKS[1]), error.sentence, state=State.UNKNOWN)
        return
    if found:
        settle_sent(reply, found, audit="reply_found")
    elif reply.looks + 1 < len(LOOKS):
        later = timezone.now() + timedelta(seconds=LOOKS[reply.looks + 1])
        _settle(reply, State.UNKNOWN, None, send_after=later, looks=reply.looks + 1)
    else:
        _settle(reply, State.NEEDS_PERSON, "reply_needs_person", send_after=None)


def verify(reply: Reply) -> None:
    """Whether what the network confirmed is really there, once. While nobody can look it is put off, a few times."""
    try:
        found = _find(reply)
    except ConnectorError as error:
        again = timezone.now() + WAIT * 2**reply.looks if reply.looks < MOST_LOOKS else None
        if again and isinstance(error, RateLimited):
            again = max(again, waits.note(reply.channel, error))
        _settle(reply, State.SENT, None, send_after=again, looks=reply.looks + 1)
        return
    trouble = "" if found else "The network said that it took this reply, and does not show it."
    _settle(reply, State.SENT, None, send_after=None, trouble=trouble)


def _find(reply: Reply) -> Sent | None:
    waits.check(reply.channel)
    since = (reply.attempted_at or reply.created_at) - timedelta(minutes=1)
    return connector_for(reply.channel).find_sent(_outgoing(reply), since)


def _outgoing(reply: Reply) -> Outgoing:
    return Outgoing(
        text=reply.text,
        in_reply_to=reply.target.external_id,
        client_key=str(reply.client_key),
        to=target_of(reply.target),
        private=reply.private,
    )


def target_of(message: Message) -> Target:
    """What the network has to know of a message that something is done to."""
    who = message.identity
    return Target(
        id=message.external_id,
        kind=message.kind,
        visibility=message.visibility,
        author=who.external_id if who else "",
        handle=who.handle if who else "",
        thread=message.thread_root,
    )


def body_hash(text: str, target: Message, private: bool = False) -> str:
    """What an approval is bound to: the text, the channel, the message answered, and whether all may read it."""
    parts = (text, str(target.channel_id), target.key, *(("private",) if private else ()))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _held(reply: Reply) -> Reply:
    """The row as it is now, locked, if the lease is still ours."""
    current = (
        Reply.objects.select_for_update(of=("self",))
        .select_related("channel", "target", "conversation", "department")
        .filter(pk=reply.pk, fence=reply.fence)
        .first()
    )
    if current is None:
        raise LostLease(reply.pk)
    return current


@transaction.atomic
def _settle(reply: Reply, state: str, audit: str | None, *, trouble: str | None = None, **fields) -> None:
    current = _held(reply)
    current.state, current.leased_until = state, None
    if trouble is not None:
        current.trouble = trouble[:500]
    for name, value in fields.items():
        setattr(current, name, value)
    current.save()
    if audit:
        record(
            audit,
            current,
            by="system",
            department=current.department,
            conversation_id=current.conversation_id,
            **({"reason": current.trouble} if audit == "reply_refused" else {}),
        )
    _ring(current)


def _wait(reply: Reply, until, trouble: str, state: str = State.APPROVED) -> None:
    _settle(reply, state, None, trouble=trouble, send_after=until)


@transaction.atomic
def settle_sent(reply: Reply, sent: Sent, *, audit: str = "reply_sent", by: User | str = "system") -> None:
    """The network has it: keep our message in the thread, and set the lead's item to their turn, or resolved. `sent`
    has no id when a person saw it there and nobody knows under which."""
    conversation = Conversation.objects.select_for_update(of=("self",), no_key=True).get(pk=reply.conversation_id)
    current = _held(reply)
    now = timezone.now()
    current.message = _our_message(current, sent, now)
    current.state, current.sent_at, current.remote_id, current.remote_url = State.SENT, now, sent.id, sent.url
    current.leased_until, current.trouble, current.looks = None, "", 0
    current.send_after = now + VERIFY_AFTER if sent.id else None
    current.save()
    conversation.last_out_at = now
    conversation.last_message_at = max(conversation.last_message_at, now)
    conversation.save(update_fields=["last_out_at", "last_message_at"])
    _turn_item(current)
    Usage.objects.add(reply.channel, sent.used, now.date())
    record(audit, current, by=by, department=current.department, conversation_id=conversation.pk)
    _ring(current)


def _our_message(reply: Reply, sent: Sent, now: datetime) -> Message:
    """Our message in the thread. A fetch may have brought it before the answer reached us: then it is that one."""
    target = reply.target
    external = sent.id or f"reply:{reply.pk}"
    message, is_new = Message.objects.get_or_create(
        key=key_of(reply.channel, external, sent.global_id),
        defaults={
            "conversation": reply.conversation,
            "channel": reply.channel,
            "external_id": external,
            "kind": "dm" if reply.private or target.kind == "dm" else "reply",
            "direction": Message.Direction.OUT,
            "parent": target,
            "parent_key": ref_of(reply.channel, target.external_id),
            "thread_root": target.thread_root,
            "text": reply.text,
            "url": sent.url,
            "visibility": "direct" if reply.private else target.visibility,
            "created_at": now,
        },
    )
    if is_new:
        Sighting.objects.get_or_create(channel=reply.channel, external_id=external, defaults={"message": message})
        index_messages([message])
    return message


def _turn_item(reply: Reply) -> None:
    """Their turn now, unless they wrote again while our reply was on its way."""
    item = (
        QueueItem.objects.of(reply.conversation)
        .filter(lead=True)
        .select_for_update(of=("self",))
        .select_related("department", "conversation")
        .first()
    )
    newer = reply.conversation.messages.from_outside().filter(received_at__gt=reply.created_at, deleted_at=None)
    if item is None or item.status == QueueItem.Status.RESOLVED or newer.exists():
        return
    lifecycle.answered(item, resolve=reply.resolve)
    item.version += 1
    item.save()


def _ring(reply: Reply) -> None:
    bell.ring(*QueueItem.objects.of(reply.conversation).values_list("department_id", flat=True))
