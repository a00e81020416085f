"""The house gives work to people, and takes back what lies untouched with them. Whom and when is decided above
(routing/assignment); here it is done, told in the timeline, and nobody's to undo."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from departments import bell, rows
from departments.audit import entry
from departments.audit import keep as keep_entries
from departments.models import Department, User
from inbox.actions.step import keep, ring_all
from inbox.models import QueueItem


@dataclass(frozen=True)
class Gift:
    """An item, locked with its conversation, for this person. `because` is the end of a sentence."""

    item: QueueItem
    to: User
    because: str


@transaction.atomic
def give_many(gifts: Sequence[Gift], department: Department) -> None:
    """Give this department's items to its people: one statement for all."""
    changed = [{"id": each.item.pk, "assignee_id": each.to.pk, "version": each.item.version + 1} for each in gifts]
    rows.update(QueueItem, changed)
    keep_entries([_told(each, department) for each in gifts])
    bell.ring(department.pk)


def _told(gift: Gift, department: Department) -> dict:
    return entry(
        "item_given",
        gift.item,
        by="system",
        department=department,
        conversation_id=gift.item.conversation_id,
        person=str(gift.to),
        because=gift.because,
    )


@transaction.atomic
def take_back(item: QueueItem, *, because: str) -> None:
    """Put an item, locked with its conversation, back for anybody in its department. `because` is a sentence's end."""
    person, item.assignee = item.assignee, None
    item.unread = True
    keep(item)
    keep_entries(
        [
            entry(
                "item_taken_back",
                item,
                by="system",
                department=item.department,
                conversation_id=item.conversation_id,
                person=str(person),
                because=because,
            )
        ]
    )
    ring_all(item.conversation)
