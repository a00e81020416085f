"""One torture from the first post to the verdict."""

import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import pytest

from connectors import signing
from socialhub.embedded import processes
from tests.faults.traffic import Program, ask
from tests.launcher.house import House
from tests.torture import oracle
from tests.torture.faults import FAULTS, deal
from tests.torture.feeds import FORMS, Feed
from tests.torture.network import Network
from tests.torture.recovery import CHANNEL_LEASE, Watch, share
from tests.torture.traffic import Bringer, Colleague, Crowd, delivered, pushed
from tests.torture.world import World

HOOKS = 3
RATE = 50.0  # posts a second, at most
REST = 240  # seconds in which everything has to come to rest; with --patient also the looks of thirteen minutes
COLLEAGUES = {"carl": "customer-service", "pia": "pr", "mara": "marketing", "ravi": "rnd"}


@dataclass(frozen=True)
class Plan:
    """`gap`: seconds between two faults. `silence`: for how long a network that never answers holds the line.
    `patient`: the looks for replies that are not confirmed come when they come, and time is not hurried. `hasty`: what
    a killed worker had leased is free as soon as all is written, so that nobody waits for it to run out. `kinds` are
    those to deal from, all of them when empty."""

    posts: int
    faults: int
    seed: int = 1
    gap: float = 4.0
    silence: float = 40.0
    patient: bool = False
    hasty: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long people write."""
        return max(self.faults * self.gap + 2, self.posts / RATE)


class Torture:
    """A house, the network around it, and everybody who keeps it busy."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None] = lambda words: None):
        self.plan, self.silence = plan, plan.silence
        self.house, self.world = House(folder), World(plan.seed)
        self.chance = Random(f"torture:{plan.seed}")
        self.feeds = [Feed(f"feed-{number}", FORMS[number % len(FORMS)], self.chance) for number in range(6)]
        self.network = Network(self.world, {each.slug: each for each in self.feeds})
        self.watch = Watch(self.house)
        self.answered: set[str] = set()
        self.done: Counter[str] = Counter()
        self.began = time.monotonic()
        self._say, self._timers = say, []

    def say(self, words: str) -> None:
        self._say(f"{time.monotonic() - self.began:6.1f} s  {words}")

    # What faults need ---------------------------------------------------------------------------------------------

    def living(self, name: str) -> int:
        """The number of this process; waits while the launcher starts it again."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            pid = self.house.pid(name)
            if pid and processes.alive(pid):
                return pid
            time.sleep(0.02)
        raise RuntimeError(f"{name} is not started again")

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, do)
        self._timers.append(timer)
        timer.start()

    def flush_valkey(self) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(self.house.places.valkey_socket))
            line.sendall(b"FLUSHALL\r\n")
            line.recv(100)

    # From the first post to the verdict ---------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        self.network.start()
        self.network.ready.wait(10)
        try:
            self._open()
            self._torture()
            rest = self._come_to_rest()
            return self._report(rest)
        finally:
            for timer in self._timers:
                timer.join(10)
            self.watch.stopping.set()
            self.network.stop()

    def _open(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UNDO_SEND_SECONDS", "0")
            self.house.start()
        self.say(f"The house is at {self.house.address('/')}, its data in {self.house.folder}")
        self.ada = Program(self.house, "ada")
        _wait(self.house.is_well, 60)
        self._open_channels()
        self.crowd = Crowd(self.world, self.plan.posts, self.plan.posts / self.plan.seconds, self.feeds, self.bringers)
        with ThreadPoolExecutor(len(COLLEAGUES)) as hands:
            programs = dict(zip(COLLEAGUES, hands.map(lambda name: Program(self.house, name), COLLEAGUES), strict=True))
        self.colleagues = [
            Colleague(programs[name], department, self.answered, 0.3) for name, department in COLLEAGUES.items()
        ]

    def _open_channels(self) -> None:
        """Feeds that are read, hooks that are delivered to and take replies, and one that programs push to. The demo's
        own people are silent: they live in the database that is killed."""
        self._change("demo", {"rate": 0, "calm": True, "story": False})
        for feed in self.feeds:
            self._channel("feed", feed.slug, url=self._at("feeds", feed.slug), poll_seconds=1, allow_private_hosts=True)
        self._channel("import", "pushed-1")
        self.bringers = [Bringer("pushed-1", pushed(self.ada, "pushed-1"), Random(self.plan.seed))]
        self.bringers += [self._hook(f"hook-{number}") for number in range(HOOKS)]
        self.kinds = self.plan.kinds or tuple(FAULTS)

    def _hook(self, slug: str) -> Bringer:
        secret = signing.new_secret()
        self._channel("webhook", slug, secret=secret, reply_url=self._at("replies", slug), allow_private_hosts=True)
        self.answered.add(slug)
        return Bringer(slug, delivered(self.house, slug, secret), Random(f"{slug}:{self.plan.seed}"))

    def _at(self, place: str, slug: str) -> str:
        port = self.network.port if place == "feeds" else self.network.replies_port
        return f"http://127.0.0.1:{port}/{place}/{slug}"

    def _channel(self, network: str, slug: str, secret: str = "", **settings: Any) -> None:
        body = {"network": network, "slug": slug, "name": slug, "settings": settings}
        body |= {"credentials": {"secret": secret}} if secret else {}
        status, said = self.ada.call("channels/", body)
        assert status == 201, (slug, status, said)

    def _change(self, slug: str, settings: dict) -> None:
        status, said = self.ada.call(f"channels/{slug}/", {"settings": settings}, method="PATCH")
        assert status == 200, (slug, status, said)

    @property
    def _busy(self) -> list:
        return [self.crowd, *self.bringers, *self.colleagues]

    def _torture(self) -> None:
        self.watch.start()
        for each in self._busy:
            each.start()
        for number, kind in enumerate(deal(self.plan.faults, self.plan.seed, self.kinds), 1):
            time.sleep(self.plan.gap)
            self._check()
            FAULTS[kind](self)
            self.done[kind] += 1
            self.say(f"{number:4}/{self.plan.faults}  {kind:26} {self._so_far()}")
            self._forget()
        self.say("No more faults; people write on until all is written.")
        self.crowd.join(self.plan.seconds * 3 + 60)
        for each in self._busy:
            each.stop(120)

    def _so_far(self) -> str:
        replies = sum(len(each.accepted) for each in self.colleagues)
        waiting = sum(len(each.waiting) for each in self.bringers)
        return f"{len(self.world.posts):6} posts ({waiting} waiting), {replies:5} replies accepted"

    def _check(self) -> None:
        for each in [*self._busy, self.watch]:
            if each.broke:
                raise each.broke
        if not self.house.runs():
            raise RuntimeError("The launcher has ended.")

    def _forget(self) -> None:
        """Feeds let go of what the house has."""
        with suppress(psycopg2.Error):
            kept = oracle.kept_marks(self.house)
            for feed in self.feeds:
                feed.forget(kept)

    # Rest ---------------------------------------------------------------------------------------------------------

    def _come_to_rest(self) -> list[tuple]:
        """Wait until nothing is on its way any more; what has not come to rest then."""
        _wait(self.house.is_well, 60)
        began, told = time.monotonic(), 0.0
        patience = REST + (800 if self.plan.patient else 0)
        while left := self._left():
            if time.monotonic() > began + patience:
                return left
            if time.monotonic() > told + 10:
                told = time.monotonic()
                self.say(f"Waits for {len(left)}: {', '.join(' '.join(map(str, each)) for each in left[:3])}")
            time.sleep(0.3)
        self.say(f"At rest after {time.monotonic() - began:.0f} s")
        return []

    def _left(self) -> list[tuple]:
        with suppress(psycopg2.Error):
            self._hurry()
            return self._world_left() + ask(self.house, LEFT) + self._not_back() or self._changed_left()
        return [("database", "does not answer")]

    def _hurry(self) -> None:
        if not self.plan.patient:
            ask(self.house, HURRY)
            ask(self.house, HURRY_FEEDS)
        died = [each.at for each in self.watch.recovery.kills if each.name == "worker"]
        if self.plan.hasty and died:
            for sql in HURRY_LEASES:
                ask(self.house, sql, max(died))

    def _not_back(self) -> list[tuple]:
        """What was killed and does not work yet; once it had the lease's time for that it never does."""
        recent = time.time() - CHANNEL_LEASE - 2
        return [("back", each.name) for each in self.watch.recovery.waits if each.at > recent]

    def _world_left(self) -> list[tuple]:
        """What the network has and the house does not."""
        waiting = [each for each in self.world.posts if not each.told]
        if not waiting:
            kept = oracle.kept_marks(self.house)
            waiting = [each for each in self.world.posts if each.mark not in kept]
            waiting = waiting or oracle.stale(self.house, self.world)
        return [("post", each.channel, each.id) for each in waiting]

    def _changed_left(self) -> list[tuple]:
        """What people changed and the house shows as it was."""
        return [("change", mark) for mark in oracle.judge_posts(self.house, self.world).found["stale"]]

    def _report(self, left: list[tuple]) -> dict[str, Any]:
        accepted = {each for colleague in self.colleagues for each in colleague.accepted}
        verdict = oracle.judge(self.house, self.world, accepted)
        for name, found in verdict.found.items():
            if found:
                self.say(f"{name}: {found[:5]}{' …' if len(found) > 5 else ''}")
        recovery = self.watch.recovery
        times = recovery.times()
        figures = verdict.figures
        report = {
            "posts": len(self.world.posts),
            "faults": sum(self.done.values()),
            **{name: verdict.number(name) for name in oracle.FAULTS},
            "seconds": round(time.monotonic() - self.began, 1),
            **{name: figures[name] for name in figures if name != "posts"},
            "at_rest": not left,
            "hurried": HURRIED[: 0 if self.plan.patient else 3 if self.plan.hasty else 2],
            "kills": len(recovery.kills),
            "recovery_p99": share(times, 0.99),
            "recovery_max": share(times, 1),
            "went_on_max": share(recovery.went_on, 1),
            "never_went_on": recovery.never,
            "lease": CHANNEL_LEASE,
            "kinds": dict(sorted(self.done.items())),
            "met": dict(sorted(self.network.met.items())),
        }
        return report | {"passed": passed(report)}


