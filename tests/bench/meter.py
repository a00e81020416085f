"""What a piece of work costs: CPU time of the processes that do it, as the kernel counts it, and the time on the wall.

A web process's share is the user and system time in `/proc/<pid>/stat`. PostgreSQL's is that of its first process, of
all that live below it, and of those below it that have ended (the kernel adds them to the first one's account): a
connection made for one request counts whole. Its processes have one thread each and are read to the nanosecond
(`schedstat`): a batch of 40 ms would be four ticks of the other clock. Ways are measured in turns, a round each, so
that whatever else the machine does meets all of them alike; what holds is the median of the rounds.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024


def _times(pid: int) -> tuple[int, float, float]:
    """Its parent, its own CPU seconds, and those of its children that have ended."""
    words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    own, ended = int(words[11]) + int(words[12]), int(words[13]) + int(words[14])
    return int(words[1]), own / TICKS, ended / TICKS


def _all() -> dict[int, tuple[int, float, float]]:
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = _times(int(entry.name))
            except (OSError, IndexError):
                continue
    return found


def cpu_of(pid: int) -> float:
    """CPU seconds of one process so far."""
    return _times(pid)[1]


def cpu_of_server(pid: int) -> float:
    """CPU seconds so far of a server that does its work in children."""
    every = _all()
    return every[pid][2] + sum(_exactly(each, own) for each, (parent, own, _) in every.items() if pid in (parent, each))


def _exactly(pid: int, roughly: float) -> float:
    try:
        return int((PROC / str(pid) / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):  # it ended, or this kernel does not say
        return roughly


def pss(pids: Iterable[int]) -> float:
    """Memory of these processes in MiB: what is shared counts in parts, so that their sum is what they take."""
    return sum(_pss(pid) for pid in pids) / MIB


def _pss(pid: int) -> int:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@dataclass(frozen=True)
class Way:
    """One of the things that are compared: what to do once, how often in a round, and the process that does it (None:
    PostgreSQL alone)."""

    act: Callable[[], object]
    times: int
    pid: int | None = None


@dataclass(frozen=True)
class Cost:
    """Milliseconds for one time: CPU of the process, CPU of PostgreSQL, and on the wall."""

    own: float
    postgres: float
    wall: float

    @property
    def cpu(self) -> float:
        return self.own + self.postgres


def compare(ways: Mapping[str, Way], postgres: int, rounds: int = 5) -> dict[str, Cost]:
    """The median cost of each way, measured in turns after a first turn that warms everything up."""
    found: dict[str, list[Cost]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            cost = _measure(way, postgres)
            if turn:
                found[name].append(cost)
    return {name: _middle(costs) for name, costs in found.items()}


def _measure(way: Way, postgres: int) -> Cost:
    before, began = _spent(way, postgres), time.perf_counter()
    for _ in range(way.times):
        way.act()
    wall, after = time.perf_counter() - began, _spent(way, postgres)
    own, server = (late - early for early, late in zip(before, after, strict=True))
    return Cost(*(1000 * each / way.times for each in (own, server, wall)))


def _spent(way: Way, postgres: int) -> tuple[float, float]:
    return cpu_of(way.pid) if way.pid else 0.0, cpu_of_server(postgres)


def _middle(costs: list[Cost]) -> Cost:
    return Cost(*(median(getattr(each, name) for each in costs) for name in ("own", "postgres", "wall")))
