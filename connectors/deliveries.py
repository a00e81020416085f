"""Deliveries: kept as they come, answered at once, read afterwards. Who delivers waits for nothing but one row.

Reading one takes its posts in and marks it read in the same transaction, so that a crash between leaves it waiting.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connectors import polling
from connectors.contract import Connector, Post, TakeIn, Unreadable
from connectors.errors import ConnectorError, Forged
from connectors.models import Channel, Delivery
from departments import bell

NOTED_EVERY = timedelta(minutes=1)  # a delivery that was refused
LARGEST = 1024 * 1024  # bytes
LEASE = timedelta(seconds=60)
TOGETHER = 50  # deliveries read in one go
MOST_ATTEMPTS = 5
KEPT_FOR = timedelta(days=7)  # so that a delivery that is sent again days later is known, and a dispute can be settled


def receive(slug: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep this delivery to the channel `slug`; False when it was there already.

    Raises Forged, in the same words for a channel that is not there, takes no deliveries or can not be opened, and for
    a signature that does not fit.
    """
    channel = Channel.objects.filter(slug=slug).first()
    try:
        key = _verified(channel, headers, body)
    except Forged as error:
        if channel:
            _note_refusal(channel, error)
        raise
    assert channel is not None
    kept = Delivery.objects.bulk_create([Delivery(channel=channel, key=key, body=body)], ignore_conflicts=True)
    is_new = Delivery.objects.filter(pk=kept[0].pk).exists()
    if is_new:
        bell.wake("read")
    return is_new


def shake(slug: str, params: Mapping[str, str]) -> str:
    """What to answer a network that asks whether this address is ours. Raises Forged, as `receive` does."""
    channel = Channel.objects.filter(slug=slug).first()
    try:
        if channel is None or not channel.offers.hooks:
            raise Forged("no such channel")
        return channel.connector().handshake(params)
    except (ConnectorError, ValueError, NotImplementedError) as error:
        reason = error.detail if isinstance(error, Forged) else type(error).__name__
        raise Forged(reason) from None


def _note_refusal(channel: Channel, error: Forged) -> None:
    """So that an admin sees why nothing arrives; anybody can cause this, so a row is written once a minute at most."""
    now = timezone.now()
    earlier = Q(refused_at=None) | Q(refused_at__lt=now - NOTED_EVERY)
    if (channel.refused_at or now - 2 * NOTED_EVERY) < now - NOTED_EVERY:
        Channel.objects.filter(earlier, pk=channel.pk).update(refused_at=now, refused_reason=error.detail[:200])


def _verified(channel: Channel | None, headers: Mapping[str, str], body: bytes) -> str:
    try:
        if channel is None or not channel.offers.hooks:
            raise Forged("no such channel")
        return channel.connector().verify(headers, body)
    except (ConnectorError, ValueError) as error:
        reason = error.detail if isinstance(error, Forged) else type(error).__name__
        raise Forged(reason) from None


def read_waiting(take_in: TakeIn) -> int:
    """Read what waits, oldest first; how many deliveries. One that was begun before and never came to its end is read
    by itself, so that it takes no other with it. Raises what `take_in` raised, after the other channels had their
    turn; what was not read waits for the next call."""
    claimed = Delivery.objects.waiting(timezone.now()).claim(until=timezone.now() + LEASE, most=TOGETHER)
    failures = []
    for group in _by_channel(claimed):
        try:
            _read_or_set_aside(group, take_in)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return len(claimed)


def tidy(at: datetime) -> int:
    """Forget deliveries that were read long ago; how many."""
    return Delivery.objects.filter(read_at__lt=at - KEPT_FOR).delete()[0]


def _by_channel(claimed: list[Delivery]) -> list[list[Delivery]]:
    groups: dict = {}
    for each in claimed:
        groups.setdefault(each.channel_id, []).append(each)
    return list(groups.values())


def _read_or_set_aside(group: list[Delivery], take_in: TakeIn) -> None:
    if group[0].attempts > MOST_ATTEMPTS:
        _set_aside(group, f"Reading it was begun {MOST_ATTEMPTS} times and never came to its end.")
        return
    try:
        connector = group[0].channel.connector()
    except ConnectorError as error:  # its key was lost since: only a person can mend that
        _set_aside(group, error.detail or error.sentence)
    else:
        _read(group, connector, take_in)


@transaction.atomic
def _read(group: list[Delivery], connector: Connector, take_in: TakeIn) -> None:
    """The deliveries of one channel, all of them or none."""
    channel = group[0].channel
    ours = Delivery.objects.waiting().filter(pk__in=[each.pk for each in group]).select_for_update(of=("self",))
    attempts = {each.pk: each.attempts for each in group}
    ours = [each for each in ours if each.attempts == attempts[each.pk]]
    polling.receive(channel, _posts(connector, ours), take_in)
    for other, theirs in _also_told(channel, connector):
        if posts := list(_posts(theirs, ours)):
            polling.receive(other, posts, take_in)
    Delivery.objects.filter(pk__in=[each.pk for each in ours]).update(read_at=timezone.now(), leased_until=None)


def _posts(connector: Connector, read: list[Delivery]) -> Iterator[Post | Unreadable]:
    for each in read:
        yield from connector.posts_in(bytes(each.body))


def _also_told(channel: Channel, connector: Connector) -> Iterator[tuple[Channel, Connector]]:
    """Other channels that a delivery to this one may be about: those of the same app, which has one address for all."""
    if not connector.one_address:
        return
    for other in Channel.objects.filter(network=channel.network).exclude(pk=channel.pk).read():
        try:
            theirs = other.connector()
        except ConnectorError:
            continue
        if connector.delivers_to(theirs):
            yield other, theirs


def _set_aside(group: list[Delivery], reason: str) -> None:
    Delivery.objects.filter(pk__in=[each.pk for each in group]).update(
        set_aside_at=timezone.now(), leased_until=None, reason=reason[:300]
    )
    bell.ring_about("channels")
