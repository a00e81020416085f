"""How long it takes after a kill until that kind of work goes on, and until what was in work is free again."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg2

from tests.faults.traffic import ask
from tests.launcher.house import House
from tests.torture.traffic import Worker

CHANNEL_LEASE, REPLY_LEASE = 90.0, 60.0  # socialhub.pipeline.LEASE, ReplyQuerySet.claim

_ROUTED = "SELECT FROM inbox_message WHERE routed_at > to_timestamp({0})"
_PULSE = "SELECT FROM socialhub_pulse WHERE at > to_timestamp({0})"
#: What shows that the work of a process goes on: something done after the kill, by the database's clock.
GOES_ON = {
    "postgres": f"SELECT EXISTS ({_ROUTED}) OR EXISTS ({_PULSE})",
    "worker": f"SELECT EXISTS ({_ROUTED}) OR EXISTS ({_PULSE})",
    "beat": f"SELECT EXISTS ({_PULSE})",
    "valkey": f"SELECT EXISTS ({_PULSE})",
}
#: The pages answer at once, or beat and Valkey are back, a little after the kill: what was already on its way does
#: not count.
ON_ITS_WAY = 0.3

_HELD = """
    SELECT 'channel ' || slug || ' ' || fence FROM connectors_channel WHERE leased_until IS NOT NULL
    UNION ALL SELECT 'reply ' || id || ' ' || fence FROM inbox_reply WHERE leased_until IS NOT NULL"""


@dataclass
class Kill:
    """`seconds` until work went on, None while it has not."""

    name: str
    at: float
    seconds: float | None = None


@dataclass
class Lease:
    first: float
    last: float


@dataclass
class Recovery:
    kills: list[Kill] = field(default_factory=list)
    leases: dict[str, Lease] = field(default_factory=dict)

    def held_after(self, kill: Kill) -> dict[str, float]:
        """For each kind of lease the longest time after the kill during which something lay held by who held it at the
        kill."""
        longest: dict[str, float] = defaultdict(float)
        for name, lease in list(self.leases.items()):
            if lease.first <= kill.at <= lease.last:
                kind = name.split()[0]
                longest[kind] = max(longest[kind], lease.last - kill.at)
        return dict(longest)

    def times(self) -> list[float]:
        """For each kill the longest of all that it kept waiting. While a later kill keeps the house from taking up
        what is free by then, that is the later kill's time and not this one's."""
        return [max([each.seconds or 0, *map(self._own(each), self.held_after(each).values())]) for each in self.kills]

    def _own(self, kill: Kill) -> Callable[[float], float]:
        def own(held: float) -> float:
            free, end = kill.at + CHANNEL_LEASE, kill.at + held
            later = [each for each in self.kills if kill.at < each.at < end and each.at + (each.seconds or 0) > free]
            since = min([end, *(max(each.at, free) for each in later)])
            return since - kill.at

        return own

    @property
    def went_on(self) -> list[float]:
        return [each.seconds for each in self.kills if each.seconds is not None]

    @property
    def waits(self) -> list[Kill]:
        return [each for each in self.kills if each.seconds is None]

    @property
    def never(self) -> list[str]:
        return [each.name for each in self.waits]


def share(times: list[float], part: float) -> float:
    """The time within which this part of all lies."""
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 1) if ordered else 0.0


class Watch(Worker):
    """Looks several times a second who holds what, and whether what was killed works again."""

    def __init__(self, house: House):
        super().__init__("watch")
        self.house, self.recovery = house, Recovery()

    def killed(self, name: str) -> None:
        self.recovery.kills.append(Kill(name, time.time()))

    def work(self) -> None:
        while self.pause(0.2):
            try:
                self._look_at_leases()
                for kill in self.recovery.waits:
                    self._look(kill)
            except psycopg2.Error:
                continue

    def _look_at_leases(self) -> None:
        now = time.time()
        for (name,) in ask(self.house, _HELD):
            self.recovery.leases.setdefault(name, Lease(now, now)).last = now

    def _look(self, kill: Kill) -> None:
        if kill.name == "web":
            works = self.house.health() in (200, 503)
        else:
            works = ask(self.house, GOES_ON[kill.name].format(kill.at + ON_ITS_WAY))[0][0]
        if works:
            kill.seconds = time.time() - kill.at
