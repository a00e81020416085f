"""Taking back what was given out and lies untouched."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from departments import hours
from departments.models import AuditEntry
from inbox.actions import take_back
from inbox.actions.step import lock_conversation
from inbox.models import QueueItem
from routing.assignment.knowing import gives_now
from routing.models import Assignment, AssignmentPolicy

#: So many that nothing was done about are looked at in one stroke, of each department.
IDLE = 200


def take_back_idle() -> int:
    """Put back for anybody what was given out and nobody set to work on in time. Returns how many items."""
    returning = AssignmentPolicy.objects.filter(on=True, return_after__gt=0, department__closed_at=None)
    return sum(_take_back_of(each) for each in returning.select_related("department"))


def _take_back_of(policy: AssignmentPolicy) -> int:
    now = timezone.now()
    if not gives_now(policy, now):
        return 0
    before = now - timedelta(minutes=policy.return_after)
    running = Assignment.objects.running().filter(department=policy.department, at__lte=before).order_by("at")[:IDLE]
    return sum(_end(each, policy, now) for each in running if _minutes(policy, each, now) >= policy.return_after)


def _minutes(policy: AssignmentPolicy, given: Assignment, now: datetime) -> int:
    """For how long they could have worked on it."""
    if policy.only_in_hours:
        return hours.minutes_open_between(policy.department, given.at, now)
    return int((now - given.at).total_seconds() // 60)


@transaction.atomic
def _end(given: Assignment, policy: AssignmentPolicy, now: datetime) -> bool:
    """Look at it once: it is over when they work on it or have it no more; else the item is taken back."""
    item = QueueItem.objects.select_related("department", "assignee").get(pk=given.item_id)
    conversation = lock_conversation(item.conversation_id)
    item = QueueItem.objects.select_related("department", "assignee").select_for_update(of=("self",)).get(pk=item.pk)
    current = Assignment.objects.running().select_for_update().filter(pk=given.pk).first()
    if current is None:
        return False
    theirs = item.assignee_id == given.user_id and item.status == QueueItem.Status.OPEN
    idle = theirs and not _did_something(given, item)
    current.ended_at = now
    current.returned_at = now if idle else None
    current.save(update_fields=["ended_at", "returned_at"])
    if idle:
        item.conversation = conversation
        take_back(item, because=f"nothing was done about it for {_told(policy.return_after)}")
    return idle


def _did_something(given: Assignment, item: QueueItem) -> bool:
    done = AuditEntry.objects.about(item.conversation_id).filter(by=given.user_id, at__gte=given.at)
    return done.exists()


def _told(minutes: int) -> str:
    if minutes % 60:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    return "an hour" if minutes == 60 else f"{minutes // 60} hours"
