"""The status table of a queue item: what happens to it, and what it becomes. Sets fields, stores nothing
but the clock's rows; who may cause it and what is told of it is the verbs' business."""

from datetime import datetime, timedelta

from django.utils import timezone

from inbox import clocks
from inbox.models import QueueItem

Status = QueueItem.Status

#: A new message reopens what was resolved within this time; after that it begins a new conversation.
REOPENS_WITHIN = timedelta(days=14)


def close(item: QueueItem, resolution: str) -> None:
    """Resolved; its clock stops."""
    item.status, item.resolution, item.resolved_at = Status.RESOLVED, resolution, timezone.now()
    item.snoozed_until, item.unread = None, False
    clocks.stop(item)


def open_again(item: QueueItem, since: datetime | None = None) -> None:
    """Open; its clock runs, from `since` or now."""
    item.status, item.resolution = Status.OPEN, ""
    item.resolved_at = item.snoozed_until = None
    clocks.start(item, since)


def answered(item: QueueItem, *, resolve: bool = False) -> None:
    """Our reply is out: their turn, or done."""
    if resolve:
        close(item, QueueItem.Resolution.REPLIED)
        return
    item.status, item.snoozed_until = Status.PENDING, None
    clocks.stop(item)


def asleep(item: QueueItem, until: datetime | None) -> None:
    """Out of sight until then, or until they answer."""
    item.status, item.snoozed_until = Status.SNOOZED, until
    clocks.stop(item)


def heard(item: QueueItem, at: datetime) -> bool:
    """They wrote again at this time. The lead's item is open; a contributor's keeps its status, unless it waited for
    just that. Returns whether the item had to be opened."""
    item.unread = True
    waited_for_this = item.status == Status.SNOOZED and item.snoozed_until is None
    if item.status == Status.OPEN or not (item.lead or waited_for_this):
        return False
    open_again(item, at)
    return True


def is_over(item: QueueItem, at: datetime) -> bool:
    """Resolved for so long that a message at this time begins a new conversation."""
    return item.status == Status.RESOLVED and item.resolved_at is not None and item.resolved_at < at - REOPENS_WITHIN
