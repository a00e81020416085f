"""What we do to their posts on the network besides answering: like, hide, show again, delete."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from connectors.errors import ConnectorError
from departments import bell
from departments.audit import record
from departments.models import User
from inbox.actions.step import locked, ring_all
from inbox.errors import Refused
from inbox.models import Message, Moderation, QueueItem
from inbox.moderating import offered

Act = Moderation.Act


@transaction.atomic
def moderate(item: QueueItem, message: Message, act: str, *, by: User) -> Moderation:
    """Have this done on the network; the worker does it within moments. Only the department that speaks may, and only
    what the network lets us do to that very message: else Refused with a sentence."""
    item = locked(item, by)
    if not item.lead or item.offer_id:
        raise Refused(f"{item.department} does not speak here, so it changes nothing on the network.")
    message = Message.objects.select_for_update(of=("self",)).select_related("channel").get(pk=message.pk)
    if message.conversation_id != item.conversation_id:
        raise Refused("That message is not part of this conversation.")
    _possible(message, act)
    asked = _asked(message, act, item, by)
    record(f"message_{act}_asked", asked, by=by, department=item.department, conversation_id=item.conversation_id)
    ring_all(item.conversation)
    bell.wake("send")
    return asked


def _possible(message: Message, act: str) -> None:
    if message.deleted_at:
        raise Refused("It is deleted already.")
    if message.channel.frozen_at:
        raise Refused(f"Sending through {message.channel} is stopped. Somebody has to start it again.")
    try:
        connector = message.channel.connector()
    except ConnectorError as error:
        raise Refused(error.detail or error.sentence) from None
    if act not in offered(message, connector.offers):
        raise Refused(f"{connector.name} does not let us do this to it ({Act(act).label.lower()}).")


def _asked(message: Message, act: str, item: QueueItem, by: User) -> Moderation:
    try:
        with transaction.atomic():
            return Moderation.objects.create(
                message=message, act=act, by=by, department=item.department, try_after=timezone.now()
            )
    except IntegrityError:
        raise Refused("Something is being done to it already; wait for it to end.") from None
