"""Mastodon, and every server that speaks as it does: GoToSocial, Pleroma, Akkoma, Takahē.

Mentions come forward by `min_id`: by `since_id` a server gives the newest and leaves out what lies between. What it
withholds from our account’s own notifications (people who are new, or whom we do not follow) is asked for too, for
those are new customers. What we wrote is read beside it, so that an answer given elsewhere is known here.

A reply reaches only who is named in it, so its author’s name goes before the text, and never more people than the post
that it answers.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from mastodon import Mastodon, MastodonError

from connectors import cursors, http, statuses
from connectors.contract import (
    Account,
    Batch,
    Capabilities,
    Checked,
    Connector,
    Limits,
    Outgoing,
    Post,
    Sent,
    Setting,
    SignIn,
    Target,
    Unreadable,
)
from connectors.cursors import Entry, Forward, Read, Walk, in_order
from connectors.errors import (
    ConnectorError,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotConnected,
    NotSent,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
    Unreachable,
)
from connectors.normalise import LONGEST_ID
from connectors.plain import plain_text
from connectors.sessions import Session

#: What we have to be granted, and in the admin’s words what for.
SCOPES = {
    "read:accounts": "see which account it is",
    "read:notifications": "read mentions",
    "read:statuses": "read posts",
    "read:search": "search",
    "write:statuses": "write and delete posts",
    "write:favourites": "like posts",
}
#: Kinds of notifications that somebody’s words come with; a server that does not know one passes it over.
TOLD = ("mention", "quote", "status")
LONGEST, PER_URL = 500, 23  # characters, where a server does not say
MENTION = 32  # of them kept free for “@name ” before a reply: names on Mastodon have 30 at most
KNOWN_FOR = timedelta(days=1)
OVERLAP = timedelta(hours=1)  # what comes from other servers is listed under its own date
DEEPEST = 50  # pages
MOST_LOOKS = 5  # pages of our own posts, when one of them is looked for
#: So that the library never asks for it: it recurses without end where it can not be read (halcy/Mastodon.py#450).
SPEAKS = "4.3.0"


@dataclass(frozen=True)
class MastodonServer(Connector):
    network = "mastodon"
    name = "Mastodon"
    capabilities = Capabilities(
        reads=frozenset(("mention", "reply", "dm", "post")),
        replies=True,
        private_replies=True,
        likes=True,
        removes=True,
        longest_reply=LONGEST - MENTION,
        counts="mastodon",
        lookups=True,
        searches=True,
        global_ids=True,
        signs_in=True,
        missing={
            "hooks": "cannot: a server tells apps of news, not other servers",
            "hides": "cannot: answers of others can not be hidden",
            "removes_of_others": "cannot: posts of others can not be deleted",
            "edits": "cannot: a server tells of no edits; they show when a post is looked up",
            "deletions": "cannot: a server tells of no deletions; they show when a post is looked up",
            "native_idempotency": "cannot: our key goes along, but not every server heeds it",
        },
    )
    asks = (
        Setting(
            "base_url",
            "Address of the server",
            "url",
            help="Where the account lives, such as https://mastodon.social",
            required=True,
        ),
    )
    secrets = (
        Setting("access_token", "Access token", help="From Preferences, Development; or sign in instead"),
        Setting("client_id", "Client key", help="Filled in by signing in"),
        Setting("client_secret", "Client secret", help="Filled in by signing in"),
    )

    @property
    def offers(self) -> Capabilities:
        """A server decides itself how long a post may be."""
        longest = self.known.get("longest") or LONGEST
        return replace(self.capabilities, longest_reply=max(longest - MENTION, 1))

    def length_of(self, text: str) -> int:
        return statuses.length(text, self.known.get("per_url") or PER_URL)

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        now = datetime.now(UTC)
        me, learnt = self._me(now)
        whose = f"{me['id']} {self._server} {self._query}"
        lists = ("found",) if self._query else ("mentions", "own")
        return cursors.read(cursor, whose, lists, lambda name, state: self._page(name, state, me, now), known=learnt)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        me, _ = self._me(datetime.now(UTC))
        found = {id: self._as_it_is(id, me) for id in ids}
        return {id: post for id, post in found.items() if not isinstance(post, Unreadable)}

    def _as_it_is(self, id: str, me: Mapping[str, Any]) -> Post | Unreadable | None:
        try:
            return statuses.as_post(self._ask(lambda server: server.status(id), "read:statuses")[0], me)
        except NotThere:
            return None

    def _stream(self, name: str, me: Mapping[str, Any]) -> "_Stream":
        """What is read, newest first: what is told to us, what we wrote, or what was searched for. A hashtag is a list
        on every server; other words are searched for where a server can."""
        if name == "own":
            return _Stream(partial(self._listed, "read:statuses", _statuses_of(me["id"])))
        if name == "mentions":
            return _Stream(partial(self._listed, "read:notifications", _notifications))
        if self._query.startswith("#"):
            return _Stream(partial(self._listed, "read:statuses", _tagged(self._query[1:])))
        return _Stream(partial(self._listed, "read:search", _searched(self._query)), by_offset=True)

    def _page(self, name: str, state: Mapping[str, Any], me: Mapping[str, Any], now: datetime) -> Read:
        """A page of a list: back from the head at first, and always in a search; else forward."""
        stream = self._stream(name, me)
        if "forward" in state:
            return _forward(stream, Forward(state["forward"], now), me, now)
        days = self.settings.get("backfill_days", 7)
        walk = Walk(state.get("walk"), now=now, days=days, overlap=OVERLAP, deepest=DEEPEST)
        return _back(stream, walk, state, me, now, goes_forward=not self._query)

    def _listed(self, scope: str, ask: Callable[..., Any], **place: Any) -> tuple[list, http.Answer]:
        listed, answer = self._ask(lambda server: ask(server, **place), scope)
        if not isinstance(listed, list):
            raise MakesNoSense("The server did not answer with a list.")
        return listed, answer

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        post = self._reply(reply)
        if (over := self.length_of(post["status"] + (post["spoiler_text"] or "")) - self._longest) > 0:
            raise Rejected(f"With the name of whom it answers it is {over:,} characters too long for this server.")
        said = self._write(lambda server: server.status_post(**post), "write:statuses")
        if not _is_status(said):
            raise MaybeSent("The server did not say under which id it took the reply.")
        return _sent(said)

    def _reply(self, reply: Outgoing) -> dict[str, Any]:
        """The reply as the server wants it, seen by no more people than what it answers."""
        try:
            target = self._ask(lambda server: server.status(reply.in_reply_to), "read:statuses")[0]
        except NotThere:
            raise Rejected("The post that this answers is not there any more.") from None
        except Unreachable as error:
            raise NotSent(error.detail or error.sentence) from None
        if not _is_status(target):
            raise NotSent("What the server says of the post that this answers can not be understood.")
        circles = (target["visibility"], reply.to.visibility if reply.to else "", "direct" if reply.private else "")
        is_own = target["account"]["id"] == self.known.get("id")
        return {
            "status": reply.text if is_own else statuses.addressed(reply.text, target["account"]),
            "in_reply_to_id": target["id"],
            "visibility": statuses.narrowest(*circles),
            "spoiler_text": target.get("spoiler_text") or None,
            "idempotency_key": reply.client_key,
        }

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        stream, token = self._stream("own", self._me(datetime.now(UTC))[0]), ""
        for _ in range(MOST_LOOKS):
            listed, _, token = stream.back(token)
            if found := next((each for each in listed if _is_status(each) and _is_it(each, reply)), None):
                return _sent(found)
            if not token or _moment(listed[-1], since) < since:
                break
        return None

    def like(self, target: Target) -> None:
        self._write(lambda server: server.status_favourite(target.id), "write:favourites")

    def remove(self, target: Target) -> None:
        try:
            self._write(lambda server: server.status_delete(target.id), "write:statuses")
        except _NotThere:
            # It was deleted before, or is not ours: a server says the same of both.
            if self.lookup([target.id]).get(target.id):
                raise NotAllowed("A server lets us delete only our own posts.") from None

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        me, _ = replace(self, known={})._me(datetime.now(UTC))
        granted = self._granted()
        missing = [f"{what} ({scope})" for scope, what in SCOPES.items() if granted and not _covers(granted, scope)]
        longest = me.get("longest") or LONGEST
        sentence = f"Connected as @{me['handle']}; a post may have {longest:,} characters there."
        return Checked(sentence, f"@{me['handle']}", granted, tuple(missing), known=me)

    def _granted(self) -> tuple[str, ...]:
        """What the server says that our app may do; nothing where it does not say (before Mastodon 4.3)."""
        with suppress(ConnectorError, AttributeError, TypeError):
            app, _ = self._ask(lambda server: server.app_verify_credentials(), "read:accounts")
            return tuple(each for each in app.get("scopes") or () if isinstance(each, str))
        return ()

    def sign_in(self, back: str, state: str) -> SignIn:
        """We make ourselves known as an app first: every server wants that of its own."""
        session = self._session()
        with session.translating(MastodonError, judge=_not_signed_in):
            app = Mastodon.create_app(
                "Social Hub", list(SCOPES), redirect_uris=back, api_base_url=self._server, session=session
            )
            server = _library(self._server, session, app=app)
            named = {"scopes": list(SCOPES), "state": state, "force_login": True, "skip_server_info": True}
            url = server.auth_request_url(redirect_uris=back, **named)
        return SignIn(url, credentials={"client_id": app[0], "client_secret": app[1]})

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        app = (self.credentials.get("client_id", ""), self.credentials.get("client_secret", ""))
        session = self._session()
        with session.translating(MastodonError, judge=_not_signed_in):
            server = _library(self._server, session, app=app)
            allowed = {"allow_http": bool(self.settings.get("allow_private_hosts"))}
            token = server.log_in(code=code, redirect_uri=back, scopes=list(SCOPES), **allowed)
        credentials = {"access_token": token, "client_id": app[0], "client_secret": app[1]}
        me, _ = replace(self, credentials=credentials, known={})._me(datetime.now(UTC))
        return [Account(f"@{me['handle']}", {"base_url": self._server}, credentials)]

    def _me(self, now: datetime) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Our account and what its server allows, as known or asked anew; what was asked is to be kept."""
        token = self._token
        whose = hashlib.sha256(f"{self._server} {token}".encode()).hexdigest()[:12]
        known = self.known
        if known.get("of") == whose and now - datetime.fromisoformat(known["asked_at"]) < KNOWN_FOR:
            return known, None
        account, _ = self._ask(lambda server: server.account_verify_credentials(), "read:accounts")
        if not _has_id(account) or not isinstance(account.get("acct"), str):
            raise MakesNoSense("The server does not say whose token this is.")
        me = {"of": whose, "asked_at": now.isoformat(), "id": account["id"]} | self._instance()
        me["handle"] = statuses.handle_of(account, me["domain"])
        return me, me

    def _instance(self) -> dict[str, Any]:
        """What the server says about itself, in its newer words or its older ones; some say nothing (Takahē, 500)."""
        said: dict[str, Any] = {}
        headers = {"authorization": f"Bearer {self._token}"}
        for path in ("/api/v2/instance", "/api/v1/instance"):
            with suppress(Unreachable, NotAuthorized):
                answer = http.fetch(self._server + path, own=self._own_servers, headers=headers)
                said = said or (answer.json() if answer.ok else {})
        return statuses.limits(said) | {"domain": statuses.domain(said) or urlsplit(self._server).hostname}

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _server(self) -> str:
        return self.settings["base_url"].rstrip("/")

    @property
    def _query(self) -> str:
        return self.settings.get("query", "").strip()

    @property
    def _longest(self) -> int:
        return self.known.get("longest") or LONGEST

    @property
    def _own_servers(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "base_url")

    @property
    def _token(self) -> str:
        if not (token := self.credentials.get("access_token", "")):
            raise NotConnected("There is no access token yet.")
        return token

    def _session(self, writing: bool = False) -> Session:
        return Session(own=self._own_servers, writing=writing)

    def _ask(self, ask: Callable[[Mastodon], Any], scope: str) -> tuple[Any, http.Answer]:
        """What the server says, and its answer with all that the library leaves out."""
        session = self._session()
        try:
            with session.translating(MastodonError, judge=_judged):
                said = ask(_library(self._server, session, self._token))
        except _Doubtful as doubt:
            self._confirm(doubt, scope)
            raise (MissingScope if doubt.status == 403 else MakesNoSense)(doubt.detail) from None
        assert session.answer is not None
        return said, session.answer

    def _write(self, do: Callable[[Mastodon], Any], scope: str) -> Any:
        session = self._session(writing=True)
        try:
            with session.translating(MastodonError, judge=_judged_writing):
                return do(_library(self._server, session, self._token))
        except _Doubtful as doubt:
            self._confirm(doubt, scope)
            raise (NotAllowed if doubt.status == 403 else Rejected)(doubt.detail) from None

    def _confirm(self, doubt: "_Doubtful", scope: str) -> None:
        """Whether a refusal means our token: some servers say 400 or 403 of one that they do not know (Takahē). Raises
        NotAuthorized if so, MissingScope when it is good but not for this."""
        if "scope" in doubt.detail:
            raise MissingScope(doubt.detail, (scope,))
        session = self._session()
        try:
            with session.translating(MastodonError, judge=_judged):
                _library(self._server, session, self._token).account_verify_credentials()
        except (_Doubtful, NotAuthorized):
            raise NotAuthorized(doubt.detail) from None
        except ConnectorError:
            return


