"""The journey of a post, on one page.

    fetch ──► take_in ──► route ──► notify          send
    a connector's page    engine     the bell       the outbox, one attempt each
    goes in as a whole    decides

Every step's waiting work is a column in the database (`next_poll_at`, `routed_at`, `send_after`, `snoozed_until`),
claimed with SKIP LOCKED. The functions here look for whatever waits, do it, and say how much they did; calling one
twice, at once or never harms nothing but time.

What is live has a lane before history everywhere: it is routed as soon as its page is kept, and of history one page at
a time is taken in or routed in each process, with a rest after it (socialhub/history.py).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta

from django.utils import timezone

from connectors import deliveries, polling, tokens
from connectors.contract import Batch, Post
from connectors.models import Channel, FetchRun
from inbox import actions, intake, moderating, outbox, rechecking
from inbox.models import QueueCount
from routing import assignment, backtest, copies, engine, grounds
from socialhub import trainer
from socialhub.history import Pace
from socialhub.models import House, IdempotencyKey

#: A channel's lease: longer than a visit may take (`polling.MOST_SECONDS` and one page's time-out).
LEASE = timedelta(seconds=90)
#: How long one call goes on while work waits, so that a backlog is not left to the next tick.
PATIENCE = 20
#: Of history so many are routed at a time.
OLD_ONES = 100

#: The part of the time that a back-test takes.
TRIAL_SHARE = 0.8

#: Of history one page at a time is taken in or routed: both are work for the processor, and live posts want it first.
_old_ones = threading.Lock()
logger = logging.getLogger(__name__)


def fetch() -> int:
    """Visit every channel whose time has come, one after the other. Returns how many were visited.

    The worker does it with many hands at once (`socialhub.rounds`).
    """
    visited = 0
    while claimed := due().claim(until=leased(), batch=1):
        for channel in claimed:
            visit(channel)
        visited += len(claimed)
    replay()
    return visited


def due():
    """Channels whose time has come."""
    return Channel.objects.due(timezone.now())


def leased():
    """Until when a channel that is claimed now is ours."""
    return timezone.now() + LEASE


def visit(channel: Channel, goes_on: Callable[[Batch], bool] = lambda batch: True) -> FetchRun:
    """Visit this channel, which is claimed. What is live is routed as soon as its page is kept; history waits for
    `route`. `goes_on` says after each page whether the visit may go on with the next."""

    def after_page(batch: Batch) -> bool:
        if batch.posts and not batch.history:
            _route_live()
        return goes_on(batch)

    return polling.poll(channel, take_in, after_page=after_page)


def take_in(channel: Channel, posts: Sequence[Post], *, history: bool = False) -> intake.Taken:
    """Take in a page, inside the caller's transaction (`inbox.intake`)."""
    with _old_ones if history else nullcontext():
        return intake.take_in(channel, posts, history=history)


def _route_live() -> None:
    try:
        route_live()
    except Exception:  # the posts are kept, and the next stroke finds them; it is no fault of the channel
        logger.exception("What just came in could not be routed yet.")


def read() -> int:
    """Read what was delivered to us, and route at once what is in it. Returns how many deliveries."""
    done, until = 0, time.monotonic() + PATIENCE
    while number := deliveries.read_waiting(take_in):
        _route_live()
        done += number
        if time.monotonic() > until:
            break
    return done


def replay() -> None:
    """Try what people asked to be tried again."""
    polling.replay_asked_for(take_in)


def route_live() -> int:
    """Route what is live and waits. Returns how many messages."""
    routed = 0
    while done := engine.route(history=False):
        routed += done
    return routed


def route() -> int:
    """Route what waits, batch by batch; before each batch of history, what is live. Returns how many messages."""
    routed, until = 0, time.monotonic() + PATIENCE
    while done := engine.route(history=False) or _route_old():
        routed += done
        if time.monotonic() > until:
            break
    return routed


def _route_old() -> int:
    with _old_ones:
        pace = Pace()
        if done := engine.route(OLD_ONES, history=True):
            pace.rest()
        return done


def assign() -> int:
    """Give out what waits for somebody, after what lay untouched was taken back. Returns how many were given."""
    assignment.take_back_idle()
    return assignment.assign_waiting()


def recount() -> int:
    """Hold what people are said to hold to what there is. Returns how many were put right."""
    return assignment.recount_loads()


def send() -> int:
    """Move every reply, and everything else that is to be done on a network, whose time has come one step. Returns how
    many: none while a restore is not confirmed."""
    held = House.objects.holds_sends
    if held():
        return 0
    moved, until = 0, time.monotonic() + PATIENCE
    while done := outbox.send_due(held) + moderating.moderate_due(held):
        moved += done
        if time.monotonic() > until:
            break
    return moved


def back_test() -> int:
    """Do the trials of rules that people asked for, one after the other. Returns how many. They rest now and then, so
    that what is live finds room; somebody waits for them, so they rest less than history."""
    done = 0
    while backtest.run_next(Pace(TRIAL_SHARE).rest):
        done += 1
    return done


def recheck() -> int:
    """Ask networks that tell of no edits and deletions how open messages are now. Returns how many were asked about."""
    return rechecking.recheck_open()


def learn() -> None:
    """Read what people taught since, so that it is found as an example, and have a model trained when it is time
    (`socialhub.trainer`)."""
    trainer.learn()
    grounds.read_corrected()


def tidy() -> None:
    """What nobody waits for: wake what was snoozed, fold the counts, forget old visits, deliveries, fingerprints and
    answers, renew credentials that end soon."""
    while actions.wake():
        pass
    QueueCount.objects.fold()
    assignment.fold_loads()
    FetchRun.objects.stale(timezone.now()).delete()
    deliveries.tidy(timezone.now())
    tokens.renew_all(Channel.objects.to_renew(timezone.now()))
    copies.tidy(timezone.now())
    IdempotencyKey.objects.stale().delete()
