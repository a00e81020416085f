"""The way to a server of the Mastodon API, by Mastodon.py: its lists, its refusals, its sign-in. What the library calls
things stays in here.

Two of its habits are worked around: where a server's version can not be read it asks for it without end
(halcy/Mastodon.py#450), so it is told one; and it takes a token that is the name of a file for that file, so tokens are
set afterwards.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from mastodon import Mastodon, MastodonError

from connectors import http
from connectors.contract import Limits
from connectors.cursors import in_order
from connectors.dialects.statuses import TOLD, has_id
from connectors.errors import (
    ConnectorError,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
)
from connectors.http import Answer
from connectors.sessions import Session

SPEAKS = "4.3.0"
AT_ONCE = 20  # posts that can be asked for in one request
#: Versions of the API that came with something that not every server knows: to ask for several posts at once (Mastodon
#: 4.3), and to be told of quotes (4.5).
SEVERAL, QUOTES = 2, 7


class Missing(NotThere):
    """The server itself says that there is no such thing for us. A page of whatever stands before it does not."""


class Gone(Rejected):
    """The post is not there, or not for us."""


@dataclass(frozen=True)
class Server:
    """One account's server. `own` are the private ones that its channel may ask."""

    address: str
    own: frozenset[http.Origin] = frozenset()
    token: str = field(default="", repr=False)

    # What it tells of itself and us ---------------------------------------------------------------------------------

    def account(self) -> Any:
        return self._object(lambda library: library.account_verify_credentials(), "read:accounts")

    def app(self) -> Any:
        return self._object(lambda library: library.app_verify_credentials(), "read:accounts")

    def instance(self) -> Any:
        """What the server says about itself, in its newer words or its older ones; None where it says nothing, as some
        do (Takahē answers 500 until it is set up)."""
        headers = {"authorization": f"Bearer {self.token}"}
        for path in ("/api/v2/instance", "/api/v1/instance"):
            with suppress(ConnectorError):
                answer = http.fetch(self.address + path, own=self.own, headers=headers)
                if answer.ok:
                    return answer.json()
        return None

    # Posts ----------------------------------------------------------------------------------------------------------

    def status(self, id: str) -> Any:
        """Raises Missing."""
        return self._object(lambda library: library.status(id), "read:statuses")

    def statuses(self, ids: Sequence[str]) -> list[Any]:
        """Those of these posts that there are for us, AT_ONCE at most."""
        return self._list(lambda library: library.statuses(list(ids)), "read:statuses")[0]

    def answers(self, id: str) -> list[Any]:
        """What stands below this post, for us. Raises NotThere."""
        said = self._object(lambda library: library.status_context(id), "read:statuses")
        below = said.get("descendants")
        return below if isinstance(below, list) else []

    def notifications(self, api: int = 0) -> "Listed":
        """What is told to us, and also what our account's own policy holds back. `api` is the version that it
        speaks."""
        kinds = [each for each in TOLD if each != "quote" or api >= QUOTES]

        def page(library: Mastodon, **place: Any) -> Any:
            # The library does not know this one.
            library.session.params = {"include_filtered": "true"}
            return library.notifications(types=list(kinds), limit=80, **place)

        return Listed(self, page, "read:notifications")

    def statuses_of(self, account: str) -> "Listed":
        """What this account wrote, and not what it passed on."""
        asked: dict[str, Any] = {"exclude_reblogs": True, "limit": 40}
        return Listed(
            self, lambda library, **place: library.account_statuses(account, **asked, **place), "read:statuses"
        )

    def tagged(self, tag: str) -> "Listed":
        """Posts with this hashtag: every server has a list of them."""
        name = f"tag/{quote(tag, safe='')}"
        return Listed(self, lambda library, **place: library.timeline(name, limit=40, **place), "read:statuses")

    def found(self, words: str) -> "Listed":
        """Public posts with these words, where the server searches posts at all."""
        asked: dict[str, Any] = {"resolve": False, "result_type": "statuses", "limit": 40}
        return Listed(
            self,
            lambda library, **place: library.search_v2(words, **asked, **place).get("statuses"),
            "read:search",
            by_offset=True,
        )

    def write(self, **post: Any) -> Any:
        """Post this. One attempt; raises as `Connector.send` does, and so do the next two."""
        return self._done(lambda library: library.status_post(**post), "write:statuses")

    def favour(self, id: str) -> None:
        self._done(lambda library: library.status_favourite(id), "write:favourites")

    def delete(self, id: str) -> None:
        """Raises Gone for a post that is not there, or not ours: a server says the same of both."""
        self._done(lambda library: library.status_delete(id), "write:statuses")

    # Signing in -----------------------------------------------------------------------------------------------------

    def register(self, back: str, scopes: Sequence[str]) -> tuple[str, str]:
        """Make ourselves known as an app: every server wants that of its own. Our key and secret there."""
        session = Session(own=self.own)
        with session.translating(MastodonError, judge=_not_signed_in):
            app = Mastodon.create_app(
                "Social Hub", list(scopes), redirect_uris=back, api_base_url=self.address, session=session
            )
        if not all(isinstance(each, str) and each for each in app):
            raise MakesNoSense("The server does not say under which key it knows us now.")
        return app

    def page(self, app: tuple[str, str], back: str, scopes: Sequence[str], state: str) -> str:
        """The address of its own page, on which somebody lets us in."""
        library = self._library(Session(own=self.own), app)
        return library.auth_request_url(
            redirect_uris=back, scopes=list(scopes), state=state, force_login=True, lang="en", skip_server_info=True
        )

    def token_for(self, code: str, app: tuple[str, str], back: str, scopes: Sequence[str]) -> dict[str, Any]:
        """What the server answers this code with: a token, and with some servers (Pleroma, Akkoma) its end and another
        to renew it by, which the library keeps to itself."""
        session = Session(own=self.own)
        with session.translating(MastodonError, judge=_not_signed_in):
            token = self._library(session, app).log_in(
                code=code, redirect_uri=back, scopes=list(scopes), allow_http=bool(self.own)
            )
        said = session.answer.json() if session.answer else None
        return said if isinstance(said, dict) and said.get("access_token") == token else {"access_token": token}

    # The library ----------------------------------------------------------------------------------------------------

    def _library(self, session: Session, app: tuple[str, str] | None = None) -> Mastodon:
        library = Mastodon(
            api_base_url=self.address,
            session=session,
            ratelimit_method="throw",
            mastodon_version=SPEAKS,
            version_check_mode="created",
            user_agent="SocialHub/1",
        )
        library.access_token = self.token or None
        library.client_id, library.client_secret = app or (None, None)
        return library

    def _asked(self, ask: Callable[[Mastodon], Any], scope: str) -> tuple[Any, Answer]:
        """What the server says, and its answer with all that the library leaves out."""
        session = Session(own=self.own)
        try:
            with session.translating(MastodonError, judge=partial(_judged, hidden=self.token)):
                said = ask(self._library(session))
        except _Doubtful as doubt:
            self._confirm(doubt, scope)
            raise (MissingScope if doubt.status == 403 else MakesNoSense)(doubt.detail) from None
        if session.answer is None:
            raise MakesNoSense("The server was not asked.")
        return said, session.answer

    def _object(self, ask: Callable[[Mastodon], Any], scope: str) -> Any:
        said, _ = self._asked(ask, scope)
        if not isinstance(said, dict):
            raise MakesNoSense("The server did not answer with an object.")
        return said

    def _list(self, ask: Callable[[Mastodon], Any], scope: str) -> tuple[list[Any], Answer]:
        said, answer = self._asked(ask, scope)
        if not isinstance(said, list):
            raise MakesNoSense("The server did not answer with a list.")
        return said, answer

    def _done(self, do: Callable[[Mastodon], Any], scope: str) -> Any:
        session = Session(own=self.own, writing=True)
        try:
            with session.translating(MastodonError, judge=partial(_judged_writing, hidden=self.token)):
                return do(self._library(session))
        except _Doubtful as doubt:
            self._confirm(doubt, scope)
            raise (NotAllowed if doubt.status == 403 else Rejected)(doubt.detail) from None

    def _confirm(self, doubt: "_Doubtful", scope: str) -> None:
        """Whether a refusal means our token: some servers say 400 or 403 of one that they do not know (Takahē). Raises
        NotAuthorized if so, MissingScope when it is good but not for this."""
        if "scope" in doubt.detail:
            raise MissingScope(doubt.detail, (scope,))
        session = Session(own=self.own)
        try:
            with session.translating(MastodonError, judge=partial(_judged, hidden=self.token)):
                self._library(session).account_verify_credentials()
        except (_Doubtful, NotAuthorized):
            raise NotAuthorized(doubt.detail) from None
        except ConnectorError:
            return


