"""The ledger: one line per visit, file or push, begun before anything is read and counted in the same transaction as
the posts, so that it tells the truth after any crash."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from connectors import normalise
from connectors.contract import Post, TakeIn, Unreadable
from connectors.models import Channel, FetchRun, QuarantinedPost, Usage

Read = Post | Unreadable


@transaction.atomic
def start(channel: Channel, via: FetchRun.Via) -> FetchRun:
    """A new line. A visit to this channel that never came to its end is closed: its worker died or lost the lease."""
    if via == FetchRun.Via.POLL:
        left = channel.runs.filter(via=via, outcome=FetchRun.Outcome.RUNNING)
        left.update(outcome=FetchRun.Outcome.INTERRUPTED, finished=timezone.now(), detail="It never came to its end.")
    return FetchRun.objects.create(channel=channel, via=via)


def finish(run: FetchRun, outcome: FetchRun.Outcome = FetchRun.Outcome.OK, detail: str = "") -> FetchRun:
    run.outcome, run.detail, run.finished = outcome, detail[:500], timezone.now()
    run.save(update_fields=["outcome", "detail", "finished", "gap", "gap_since", "gap_until"])
    return run


@transaction.atomic
def keep(run: FetchRun, read: Sequence[Read], take_in: TakeIn, *, history: bool = False) -> list[tuple[int, str]]:
    """One page into the inbox, what can not be kept into quarantine, and both into the ledger: all or nothing.

    Returns place and reason of each post that went to quarantine. Raises whatever `take_in` raises, with nothing kept.
    """
    places = [place for place, each in enumerate(read) if isinstance(each, Post)]
    taken = take_in(run.channel, [read[place] for place in places], history=history) if places else None
    refused = [(place, each.reason) for place, each in enumerate(read) if isinstance(each, Unreadable)]
    refused += [(places[number], reason) for number, reason in (taken.refused if taken else ())]
    quarantine(run, [(_raw(read[place]), reason) for place, reason in sorted(refused)], history=history)
    count(
        run,
        read=len(read),
        taken_in=taken.taken_in if taken else 0,
        duplicates=taken.duplicates if taken else 0,
        changed=taken.changed if taken else 0,
        quarantined=len(refused),
    )
    return sorted(refused)


def quarantine(run: FetchRun, refused: Sequence[tuple[object, str]], *, history: bool = False) -> None:
    """Lay these raw posts aside with their reasons."""
    QuarantinedPost.objects.bulk_create(
        QuarantinedPost(
            channel=run.channel,
            fetch_run=run,
            raw=normalise.kept(raw),
            reason=reason[:300],
            fetched=run.via == FetchRun.Via.POLL,
            history=history,
        )
        for raw, reason in refused
    )


def count(run: FetchRun, **numbers: float) -> None:
    """Add to the line's numbers."""
    for name, number in numbers.items():
        setattr(run, name, getattr(run, name) + number)
    run.save(update_fields=list(numbers))


def used(run: FetchRun, amount: float) -> None:
    """Count what a page cost, beside the channel's budget."""
    if amount:
        count(run, used=amount)
        Usage.objects.add(run.channel, amount, timezone.now().date())


def recount(run: FetchRun) -> None:
    """Forget what was counted in a transaction that rolled back."""
    run.refresh_from_db(fields=["read", "taken_in", "duplicates", "changed", "quarantined", "used"])


def tidy(at: datetime) -> int:
    """Throw away lines that nobody will ask for again; how many."""
    return FetchRun.objects.stale(at).delete()[0]


def _raw(read: Read) -> object:
    return read.raw if isinstance(read, Unreadable) else read
