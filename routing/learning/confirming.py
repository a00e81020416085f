"""Saying that a conversation lies right: the cheapest way to teach, and the only one that says what went well."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from departments.access import may
from departments.audit import record, sentences
from departments.models import User
from inbox import actions
from inbox.actions.step import finish, keep, locked, ring_all, snapshot, visible_conversation
from inbox.errors import Refused
from inbox.models import Change, Conversation, QueueItem

sentences(
    routing_confirmed="{by} confirmed that it belongs to {department}",
    routing_not_confirmed="{by} took back that it belongs to {department}",
)
VERB = "confirm"


@transaction.atomic
def confirm(conversation: Conversation, *, by: User, yes: bool = True) -> QueueItem:
    """It lies where it belongs; in Triage, marked as probably nothing: it is nobody's. `yes=False` takes that back, and
    so does an undo. Doing either twice is doing it once.

    Http404 for who does not see it, PermissionDenied for who does not work in the department that leads, Refused in
    Triage, and while a hand-off is under way. Returns the leading department's share.
    """
    conversation = visible_conversation(conversation, by)
    item = QueueItem.objects.of(conversation).filter(lead=True).select_related("department").first()
    if item is None:
        raise Refused("No department leads here, so there is nothing to confirm.")
    if not may(by, "work_queue", item.department):
        raise PermissionDenied(f"{item.department} leads here, and says whether that is right.")
    item, there = locked(item, by), confirmation(item)
    if yes and there is None:
        _confirm(item, by)
    elif there and not yes:
        _take_back(item, there, by)
    return item


def confirmation(item: QueueItem) -> Change | None:
    """The confirmation that stands for this share, if somebody gave one."""
    return Change.objects.filter(item=item, verb=VERB, undone_at=None).order_by("-at").first()


def why_not(item: QueueItem) -> str:
    """Why this can not be confirmed as things stand, in a sentence; empty when it can."""
    if item.handed_to_id or item.offer_id:
        return "It is being handed on; whoever accepts it says where it belongs."
    if item.department.is_triage and not item.probably_nothing:
        return "In Triage lies what nobody placed yet. Place it instead."
    return ""


def _confirm(item: QueueItem, by: User) -> None:
    if refused := why_not(item):
        raise Refused(refused)
    finish(item, VERB, by=by, before=snapshot(item), audit="routing_confirmed")


def _take_back(item: QueueItem, there: Change, by: User) -> None:
    if there.by_id == by.pk and there.version == item.version:
        actions.undo(item, by=by)
        return
    there.undone_at = timezone.now()
    there.save(update_fields=["undone_at"])
    keep(item)
    record("routing_not_confirmed", item, by=by, department=item.department, conversation_id=item.conversation_id)
    ring_all(item.conversation)
