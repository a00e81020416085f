"""What the inbox says and does when departments close and people leave."""

from django.db import transaction

from departments.access import departments_for
from departments.actions import By, is_told_of_leaving, may_object_to_closing
from departments.models import Department, User
from inbox.actions.step import finish, lock_conversation
from inbox.models import QueueItem


@may_object_to_closing
def holds_work(department: Department) -> str:
    """It says that, and not how much: a confidential department tells nobody."""
    unresolved = QueueItem.objects.filter(department=department, sealed=False).exclude(status=QueueItem.Status.RESOLVED)
    if not unresolved.exists():
        return ""
    return f"Not everything that lies in {department} is resolved. Resolve it or hand it on first."


@is_told_of_leaving
@transaction.atomic
def put_back(person: User, *, by: By) -> None:
    """What they had in hand in queues in which they do not work any more is for anybody there again."""
    in_hand = QueueItem.objects.filter(assignee=person).exclude(status=QueueItem.Status.RESOLVED)
    lost = in_hand.exclude(department__in=departments_for(person, "work_queue").values("pk"))
    for pk, conversation in lost.order_by("conversation").values_list("pk", "conversation"):
        lock_conversation(conversation)
        item = QueueItem.objects.select_related("department", "conversation").get(pk=pk)
        if item.assignee_id == person.pk:
            item.assignee = None
            finish(item, "assign", by=by, audit="item_unassigned")