# What is read -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stream:
    """A list of the server: `ask` gives a page of it."""

    ask: Callable[..., tuple[list, http.Answer]]
    by_offset: bool = False

    def back(self, token: str) -> tuple[list, http.Answer, str]:
        """The page of this token, and the token of the next; empty when there is none."""
        place: dict[str, Any] = {"max_id": token} if token else {}
        if self.by_offset:
            place = {"offset": int(token)} if token else {}
        listed, answer = self.ask(**place)
        ids = [each["id"] for each in listed if _has_id(each)]
        following = str(int(token or 0) + len(listed)) if self.by_offset else min(ids, key=in_order, default="")
        return listed, answer, following if listed else ""


def _forward(stream: _Stream, forward: Forward, me: Mapping[str, Any], now: datetime) -> Read:
    listed, answer = stream.ask(min_id=forward.after)
    state, more = forward.step([each["id"] for each in listed if _has_id(each)])
    stretch = {} if more else {"covered": (forward.since, now)}
    # A server gives each page newest first.
    return Read(_posts(reversed(listed), me), {"forward": state}, more, _limits(answer), stretch=stretch)


def _back(
    stream: _Stream, walk: Walk, state: Mapping[str, Any], me: Mapping[str, Any], now: datetime, *, goes_forward: bool
) -> Read:
    listed, answer, following = stream.back(walk.token)
    ids = sorted((each["id"] for each in listed if _has_id(each)), key=in_order)
    head = state.get("head") or ids[:1] + ids[-1:]
    entries = [Entry(each["id"], _moment(each, now), each) for each in listed if _has_id(each)]
    # A page that says the same again: this server does not know offsets.
    step = walk.step(entries, "" if ids and ids == state.get("page") else following)
    kept: dict[str, Any] = {"walk": step.state, "head": head, "page": ids} if step.more else {"walk": step.state}
    if goes_forward and head and not step.more:
        kept = {"forward": Forward.begun(*head, now=now)}
    posts = [*_posts((each for each in listed if not _has_id(each)), me), *_posts((one.raw for one in step.fresh), me)]
    return Read(posts, kept, step.more, _limits(answer), step.history, step.progress, step.stretch)


