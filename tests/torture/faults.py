"""All that can go wrong here, by name. A fault is done to a running `Torture`; what it needs stands there."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from socialhub.embedded import processes
from tests.torture.network import HTML, Answer, Spoil

if TYPE_CHECKING:
    from tests.torture.run import Torture

Fault = Callable[["Torture"], None]
FAULTS: dict[str, Fault] = {}

SOME = 6  # replies that one fault meets


def fault(name: str) -> Callable[[Fault], Fault]:
    def keep(do: Fault) -> Fault:
        FAULTS[name] = do
        return do

    return keep


def deal(number: int, seed: int, kinds: Iterable[str] = FAULTS) -> list[str]:
    """So many faults in an order of chance. Each kind comes once before any comes again."""
    chance, dealt = Random(f"faults:{seed}"), []
    while len(dealt) < number:
        deck = list(kinds)
        chance.shuffle(deck)
        dealt += deck
    return dealt[:number]


# Processes ------------------------------------------------------------------------------------------------------


def _kill(name: str) -> Fault:
    """With no chance to say anything. The launcher has to start it again."""

    def do(torture: "Torture") -> None:
        pid = torture.living(name)
        torture.watch.killed(name)
        os.kill(pid, signal.SIGKILL)

    return do


def _freeze(name: str, seconds: float) -> Fault:
    """It stands still for a while, and then goes on as if nothing had been."""

    def do(torture: "Torture") -> None:
        pid = torture.living(name)
        os.kill(pid, signal.SIGSTOP)
        torture.later(seconds, lambda: processes.send(pid, signal.SIGCONT))

    return do


for _name in ("postgres", "valkey", "web", "worker", "beat"):
    FAULTS[f"kill_{_name}"] = _kill(_name)
    FAULTS[f"freeze_{_name}"] = _freeze(_name, 2.5)


@fault("flush_valkey")
def _flush(torture: "Torture") -> None:
    torture.flush_valkey()


@fault("kill_worker_while_sending")
def _kill_while_sending(torture: "Torture") -> None:
    """At the moment at which the network has a reply and the house does not know it yet."""
    torture.network.spoil("reply", "kill_worker_while_sending", _silent(torture.silence))
    before, until = torture.network.met["kill_worker_while_sending"], time.monotonic() + 5
    while torture.network.met["kill_worker_while_sending"] == before and time.monotonic() < until:
        time.sleep(0.02)
    FAULTS["kill_worker"](torture)


# How an answer goes wrong ---------------------------------------------------------------------------------------


def _says(status: int, **headers: str) -> Spoil:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: Answer(status, b'{"error": "no"}', headers=named)


def _html(answer: Answer) -> Answer:
    return Answer(200, HTML, "text/html")


def _cut(answer: Answer) -> Answer:
    return replace(answer, cut=len(answer.body) // 2)


def _reset(answer: Answer) -> Answer:
    return replace(answer, reset=True)


def _silent(seconds: float) -> Spoil:
    return lambda answer: replace(answer, silent=seconds)


# Feeds ----------------------------------------------------------------------------------------------------------


def _feed(name: str, how: Spoil, times: int = 2) -> None:
    def do(torture: "Torture") -> None:
        feed = torture.chance.choice(torture.feeds)
        torture.network.spoil(f"feed:{feed.slug}", name, how, times)

    FAULTS[name] = do


_feed("feed_429_says_when", _says(429, Retry_After="3"))
_feed("feed_429", _says(429))
_feed("feed_500", _says(500))
_feed("feed_503_says_when", _says(503, Retry_After="2"))
_feed("feed_html", _html)
_feed("feed_truncated", _cut)
_feed("feed_reset", _reset)


@fault("feed_never")
def _feed_never(torture: "Torture") -> None:
    feed = torture.chance.choice(torture.feeds)
    torture.network.spoil(f"feed:{feed.slug}", "feed_never", _silent(torture.silence))


@fault("feed_twice")
def _feed_twice(torture: "Torture") -> None:
    for feed in torture.feeds:
        feed.twice += 3


@fault("feed_shuffled")
def _feed_shuffled(torture: "Torture") -> None:
    for feed in torture.feeds:
        feed.shuffled += 3


@fault("feed_edit")
def _feed_edit(torture: "Torture") -> None:
    for feed in torture.feeds:
        told = [each for each in feed.window if each.told]
        if told:
            torture.world.edit(torture.chance.choice(told))


# Posts that are brought -----------------------------------------------------------------------------------------


def _brought(name: str, mood: str) -> None:
    def do(torture: "Torture") -> None:
        for bringer in torture.bringers:
            bringer.moods.extend([mood] * 3)

    FAULTS[name] = do


_brought("brought_twice", "twice")
_brought("brought_shuffled", "shuffled")
_brought("brought_at_once", "race")


@fault("brought_edit")
def _brought_edit(torture: "Torture") -> None:
    bringer = torture.chance.choice(torture.bringers)
    told = [each for each in torture.world.told() if each.channel == bringer.channel and not each.broken]
    if told:
        threading.Thread(target=bringer.edited, args=[told[-1], torture.world], daemon=True).start()


@fault("late")
def _late(torture: "Torture") -> None:
    torture.crowd.late += 20


@fault("unreadable")
def _unreadable(torture: "Torture") -> None:
    torture.crowd.broken += 3


# Replies --------------------------------------------------------------------------------------------------------


def _reply(name: str, how: Spoil | str, times: int = SOME, lane: str = "reply") -> None:
    FAULTS[name] = lambda torture: torture.network.spoil(lane, name, how, times)


# The network has it, and its answer does not come through.
_reply("reply_reset", _reset)
_reply("reply_truncated", _cut)
_reply("reply_500", _says(500))
_reply("reply_html", _html)
# The network does not take it, and says so.
_reply("reply_refused", _says(422), lane="refuse")
_reply("reply_429", _says(429, Retry_After="3"), lane="refuse")
# The network does not take it, and nobody can know.
_reply("reply_lost", _reset, 1, lane="refuse")
# Looking for it fails, which is not the same as not finding it.
_reply("look_500", _says(500), lane="look")


@fault("reply_never")
def _reply_never(torture: "Torture") -> None:
    torture.network.spoil("reply", "reply_never", _silent(torture.silence))


@fault("reply_hidden")
def _reply_hidden(torture: "Torture") -> None:
    """The line drops, and the network shows the reply only some time later."""
    torture.network.hide_next = 2
    torture.network.spoil("reply", "reply_hidden", _reset)


@fault("reply_door_shut")
def _reply_door_shut(torture: "Torture") -> None:
    torture.network.shut_door(3)
    torture.network.met["reply_door_shut"] += 1
