"""Taking back what one did, as long as nobody did anything since."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from departments.audit import record
from departments.models import User
from inbox import clocks
from inbox.actions.handing import withdraw
from inbox.actions.step import keep, locked, ring_all
from inbox.actions.talking import cancel_reply, remove_note
from inbox.errors import Refused
from inbox.lifecycle import close
from inbox.models import Access, Change, HandOff, Note, QueueItem, Reply

_TIMES = ("waiting_since", "due_at", "snoozed_until", "resolved_at")


@transaction.atomic
def undo(item: QueueItem, *, by: User) -> Change:
    """Undo this person's newest act on the item. Refused when somebody changed it since, or nothing is left to undo."""
    item = locked(item, by)
    change = Change.objects.filter(item=item, undone_at=None).order_by("-at").first()
    if change is None or change.by != by:
        raise Refused(
            "There is nothing of yours to undo here." if change is None else "Somebody else did something since."
        )
    if change.version != item.version:
        raise Refused("It changed since: a newer message or somebody’s act stands in the way.")
    _UNDO.get(change.verb, _set_back)(item, change, by)
    change.undone_at = timezone.now()
    change.save(update_fields=["undone_at"])
    _let_older_ones_be_undone(item, change)
    record(
        "change_undone",
        item,
        by=by,
        department=item.department,
        conversation_id=item.conversation_id,
        act=change.verb.replace("-", " "),
    )
    ring_all(item.conversation, item.department)
    return change


def _set_back(item: QueueItem, change: Change, by: User) -> None:
    for name, value in change.before.items():
        if hasattr(QueueItem, name) or name in _TIMES:
            setattr(item, name, datetime.fromisoformat(value) if name in _TIMES and value else value)
    clocks.follow(item)
    keep(item)


def _let_older_ones_be_undone(item: QueueItem, change: Change) -> None:
    """The item is again as the act before left it, so that one may be undone next."""
    older = Change.objects.filter(item=item, undone_at=None, at__lt=change.at).order_by("-at").first()
    if older:
        older.version = item.version
        older.save(update_fields=["version"])


def _take_back_offer(item: QueueItem, change: Change, by: User) -> None:
    given = (
        HandOff.objects.select_for_update(of=("self",))
        .select_related("item__department", "to")
        .get(pk=change.before["hand_off"])
    )
    if not given.is_waiting:
        raise Refused(f"{given.to} has answered already.")
    withdraw(given, by=by)
    item.refresh_from_db()
    _set_back(item, change, by)


def _bring_back(item: QueueItem, change: Change, by: User) -> None:
    """Back to Triage, unless the department has begun to work on it, or it is confidential by now."""
    placed = QueueItem.objects.select_related("department").get(pk=UUID(change.before["moved_to"]))
    if placed.version != change.before["moved_version"] or placed.confidential:
        raise Refused(f"{placed.department} is at work on it already.")
    _end_share(placed)
    _set_back(item, change, by)


def _take_department_off(item: QueueItem, change: Change, by: User) -> None:
    joined = QueueItem.objects.select_related("department").get(pk=UUID(change.before["joined"]))
    if joined.version != change.before["joined_version"]:
        raise Refused(f"{joined.department} is at work on it already.")
    _end_share(joined)
    keep(item)


def _end_share(share: QueueItem) -> None:
    share.lead, share.sealed = False, True
    close(share, QueueItem.Resolution.HANDLED_ELSEWHERE)
    keep(share)
    Access.objects.filter(conversation_id=share.conversation_id, department=share.department, until=None).update(
        until=timezone.now()
    )


def _set_tags_back(item: QueueItem, change: Change, by: User) -> None:
    item.conversation.tags.set(change.before["tags"])
    keep(item)


def _take_note_back(item: QueueItem, change: Change, by: User) -> None:
    remove_note(Note.objects.get(pk=change.before["note"]), by=by)
    keep(item)


def _take_reply_back(item: QueueItem, change: Change, by: User) -> None:
    cancel_reply(Reply.objects.get(pk=change.before["reply"]), by=by)
    keep(item)


_UNDO = {
    "hand-off": _take_back_offer,
    "move": _bring_back,
    "add-department": _take_department_off,
    "tag": _set_tags_back,
    "note": _take_note_back,
    "reply": _take_reply_back,
}
