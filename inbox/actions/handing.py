"""Passing work between departments: offered with a reason, accepted or declined."""

from django.db import transaction
from django.utils import timezone

from departments import bell
from departments.audit import record
from departments.models import Department, User
from inbox import clocks
from inbox.actions.placing import share
from inbox.actions.step import finish, keep, locked, remember, ring_all, snapshot
from inbox.errors import Refused
from inbox.lifecycle import close, open_again
from inbox.models import Access, HandOff, QueueItem

Resolution = QueueItem.Resolution


@transaction.atomic
def hand_off(item: QueueItem, to: Department, *, reason: str, note: str = "", by: User) -> HandOff:
    """Offer this share to another department. Until it accepts, the item stays here, open and waiting; the other
    department finds it open in its own queue."""
    item = locked(item, by)
    if reason not in HandOff.Reason.values:
        raise Refused(f"Say why: {', '.join(HandOff.Reason.values)}.")
    _check_receiver(item, to)
    before = snapshot(item)
    given = HandOff.objects.create(item=item, to=to, reason=reason, note=note.strip(), by=by)
    received = _offer(item, given)
    item.handed_to = to
    if item.status != QueueItem.Status.OPEN:
        open_again(item)
    before["hand_off"] = str(given.pk)
    finish(
        item,
        "hand-off",
        by=by,
        before=before,
        audit="item_handed_off",
        to=to.name,
        reason=given.get_reason_display().lower(),
    )
    bell.ring(received.department_id)
    return given


def _check_receiver(item: QueueItem, to: Department) -> None:
    if item.handed_to:
        raise Refused(f"It is being handed to {item.handed_to} already.")
    if item.status == QueueItem.Status.RESOLVED:
        raise Refused("It is resolved. Reopen it first.")
    if to == item.department:
        raise Refused(f"It lies in {to} already.")
    if to.closed_at:
        raise Refused(f"{to} is closed.")
    if item.offer:
        raise Refused("Accept or decline it first.")


def _offer(item: QueueItem, given: HandOff) -> QueueItem:
    """The receiver's share, open and waiting to be accepted."""
    received = QueueItem.objects.filter(conversation=item.conversation, department=given.to).first()
    if received and received.offer_id:
        raise Refused(f"{given.to} was offered this conversation already and has not answered.")
    received = received or QueueItem(conversation=item.conversation, department=given.to, lead=False)
    share(received, like=item, lead=received.lead)
    received.offer = given
    received.assignee = None
    clocks.start(received)
    keep(received)
    return received


@transaction.atomic
def accept(item: QueueItem, *, by: User) -> QueueItem:
    """Take over what was offered: the lead passes over, the giver's share ends. When a confidential department
    accepts, it alone keeps sight of the conversation, from this commit on."""
    item = locked(item, by)
    given = _offered(item)
    _answer(given, by, accepted_at=timezone.now())
    giver = QueueItem.objects.select_related("department", "conversation").get(pk=given.item_id)
    leads, giver.lead = giver.lead, False
    giver.handed_to = None
    close(giver, Resolution.HANDLED_ELSEWHERE)
    keep(giver)
    item.offer, item.lead = None, leads or item.lead
    if item.department.confidential:
        _close_doors(item)
    finish(item, "accept", by=by, audit="hand_off_accepted")
    bell.ring(giver.department_id)
    return item


def _close_doors(item: QueueItem) -> None:
    """Everybody else loses sight of the conversation; it stays confidential whatever happens to it later."""
    conversation, now = item.conversation, timezone.now()
    conversation.confidential = item.confidential = True
    conversation.save(update_fields=["confidential"])
    Access.objects.filter(conversation=conversation, until=None).exclude(department=item.department).update(until=now)
    others = QueueItem.objects.filter(conversation=conversation).exclude(pk=item.pk)
    bell.ring(*others.filter(sealed=False).values_list("department_id", flat=True))
    bell.gone(conversation.pk)
    clocks.stop_all(others)
    others.update(sealed=True, confidential=True, lead=False, handed_to=None, offer=None)
    item.lead = True


@transaction.atomic
def decline(item: QueueItem, *, note: str = "", by: User) -> QueueItem:
    """Not ours: it goes back to who offered it, with what was said."""
    item = locked(item, by)
    given = _offered(item)
    _answer(given, by, declined_at=timezone.now(), answer=note.strip())
    _give_back(item, given)
    finish(item, "decline", by=by, audit="hand_off_declined")
    return item


def withdraw(given: HandOff, *, by: User) -> None:
    """The giver takes an offer back that was not answered yet. Part of an undo, inside its transaction."""
    given.withdrawn_at, given.answered_by = timezone.now(), by
    given.save(update_fields=["withdrawn_at", "answered_by"])
    received = QueueItem.objects.select_related("department", "conversation").get(offer=given)
    _give_back(received, given)
    keep(received)
    record(
        "hand_off_withdrawn",
        given.item,
        by=by,
        department=given.item.department,
        conversation_id=given.item.conversation_id,
        to=given.to.name,
    )
    bell.ring(received.department_id)


def _give_back(received: QueueItem, given: HandOff) -> None:
    """The giver's share is open as before; the receiver's ends, and with it their sight of what they did not take."""
    giver = QueueItem.objects.select_related("department", "conversation").get(pk=given.item_id)
    giver.handed_to, giver.unread = None, True
    keep(giver)
    received.offer = None
    close(received, Resolution.HANDLED_ELSEWHERE)
    received.sealed = True
    Access.objects.filter(conversation=received.conversation, department=received.department, until=None).update(
        until=timezone.now()
    )
    bell.ring(giver.department_id)


def _offered(item: QueueItem) -> HandOff:
    if item.offer is None:
        raise Refused("Nothing waits to be accepted here.")
    return HandOff.objects.select_for_update(of=("self",)).get(pk=item.offer.pk)


def _answer(given: HandOff, by: User, **fields) -> None:
    if not given.is_waiting:
        raise Refused("Somebody has answered this hand-off already.")
    for name, value in {**fields, "answered_by": by}.items():
        setattr(given, name, value)
    given.save()


@transaction.atomic
def move(item: QueueItem, department: Department, *, by: User) -> QueueItem:
    """Place what lies in Triage with one key: the department has it at once, since nobody had taken it on. Returns the
    department's new share."""
    item = locked(item, by)
    if not item.department.is_triage:
        raise Refused("Only what lies in Triage is placed; hand it off instead.")
    _check_receiver(item, department)
    before = snapshot(item)
    placed = QueueItem.objects.filter(conversation=item.conversation, department=department).first()
    placed = placed or QueueItem(conversation=item.conversation, department=department, lead=False)
    leads, item.lead = item.lead, False
    since = item.waiting_since
    close(item, Resolution.HANDLED_ELSEWHERE)
    keep(item)
    share(placed, like=item, lead=leads)
    placed.probably_nothing, placed.why = False, f"Placed by {by.get_short_name()}"
    clocks.start(placed, since)
    if department.confidential:
        placed.conversation = item.conversation
        _close_doors(placed)
    keep(placed)
    before["moved_to"], before["moved_version"] = str(placed.pk), placed.version
    remember(item, "move", by=by, before=before)
    record(
        "item_moved", item, by=by, department=item.department, conversation_id=item.conversation_id, to=department.name
    )
    ring_all(item.conversation, item.department, department)
    return placed
