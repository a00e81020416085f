"""What Google's client library speaks through: it is handed something like httplib2's `Http`, and each of its calls
goes the one way out (`connectors.http`), once, with an end to time and size. And what Google means by its refusals.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc
from googleapiclient.errors import HttpError
from httplib2 import Response

from connectors import http
from connectors.errors import (
    ConnectorError,
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

#: Where Google's days begin.
PACIFIC = ZoneInfo("America/Los_Angeles")
SPENT = frozenset(("quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"))
HURRIED = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "concurrentLimitExceeded"))
UNGRANTED = frozenset(("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "accessNotConfigured"))
GONE = frozenset(("commentNotFound", "parentCommentNotFound", "videoNotFound", "commentThreadNotFound"))

# It logs addresses when asked to say much.
for _name in ("googleapiclient", "google_auth_httplib2", "google.auth"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@cache
def service(name: str, version: str) -> Any:
    """Google's description of one of its services, as it lies in the library's package: nothing is asked, and nothing
    is written to a cache."""
    return build_from_document(get_static_doc(name, version), http=_Nothing())


class _Nothing:
    """Stands where the library wants an Http; each request is given one of its own."""

    def request(self, *of: Any, **named: Any) -> Any:
        raise MakesNoSense("Nothing is asked without credentials.")


class Http:
    """`instead` is the address to ask in place of Google's. `answer` is what was said last."""

    def __init__(self, token: str, *, own: frozenset[http.Origin], instead: str = "", writing: bool = False):
        self.token, self.own, self.instead, self.writing = token, own, instead.rstrip("/"), writing
        self.answer: http.Answer | None = None

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        sent = {name: value for name, value in (headers or {}).items() if name.lower() != "content-length"}
        self.answer = None
        self.answer = http.exchange(
            self._address(uri),
            method=method,
            once=self.writing,
            own=self.own,
            headers=sent | {"authorization": f"Bearer {self.token}"},
            content=body.encode() if isinstance(body, str) else body or b"",
        )
        return Response({**self.answer.headers, "status": str(self.answer.status)}), self.answer.body

    def close(self) -> None:
        """The library closes it when it is done."""

    def _address(self, uri: str) -> str:
        scheme, _, rest = uri.partition("://")
        return f"{self.instead}/{rest.partition('/')[2]}" if self.instead else f"{scheme}://{rest}"

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Let no exception of the library out. In doubt whether something was written, MaybeSent."""
        try:
            yield
        except ConnectorError:
            raise
        except HttpError:
            raise _refused(self.answer, self.writing) from None
        except Exception as error:
            if self.answer is not None and not self.answer.ok:
                # The library stumbles over a refusal that it does not know the form of.
                raise _refused(self.answer, self.writing) from None
            if self.writing and self.answer is not None:
                raise MaybeSent("What Google answered can not be understood.") from None
            raise MakesNoSense(f"The answer can not be understood ({type(error).__name__}).") from None

    def ask(self, request: Callable[[], Any]) -> Any:
        """What Google answers to this request of the library's."""
        with self.translating():
            return request().execute(http=self, num_retries=0)


class NotTaken(MakesNoSense):
    """Google does not take what was asked, such as the token of a page that is too old."""


def midnight(now: datetime) -> datetime:
    """When Google begins to count anew."""
    tomorrow = (now.astimezone(PACIFIC) + timedelta(days=1)).date()
    return datetime.combine(tomorrow, datetime.min.time(), PACIFIC).astimezone(UTC)


def _refused(answer: http.Answer | None, writing: bool) -> ConnectorError:
    status, reasons = answer.status if answer else 0, _reasons(answer)
    now, said = datetime.now(UTC), f"Google answered {status}{f' ({min(reasons)})' if reasons else ''}."
    if reasons & SPENT:
        return QuotaExhausted("The day’s units are used up; Google counts anew at its midnight.", midnight(now))
    if status == 429 or reasons & HURRIED:
        return RateLimited(said, until=http.asked_wait(answer.headers) if answer else None)
    if status == 401:
        return NotAuthorized(said)
    if reasons & UNGRANTED or (status == 403 and not writing):
        return MissingScope(said)
    if status >= 500:
        return MaybeSent(said) if writing else ServerFailed(said)
    if not writing:
        return NotThere(said) if status == 404 else NotTaken(said)
    if status == 404 or reasons & GONE:
        return Rejected("The comment is not there any more.")
    return NotAllowed(f"YouTube does not allow it{_quoted(reasons)}.") if status == 403 else Rejected(said)


def _quoted(reasons: frozenset[str]) -> str:
    return f" ({min(reasons)})" if reasons else ""


def _reasons(answer: http.Answer | None) -> frozenset[str]:
    """By which words Google explains its refusal, in its older way and its newer one."""
    try:
        said = answer.json() if answer else None
    except MakesNoSense:
        return frozenset()
    error = said.get("error") if isinstance(said, Mapping) else None
    if not isinstance(error, Mapping):
        return frozenset()
    listed = [each for name in ("errors", "details") for each in error.get(name) or () if isinstance(each, Mapping)]
    found = (each.get("reason") for each in listed)
    return frozenset(each for each in found if isinstance(each, str) and each.isidentifier() and len(each) < 60)