@dataclass(frozen=True)
class Listed:
    """A list of a server, newest first."""

    server: Server
    ask: Callable[..., Any]
    scope: str
    by_offset: bool = False

    def after(self, id: str) -> tuple[list[Any], Limits | None]:
        """What comes immediately after this id."""
        return self._page(min_id=id)

    def back(self, token: str) -> tuple[list[Any], str, Limits | None]:
        """The page of this token (empty: the newest), and the token of the next; empty when there is none."""
        if self.by_offset:
            page, limits = self._page(**({"offset": int(token)} if token else {}))
            return page, str(int(token or 0) + len(page)) if page else "", limits
        page, limits = self._page(**({"max_id": token} if token else {}))
        return page, min(ids_in(page), key=in_order, default=""), limits

    def _page(self, **place: Any) -> tuple[list[Any], Limits | None]:
        page, answer = self.server._list(lambda library: self.ask(library, **place), self.scope)
        return page, _limits(answer)


def ids_in(page: Sequence[Any]) -> list[str]:
    return [each["id"] for each in page if has_id(each)]


# What an answer means ---------------------------------------------------------------------------------------------


class _Doubtful(ConnectorError):
    """Refused, and it may be our token that is refused."""

    def __init__(self, detail: str = "", status: int = 400):
        super().__init__(detail)
        self.status = status


