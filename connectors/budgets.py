"""What a channel may cost: its setting `budget` beside what it used (`Usage`), so that no bill is a surprise."""

from datetime import datetime, timedelta

from django.utils import timezone

from connectors.contract import Connector
from connectors.errors import BudgetSpent
from connectors.models import Channel, Usage


def check(channel: Channel, connector: Connector) -> None:
    """Raises BudgetSpent until the next period when what the channel may cost is spent. A channel without a budget may
    cost what it likes."""
    period, budget = connector.offers.budget_of, channel.settings.get("budget")
    if not period or budget in (None, ""):
        return
    begun, ends = bounds(period, timezone.now())
    if Usage.objects.filter(channel=channel).since(begun.date()) >= float(budget):
        raise BudgetSpent(until=ends)


def spent(channel: Channel, period: str) -> float:
    """What the channel used in the period that runs."""
    return Usage.objects.filter(channel=channel).since(bounds(period, timezone.now())[0].date())


def bounds(period: str, at: datetime) -> tuple[datetime, datetime]:
    """When the period (day or month, UTC) that holds this moment began and ends."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return day, day + timedelta(days=1)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
