"""A visit to a network: fetch a page, keep it, go on; then say how it went. What keeps the posts is handed in from
above, for connectors do not know that an inbox exists.

One page is one transaction: posts, quarantine, ledger and cursor. The network is never asked inside of one.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import islice

from django.db import transaction
from django.utils import timezone

from connectors import budgets, clock, health, ledger, normalise, tokens, trouble, waits
from connectors.contract import Batch, Connector, Post, TakeIn, Unreadable
from connectors.errors import BudgetSpent, ConnectorError, NotAuthorized, RateLimited
from connectors.models import Channel, FetchRun, LeaseLost, QuarantinedPost
from departments import audit, bell

MOST_PAGES = 20
MOST_SECONDS = 20  # then another channel gets its turn; what waits is fetched by the next visit, which comes at once

logger = logging.getLogger(__name__)
Outcome, Via = FetchRun.Outcome, FetchRun.Via


def poll(
    channel: Channel,
    take_in: TakeIn,
    *,
    pages: int = MOST_PAGES,
    after_page: Callable[[Batch], bool] = lambda batch: True,
) -> FetchRun:
    """Visit the network once, for as many pages as wait, and set the next visit. The channel should be claimed.

    `after_page` is called when a page is kept, and says whether the visit may go on with the next. Never raises for
    what the network does, nor for a page that can not be kept: both are the channel's health then.
    """
    due = channel.next_poll_at or timezone.now()
    run = ledger.start(channel, Via.POLL)
    try:
        last = _walk(run, take_in, pages, after_page)
    except LeaseLost:
        ledger.recount(run)
        return ledger.finish(
            run, Outcome.INTERRUPTED, "The channel was changed or taken over; this page is read again."
        )
    except Exception as error:
        return _failed(run, error)
    place = clock.place_of(channel.pk)
    rhythm = {"due": due, "poll_seconds": channel.poll_seconds, "place": place}
    verdict = health.after_success(timezone.now(), **rhythm, more=last.more, not_before=last.not_before)
    return _settled(run, verdict, Outcome.OK, last.note)


def receive(
    channel: Channel,
    read: Iterable[Post | Unreadable],
    take_in: TakeIn,
    *,
    via: Via = Via.PUSH,
    history: bool = False,
    batch: int = 500,
    progress: Callable[[FetchRun], None] = lambda run: None,
) -> tuple[FetchRun, list[tuple[int, str]]]:
    """Take in posts that were brought to us, a batch to a transaction; place and reason of each one put into
    quarantine.

    Raises whatever `take_in` raises; the batches before are kept then, and the ledger says where it ended.
    """
    run, refused, posts = ledger.start(channel, via), [], iter(read)
    try:
        while page := list(islice(posts, batch)):
            done = run.read
            refused += [(done + place, reason) for place, reason in ledger.keep(run, page, take_in, history=history)]
            progress(run)
    except Exception as error:
        ledger.recount(run)
        ledger.finish(run, Outcome.FAILED, health.blame(error))
        raise
    now = timezone.now()
    Channel.objects.filter(pk=channel.pk).update(last_ok_at=now, **({"last_post_at": now} if run.taken_in else {}))
    _ring(run)
    if run.taken_in or run.changed:
        bell.wake("route")
    return ledger.finish(run), refused


def replay(quarantined: Iterable[QuarantinedPost], take_in: TakeIn) -> list[FetchRun]:
    """Try these posts again. What works now is marked, so twice is once; what does not stays, with its new reason.

    Returns a line of the ledger for each channel of which something was tried.
    """
    wanted = QuarantinedPost.objects.filter(pk__in=[each.pk for each in quarantined])
    return _replay(wanted, take_in)


def replay_asked_for(take_in: TakeIn, batch: int = 500) -> list[FetchRun]:
    """Try what people asked to be tried again; the worker calls this, so that no page waits for it."""
    return _replay(QuarantinedPost.objects.asked_for(), take_in, batch)


# A visit --------------------------------------------------------------------------------------------------------


def _walk(run: FetchRun, take_in: TakeIn, pages: int, after_page: Callable[[Batch], bool]) -> Batch:
    """Page by page until the network has no more or others should have their turn; the last page of them."""
    started = time.monotonic()
    for _ in range(pages):
        tokens.renew_if_due(run.channel)
        connector = run.channel.connector()
        budgets.check(run.channel, connector)
        batch = _ask(run, connector)
        _keep_page(run, batch, take_in)
        if not after_page(batch) or not batch.more or time.monotonic() - started > MOST_SECONDS:
            break
    return batch


def _ask(run: FetchRun, connector: Connector) -> Batch:
    began = time.monotonic()
    try:
        return connector.fetch(run.channel.cursor)
    except NotAuthorized:
        # The network may have ended the credentials before their time.
        if not tokens.renew_now(run.channel):
            raise
        return run.channel.connector().fetch(run.channel.cursor)
    finally:
        run.waited = max(run.waited, time.monotonic() - began)


@transaction.atomic
def _keep_page(run: FetchRun, batch: Batch, take_in: TakeIn) -> None:
    ledger.keep(run, batch.posts, take_in, history=batch.history)
    _note_gap(run, batch)
    ledger.used(run, batch.used)
    # Last, so that the channel's row is locked for the shortest time.
    run.channel.advance(dict(batch.cursor), progress=batch.progress, **_learnt(run.channel, batch))


def _note_gap(run: FetchRun, batch: Batch) -> None:
    if batch.gap and not run.gap:
        run.gap, run.gap_since, run.gap_until = batch.gap[:300], batch.gap_since, batch.gap_until
        # At once, for a later page of the same visit may close it.
        run.save(update_fields=["gap", "gap_since", "gap_until"])
    if batch.covered:
        run.channel.runs.close_gaps(*batch.covered, at=timezone.now())


def _learnt(channel: Channel, batch: Batch) -> dict:
    learnt: dict = {}
    if batch.known:
        learnt["known"] = channel.known | dict(batch.known)
    if batch.limits or waits.KEPT_IN in channel.limits:
        reset = batch.limits.reset if batch.limits else None
        told = asdict(batch.limits) | {"reset": reset.isoformat() if reset else None} if batch.limits else {}
        learnt["limits"] = told | waits.after_page(channel.limits)
    return learnt


def _failed(run: FetchRun, error: Exception) -> FetchRun:
    channel = run.channel
    ledger.recount(run)
    if not isinstance(error, ConnectorError):
        logger.exception("A visit to %s failed", channel.slug, exc_info=error)
    verdict = health.after_error(error, timezone.now(), failures=channel.failures, poll_seconds=channel.poll_seconds)
    asks = isinstance(error, RateLimited) and not isinstance(error, BudgetSpent) and verdict.next_poll_at
    also = {"limits": waits.with_wait(channel.limits, verdict.next_poll_at, error)} if asks else {}
    return _settled(run, verdict, Outcome.FAILED, _told(channel, error), **also)


def _settled(run: FetchRun, verdict: health.Verdict, outcome: Outcome, detail: str = "", **also) -> FetchRun:
    """Keep how the visit went: channel, ledger, audit and bell in one transaction."""
    channel, now = run.channel, timezone.now()
    before = (channel.state, channel.failures)
    also |= {"last_ok_at": now} if outcome == Outcome.OK else {}
    if run.taken_in:
        also["last_post_at"] = now
    with transaction.atomic():
        if not channel.settle(verdict, **also):
            return ledger.finish(run, Outcome.INTERRUPTED, "The channel was changed or taken over meanwhile.")
        if verdict.state in (health.NEEDS_LOGIN, health.BROKEN):
            audit.record("channel_stopped", channel, by="system", name=channel.name, state=verdict.state)
        if before != (channel.state, channel.failures):
            bell.ring_about("channels")
        else:
            _ring(run)
        return ledger.finish(run, outcome, detail)


def _told(channel: Channel, error: Exception) -> str:
    """What the network said, without our secrets; of a fault of our own only its name, for it may hold people's
    words."""
    return trouble.said(channel, error) if isinstance(error, ConnectorError) else health.blame(error)


def _ring(run: FetchRun) -> None:
    if run.taken_in or run.changed or run.quarantined:
        bell.ring_about("channels")


# Once more ------------------------------------------------------------------------------------------------------


@transaction.atomic
def _replay(wanted, take_in: TakeIn, batch: int | None = None) -> list[FetchRun]:
    # Whoever is trying a post just now is left to it.
    rows = wanted.waiting().select_for_update(skip_locked=True, of=("self",)).select_related("channel")
    groups = defaultdict(list)
    for row in rows[:batch]:
        groups[row.channel, row.history].append(row)
    return [_replay_group(channel, history, group, take_in) for (channel, history), group in groups.items()]


def _replay_group(channel: Channel, history: bool, rows: Sequence[QuarantinedPost], take_in: TakeIn) -> FetchRun:
    run = ledger.start(channel, Via.REPLAY)
    read = [normalise.read_again(row.raw, global_ids=row.fetched) for row in rows]
    readable = [(row, post) for row, post in zip(rows, read, strict=True) if isinstance(post, Post)]
    reasons = {row.pk: each.reason for row, each in zip(rows, read, strict=True) if isinstance(each, Unreadable)}
    if readable:
        taken = take_in(channel, [post for _, post in readable], history=history)
        reasons |= {readable[place][0].pk: reason for place, reason in taken.refused}
        ledger.count(run, taken_in=taken.taken_in, duplicates=taken.duplicates, changed=taken.changed)
    ledger.count(run, read=len(rows), quarantined=len(reasons))
    _mark(rows, reasons)
    bell.ring_about("channels")
    return ledger.finish(run)


def _mark(rows: Sequence[QuarantinedPost], reasons: dict) -> None:
    now = timezone.now()
    for row in rows:
        row.attempts, row.replay_asked_at = row.attempts + 1, None
        row.reason = reasons.get(row.pk, row.reason)[:300]
        row.replayed_at = None if row.pk in reasons else now
    QuarantinedPost.objects.bulk_update(rows, ["attempts", "replay_asked_at", "reason", "replayed_at"])
