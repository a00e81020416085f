"""Meta's Graph API through facebook-sdk, wrapped once for Facebook, Instagram and Threads.

The library is of 2018 and needs leading: it refuses every version of the API that still lives, so that is set after it
was made; it has one host built in, so `instead` sends its calls to the network's own; it drops headers and subcodes,
so those are read from the session; and its way to read all pages keeps no place to go on from, so it is not used.

The token goes in a header and never into an address, which servers on the way write down.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import facebook

from connectors import http
from connectors.contract import Limits
from connectors.dialects import meters, refusals
from connectors.errors import MakesNoSense, MaybeSent, NotConnected
from connectors.sessions import Session

VERSION = "v26.0"  # of 29 July 2026; each lives for about two years
BUILT_IN = facebook.FACEBOOK_GRAPH_URL.rstrip("/")
#: All of a link to the next page that may be kept: what it holds besides are tokens and what we asked for ourselves.
PLACES = frozenset(("after", "until", "__paging_token", "offset"))


@dataclass(frozen=True)
class Heard:
    """What the network said, what it still lets us ask, and its own clock's time."""

    said: Mapping[str, Any]
    limits: Limits | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def items(self) -> list:
        """The page of an edge. Raises MakesNoSense."""
        if not isinstance(found := self.said.get("data"), list):
            raise MakesNoSense("The answer holds no list.")
        return found

    @property
    def following(self) -> dict[str, str]:
        """Where the next page begins; empty when this is the last."""
        return following(self.said)


@dataclass(frozen=True)
class Graph:
    """The way to one network of Meta's with one token. `secret` is the app's, with which each call is proved to be
    ours; empty where the network knows no such proof."""

    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    host: str = BUILT_IN
    version: str = VERSION
    own: frozenset[http.Origin] = frozenset()

    def get(self, path: str, *, version: str | None = None, **asked: Any) -> Heard:
        """Read a node or an edge. Raises what `refusals.reading` makes of a refusal."""
        return self._read(path, version, {k: v for k, v in asked.items() if v is not None}, None)

    def ask(self, path: str, *, version: str | None = None, **given: Any) -> Heard:
        """The same by POST, where asking twice does no harm: for what is secret and belongs in no address."""
        return self._read(path, version, None, given)

    def put(self, path: str, **given: Any) -> dict[str, Any]:
        """Write, in one attempt. Raises what `refusals.writing` makes of a refusal, and MaybeSent in doubt."""
        return self._write(path, "POST", given)

    def delete(self, path: str) -> dict[str, Any]:
        """The same for taking away."""
        return self._write(path, "DELETE", None)

    def _read(self, path: str, version: str | None, asked: dict | None, given: dict | None) -> Heard:
        session, client = self._client(version=version)
        with session.translating(facebook.GraphAPIError, judge=partial(refusals.reading, hidden=self._hidden)):
            said = client.request(_path(client.version, path), args=asked, post_args=given)
        if not isinstance(said, dict):
            raise MakesNoSense("The answer is no object.")
        headers = session.answer.headers if session.answer else {}
        return Heard(said, meters.usage(headers), meters.clock(headers))

    def _write(self, path: str, method: str, given: dict | None) -> dict[str, Any]:
        if not self.token:
            raise NotConnected
        session, client = self._client(writing=True)
        with session.translating(facebook.GraphAPIError, judge=partial(refusals.writing, hidden=self._hidden)):
            said = client.request(_path(client.version, path), post_args=given, method=method)
        if said is True:
            return {"success": True}
        if not isinstance(said, dict) or said.get("success") is False:
            raise MaybeSent("What the network answered can not be understood.")
        return said

    def _client(self, writing: bool = False, version: str | None = None) -> tuple[Session, "_Client"]:
        session = Session(own=self.own, instead={BUILT_IN: self.host}, writing=writing)
        return session, _Client(self.token, session, self.version if version is None else version, self.secret)

    @property
    def _hidden(self) -> tuple[str, ...]:
        return self.token, self.secret


class _Client(facebook.GraphAPI):
    """The token goes in a header: the library would put it into the address, where it is written down on the way."""

    def __init__(self, token: str, session: Session, version: str, secret: str):
        super().__init__(session=session)
        # Its constructor knows 2.8 to 3.1, all of them dead.
        self.version = version
        self.proof = {"appsecret_proof": proof(token, secret)} if token and secret else {}
        if token:
            session.headers["Authorization"] = f"Bearer {token}"

    def request(self, path, args=None, post_args=None, files=None, method=None):
        """As the library does it, with the proof that it does not know."""
        if post_args is not None:
            return super().request(path, None, {**post_args, **self.proof}, files, method)
        return super().request(path, {**(args or {}), **self.proof}, None, files, method)


def proof(token: str, secret: str) -> str:
    """What shows that a call with this token comes from the app that it was given to."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def node(*parts: str) -> str:
    """The path of a node or edge; nothing in an id can lead elsewhere."""
    return "/".join(quote(str(each), safe="", errors="replace") for each in parts)


def following(said: Mapping[str, Any]) -> dict[str, str]:
    """Where the page after this one begins. Most edges name a cursor, a Page's feed only the next page's address, of
    which nothing but the place is taken."""
    paging = said.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return {}
    cursors = paging.get("cursors")
    if isinstance(cursors, dict) and cursors.get("after"):
        return {"after": str(cursors["after"])}
    asked = parse_qsl(urlsplit(str(paging["next"])).query)
    return {name: value for name, value in asked if name in PLACES and value}


def _path(version: str, path: str) -> str:
    return f"{version}/{path}" if version else path