def _posts(listed: Iterable[Any], me: Mapping[str, Any]) -> list[Post | Unreadable]:
    """The posts in a list of posts or of notifications. A notification of something else, or of a post that is not
    there any more, holds none; some servers list all kinds whatever is asked for."""
    posts = []
    for each in listed:
        if not isinstance(each, dict) or "type" not in each:
            posts.append(statuses.as_post(each, me))
        elif each["type"] in TOLD and each.get("status"):
            posts.append(statuses.as_post(each["status"], me, quotes_us=each["type"] == "quote"))
    return posts


def _notifications(server: Mastodon, **place: Any) -> Any:
    # The library does not know this one.
    server.session.params = {"include_filtered": "true"}
    return server.notifications(types=list(TOLD), limit=80, **place)


def _statuses_of(account: str) -> Callable[..., Any]:
    return lambda server, **place: server.account_statuses(account, exclude_reblogs=True, limit=40, **place)


def _tagged(tag: str) -> Callable[..., Any]:
    return lambda server, **place: server.timeline(f"tag/{quote(tag, safe='')}", limit=40, **place)


def _searched(query: str) -> Callable[..., Any]:
    def ask(server: Mastodon, **place: Any) -> Any:
        return server.search_v2(query, resolve=False, result_type="statuses", limit=40, **place).get("statuses")

    return ask


