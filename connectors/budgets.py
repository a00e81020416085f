"""What a channel may cost: its setting `budget` beside what it used (`Usage`), so that no bill is a surprise."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from connectors import configuration, registry
from connectors.contract import Connector
from connectors.errors import BudgetSpent, Misconfigured
from connectors.models import Channel, Usage

NARROW = "\u202f"


@dataclass(frozen=True)
class Spending:
    """What a channel used in the period that runs, beside what it may."""

    unit: str
    period: str
    used: float
    budget: float | None
    ends: datetime

    @property
    def share(self) -> float:
        """Of the budget, 0 to 1 and no more; 0 without one."""
        return min(self.used / self.budget, 1) if self.budget else 0

    @property
    def bar(self) -> float:
        """The share on a bar of 120."""
        return 120 * self.share

    @property
    def is_spent(self) -> bool:
        return self.budget is not None and self.used >= self.budget

    @property
    def sentence(self) -> str:
        """“US$ 3.20 of US$ 10.00 this month”."""
        when = "today" if self.period == "day" else "this month"
        of = f" of {spoken(self.budget, self.unit)}" if self.budget is not None else ""
        return f"{spoken(self.used, self.unit)}{of} {when}"


def spending(channel: Channel) -> Spending | None:
    """How this channel stands to its budget; None where reading costs nothing."""
    try:
        offers, budget = channel.offers, budget_of(channel)
    except Misconfigured:
        return None
    if not (offers.unit or offers.budget_of):
        return None
    period = offers.budget_of or "month"
    begun, ends = bounds(period, timezone.now())
    used = Usage.objects.filter(channel=channel).since(begun.date())
    return Spending(offers.unit or "requests", period, used, budget, ends)


def budget_of(channel: Channel) -> float | None:
    """What the channel may use in a period: as its settings say, else as its network suggests."""
    known = configuration.known(registry.connector_class(channel.network))
    budget = channel.settings.get("budget", known["budget"].default if "budget" in known else None)
    return None if budget in (None, "") else float(budget)


def spoken(amount: float, unit: str) -> str:
    """Money with its cents, anything else as a count: “US$ 0.42”, “1 200 units”."""
    if unit.endswith(("$", "€", "£")):
        return f"{unit}{NARROW}{amount:,.2f}"
    return f"{amount:,.0f} {unit}".replace(",", NARROW)


def check(channel: Channel, connector: Connector) -> None:
    """Raises BudgetSpent until the next period when what the channel may cost is spent. A channel without a budget may
    cost what it likes."""
    period, budget = connector.offers.budget_of, budget_of(channel)
    if not period or budget is None:
        return
    begun, ends = bounds(period, timezone.now())
    if Usage.objects.filter(channel=channel).since(begun.date()) >= budget:
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
