"""How their messages are now, on networks that tell of no edits and deletions but can be asked (`lookups`).

Asked before a reply leaves, so that nobody answers what is gone or says something else by now; and once a day for what
lies open. What the network shows goes the way of every post, so that an edit becomes a revision and a deletion a
tombstone.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from connectors import budgets, waits
from connectors.contract import Connector, Post
from connectors.errors import ConnectorError, RateLimited
from connectors.models import Channel, Usage
from inbox.intake import ref_of, take_in
from inbox.models import Message

TOGETHER = 50  # messages in one question
EVERY = timedelta(hours=20)
FOR = timedelta(days=30)  # afterwards nobody changes what they wrote

logger = logging.getLogger(__name__)


def recheck(message: Message) -> None:
    """Ask how this one is now, if its network can be asked. Raises ConnectorError when it can not just now."""
    connector = message.channel.connector()
    if connector.offers.lookups:
        waits.check(message.channel)
        budgets.check(message.channel, connector)
        _ask(message.channel, connector, [message])


def recheck_open() -> int:
    """Ask for what lies open and was not asked about lately, a bunch of each channel that works; how many messages."""
    channels = Channel.objects.read().filter(failures=0)
    return sum(_recheck_channel(channel) for channel in channels if _can_be_asked(channel))


def _can_be_asked(channel: Channel) -> bool:
    try:
        return channel.offers.lookups
    except ConnectorError:
        return False


def _recheck_channel(channel: Channel) -> int:
    now = timezone.now()
    messages = list(Message.objects.to_recheck(channel, before=now - EVERY, since=now - FOR)[:TOGETHER])
    if not messages:
        return 0
    try:
        waits.check(channel)
        budgets.check(channel, channel.connector())
        _ask(channel, channel.connector(), messages)
    except RateLimited as error:
        waits.note(channel, error)
    except ConnectorError as error:
        # The visits to the channel say what is wrong with it.
        logger.info("How messages of %s are now is not known: %s", channel.slug, type(error).__name__)
    return len(messages)


def _ask(channel: Channel, connector: Connector, messages: Sequence[Message]) -> None:
    found = connector.lookup([each.external_id for each in messages])
    by_id = {each.external_id: each for each in messages}
    posts = [post or gone(by_id[id]) for id, post in found.items() if id in by_id]
    with transaction.atomic():
        Usage.objects.add(channel, connector.price("lookup", len(messages)), timezone.now().date())
        take_in(channel, posts)
        Message.objects.filter(pk__in=[each.pk for each in messages]).update(checked_at=timezone.now())


def gone(message: Message) -> Post:
    """The notice that this message is deleted, as a network would have given it."""
    is_global = message.key != ref_of(message.channel, message.external_id)
    return Post(
        id=message.external_id,
        kind=message.kind,  # type: ignore[arg-type]
        text="",
        created_at=message.created_at,
        deleted=True,
        direction=message.direction,  # type: ignore[arg-type]
        global_id=message.key.partition(":")[2] if is_global else "",
    )