def _is_it(status: Mapping[str, Any], reply: Outgoing) -> bool:
    if status.get("in_reply_to_id") != reply.in_reply_to:
        return False
    return statuses.alike(plain_text(status.get("content") or ""), reply.text)


def _sent(status: Mapping[str, Any]) -> Sent:
    return Sent(status["id"], status.get("url") or "", status["uri"])


def _has_id(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), str) and 0 < len(one["id"]) <= LONGEST_ID


def _is_status(one: Any) -> bool:
    named = ("uri", "visibility")
    return _has_id(one) and all(isinstance(one.get(each), str) for each in named) and _has_id(one.get("account"))


def _moment(one: Any, otherwise: datetime) -> datetime:
    """When it was posted or told, by the server’s clock."""
    said = one.get("created_at") if isinstance(one, dict) else None
    return said.astimezone(UTC) if isinstance(said, datetime) else otherwise


# The library and its errors ---------------------------------------------------------------------------------------


def _library(address: str, session: Session, token: str = "", app: tuple[str, str] | None = None) -> Mastodon:
    """Token and app are set afterwards: in its constructor the library takes what is the name of a file for that
    file."""
    server = Mastodon(
        api_base_url=address,
        session=session,
        ratelimit_method="throw",
        mastodon_version=SPEAKS,
        version_check_mode="created",
        user_agent="SocialHub/1",
    )
    server.access_token = token or None
    server.client_id, server.client_secret = app or (None, None)
    return server


