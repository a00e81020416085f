"""When an answer is due. One row per spell of waiting; the item carries the running one's due time.

The time runs day and night from the department's `answer_within`, and faster for what is more urgent.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

from departments import rows
from departments.models import Department
from inbox.models import Clock, QueueItem
from inbox.row import sort

#: What part of its department's time an item has, by priority.
SHARE = {QueueItem.Priority.NORMAL: 1.0, QueueItem.Priority.HIGH: 0.5, QueueItem.Priority.URGENT: 0.25}


class Timed(Protocol):
    """A queue item, stored or about to be."""

    department: Department
    priority: int
    waiting_since: datetime | None
    due_at: datetime | None
    sort_at: datetime
    last_message_at: datetime


def due(item: Timed, since: datetime) -> datetime:
    return since + timedelta(minutes=item.department.answer_within) * SHARE[item.priority]


def set_waiting(item: Timed, since: datetime) -> None:
    """Set the item waiting since then. Its spell (`spell`) is still to be stored."""
    item.waiting_since, item.due_at = since, due(item, since)
    sort(item)


def spell(item) -> dict:
    """The row of the clock of an item that waits, so that many can be stored at once."""
    return {"item_id": item.pk, "started_at": item.waiting_since, "due_at": item.due_at}


def start(item: QueueItem, since: datetime | None = None) -> None:
    """Start the item's clock, unless it runs already. What was imported as history has none."""
    if item.due_at is None and not item.conversation.history:
        set_waiting(item, since or timezone.now())
        rows.insert(Clock, [spell(item)], unless_there=True)


def stop(item: QueueItem) -> None:
    """Nobody waits for us any more. Whether it was late is kept with the spell."""
    stop_all([item])
    item.waiting_since = item.due_at = None
    sort(item)


def stop_all(items: Iterable[QueueItem]) -> None:
    now = timezone.now()
    running = Clock.objects.filter(item__in=list(items), stopped_at=None)
    running.filter(due_at__lt=now).update(stopped_at=now, breached=True)
    running.update(stopped_at=now)


def follow(item: QueueItem) -> None:
    """Make the rows agree with an item whose due time was set back by an undo or changed with its priority."""
    running = Clock.objects.filter(item=item, stopped_at=None)
    if item.due_at is None:
        stop_all([item])
    elif not running.update(due_at=item.due_at):
        Clock.objects.create(item=item, started_at=item.waiting_since or timezone.now(), due_at=item.due_at)
    sort(item)
