"""Mastodon, and every server that speaks as it does: GoToSocial, Pleroma, Akkoma, Takahē.

Mentions come forward by `min_id`: by `since_id` a server gives the newest and leaves out what lies between. What it
withholds from our account’s own notifications (people who are new, or whom we do not follow) is asked for too, for
those are new customers. What we wrote is read beside it, so that an answer given elsewhere is known here.

A reply reaches only who is named in it, so its author’s name goes before the text, and never more people than the post
that it answers.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors import cursors, http, oauth
from connectors.contract import (
    Account,
    Batch,
    Capabilities,
    Checked,
    Connector,
    Outgoing,
    Post,
    Sent,
    Setting,
    SignIn,
    Target,
    Unreadable,
)
from connectors.cursors import Entry, Forward, Read, Walk, in_order
from connectors.dialects import statuses
from connectors.dialects.fediverse import AT_ONCE, SEVERAL, Gone, Listed, Missing, Server, ids_in
from connectors.errors import (
    ConnectorError,
    MakesNoSense,
    MaybeSent,
    NotAllowed,
    NotConnected,
    NotSent,
    NotThere,
    Rejected,
    Unreachable,
)
from connectors.plain import plain_text

#: What we have to be granted, and in the admin’s words what for.
SCOPES = {
    "read:accounts": "see which account it is",
    "read:notifications": "read mentions",
    "read:statuses": "read posts",
    "read:search": "search",
    "write:statuses": "write and delete posts",
    "write:favourites": "like posts",
}
LONGEST, PER_URL = 500, 23  # characters, where a server does not say
MENTION = 32  # of them kept free for “@name ” before a reply: names on Mastodon have 30 at most
KNOWN_FOR = timedelta(days=1)
OVERLAP = timedelta(hours=1)  # what comes from other servers is listed under its own date
SKEW = timedelta(minutes=5)  # by which a server’s clock may be behind ours
DEEPEST = 50  # pages
HASHTAG = re.compile(r"[#＃](\w+)\Z")
MOST_LOOKS = 5  # pages of our own posts, when one of them is looked for


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
        Setting("refresh_token", "Refresh token", help="Filled in by signing in, where tokens end"),
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
        whose = f"{me['id']} {self._address} {self.query}"
        lists = ("found",) if self.query else ("mentions", "own")
        return cursors.read(cursor, whose, lists, lambda name, state: self._page(name, state, me, now), known=learnt)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        me, _ = self._me(datetime.now(UTC))
        found: dict[str, Post | None] = {}
        for id, status in self._as_they_are(ids, me).items():
            post = statuses.as_post(status, me) if status else None
            if not isinstance(post, Unreadable):
                found[id] = post
        return found

    def _as_they_are(self, ids: Sequence[str], me: Mapping[str, Any]) -> dict[str, Any]:
        """These posts now. One that does not come with the others is asked for by itself: not to be listed is not the
        same as not to be there."""
        found: dict[str, Any] = {}
        if me.get("api", 0) >= SEVERAL:
            for start in range(0, len(ids), AT_ONCE):
                several = self._server.statuses(ids[start : start + AT_ONCE])
                found |= {each["id"]: each for each in several if statuses.has_id(each)}
        for id in ids:
            if id not in found:
                with suppress(Missing):
                    found[id] = self._server.status(id)
        return {id: found.get(id) for id in ids}

    def _list(self, name: str, me: Mapping[str, Any]) -> Listed:
        """What is read: what is told to us, what we wrote, or what was searched for."""
        if name == "mentions":
            return self._server.notifications(me.get("api", 0))
        if name == "own":
            return self._server.statuses_of(me["id"])
        tag = HASHTAG.match(self.query)
        return self._server.tagged(tag[1]) if tag else self._server.found(self.query)

    def _page(self, name: str, state: Mapping[str, Any], me: Mapping[str, Any], now: datetime) -> Read:
        """A page of a list: back from the head at first, and always in a search; else forward."""
        listed = self._list(name, me)
        if "forward" in state:
            return _forward(listed, Forward(state["forward"], now), me, now)
        days = self.settings.get("backfill_days", 7)
        walk = Walk(state.get("walk"), now=now, days=days, overlap=OVERLAP, deepest=DEEPEST)
        read, missing = _back(listed, walk, state, me, now, goes_forward=not self.query)
        return read if not missing or self._are_there(missing) else replace(read, stretch={})

    def _are_there(self, missing: Iterable[str]) -> bool:
        """Whether one of these that are not listed any more still stands: then the list ends before it. Else they were
        deleted, and nothing is left out."""
        return any(self.lookup(list(missing)[:AT_ONCE]).values())

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        post = self._reply(reply)
        if (over := self.length_of(post["status"] + (post["spoiler_text"] or "")) - self._longest) > 0:
            raise Rejected(f"With the name of whom it answers it is {over:,} characters too long for this server.")
        said = self._server.write(**post, idempotency_key=reply.client_key)
        if not statuses.is_status(said):
            raise MaybeSent("The server did not say under which id it took the reply.")
        return _sent(said)

    def _reply(self, reply: Outgoing) -> dict[str, Any]:
        """The reply as the server wants it, seen by no more people than what it answers."""
        target = self._target(reply.in_reply_to)
        circles = (target["visibility"], reply.to.visibility if reply.to else "", "direct" if reply.private else "")
        is_own = target["account"]["id"] == self.known.get("id")
        return {
            "status": reply.text if is_own else statuses.addressed(reply.text, target["account"]),
            "in_reply_to_id": target["id"],
            "visibility": statuses.narrowest(*circles),
            "spoiler_text": target.get("spoiler_text") or None,
        }

    def _target(self, id: str) -> Mapping[str, Any]:
        """The post that is answered, as it is now."""
        try:
            target = self._server.status(id)
        except Missing:
            raise Rejected("The post that this answers is not there any more.") from None
        except Unreachable as error:
            raise NotSent(error.detail or error.sentence) from None
        if not statuses.is_status(target):
            raise NotSent("What the server says of the post that this answers can not be understood.")
        return target

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        me, _ = self._me(datetime.now(UTC))
        since -= SKEW
        for each in self._ours(reply, since, me):
            if statuses.is_status(each) and each["account"]["id"] == me["id"] and _is_it(each, reply, since):
                return _sent(each)
        return None

    def _ours(self, reply: Outgoing, since: datetime, me: Mapping[str, Any]) -> Iterator[Any]:
        """Where a reply of ours can stand: among what we wrote, and below what it answers, for not every server lists
        what was said to one person alone."""
        listed, token = self._list("own", me), ""
        for _ in range(MOST_LOOKS):
            page, token, _ = listed.back(token)
            yield from page
            if not token or statuses.moment_of(page[-1], since) < since:
                break
        with suppress(NotThere):
            yield from self._server.answers(reply.in_reply_to)

    def like(self, target: Target) -> None:
        self._server.favour(target.id)

    def remove(self, target: Target) -> None:
        try:
            self._server.delete(target.id)
        except Gone:
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
        with suppress(ConnectorError):
            scopes = self._server.app().get("scopes")
            return tuple(each for each in scopes if isinstance(each, str)) if isinstance(scopes, list) else ()
        return ()

    def sign_in(self, back: str, state: str) -> SignIn:
        server = self._unknown
        app = server.register(back, list(SCOPES))
        url = server.page(app, back, list(SCOPES), state)
        return SignIn(url, credentials={"client_id": app[0], "client_secret": app[1]})

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        app = (self.credentials.get("client_id", ""), self.credentials.get("client_secret", ""))
        said = self._unknown.token_for(code, app, back, list(SCOPES))
        credentials = oauth.credentials_in(said, {"client_id": app[0], "client_secret": app[1]})
        me, _ = replace(self, credentials=credentials, known={})._me(datetime.now(UTC))
        return [Account(f"@{me['handle']}", {"base_url": self._address}, credentials)]

    def renew(self) -> Mapping[str, str]:
        """Only of servers whose tokens end."""
        server = self._unknown
        return oauth.renewed(f"{server.address}/oauth/token", server.own, self.credentials)

    def _me(self, now: datetime) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Our account and what its server allows, as known or asked anew; what was asked is to be kept."""
        server = self._server
        whose = hashlib.sha256(f"{server.address} {server.token}".encode()).hexdigest()[:12]
        if self.known.get("of") == whose and now - datetime.fromisoformat(self.known["asked_at"]) < KNOWN_FOR:
            return self.known, None
        account = server.account()
        if not statuses.has_id(account) or not isinstance(account.get("acct"), str):
            raise MakesNoSense("The server does not say whose token this is.")
        instance = server.instance()
        domain = statuses.domain(instance) or urlsplit(server.address).hostname or ""
        me = {"of": whose, "asked_at": now.isoformat(), "id": account["id"], "domain": domain}
        me |= {"handle": statuses.handle_of(account, domain)} | statuses.limits(instance)
        return me, me

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _server(self) -> Server:
        if not (token := self.credentials.get("access_token", "")):
            raise NotConnected("There is no access token yet.")
        return replace(self._unknown, token=token)

    @property
    def _unknown(self) -> Server:
        """The server, before it knows us."""
        return Server(self._address, http.own_servers(self.settings, "base_url"))

    @property
    def _address(self) -> str:
        """Of the server itself, whichever of its pages was entered."""
        parts = urlsplit(self.settings["base_url"])
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def _longest(self) -> int:
        return self.known.get("longest") or LONGEST


