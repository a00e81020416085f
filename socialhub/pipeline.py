"""The journey of a post, on one page.

    fetch ──► take_in ──► route ──► notify          send
    a connector's page    engine     the bell       the outbox, one attempt each
    goes in as a whole    decides

Every step's waiting work is a column in the database (`next_poll_at`, `routed_at`, `send_after`, `snoozed_until`),
claimed with SKIP LOCKED. The functions here look for whatever waits, do it, and say how much they did; calling one
twice, at once or never harms nothing but time.
"""

import time
from datetime import timedelta

from django.utils import timezone

from connectors import polling
from connectors.models import Channel, FetchRun
from inbox import actions, outbox
from inbox.intake import take_in
from inbox.models import QueueCount
from routing import engine
from socialhub.models import IdempotencyKey

#: A channel's lease: longer than a visit may take (`polling.MOST_SECONDS` and one page's time-out).
LEASE = timedelta(seconds=90)
#: How long one call goes on while work waits, so that a backlog is not left to the next tick.
PATIENCE = 20


def fetch() -> int:
    """Visit every channel whose time has come, and route at once what came in. Returns how many were visited."""
    now = timezone.now()
    claimed = Channel.objects.due(now).claim(until=now + LEASE, batch=1)
    visited = 0
    while claimed:
        for channel in claimed:
            run = polling.poll(channel, take_in)
            if run.taken_in or run.changed:
                route()
        visited += len(claimed)
        now = timezone.now()
        claimed = Channel.objects.due(now).claim(until=now + LEASE, batch=1)
    polling.replay_asked_for(take_in)
    return visited


def route() -> int:
    """Route what waits, batch by batch, live posts before history. Returns how many messages."""
    routed, until = 0, time.monotonic() + PATIENCE
    while done := engine.route():
        routed += done
        if time.monotonic() > until:
            break
    return routed


def send() -> int:
    """Move every reply whose time has come one step. Returns how many."""
    moved, until = 0, time.monotonic() + PATIENCE
    while done := outbox.send_due():
        moved += done
        if time.monotonic() > until:
            break
    return moved


def tidy() -> None:
    """What nobody waits for: wake what was snoozed, fold the counts, forget old quiet visits and old answers."""
    while actions.wake():
        pass
    QueueCount.objects.fold()
    FetchRun.objects.stale(timezone.now()).delete()
    IdempotencyKey.objects.stale().delete()
