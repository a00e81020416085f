"""What came in lately: posts an hour over the last day, as numbers, as a line to draw, and as a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from connectors.models import FetchRun

HOURS = 24
WIDE, HIGH = 84, 22


@dataclass(frozen=True)
class Pulse:
    """The hours are full ones, oldest first; the last is the one under way."""

    hours: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.hours)

    @property
    def points(self) -> list[tuple[float, float]]:
        most = max(self.hours) or 1
        step = (WIDE - 4) / (HOURS - 1)
        return [
            (round(2 + step * n, 1), round(HIGH - 2 - (HIGH - 4) * each / most, 1)) for n, each in enumerate(self.hours)
        ]

    @property
    def path(self) -> str:
        return "M" + "L".join(f"{x} {y}" for x, y in self.points)

    @property
    def end(self) -> tuple[float, float]:
        return self.points[-1]

    @property
    def sentence(self) -> str:
        if not self.total:
            return "Nothing taken in during the last 24 hours."
        posts = "post" if self.total == 1 else "posts"
        return f"{self.total} {posts} taken in during the last 24 hours, {self.hours[-1]} of them in this hour."


def pulses(channels: Iterable[UUID], at: datetime) -> dict[UUID, Pulse]:
    """The pulse of each of these channels, in one query."""
    this_hour = at.replace(minute=0, second=0, microsecond=0)
    counted = {channel: [0] * HOURS for channel in channels}
    for channel, hour, number in FetchRun.objects.per_hour(this_hour - timedelta(hours=HOURS - 1)):
        place = HOURS - 1 - int((this_hour - hour).total_seconds() // 3600)
        if channel in counted and 0 <= place < HOURS:
            counted[channel][place] += number
    return {channel: Pulse(tuple(hours)) for channel, hours in counted.items()}
