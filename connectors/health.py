"""What happened on a visit to a network, and what it means for its channel: wait, slow down, ask a person. Pure.

Whatever comes out is stored on the channel: the next visit lies in the database and nowhere else.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.clock import next_look
from connectors.errors import (
    BudgetSpent,
    ConnectorError,
    CreditsUsedUp,
    Misconfigured,
    MissingScope,
    NotAuthorized,
    QuotaExhausted,
    RateLimited,
)

LISTENING, PAUSED, NEEDS_LOGIN, BROKEN = "listening", "paused", "needs_login", "broken"

LONGEST_WAIT = timedelta(minutes=30)
LONGEST_ASKED_WAIT = timedelta(days=1)  # a network may ask for more; we look again all the same
SHORTEST_WAIT = timedelta(seconds=1)
TROUBLE = 3  # failures in a row until it is more than a hiccup
FAULT = "Fault"  # the name of what is no error of the network's: our own
#: What does not pass by waiting a minute: once is enough for somebody to look.
LASTING = frozenset(each.__name__ for each in (QuotaExhausted, BudgetSpent, CreditsUsedUp))


@dataclass(frozen=True)
class Verdict:
    """How the channel stands now. `next_poll_at` is None when only a person can mend it; `trouble` names the error that
    stands in the way."""

    state: str
    reason: str
    failures: int
    next_poll_at: datetime | None
    trouble: str = ""


def after_success(
    at: datetime,
    *,
    due: datetime,
    poll_seconds: float,
    place: float = 0,
    more: bool = False,
    not_before: datetime | None = None,
) -> Verdict:
    """All is well with a visit that was due then: the next one comes in its turn (`clock.next_look`), at once when the
    network holds more for us, later when it asks for that."""
    turn = at if more else next_look(min(due, at), at, poll_seconds, place)
    asked = min(not_before or turn, at + LONGEST_ASKED_WAIT)
    return Verdict(LISTENING, "", 0, max(turn, asked))


def after_error(
    error: BaseException,
    at: datetime,
    *,
    failures: int,
    poll_seconds: float,
    chance: Callable[[], float] = random.random,
) -> Verdict:
    """What this error does after `failures` earlier ones in a row. An error that is not the network's is treated as one
    that may pass, but says openly that the fault is ours."""
    failures += 1
    if isinstance(error, NotAuthorized):
        return Verdict(NEEDS_LOGIN, _lost(error), failures, None, name_of(error))
    if isinstance(error, Misconfigured):
        return Verdict(BROKEN, error.detail or error.sentence, failures, None, name_of(error))
    wait = backoff(failures, poll_seconds, chance)
    if isinstance(error, RateLimited) and error.until:
        wait = min(max(error.until - at, SHORTEST_WAIT), LONGEST_ASKED_WAIT)
    return Verdict(LISTENING, blame(error), failures, at + wait, name_of(error))


def name_of(error: BaseException) -> str:
    """Under which it is kept beside the channel (`errors.named` finds it again)."""
    return type(error).__name__ if isinstance(error, ConnectorError) else FAULT


def _lost(error: NotAuthorized) -> str:
    """What is wrong with the credentials, and of the network's permissions which are missing."""
    scopes = error.scopes if isinstance(error, MissingScope) else ()
    return f"{error.sentence} Missing: {', '.join(scopes)}." if scopes else error.sentence


def blame(error: BaseException) -> str:
    """Whose fault it is and what follows, as a sentence."""
    if isinstance(error, ConnectorError):
        return error.sentence
    return f"Social Hub itself failed here ({type(error).__name__})."


def backoff(failures: int, poll_seconds: float, chance: Callable[[], float] = random.random) -> timedelta:
    """Full jitter: anything up to a ceiling that doubles with each failure, so that channels do not come back in
    step."""
    ceiling = min(LONGEST_WAIT, timedelta(seconds=max(poll_seconds, 5)) * 2 ** min(failures, 12))
    return max(SHORTEST_WAIT, ceiling * chance())


def is_trouble(state: str, failures: int, trouble: str = "") -> bool:
    """Whether somebody should look. A pause is a decision and a single failure is the weather."""
    return state in (NEEDS_LOGIN, BROKEN) or (state == LISTENING and (failures >= TROUBLE or trouble in LASTING))


def in_words(state: str, reason: str, failures: int) -> str:
    """The channel's health as a sentence; when it will be looked at next stands beside it."""
    if state == PAUSED:
        return "Paused: nothing is fetched until somebody resumes it."
    if state == LISTENING and failures:
        times = "once" if failures == 1 else f"{failures} times in a row"
        return f"Failed {times}. {reason}"
    return reason or "Listening."