def _judged(error: Exception, answer: Answer | None, hidden: str = "") -> ConnectorError:
    if answer is None or answer.status < 400 or answer.status == 422:
        return MakesNoSense("What the server answered can not be understood.")
    if answer.status >= 500:
        return ServerFailed(f"The server answered {answer.status}.")
    if answer.status in (404, 410):
        return (Missing if _error(answer) else NotThere)(_said(answer, hidden))
    return _refused(answer, hidden) or MakesNoSense(_said(answer, hidden))


def _judged_writing(error: Exception, answer: Answer | None, hidden: str = "") -> ConnectorError:
    if answer is None or answer.ok or answer.status >= 500:
        return MaybeSent(f"The server answered {answer.status}." if answer else "")
    if answer.status < 400:
        return Rejected("The server sends us on to another address; set it to where it leads.")
    if answer.status in (404, 410):
        return Gone("The post is not there any more.")
    return _refused(answer, hidden) or Rejected(_said(answer, hidden))


def _refused(answer: Answer, hidden: str) -> ConnectorError | None:
    """What is the same in reading and writing."""
    said = _said(answer, hidden)
    if answer.status == 429:
        return RateLimited(said, _reset(answer) or http.asked_wait(answer.headers))
    if answer.status == 401:
        return NotAuthorized(said)
    return _Doubtful(said, answer.status) if answer.status in (400, 403) else None


def _not_signed_in(error: Exception, answer: Answer | None) -> ConnectorError:
    if answer is None or answer.ok:
        # The library says so when it was granted less than it asked for.
        return MissingScope("The server granted less than was asked for.")
    if answer.status == 429 or answer.status >= 500:
        return _judged(error, answer)
    return NotAuthorized(f"The sign-in was not accepted. {_said(answer)}")


def _said(answer: Answer, hidden: str = "") -> str:
    """The server's own words about a refusal, without our token, should it repeat that."""
    if error := _error(answer):
        words = error.replace(hidden, "•••") if hidden else error
        return f"The server says: {words[:200].rstrip('.')}."
    return f"The server answered {answer.status}."


def _error(answer: Answer) -> str:
    with suppress(ConnectorError):
        said = answer.json()
        if isinstance(said, dict) and isinstance(said.get("error"), str):
            return said["error"]
    return ""


def _limits(answer: Answer) -> Limits | None:
    try:
        remaining, limit = (int(answer.headers[f"x-ratelimit-{each}"]) for each in ("remaining", "limit"))
    except (KeyError, ValueError):
        return None
    return Limits(remaining, limit, _reset(answer))


def _reset(answer: Answer) -> datetime | None:
    """When a server counts anew: a time (Mastodon) or seconds since 1970 (GoToSocial)."""
    said = answer.headers.get("x-ratelimit-reset", "")
    with suppress(ValueError, OverflowError, OSError):
        if said.isdecimal():
            return datetime.fromtimestamp(int(said), UTC)
        moment = datetime.fromisoformat(said)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
