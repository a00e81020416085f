"""What X means by an answer that is no success, and how much it still lets us ask. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from connectors.contract import Limits
from connectors.errors import (
    ConnectorError,
    CreditsUsedUp,
    DuplicateContent,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotThere,
    QuotaExhausted,
    RateLimited,
    Rejected,
    ServerFailed,
)
from connectors.http import Answer, asked_wait

AGAIN = timedelta(hours=1)  # after the credits were used up


class NotTaken(MakesNoSense):
    """X does not take what we asked."""


class NoSuchPost(Rejected):
    """The post is not there any more."""


def of_reading(error: Exception, answer: Answer | None) -> ConnectorError:
    status, problem = _problem(answer)
    if certain := _certain(status, problem, answer):
        return certain
    if status == 403:
        return MissingScope(_told(problem) or "X refused it.")
    if status == 404:
        return NotThere("X says that there is nothing.")
    if status >= 500:
        return ServerFailed(f"X answered {status}.")
    return NotTaken(f"X answered {status}{_quoted(problem)}.")


def of_writing(error: Exception, answer: Answer | None) -> ConnectorError:
    """What is not certainly refused may have been taken."""
    status, problem = _problem(answer)
    said = _told(problem).casefold()
    if certain := _certain(status, problem, answer):
        return certain
    if "duplicate" in said:
        return DuplicateContent()
    if status == 403 and any(each in problem.get("type", "") for each in ("client-forbidden", "oauth1-permissions")):
        return MissingScope(_told(problem))
    if status == 403:
        return NotAllowed(f"X does not allow it{_quoted(problem)}.")
    if status == 404:
        return NoSuchPost("The post is not there any more.")
    return Rejected(f"X refused it{_quoted(problem)}.") if 300 <= status < 500 else MaybeSent(f"X answered {status}.")


def _certain(status: int, problem: Mapping[str, str], answer: Answer | None) -> ConnectorError | None:
    """What means the same for reading and writing."""
    now = datetime.now(UTC)
    if status == 401:
        return NotAuthorized("X answered 401.")
    if status == 402:
        return CreditsUsedUp("X answered 402: top up the credits in its developer console.", until=now + AGAIN)
    if status == 429 and "usage-capped" in problem.get("type", ""):
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return QuotaExhausted("X’s cap for the month is reached.", until=(first + timedelta(days=32)).replace(day=1))
    if status == 429:
        return RateLimited("X answered 429.", until=_reset(answer) or asked_wait(answer.headers if answer else {}))
    return None


def _problem(answer: Answer | None) -> tuple[int, dict[str, str]]:
    if answer is None:
        return 0, {}
    try:
        said = answer.json()
    except MakesNoSense:
        said = None
    said = said if isinstance(said, dict) else {}
    listed = said.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    named = {name: said.get(name) or first.get(name) for name in ("type", "title", "detail")}
    named["detail"] = named["detail"] or first.get("message")
    return answer.status, {name: value for name, value in named.items() if isinstance(value, str)}


def _told(problem: Mapping[str, str]) -> str:
    return " ".join((problem.get("detail") or problem.get("title") or "").split())[:200].rstrip(".")


def _quoted(problem: Mapping[str, str]) -> str:
    return f": “{_told(problem)}”" if _told(problem) else ""


def limits(answer: Answer) -> Limits | None:
    remaining, limit = (answer.headers.get(f"x-rate-limit-{name}", "") for name in ("remaining", "limit"))
    if not remaining.isdigit():
        return None
    return Limits(int(remaining), int(limit) if limit.isdigit() else None, _reset(answer))


def _reset(answer: Answer | None) -> datetime | None:
    said = answer.headers.get("x-rate-limit-reset", "") if answer else ""
    return datetime.fromtimestamp(min(int(said), 1 << 34), UTC) if said.isascii() and said.isdigit() else None
