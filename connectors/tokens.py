"""Credentials that end: when, when to renew them, and doing it once however many workers want to.

A connector that is given such credentials finds `issued_at` and `expires_at` among them (ISO 8601). They are renewed at
four fifths of their life under a lock on the channel's row, so that a refresh token, which many networks take only
once, is never used twice; the new ones are stored before anybody uses them.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from connectors.errors import ConnectorError, NotAuthorized, RateLimited

if TYPE_CHECKING:
    from connectors.models import Channel

RENEW_AT = 0.8  # of their life
AGAIN = timedelta(minutes=5)  # after a renewal that failed
LIFE = ("issued_at", "expires_at", "renewable")  # what credentials say of themselves
WARN = timedelta(days=7)  # ahead of an end that cannot be put off

logger = logging.getLogger(__name__)


def life(credentials: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """When these credentials end and when to renew them; None for what they do not say. What can not be renewed
    (`renewable` is "no") has only an end."""
    ends, issued = _moment(credentials.get("expires_at")), _moment(credentials.get("issued_at"))
    if ends is None or credentials.get("renewable") == "no":
        return ends, None
    begun = issued or timezone.now()
    return ends, begun + (ends - begun) * RENEW_AT


def lasting(seconds: float | None, now: datetime | None = None) -> dict[str, str]:
    """What a connector adds to credentials that the network gave for so many seconds; nothing when they do not end."""
    if not seconds:
        return {}
    now = now or timezone.now()
    return {"issued_at": now.isoformat(), "expires_at": (now + timedelta(seconds=seconds)).isoformat()}


def renew_if_due(channel: "Channel") -> None:
    """Renew this channel's credentials when their time has come, or leave it when somebody else has done it meanwhile;
    the channel has the new ones then.

    Raises NotAuthorized when the network wants a person, but only once the old ones have ended: until then they work.
    """
    now = timezone.now()
    if channel.renew_at and (channel.renew_at <= now or (channel.expires_at and channel.expires_at <= now)):
        _renew(channel, channel.sealed)


def renew_now(channel: "Channel") -> bool:
    """The network called the credentials used up before their time: renew them unless somebody else just did. Whether
    there are others now than this channel had. Raises ConnectorError."""
    if not channel.renew_at:
        return False
    before = channel.sealed
    _renew(channel, before, are_over=True)
    return channel.sealed != before


def renew_all(due: "Iterable[Channel]") -> None:
    """Renew what is due on channels that are seldom asked, or paused."""
    for channel in due:
        if channel.waits_until:
            continue
        try:
            _renew(channel, channel.sealed)
        except NotAuthorized:
            # A visit finds it out and says so; asking every minute would use up what the network allows of it.
            type(channel).objects.filter(pk=channel.pk, sealed=channel.sealed).update(renew_at=None)
        except ConnectorError as error:
            # A visit whose time comes before that tries by itself.
            type(channel).objects.filter(pk=channel.pk, sealed=channel.sealed).update(renew_at=_again(error))
            logger.warning("The credentials of %s could not be renewed: %s", channel.slug, type(error).__name__)


@transaction.atomic
def _renew(channel: "Channel", before: str, are_over: bool = False) -> None:
    current = type(channel).objects.select_for_update(of=("self",)).get(pk=channel.pk)
    if current.sealed == before:
        try:
            current.credentials = current.connector().renew()
        except ConnectorError as error:
            _not_renewed(current, error, are_over)
        # Its fence stays: who is reading the channel just now goes on.
        current.save(update_fields=["sealed", "expires_at", "renew_at"])
    channel.sealed, channel.expires_at, channel.renew_at = current.sealed, current.expires_at, current.renew_at


def _not_renewed(channel: "Channel", error: ConnectorError, are_over: bool) -> None:
    """Try again a little later while the old ones last; when a person is needed, only their end is waited for. Of those
    that the network calls over already it is told why there are no others: that may pass."""
    now = timezone.now()
    if are_over or (channel.expires_at and channel.expires_at <= now):
        raise error
    channel.renew_at = None if isinstance(error, NotAuthorized) else _again(error)


def _again(error: ConnectorError) -> datetime:
    asked = error.until if isinstance(error, RateLimited) else None
    return max(asked or timezone.now(), timezone.now() + AGAIN)


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