def passed(report: dict[str, Any]) -> bool:
    """Nothing lost, nothing doubled, everything at rest, and what the network has was found there."""
    decidable = report["unknown"] - report["never_arrived"]
    return (
        not any(report[name] for name in oracle.FAULTS)
        and report["at_rest"]
        and report["not_found"] <= 0.05 * decidable
        and report["recovery_max"] <= report["lease"] + 2
        and not report["never_went_on"]
    )


#: The looks for a reply that is not confirmed come after 5, 30, 120 and 600 seconds, and what the network certainly did
#: not take is tried again after two minutes. Here that time passes faster; nothing else is changed.
HURRY = """
    UPDATE inbox_reply SET send_after = now()
    WHERE ((state = 'unknown' AND looks > 0) OR state = 'approved') AND send_after > now()"""
#: A feed that failed several times is left alone for up to half an hour.
HURRY_FEEDS = """
    UPDATE connectors_channel SET next_poll_at = now()
    WHERE network = 'feed' AND leased_until IS NULL AND next_poll_at > now() + interval '2 seconds'"""
#: There is one worker, so what was leased before it was killed is held by nobody.
HURRY_LEASES = (
    "UPDATE inbox_reply SET leased_until = now() WHERE leased_until > now() "
    "AND leased_until - interval '60 seconds' < to_timestamp(%s)",
    "UPDATE connectors_channel SET leased_until = now() WHERE leased_until > now() "
    "AND leased_until - interval '90 seconds' < to_timestamp(%s)",
    "UPDATE connectors_delivery SET leased_until = now() WHERE leased_until > now() "
    "AND leased_until - interval '60 seconds' < to_timestamp(%s)",
)
#: What of this the report tells.
HURRIED = ["looks for replies and tries after a refusal", "looks at feeds that failed", "leases of a killed worker"]
LEFT = """
    SELECT 'visit', slug, leased_until::text FROM connectors_channel
    WHERE leased_until IS NOT NULL AND leased_until < now() + interval '85 seconds'
    UNION ALL SELECT 'delivery', id::text, attempts::text FROM connectors_delivery
    WHERE read_at IS NULL AND set_aside_at IS NULL
    UNION ALL SELECT 'to route', id::text, route_attempts::text FROM inbox_message
    WHERE direction = 'in' AND routed_at IS NULL
    UNION ALL SELECT 'reply', id::text, state || ' ' || coalesce(leased_until::text, '') FROM inbox_reply
    WHERE state IN ('approved', 'sending', 'unknown')"""


def _wait(true: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise RuntimeError(f"{true} is still not so after {seconds} s")
        time.sleep(0.05)


def torture(plan: Plan, folder: Path | None = None, say: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Do it, and clear away. When it did not pass, the data folder with its logs is kept."""
    own = folder or Path(tempfile.mkdtemp(prefix="social-hub-torture-"))
    own.mkdir(exist_ok=True)
    own.chmod(0o711)
    one = Torture(plan, own, say or (lambda words: print(words, file=sys.stderr, flush=True)))
    good = False
    try:
        report = one.run()
        good = report["passed"]
        return report
    finally:
        if good:
            one.house.clear_away()
        else:
            if one.house.runs():
                one.house.stop()
            one.say(f"The data and the logs are kept in {own}")
