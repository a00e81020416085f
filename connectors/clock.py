"""When a channel is looked at next, and whether its looks come as often as asked. Pure.

Every channel has a place of its own in its interval, given by its id, and its looks stand on that grid: so they do not
drift with what a visit takes, nothing is made up for after a stop, and channels that were opened together do not stay
in step.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

#: Looks that come later than this, and than a whole interval, are late: a busy second is not worth a word.
LEEWAY = timedelta(seconds=10)
#: How many looks tell how often a channel is looked at.
LATELY = 20


def place_of(channel: UUID) -> float:
    """Where in its interval the channel's looks stand, from 0 to 1: any, but always the same."""
    return (channel.int % 2**32) / 2**32


def next_look(due: datetime, at: datetime, seconds: float, place: float) -> datetime:
    """When to look again after a look that was due then and is over now.

    One interval after it was due; a channel that is not on its grid (it was just opened, or somebody wanted a look in
    between) comes onto it with one interval of half to one and a half. What was missed is not made up for.
    """
    earliest = max(due.timestamp() + seconds / 2, at.timestamp())
    first = place * seconds
    steps = math.floor((earliest - first) / seconds) + 1
    return datetime.fromtimestamp(first + steps * seconds, UTC)


@dataclass(frozen=True)
class Pace:
    """How often a channel is looked at: what was asked, and what its last looks were apart on average, in seconds."""

    asked: float
    looks: int = 0
    apart: float = 0

    @property
    def sentence(self) -> str:
        """They may be further apart than asked because the network wants it so, or because looks failed."""
        every = f"Every {spoken(self.asked)}"
        if self.looks < 2:
            return f"{every}."
        return f"{every}; the last {self.looks} looks came every {spoken(self.apart)} on average."


def pace(asked: float, began: Sequence[datetime]) -> Pace:
    """The pace of a channel whose last looks began then, newest first."""
    if len(began) < 2:
        return Pace(asked)
    looks = len(began) - 1
    return Pace(asked, looks, (began[0] - began[-1]).total_seconds() / looks)


def spoken(seconds: float) -> str:
    """A stretch of time as one says it: 60 s, 1.5 s, 10 min, 3 h."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 and seconds % 1 >= 0.05 else f"{seconds:.0f} s"
