"""Networks on loopback that speak as their documents say: one stage per network, `tests/connectors/<network>/stage.py`.

What the tests of `test_networks.py` ask of every network they ask of its stage, in words that all stages share; what is
special to a network stands in its own tests. A stage holds posts and answers requests; it never looks into our code.

Everything in `Stage` has a default that suits a network without the thing. Where a connector claims it, its stage has
to play it: `deliver` and `question` for one that is delivered to (`hooks`), the requests of `renew`, `lookup`, `like`,
`hide` and `remove` in `answer`, an author that is not told for `anonymous`.
"""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.connectors.web import Web

#: What may go wrong on the way, whatever the network: `stage.trouble = "reset"`; empty again when all is well.
TROUBLES = (
    "limited",  # 429 with the header by which this network says until when
    "limited silently",  # 429 without it
    "expired",  # the credentials are not accepted any more
    "scope",  # they are, but not for this
    "unpaid",  # 402, where the network knows it
    "down",  # 503
    "html",  # 200 and a page for people
    "truncated",  # JSON that breaks off
    "reset",  # the line breaks before an answer
    "drip",  # a byte now and then, without end
    "accepts and hangs up",  # a write is done, and the line breaks before the answer
    "elsewhere",  # a redirect to `stage.elsewhere`, which is none of the channel's own servers
)


@dataclass
class Written:
    """A post that stands on the network. `kind` is one of the contract's, `answers` the id of what it replies to. An
    empty `author` is one that the network does not tell."""

    id: str
    text: str
    at: datetime
    author: str = "ana"
    kind: str = "mention"
    answers: str = ""
    visibility: str = "public"
    ours: bool = False
    edited_at: datetime | None = None
    hidden: bool = False
    liked: bool = False


