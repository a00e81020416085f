"""What every verb begins and ends with: lock and check; keep, remember for undo, audit, ring."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404

from departments import bell
from departments.access import may
from departments.audit import record
from departments.models import Department, User
from inbox.actions import sentences  # noqa: F401  (registers them)
from inbox.models import Change, Conversation, QueueItem

#: What an undo sets back.
REMEMBERED = (
    "status",
    "resolution",
    "assignee_id",
    "priority",
    "unread",
    "probably_nothing",
    "lead",
    "handed_to_id",
    "offer_id",
    "waiting_since",
    "due_at",
    "snoozed_until",
    "resolved_at",
)


def lock_conversation(conversation_id) -> Conversation:
    """Everything that changes a conversation or its items holds this row first, so that no two wait for each other.
    Its key stays free: whoever only names the row (a message that comes in) does not wait."""
    return Conversation.objects.select_for_update(of=("self",), no_key=True).get(pk=conversation_id)


def locked(item: QueueItem, by: User, what: str = "work_queue") -> QueueItem:
    """The item as it is now, locked with its conversation. Http404 when this person may not see it, PermissionDenied
    when they see it and may not do that in its department."""
    lock_conversation(item.conversation_id)
    visible = QueueItem.objects.visible_to(by).select_related("department", "conversation", "assignee", "handed_to")
    current = get_object_or_404(visible.select_for_update(of=("self",)), pk=item.pk)
    if not may(by, what, current.department):
        raise PermissionDenied(f"You may read {current.department}, and not do this in it.")
    return current


def visible_conversation(conversation: Conversation, by: User) -> Conversation:
    """The conversation, locked, if this person may see it; else Http404."""
    current = lock_conversation(conversation.pk)
    if not Conversation.objects.visible_to(by).filter(pk=current.pk).exists():
        raise Http404
    return current


def snapshot(item: QueueItem) -> dict:
    """The item as an undo would set it back."""
    return {name: getattr(item, name) for name in REMEMBERED}


def keep(item: QueueItem) -> None:
    """Store the item under its next version."""
    item.version += 1
    item.save()


def finish(item: QueueItem, verb: str, *, by: User, before: dict | None = None, audit: str, **facts) -> None:
    """Store what a verb did to the item, remember how it was for an undo, write the audit, ring the bell."""
    keep(item)
    if before is not None:
        remember(item, verb, by=by, before=before)
    record(audit, item, by=by, department=item.department, conversation_id=item.conversation_id, **facts)
    ring_all(item.conversation)


def remember(item: QueueItem, verb: str, *, by: User, before: dict) -> Change:
    return Change.objects.create(item=item, verb=verb, by=by, before=_plain(before), version=item.version)


def _plain(before: dict) -> dict:
    return {
        name: value if value is None or isinstance(value, (bool, int, list)) else str(value)
        for name, value in before.items()
    }


def ring_all(conversation: Conversation, *more: Department) -> None:
    """Every queue in which this conversation lies draws it anew."""
    queues: Iterable = QueueItem.objects.of(conversation).values_list("department_id", flat=True)
    bell.ring(*queues, *(each.pk for each in more))
