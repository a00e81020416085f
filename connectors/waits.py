"""What a network asked: to be left alone until then. Kept beside the channel, so that whoever wants to ask it next, for
a visit, a reply or a look-up, waits too.

Networks count writing apart from reading, so visits do not wait for what writing heard; writing waits for both.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from connectors import errors, health
from connectors.errors import BudgetSpent, ConnectorError, CreditsUsedUp, RateLimited
from connectors.models import Channel

KEPT_IN = "wait"  # in `Channel.limits`
LEAST = timedelta(seconds=5)  # also where the other clock is behind ours, so that nobody asks in a circle
USUAL = timedelta(minutes=2)  # where the network does not say until when


def note(channel: Channel, error: ConnectorError) -> datetime:
    """Keep what this refusal of something else than a visit asks; until when. A budget of ours binds reading alone."""
    now = timezone.now()
    asked = error.until if isinstance(error, RateLimited) else None
    until = min(max(asked or now + USUAL, now + LEAST), now + health.LONGEST_ASKED_WAIT)
    if isinstance(error, RateLimited) and not isinstance(error, BudgetSpent):
        channel.limits = with_wait(channel.limits, until, error, writing=True)
        Channel.objects.filter(pk=channel.pk).update(limits=channel.limits)
    return until


def check(channel: Channel) -> None:
    """Raises RateLimited, or what is more exact, while the network wants to be left alone."""
    if until := channel.waits_until:
        kind = errors.named(channel.limits[KEPT_IN]["error"]) or RateLimited
        raise kind(until=until) if issubclass(kind, RateLimited) else RateLimited(until=until)


def with_wait(limits: dict, until: datetime, error: ConnectorError, *, writing: bool = False) -> dict:
    """The channel's limits with this wait."""
    kept = {"until": until.isoformat(), "error": health.name_of(error), "writing": writing}
    return limits | {KEPT_IN: kept}


def after_page(limits: dict) -> dict:
    """What is left of a wait after the network has shown a page: what writing waits for, unless that was money."""
    kept = limits.get(KEPT_IN)
    if not kept or not kept["writing"] or kept["error"] == CreditsUsedUp.__name__:
        return {}
    return {KEPT_IN: kept}