@dataclass
class Asked:
    """A request as the network heard it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    #: The same as `query`, with all values of a name that stands there several times.
    queries: dict[str, list[str]] = field(default_factory=dict)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"null")


@dataclass
class Delivered:
    """What a network posts to our hook."""

    body: bytes
    headers: dict[str, str]


@dataclass
class Stage:
    """Subclasses say who they are and answer requests in `answer`; everything else they may leave as it is."""

    web: Web
    posts: dict[str, Written] = field(default_factory=dict)
    trouble: str = ""
    asked: list[Asked] = field(default_factory=list)
    numbers: int = 1_000
    #: Troubles of the next requests, one each, before `trouble` has its say.
    ahead: list[str] = field(default_factory=list)
    #: Called when an answer is made and before it is heard: what happens on the network between two requests.
    meanwhile: Callable[[], None] = lambda: None
    #: The network shows no more than so many of the newest; None is all of them.
    deepest: int | None = None
    #: Every JSON object of an answer has fields that nobody has heard of.
    strange: bool = False
    elsewhere: str = ""

    network: ClassVar[str]
    #: Kinds of posts that `write` knows on this network.
    kinds: ClassVar[tuple[str, ...]] = ("mention",)
    #: Troubles that this network can have.
    troubles: ClassVar[tuple[str, ...]] = tuple(each for each in TROUBLES if each != "unpaid")
    page: ClassVar[int] = 5  # posts on a page, so that a few make several
    #: How long after its time a post may appear, behind newer ones, and is still found.
    late: ClassVar[timedelta] = timedelta(minutes=1)
    #: Whether posts are written in HTML here, which stands in an answer as `write` was given it.
    html: ClassVar[bool] = False
    #: Whether posts without an author happen here.
    anonymous: ClassVar[bool] = False
    #: Whether a search finds what is addressed to us too, and not posts of another kind alone.
    finds_all: ClassVar[bool] = True
    #: What deliveries may be signed with, all good at once, the newest first; `credentials` hold them.
    secrets: ClassVar[tuple[str, ...]] = ()
    #: Whether deliveries carry a time, so that an old one is refused.
    dates_deliveries: ClassVar[bool] = False

    # What the tests say --------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, Any]:
        """A channel's settings that lead here."""
        return {"base_url": self.web.url, "allow_private_hosts": True}

    @property
    def credentials(self) -> dict[str, str]:
        """Each of them with the word "canary" in it, so that a leak is found."""
        return {"access_token": "canary-token"}

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        """Somebody writes to us, or we do (`ours=True`)."""
        self.numbers += 1
        post = Written(self.new_id(), text, at or datetime.now(UTC), **facts)
        self.posts[post.id] = post
        return post

    def new_id(self) -> str:
        """Ids grow with time, as the network's do."""
        return str(self.numbers)

    def edit(self, id: str, text: str) -> None:
        self.posts[id] = replace(self.posts[id], text=text, edited_at=datetime.now(UTC))

    def delete(self, id: str) -> None:
        del self.posts[id]

    @property
    def published(self) -> list[Written]:
        """What we have said, oldest first."""
        return [each for each in self.posts.values() if each.ours]

    @property
    def newest_first(self) -> list[Written]:
        """What others wrote, as far back as the network shows it."""
        others = [each for each in self.posts.values() if not each.ours]
        return sorted(others, key=lambda each: each.at, reverse=True)[: self.deepest]

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        """What the network posts to our hook for these posts: signed with the newest of `secrets` or the one given, at
        a time when it dates its deliveries. The same posts at the same time are the same delivery again."""
        raise NotImplementedError

    def question(self, good: bool = True) -> tuple[dict[str, str], str]:
        """How the network asks by GET whether our hook is ours, with the right proof or a wrong one, and what it wants
        to hear. Left out where a network does not ask."""
        raise NotImplementedError

    # What the network answers ---------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> tuple[int, Any] | tuple[int, Any, dict[str, str]]:
        """Status, JSON and perhaps headers."""
        raise NotImplementedError

    def troubled(self, asked: Asked) -> tuple[int, Any] | tuple[int, Any, dict[str, str]]:
        """How this network says `limited`, `limited silently`, `expired`, `scope` and `unpaid`."""
        status = {"limited": 429, "limited silently": 429, "expired": 401, "scope": 403, "unpaid": 402}[self.trouble]
        return status, {"error": self.trouble}, {"Retry-After": "90"} if self.trouble == "limited" else {}

    def is_write(self, asked: Asked) -> bool:
        return asked.method != "GET"

    def open(self) -> "Stage":
        """Answer on the stage's own server from now on, whatever the path."""
        self.web.answer = self._handle
        return self

    def _handle(self, handler) -> None:
        asked = _asked(handler)
        self.asked.append(asked)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._perform(handler, asked, self.ahead.pop(0) if self.ahead else self.trouble)

    def _perform(self, handler, asked: Asked, trouble: str) -> None:
        match trouble:
            case "down":
                _say(handler, 503, {"error": "down"})
            case "html":
                _say(handler, 200, b"<!doctype html><title>Sorry</title>", {"Content-Type": "text/html"})
            case "truncated":
                _say(handler, 200, b'{"data": [{"id": "1", "te')
            case "reset":
                _hang_up(handler)
            case "drip":
                _drip(handler)
            case "elsewhere":
                _say(handler, 302, b"", {"Location": self.elsewhere})
            case "accepts and hangs up":
                answer = self.answer(asked)
                _hang_up(handler) if self.is_write(asked) else _say(handler, *answer)
            case "":
                status, said, *headers = self.answer(asked)
                self.meanwhile()
                _say(handler, status, _with_more(said) if self.strange else said, *headers)
            case _:
                was, self.trouble = self.trouble, trouble
                answer = self.troubled(asked)
                self.trouble = was
                _say(handler, *answer)


def _with_more(said: Any) -> Any:
    """The same JSON with fields that nobody has heard of."""
    if isinstance(said, dict):
        more = {"unheard_of": {"since": "tomorrow", "list": [1, None]}}
        return {name: _with_more(each) for name, each in said.items()} | more
    return [_with_more(each) for each in said] if isinstance(said, list) else said


def _asked(handler) -> Asked:
    parts = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    headers = {name.lower(): value for name, value in handler.headers.items()}
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Asked(handler.command, parts.path, dict(query), headers, body, parse_qs(parts.query))


def _say(handler, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    handler.send_response(status)
    sent = {"Content-Type": "application/json", "Content-Length": str(len(body))} | (headers or {})
    for name, value in sent.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _hang_up(handler) -> None:
    with suppress(OSError):
        handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _drip(handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)
