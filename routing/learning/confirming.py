"""Saying that a conversation lies right: the cheapest way to teach, and the only one that says what went well."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from departments.access import may
from departments.audit import record, sentences
from departments.models import User
from inbox import actions
from inbox.actions.step import finish, keep, locked, ring_all, snapshot, visible_conversation
from inbox.errors import Refused
from inbox.models import Change, Conversation, QueueItem
from routing.learning.sampling import is_sampled
from routing.models import Correction, Decision

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
    standing = Change.objects.filter(item=item, verb=VERB, undone_at=None).select_related("by")
    return standing.order_by("-at").first()


def why_not(item: QueueItem) -> str:
    """Why this can not be confirmed as things stand, in a sentence; empty when it can."""
    if item.handed_to_id or item.offer_id:
        return "It is being handed on; whoever accepts it says where it belongs."
    if item.department.is_triage and not item.probably_nothing:
        return "In Triage lies what nobody placed yet. Place it instead."
    return ""


def offered(item: QueueItem | None, user: User, placed: Decision | None) -> dict[str, Any] | None:
    """What the page of a conversation draws for who may confirm it: where to post, who confirmed it already, and
    whether it is one of those that a model placed and somebody should look at."""
    if item is None or not may(user, "work_queue", item.department):
        return None
    there = confirmation(item)
    if there is None and why_not(item):
        return None
    by_model = placed is not None and placed.source == Decision.Source.MODEL
    return {
        "url": reverse("conversation-confirm", args=[item.conversation_id]),
        "by": there.by if there else None,
        "of": "nobody" if item.department.is_triage else item.department.name,
        "check_me": there is None and by_model and is_sampled(placed.message_id) and not _known(placed),
    }


def _known(placed: Decision) -> bool:
    return Correction.objects.filter(message=placed.message_id).exists()


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
