"""Acts on the network besides replies, on their way out. Each is the same done twice as once, so what was not answered
is simply tried again; what the network refuses is told."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from connectors import http, trouble, waits
from connectors.contract import Capabilities
from connectors.errors import ConnectorError, NotAuthorized, RateLimited, Rejected
from connectors.models import Usage
from connectors.registry import connector_for
from departments import bell
from departments.audit import record
from inbox.intake import take_in
from inbox.models import Message, Moderation, QueueItem
from inbox.outbox import stop_if_frozen, target_of
from inbox.rechecking import gone

Act, State = Moderation.Act, Moderation.State
logger = logging.getLogger(__name__)

#: How long after each failure the next try comes; then it is given up and told.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600))


def offered(message: Message, offers: Capabilities) -> list[str]:
    """What the network lets us do to this message, in the order of a menu."""
    if message.deleted_at:
        return []
    if message.direction == Message.Direction.OUT:
        return [Act.REMOVE] if offers.removes else []
    acts = [Act.LIKE] if offers.likes and not message.liked_at else []
    if offers.hides and message.kind in ("comment", "reply"):
        acts.append(Act.SHOW if message.hidden_at else Act.HIDE)
    if offers.removes_of_others and message.kind in ("comment", "reply"):
        acts.append(Act.REMOVE)
    return acts


def moderate_due(held: Callable[[], bool] = lambda: False) -> int:
    """Do one act that is due; how many were tried. Safe to call from many workers at once."""
    if held():
        return 0
    claimed = Moderation.objects.claim()
    for each in claimed:
        _try(each)
    return len(claimed)


def _try(asked: Moderation) -> None:
    message, channel = asked.message, asked.message.channel
    try:
        waits.check(channel)
        with http.gated(lambda: stop_if_frozen(channel)):
            _do(connector_for(channel), asked.act, message)
    except Rejected as error:
        _refused(asked, trouble.said(channel, error))
    except RateLimited as error:
        _later(asked, error, waits.note(channel, error))
    except ConnectorError as error:
        _later(asked, error)
    except Exception as error:
        logger.exception("An act on %s failed", channel.slug)
        _later(asked, error)
    else:
        _done(asked)


def _do(connector, act: str, message: Message) -> None:
    target = target_of(message)
    if act == Act.LIKE:
        connector.like(target)
    elif act == Act.REMOVE:
        connector.remove(target)
    else:
        connector.hide(target, hidden=act == Act.HIDE)


def _later(asked: Moderation, error: Exception, until: datetime | None = None) -> None:
    said = error.sentence if isinstance(error, ConnectorError) else "Social Hub itself failed here."
    # To be asked to wait is no failure.
    asked.attempts -= isinstance(error, RateLimited)
    if asked.attempts > len(WAITS) or isinstance(error, NotAuthorized):
        _refused(asked, said)
        return
    asked.try_after = until or timezone.now() + WAITS[asked.attempts - 1]
    asked.trouble, asked.leased_until = said[:500], None
    asked.save(update_fields=["try_after", "trouble", "leased_until", "attempts"])


@transaction.atomic
def _refused(asked: Moderation, why: str) -> None:
    asked.state, asked.trouble, asked.leased_until = State.REFUSED, why[:500], None
    asked.save(update_fields=["state", "trouble", "leased_until"])
    _tell(asked, "message_act_refused", act=asked.get_act_display().lower(), reason=asked.trouble)


@transaction.atomic
def _done(asked: Moderation) -> None:
    message, now = asked.message, timezone.now()
    asked.state, asked.trouble, asked.leased_until = State.DONE, "", None
    asked.save(update_fields=["state", "trouble", "leased_until"])
    Usage.objects.add(message.channel, connector_for(message.channel).price("act"), now.date())
    if asked.act == Act.REMOVE:
        take_in(message.channel, [gone(message)])
    else:
        name = "liked_at" if asked.act == Act.LIKE else "hidden_at"
        Message.objects.filter(pk=message.pk).update(**{name: None if asked.act == Act.SHOW else now})
    _tell(asked, f"message_{asked.act}_done")


def _tell(asked: Moderation, verb: str, **facts) -> None:
    conversation = asked.message.conversation_id
    record(verb, asked, by="system", department=asked.department, conversation_id=conversation, **facts)
    bell.ring(
        *QueueItem.objects.filter(conversation=conversation, sealed=False).values_list("department_id", flat=True)
    )