# What is read -----------------------------------------------------------------------------------------------------


def _forward(listed: Listed, forward: Forward, me: Mapping[str, Any], now: datetime) -> Read:
    page, limits = listed.after(forward.after)
    state, more = forward.step(ids_in(page))
    stretch = {} if more else {"covered": (forward.since, now)}
    # A server gives each page newest first.
    return Read(statuses.posts_in(reversed(page), me), {"forward": state}, more, limits, stretch=stretch)


def _back(
    listed: Listed, walk: Walk, state: Mapping[str, Any], me: Mapping[str, Any], now: datetime, *, goes_forward: bool
) -> tuple[Read, Iterable[str]]:
    """The page, and which known posts it should have listed if its list did not end too early."""
    page, following, limits = listed.back(walk.token)
    ids = sorted(ids_in(page), key=in_order)
    entries = [Entry(each["id"], statuses.moment_of(each, now), each) for each in page if statuses.has_id(each)]
    # A page that says the same again: this server does not know offsets.
    step = walk.step(entries, "" if ids and ids == state.get("page") else following)
    head = state.get("head") or ids[:1] + ids[-1:]
    kept: dict[str, Any] = {"walk": step.state, "head": head, "page": ids} if step.more else {"walk": step.state}
    if goes_forward and head and not step.more:
        kept = {"forward": Forward.begun(head[0], head[1], now)}
    posts = [
        *statuses.posts_in((each for each in page if not statuses.has_id(each)), me),
        *statuses.posts_in((each.raw for each in step.fresh), me),
    ]
    read = Read(posts, kept, step.more, limits, step.history, step.progress, step.stretch)
    return read, step.missing if step.gap else ()


def _is_it(status: Mapping[str, Any], reply: Outgoing, since: datetime) -> bool:
    """Whether this is our reply, and not one that said the same before."""
    if status.get("in_reply_to_id") != reply.in_reply_to or statuses.moment_of(status, since) < since:
        return False
    return statuses.alike(plain_text(status.get("content") or ""), reply.text)


def _sent(status: Mapping[str, Any]) -> Sent:
    return Sent(status["id"], status.get("url") or "", status["uri"])


def _covers(granted: Sequence[str], scope: str) -> bool:
    return scope in granted or scope.partition(":")[0] in granted
