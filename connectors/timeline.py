"""A channel's last day, week or month as it can be drawn: when the network was visited, what came of it, and which
stretches of time may be missing something."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.utils import timezone

from connectors import health
from connectors.models import Channel, FetchRun

WIDE, HIGH, BASE = 960.0, 60.0, 52.0  # the canvas, and where the bars stand
LEAST = 4.0  # of a stretch's width: a gap of a minute must be seen in a month


@dataclass(frozen=True)
class Span:
    """How far back, in which steps."""

    code: str
    words: str
    length: timedelta
    step: timedelta


SPANS = {
    each.code: each
    for each in (
        Span("24h", "24 hours", timedelta(hours=24), timedelta(minutes=30)),
        Span("7d", "7 days", timedelta(days=7), timedelta(hours=2)),
        Span("30d", "30 days", timedelta(days=30), timedelta(hours=12)),
    )
}


@dataclass(frozen=True)
class Step:
    """What the visits of one step came to: posts seen, new among them, laid aside. `x`, `high` and `wide` say where it
    is drawn."""

    at: datetime
    until: datetime
    visits: int = 0
    failed: int = 0
    seen: int = 0
    new: int = 0
    aside: int = 0
    x: float = 0
    wide: float = 0
    high: float = 0

    @property
    def y(self) -> float:
        return round(BASE - self.high, 1)


@dataclass(frozen=True)
class Stretch:
    """A stretch of time of which something may be missing: an open gap, one that was closed, or what is not read yet
    because the network can not be read."""

    kind: str
    since: datetime
    until: datetime
    words: str
    noticed: datetime | None = None
    closed_at: datetime | None = None
    x: float = 0
    wide: float = 0


@dataclass(frozen=True)
class Timeline:
    span: Span
    since: datetime
    until: datetime
    steps: tuple[Step, ...]
    stretches: tuple[Stretch, ...]

    @property
    def middle(self) -> datetime:
        return self.since + (self.until - self.since) / 2

    @property
    def busy(self) -> list[Step]:
        """The steps in which something happened, the newest first, for the table."""
        return [each for each in reversed(self.steps) if each.visits]

    @property
    def open(self) -> list[Stretch]:
        return [each for each in self.stretches if each.kind == "open"]

    @property
    def sentence(self) -> str:
        """The drawing in words."""
        visits, failed = sum(each.visits for each in self.steps), sum(each.failed for each in self.steps)
        new = sum(each.new for each in self.steps)
        said = f"{_counted(visits, 'visit')} in {self.span.words}, {failed or 'none'} of them failed; "
        said += f"{_counted(new, 'new post')}. "
        return said + (f"{_counted(len(self.open), 'possible gap')}." if self.open else "No gap is open.")


def of(channel: Channel, span: Span, now: datetime) -> Timeline:
    """Two questions to the database, however long the span. It ends with the step that is under way."""
    until = _end_of_step(now, span.step)
    since = until - span.length
    counted = {each.pop("step"): each for each in channel.runs.per_step(since, span.step)}
    most = max((each["new"] for each in counted.values()), default=0) or 1
    steps = (_step(since + span.step * number, span, since, counted, most) for number in range(_steps(span)))
    found = sorted(_stretches(channel, since, now), key=lambda each: each.since)
    return Timeline(span, since, until, tuple(steps), tuple(_placed(each, since, until) for each in found))


def _steps(span: Span) -> int:
    return int(span.length / span.step)


def _end_of_step(now: datetime, step: timedelta) -> datetime:
    seconds = step.total_seconds()
    return datetime.fromtimestamp(ceil(now.timestamp() / seconds) * seconds, timezone.get_default_timezone())


def _step(at: datetime, span: Span, since: datetime, counted: dict[datetime, dict], most: int) -> Step:
    numbers = counted.get(at, {})
    wide = WIDE / _steps(span)
    high = (BASE - 4) * numbers.get("new", 0) / most
    return Step(
        at,
        at + span.step,
        x=round((at - since) / span.step * wide + wide * 0.15, 1),
        wide=round(wide * 0.7, 1),
        high=round(max(high, 2) if numbers.get("new") else 0, 1),
        **numbers,
    )


def _stretches(channel: Channel, since: datetime, now: datetime) -> Iterator[Stretch]:
    for run in channel.runs.gaps_since(since):
        yield _gap(run, channel)
    if channel.failures and channel.state != health.PAUSED and channel.polls:
        begun = max(channel.last_ok_at or channel.failing_since or now, since)
        yield Stretch("waiting", begun, now, channel.state_reason, channel.failing_since)


def _gap(run: FetchRun, channel: Channel) -> Stretch:
    """Where the network did not say from when to when, it lies just before the visit that noticed it."""
    until = run.gap_until or run.started
    begun = run.gap_since or until - timedelta(seconds=channel.poll_seconds)
    kind = "closed" if run.gap_closed_at else "open"
    return Stretch(kind, begun, until, run.gap, run.started, run.gap_closed_at)


def _placed(each: Stretch, since: datetime, until: datetime) -> Stretch:
    whole = until - since
    left = min(max((each.since - since) / whole, 0), 1) * WIDE
    right = min(max((each.until - since) / whole, 0), 1) * WIDE
    wide = max(right - left, LEAST)
    x = min(left, WIDE - wide)
    return Stretch(**{**each.__dict__, "x": round(x, 1), "wide": round(wide, 1)})


def _counted(number: int, what: str) -> str:
    figure = f"{number:,}".replace(",", "\u202f")
    return f"{figure} {what}" if number == 1 else f"{figure} {what}s"
