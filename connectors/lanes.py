"""Who of a worker's hands is where, so that nobody is kept waiting by others: a bulkhead for each server, a narrow lane
for servers that are slow or dead, and one for channels that walk through what was there before. Pure.

A hand is a thread that visits one channel; while a network takes its time the hand does nothing but wait. What is known
here of servers and channels is learnt anew by each worker, within one visit.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from connectors.contract import Batch

SLOW = 2.0  # seconds for one page; a server that takes longer, or never answers, holds few hands from then on


class Visited(Protocol):
    """What is asked of a channel, or of a reply: `server` is whom it talks to (`querysets.server_of`)."""

    pk: UUID
    server: str


@dataclass(frozen=True)
class Closed:
    """Who has to wait: channels of these servers, and these channels."""

    servers: frozenset[str] = frozenset()
    channels: frozenset[UUID] = frozenset()


#: Nobody has to wait.
NOBODY = Closed()


class Lanes:
    """All methods may be called from any thread."""

    def __init__(self, hands: int):
        self.hands = hands
        self._most_brisk = max(1, hands // 2)  # hands at one server that is known to answer
        self._most_new = max(1, hands // 4)  # at one that nobody has asked yet
        self._most_slow = max(1, hands // 8)  # at one that is slow
        self._narrow = max(1, hands // 4)  # in each of the narrow lanes
        self._lock = threading.Lock()
        self._under_way: dict[UUID, str] = {}
        self._slow: dict[str, bool] = {}  # of servers that were asked before
        self._walking: set[UUID] = set()  # channels of which more waits than one page
        self.going_home = False

    @property
    def free(self) -> int:
        """How many hands have nothing to do."""
        with self._lock:
            return 0 if self.going_home else self.hands - len(self._under_way)

    @property
    def busy(self) -> int:
        with self._lock:
            return len(self._under_way)

    def close(self) -> None:
        """The worker is going home: nobody is let in, and who walks stops after its page."""
        self.going_home = True

    def closed(self) -> Closed:
        """Who would not be let in now; asked before channels are claimed, so that others are found."""
        with self._lock:
            at = Counter(self._under_way.values())
            servers = {server for server, number in at.items() if number >= self._most(server)}
            if self._slow_ones() >= self._narrow:
                servers |= {server for server, slow in self._slow.items() if slow}
            walkers = self._walking if self._walkers() >= self._narrow else set()
            return Closed(frozenset(servers), frozenset(walkers))

    def enter(self, channel: Visited) -> bool:
        """Give the channel a hand; False when it has to wait. Whoever was let in has to `leave`."""
        with self._lock:
            if getattr(channel, "failures", 0):
                self._slow.setdefault(channel.server, True)
            if self.going_home or len(self._under_way) >= self.hands or not self._has_room(channel):
                return False
            self._under_way[channel.pk] = channel.server
            return True

    def goes_on(self, channel: Visited, batch: Batch) -> bool:
        """Whether the visit may take the next page at once. Who walks leaves its hand to others when there are no
        more, or when enough walk already; it comes again in its turn."""
        with self._lock:
            if not batch.more:
                self._walking.discard(channel.pk)
                return True
            self._walking.add(channel.pk)
            room = len(self._under_way) < self.hands and self._walkers() <= self._narrow
            return room and not self.going_home

    def leave(self, channel: Visited, waited: float | None = None) -> None:
        """The visit is over; `waited` is what its server took for its slowest page, None when it was not asked."""
        with self._lock:
            self._under_way.pop(channel.pk, None)
            if waited is not None:
                self._slow[channel.server] = waited > SLOW

    @contextmanager
    def door(self) -> Iterator[Callable[[Visited], bool]]:
        """`enter`, while channels are claimed: when that fails, everybody who was let in goes out again."""
        inside: list[Visited] = []

        def enter(channel: Visited) -> bool:
            if entered := self.enter(channel):
                inside.append(channel)
            return entered

        try:
            yield enter
        except BaseException:
            for each in inside:
                self.leave(each)
            raise

    def _has_room(self, channel: Visited) -> bool:
        server = channel.server
        if Counter(self._under_way.values())[server] >= self._most(server):
            return False
        if self._slow.get(server) and self._slow_ones() >= self._narrow:
            return False
        return channel.pk not in self._walking or self._walkers() < self._narrow

    def _most(self, server: str) -> int:
        slow = self._slow.get(server)
        return self._most_new if slow is None else self._most_slow if slow else self._most_brisk

    def _slow_ones(self) -> int:
        return sum(bool(self._slow.get(server)) for server in self._under_way.values())

    def _walkers(self) -> int:
        return sum(pk in self._walking for pk in self._under_way)
