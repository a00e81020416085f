"""The worker's rounds: many hands that visit channels at once, each when its time has come.

A stroke of the bell begins the rounds, and they go on by themselves for as long as channels come up soon; then the next
stroke begins them anew, as it does after any trouble. A hand is a thread with a connection to the database of its own.
Waiting for a network costs nothing, so there are many; who may have one is decided by `connectors.lanes`. A channel is
claimed only when a hand is free for it, so that its lease covers the visit and nothing else.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from connectors.lanes import Lanes
from connectors.models import Channel
from socialhub import pipeline

#: How far ahead a channel may come up so that the rounds wait for it instead of for the next stroke.
SOON = timedelta(seconds=5)
#: Seconds until we look again in any case: another worker may have left something, or a person asked for a look.
LONGEST_PAUSE = 1.0

logger = logging.getLogger(__name__)


class Rounds:
    """One for each worker process. `ring` and `end` may be called from any thread."""

    def __init__(self, hands: int):
        self.lanes = Lanes(hands)
        self._pool = ThreadPoolExecutor(hands, thread_name_prefix="fetch", initializer=self._keep_line)
        self._lines: list[BaseDatabaseWrapper] = []
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._walk: threading.Thread | None = None

    def ring(self) -> None:
        """Look for channels whose time has come. Returns at once."""
        self._news.set()
        with self._lock:
            if self._walk is None:
                self._walk = threading.Thread(target=self._go, name="rounds", daemon=True)
                self._walk.start()

    def end(self, **signal) -> None:
        """Claim nothing more; visits under way come to their end, those that walk stop after their page."""
        self.lanes.close()
        self._news.set()

    def wait(self, **signal) -> None:
        """Until every visit under way is over, while there still is a bell to ring. A worker that breaks down does not
        call `end` before, and without that it would walk on for ever, deaf."""
        self.end()
        if walk := self._walk:
            walk.join()
        self._pool.shutdown()
        for line in self._lines:
            line.close()

    def _go(self) -> None:
        try:
            while (pause := self._hand_out()) is not None:
                self._news.wait(pause)
                self._news.clear()
        except Exception:
            logger.exception("The rounds were broken off; the next stroke begins them anew.")
        finally:
            connection.close()
            with self._lock:
                self._walk = None

    def _hand_out(self) -> float | None:
        """Give every channel that is due to a free hand, as far as there are any. How many seconds to wait until the
        next look; None when nothing comes soon."""
        while self.lanes.free and self._claim():
            pass
        now = timezone.now()
        nearest = Channel.objects.next_due(now)
        nothing_soon = nearest is None or nearest > now + SOON
        if self.lanes.going_home or (nothing_soon and not self.lanes.busy):
            return None
        return min(LONGEST_PAUSE, (nearest - now).total_seconds()) if nearest else LONGEST_PAUSE

    def _claim(self) -> bool:
        """Claim channels for the free hands; whether another try may find more."""
        closed = self.lanes.closed()
        waiting = pipeline.due().not_in(closed)
        with self.lanes.door() as enter:
            claimed = waiting.claim(until=pipeline.leased(), batch=self.lanes.free, admits=enter)
            for channel in claimed:
                self._pool.submit(self._visit, channel)
        return bool(claimed) or self.lanes.closed() != closed

    def _keep_line(self) -> None:
        """A hand's connection outlives its visits, for opening one costs more than most of them; it is closed by
        another thread."""
        connection.inc_thread_sharing()
        self._lines.append(connections[DEFAULT_DB_ALIAS])

    def _visit(self, channel: Channel) -> None:
        waited = None
        try:
            _mend_connection()
            waited = pipeline.visit(channel, lambda batch: self.lanes.goes_on(channel, batch)).waited
        except Exception:
            logger.exception("A visit to %s broke off; its lease runs out, then it is visited again.", channel.slug)
        finally:
            self.lanes.leave(channel, waited)
            self._news.set()


def _mend_connection() -> None:
    """The database may have been started anew since this hand's last visit."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()
