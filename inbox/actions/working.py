"""A member at work in one queue: take, assign, snooze, resolve, reopen, and what they put on an item."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from departments import bell
from departments.access import may, people_of
from departments.audit import entry
from departments.audit import keep as keep_entries
from departments.models import User
from inbox import clocks, lifecycle
from inbox.actions.step import finish, locked, snapshot
from inbox.errors import Refused
from inbox.models import QueueItem, Tag

Status = QueueItem.Status


@transaction.atomic
def take(item: QueueItem, *, by: User) -> QueueItem:
    """Make it mine."""
    item = locked(item, by)
    if item.assignee == by:
        return item
    before = snapshot(item)
    item.assignee = by
    finish(item, "take", by=by, before=before, audit="item_taken")
    return item


@transaction.atomic
def assign(item: QueueItem, to: User | None, *, by: User) -> QueueItem:
    """Give it to somebody of this department, or back to all of it (`None`). Giving to others is the lead's;
    everybody may take it themselves or put their own back."""
    item = locked(item, by)
    own = to == by or (to is None and item.assignee == by)
    if not own and not may(by, "lead_queue", item.department):
        raise PermissionDenied("Only the department’s lead gives work to others.")
    if to and to not in people_of(item.department) and not (to == by and may(by, "work_queue", item.department)):
        raise Refused(f"{to} does not work in {item.department}.")
    before = snapshot(item)
    item.assignee = to
    if to is None:
        finish(item, "assign", by=by, before=before, audit="item_unassigned")
    else:
        finish(item, "assign", by=by, before=before, audit="item_assigned", person=str(to))
    return item


@transaction.atomic
def snooze(item: QueueItem, until: datetime | None, *, by: User) -> QueueItem:
    """Out of sight until then, or (`None`) until they answer. The clock stands still meanwhile."""
    item = locked(item, by)
    _must_live(item)
    if until and until <= timezone.now():
        raise Refused("That time has passed. Choose one that lies ahead.")
    before = snapshot(item)
    lifecycle.asleep(item, until)
    told = date_format(timezone.localtime(until), "j F, H:i") if until else "they answer"
    finish(item, "snooze", by=by, before=before, audit="item_snoozed", until=told)
    return item


@transaction.atomic
def wake() -> int:
    """Bring back what was snoozed until now. The timetable calls this; returns how many came back."""
    due = QueueItem.objects.snoozed_until_now().select_related("department", "conversation")
    items = list(due.select_for_update(skip_locked=True, of=("self",))[:200])
    for item in items:
        lifecycle.open_again(item)
        item.unread = True
        item.version += 1
        item.save()
    keep_entries(
        [
            entry("item_woke", item, by="system", department=item.department, conversation_id=item.conversation_id)
            for item in items
        ]
    )
    bell.ring(*{item.department_id for item in items})
    return len(items)


@transaction.atomic
def resolve(item: QueueItem, resolution: str, *, by: User) -> QueueItem:
    """Done here. A new message within 14 days opens it again."""
    item = locked(item, by)
    if resolution not in QueueItem.Resolution.values:
        raise Refused(f"“{resolution}” is no way to resolve. Choose one of: {', '.join(QueueItem.Resolution.values)}.")
    if item.handed_to:
        raise Refused(f"It is being handed to {item.handed_to}. Take the hand-off back first.")
    if item.status == Status.RESOLVED and item.resolution == resolution:
        return item
    before = snapshot(item)
    lifecycle.close(item, resolution)
    finish(
        item, "resolve", by=by, before=before, audit="item_resolved", resolution=item.get_resolution_display().lower()
    )
    return item


@transaction.atomic
def reopen(item: QueueItem, *, by: User) -> QueueItem:
    """Work on it again."""
    item = locked(item, by)
    if item.status == Status.OPEN:
        return item
    before = snapshot(item)
    lifecycle.open_again(item)
    finish(item, "reopen", by=by, before=before, audit="item_reopened")
    return item


@transaction.atomic
def prioritise(item: QueueItem, priority: int, *, by: User) -> QueueItem:
    """How urgent it is here; the due time moves with it."""
    item = locked(item, by)
    if priority not in QueueItem.Priority.values:
        raise Refused("Priority is 0 (normal), 1 (high) or 2 (urgent).")
    before = snapshot(item)
    item.priority = priority
    if item.due_at and item.waiting_since:
        item.due_at = clocks.due(item, item.waiting_since)
        clocks.follow(item)
    told = item.get_priority_display().lower()
    finish(item, "prioritise", by=by, before=before, audit="priority_set", priority=told)
    return item


@transaction.atomic
def tag(item: QueueItem, names: list[str], *, by: User) -> QueueItem:
    """These and no other words stand on the conversation."""
    item = locked(item, by)
    wanted = list(dict.fromkeys(name.strip()[:50] for name in names if name.strip()))[:20]
    Tag.objects.bulk_create([Tag(name=name) for name in wanted], ignore_conflicts=True)
    before = snapshot(item) | {"tags": list(item.conversation.tags.values_list("pk", flat=True))}
    item.conversation.tags.set(Tag.objects.filter(name__in=wanted))
    finish(item, "tag", by=by, before=before, audit="tagged", tags=", ".join(wanted) or "none")
    return item


def read(item: QueueItem, *, by: User) -> None:
    """Somebody of the department looked at it. Looking is no act: it is not audited and moves no version."""
    if item.unread and may(by, "work_queue", item.department):
        QueueItem.objects.visible_to(by).filter(pk=item.pk, unread=True).update(unread=False)
        item.unread = False


def _must_live(item: QueueItem) -> None:
    if item.status == Status.RESOLVED:
        raise Refused("It is resolved. Reopen it first.")