class _Doubtful(ConnectorError):
    """Refused, and it may be our token that is refused."""

    def __init__(self, detail: str = "", status: int = 400):
        super().__init__(detail)
        self.status = status


class _NotThere(Rejected):
    """The post is not there, or not for us."""


def _judged(error: Exception, answer: http.Answer | None) -> ConnectorError:
    status = answer.status if answer else 0
    if answer is None or status < 400 or status == 422:
        return MakesNoSense("What the server answered can not be understood.")
    if status >= 500:
        return ServerFailed(f"The server answered {status}.")
    return _refused(answer) or (NotThere(_said(answer)) if status in (404, 410) else MakesNoSense(_said(answer)))


def _judged_writing(error: Exception, answer: http.Answer | None) -> ConnectorError:
    if answer is None or answer.ok or answer.status >= 500:
        return MaybeSent(f"The server answered {answer.status}." if answer else "")
    if answer.status < 400:
        return Rejected("The server sends us on to another address; set it to where it leads.")
    if answer.status in (404, 410):
        return _NotThere("The post is not there any more.")
    return _refused(answer) or Rejected(_said(answer))


def _refused(answer: http.Answer) -> ConnectorError | None:
    """What is the same in reading and writing."""
    if answer.status == 429:
        return RateLimited(_said(answer), _reset(answer) or http.asked_wait(answer.headers))
    if answer.status == 401:
        return NotAuthorized(_said(answer))
    return _Doubtful(_said(answer), answer.status) if answer.status in (400, 403) else None


def _not_signed_in(error: Exception, answer: http.Answer | None) -> ConnectorError:
    if answer is None or answer.ok:
        # The library says so when it was granted less than it asked for.
        return MissingScope("Not all of what is needed was granted.", SCOPES)
    if answer.status == 429 or answer.status >= 500:
        return _judged(error, answer)
    return NotAuthorized(f"The server did not accept the sign-in: {_said(answer)}")


def _said(answer: http.Answer) -> str:
    """The server’s own words about a refusal."""
    with suppress(ConnectorError):
        said = answer.json()
        if isinstance(said, dict) and isinstance(said.get("error"), str):
            return f"The server says: {said['error'][:200].rstrip('.')}."
    return f"The server answered {answer.status}."


def _limits(answer: http.Answer) -> Limits | None:
    try:
        remaining, limit = (int(answer.headers[f"x-ratelimit-{each}"]) for each in ("remaining", "limit"))
    except (KeyError, ValueError):
        return None
    return Limits(remaining, limit, _reset(answer))


def _reset(answer: http.Answer) -> datetime | None:
    """When a server counts anew: a time (Mastodon) or seconds since 1970 (GoToSocial)."""
    said = answer.headers.get("x-ratelimit-reset", "")
    with suppress(ValueError, OverflowError, OSError):
        if said.isdecimal():
            return datetime.fromtimestamp(int(said), UTC)
        moment = datetime.fromisoformat(said)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _covers(granted: Sequence[str], scope: str) -> bool:
    return scope in granted or scope.partition(":")[0] in granted
