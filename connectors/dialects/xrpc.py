"""XRPC, in which servers of the AT protocol are asked: one account's session with its server, and what the server's
refusals mean."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors import http
from connectors.contract import Limits
from connectors.dialects import atproto
from connectors.errors import (
    MakesNoSense,
    MaybeSent,
    NotAuthorized,
    NotSent,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
    Unreachable,
)

LASTS = 3_600
AT_ONCE = 25  # posts or people that can be asked for in one request
#: By which a server says that a session is good no more, with 400 like any other refusal.
LOST = frozenset(
    ("ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "AccountTakedown", "AccountDeactivated")
)
#: By which it says that there is no such record, or nobody who could have it.
MISSING = frozenset(("RecordNotFound", "RepoNotFound"))


class Refused(Unreachable):
    """A refusal that the protocol has a name for."""

    def __init__(self, code: str = "", detail: str = ""):
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class Line:
    """An account's server, and our session there."""

    server: str
    own: frozenset[http.Origin]
    access: str = field(repr=False)
    did: str

    def ask(self, method: str, params: Sequence[tuple[str, Any]] = ()) -> tuple[dict[str, Any], http.Answer]:
        """What the server says. Raises as `http.fetch` does, and Refused for what is refused by name."""
        answer = http.exchange(f"{self.server}/xrpc/{method}", own=self.own, headers=self._headers, params=list(params))
        judge(answer, self.access)
        return object(answer.json()), answer

    def do(self, what: str, **body: Any) -> None:
        """Change a record of ours. One attempt; raises as `send` does."""
        url = f"{self.server}/xrpc/com.atproto.repo.{what}"
        said = {"repo": self.did, **body}
        answer = http.exchange(url, method="POST", once=True, own=self.own, headers=self._headers, json=said)
        if answer.status >= 500:
            raise MaybeSent(f"The server answered {answer.status}.")
        if 300 <= answer.status < 400:
            raise Rejected("The server sends us on to another address; set it to where it leads.")
        try:
            judge(answer, self.access)
            object(answer.json())
        except Refused as error:
            if error.code == "InvalidSwap":
                raise NotSent("Somebody changed it at this very moment.") from None
            raise Rejected(error.detail) from None
        except MakesNoSense as error:
            raise MaybeSent(error.detail) from None

    def views(self, uris: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """How these posts are now, by address, as far as we may see them."""
        found: dict[str, Mapping[str, Any]] = {}
        for some in _parted([each for each in uris if atproto.parts_of(each)]):
            said, _ = self.ask("app.bsky.feed.getPosts", [("uris", each) for each in some])
            found |= {each["uri"]: each for each in listed(said, "posts") if atproto.is_view(each)}
        return found

    def profiles(self, dids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """What is known of these people. Nothing of anybody where the server refuses to say."""
        found: dict[str, Mapping[str, Any]] = {}
        for some in _parted(sorted(set(dids))):
            try:
                said, _ = self.ask("app.bsky.actor.getProfiles", [("actors", each) for each in some])
            except Refused:
                continue
            found |= {
                each["did"]: each for each in listed(said, "profiles") if isinstance(each, dict) and "did" in each
            }
        return found

    def record(self, collection: str, key: str) -> dict[str, Any] | None:
        """Our record under this key, with its hash; None when there is none."""
        return self._stands(self.did, collection, key)

    def is_gone(self, uri: str) -> bool:
        """Whether this post certainly stands there no more: one that its author only hides from us does."""
        parts = atproto.parts_of(uri)
        try:
            return parts is not None and self._stands(*parts) is None
        except Refused:
            return False

    def _stands(self, did: str, collection: str, key: str) -> dict[str, Any] | None:
        asked = [("repo", did), ("collection", collection), ("rkey", key)]
        try:
            return self.ask("com.atproto.repo.getRecord", asked)[0]
        except Refused as error:
            # Older servers have no name for it.
            if error.code in MISSING or error.detail.startswith(("Could not locate", "Could not find")):
                return None
            raise

    def resolve(self, handle: str) -> str:
        """The id of who has this name; empty when nobody has."""
        try:
            said, _ = self.ask("com.atproto.identity.resolveHandle", [("handle", handle.lower())])
        except Refused:
            return ""
        did = said.get("did")
        return did if isinstance(did, str) else ""

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.access}"}


def judge(answer: http.Answer, *hidden: str) -> None:
    """Raise what an answer means that is not the one we asked for, without what is `hidden`, should it repeat that."""
    if answer.ok:
        return
    code, detail = _error(answer, hidden)
    if answer.status == 429:
        raise RateLimited(detail, _reset(answer) or http.asked_wait(answer.headers))
    if answer.status in (401, 403) or code in LOST:
        raise NotAuthorized(detail)
    if answer.status >= 500:
        raise ServerFailed(detail)
    if not code:
        raise (NotThere if answer.status == 404 else MakesNoSense)(detail)
    raise Refused(code, detail)


def _error(answer: http.Answer, hidden: Iterable[str]) -> tuple[str, str]:
    """The name of what went wrong, and the server's words about it."""
    try:
        said = answer.json()
    except MakesNoSense:
        said = None
    said = said if isinstance(said, dict) else {}
    code, message = said.get("error"), said.get("message")
    words = message if isinstance(message, str) and message else f"The server answered {answer.status}"
    for secret in filter(None, hidden):
        words = words.replace(secret, "•••")
    return code if isinstance(code, str) else "", f"{words[:200].rstrip('.')}."


def limits(answer: http.Answer) -> Limits | None:
    try:
        remaining, limit = (int(answer.headers[f"ratelimit-{each}"]) for each in ("remaining", "limit"))
    except (KeyError, ValueError):
        return None
    return Limits(remaining, limit, _reset(answer))


def _reset(answer: http.Answer) -> datetime | None:
    said = answer.headers.get("ratelimit-reset", "")
    try:
        return datetime.fromtimestamp(int(said), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def object(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise MakesNoSense("The server did not answer with an object.")
    return said


def listed(said: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(found := said.get(name), list):
        raise MakesNoSense(f"The server’s answer has no list of {name}.")
    return found


def session(said: Any) -> dict[str, Any]:
    said = object(said)
    if not all(isinstance(said.get(each), str) and said[each] for each in ("accessJwt", "refreshJwt", "did")):
        raise MakesNoSense("The server opened no session.")
    return said


def claims(token: str) -> dict[str, Any]:
    """What a session says of itself. Nobody relies on it, so its signature is not looked at."""
    try:
        body = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return said if isinstance(said, dict) else {}


def lasts(token: str) -> float:
    """For how many seconds a session is good: an hour where it does not say."""
    said = claims(token)
    begins, ends = said.get("iat"), said.get("exp")
    return ends - begins if isinstance(begins, int) and isinstance(ends, int) and ends > begins else LASTS


def home_of(said: Mapping[str, Any]) -> str:
    """The server on which the account lies, as its document says; empty where that is no address of the web."""
    document = said.get("didDoc")
    services = document.get("service") if isinstance(document, dict) else None
    for each in services if isinstance(services, list) else ():
        if isinstance(each, dict) and str(each.get("id", "")).endswith("#atproto_pds"):
            address = each.get("serviceEndpoint")
            return address if isinstance(address, str) and address.startswith("https://") else ""
    return ""


def _parted(some: Sequence[str]) -> Iterator[Sequence[str]]:
    return (some[start : start + AT_ONCE] for start in range(0, len(some), AT_ONCE))
