"""Bluesky: an account on any server of the AT protocol, asked over XRPC.

Its lists only go back, so each visit walks from the newest to what is known and a little further. A post that was
deleted is missing from them without a word: what we knew and do not meet any more is asked for by its address.

An app password is exchanged for a session, which is kept and renewed: a new one for each visit would use up the 300 a
day that an account has. Every record that we write has a key of our own, made from the reply’s, so that writing it
again is writing it once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors import cursors, http, tokens
from connectors.contract import (
    Batch,
    Capabilities,
    Checked,
    Connector,
    Outgoing,
    Post,
    Sent,
    Setting,
    Target,
    Unreadable,
)
from connectors.cursors import Read, Step, Walk
from connectors.dialects import atproto, xrpc
from connectors.dialects.atproto import GATE, LIKE, POST
from connectors.dialects.xrpc import Line, Refused
from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotAllowed,
    NotAuthorized,
    NotConnected,
    NotSent,
    Rejected,
    Unreachable,
)

HOME = "https://bsky.social"
#: Why we are told of a post; the last is written by people whose bell somebody of ours has switched on.
REASONS = ("mention", "reply", "quote", "subscribed-post")
PAGE = 100
SECRET = ("app_password", "access_token", "refresh_token")
MOST_HIDDEN = 300
MOST_MISSED = 50  # posts of which one visit asks whether they are gone
#: What a session says of itself when it was opened with the account's own password.
OWN_PASSWORD = "com.atproto.access"

Asked = list[tuple[str, Any]]
#: What is listed, all that was said, and the answer with its headers.
Listed = tuple[list[Any], dict[str, Any], http.Answer]


@dataclass(frozen=True)
class Bluesky(Connector):
    network = "bluesky"
    name = "Bluesky"
    capabilities = Capabilities(
        reads=frozenset(("mention", "reply", "post")),
        replies=True,
        likes=True,
        hides=True,
        removes=True,
        longest_reply=300,
        longest_bytes=3_000,
        counts="graphemes",
        deletions=True,
        lookups=True,
        searches=True,
        global_ids=True,
        native_idempotency=True,
        missing={
            "hooks": "cannot: servers tell of everything that happens on the network, or of nothing",
            "private_replies": "not yet: chat is a service of its own, with other passwords",
            "removes_of_others": "cannot: a post can be deleted by its author alone",
            "edits": "cannot: a post stays as it was written",
            "signs_in": "not yet: an app password does the same",
        },
    )
    asks = (Setting("handle", "Handle", help="Of the account, such as example.bsky.social", required=True),)
    secrets = (Setting("app_password", "App password", help="From Settings, Privacy and security", required=True),)

    @classmethod
    def first_credentials(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        return dict(credentials) | {"expires_at": datetime.now(UTC).isoformat()}

    def length_of(self, text: str) -> int:
        return atproto.length(text)

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        now, line = datetime.now(UTC), self._line()
        lists = ("found",) if self.query else ("mentions", "own")
        return cursors.read(
            cursor, f"{line.did} {self.query}", lists, lambda name, state: self._page(name, state, line, now)
        )

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        line = self._line()
        views = line.views(ids)
        posts = _posts(views.values(), line)
        found: dict[str, Post | None] = {each.id: each for each in posts if isinstance(each, Post)}
        missing = [id for id in ids if id not in views]
        return found | {id: None for id in missing if line.is_gone(id)}

    def _page(self, name: str, state: Mapping[str, Any], line: Line, now: datetime) -> Read:
        """A page of a list, and what became of those that it should hold and does not."""
        walk = Walk(state, now=now, days=self.settings.get("backfill_days", 7), sweeps=True)
        listed, following, answer = self._listed(name, walk.token, line)
        step = walk.step(
            list(atproto.entries(listed, now)), following, atproto.moment(following) if name != "found" else None
        )
        gone = _gone(line, step.missing)
        if step.gap and step.missing.keys() == gone.keys() != set():
            step = replace(step, gap=None)
        posts = _posts(self._seen_close(step, name, line), line)
        posts += [atproto.tombstone(uri, at, line.did) for uri, at in gone.items()]
        return Read(posts, step.state, step.more, xrpc.limits(answer), step.history, step.progress, step.stretch)

    def _listed(self, name: str, token: str, line: Line) -> tuple[list[Any], str, http.Answer]:
        """What a page lists, newest first, and where the next one begins."""
        ask = {"mentions": self._told, "own": self._ours, "found": self._found}[name]
        listed, said, answer = ask(line, [("limit", PAGE), *([("cursor", token)] if token else [])])
        following = said.get("cursor")
        return listed, atproto.with_ties(following, token) if isinstance(following, str) else "", answer

    def _told(self, line: Line, asked: Asked) -> Listed:
        asked += [("reasons", each) for each in REASONS]
        said, answer = line.ask("app.bsky.notification.listNotifications", asked)
        # Servers that do not know the parameter tell of likes and followers too.
        known = (*REASONS, None)
        return [each for each in xrpc.listed(said, "notifications") if atproto.reason_of(each) in known], said, answer

    def _ours(self, line: Line, asked: Asked) -> Listed:
        asked += [("actor", line.did), ("filter", "posts_with_replies")]
        said, answer = line.ask("app.bsky.feed.getAuthorFeed", asked)
        items = [each for each in xrpc.listed(said, "feed") if isinstance(each, dict)]
        # With a reason it is there because we reposted or pinned it.
        return [each.get("post") for each in items if not each.get("reason")], said, answer

    def _found(self, line: Line, asked: Asked) -> Listed:
        try:
            said, answer = line.ask("app.bsky.feed.searchPosts", [*asked, ("q", self.query), ("sort", "latest")])
        except Refused as error:
            if error.code != "BadQueryString":
                raise
            raise Misconfigured(fields={"query": f"Bluesky can not search for this: {error.detail}"}) from None
        return xrpc.listed(said, "posts"), said, answer

    def _seen_close(self, step: Step, name: str, line: Line) -> list[Any]:
        """The posts with all that there is to see: a notification holds no pictures and does not say who may answer."""
        raw = [each.raw for each in step.fresh]
        if name != "mentions":
            return raw
        views = line.views([each.id for each in step.fresh])
        return [{**each.raw, **views[each.id]} if each.id in views else each.raw for each in step.fresh]

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if reply.private or (reply.to and reply.to.visibility == "direct"):
            raise NotAllowed("Direct messages on Bluesky can not be sent from here yet.")
        line = self._line(NotSent)
        try:
            if found := self._published(line, reply):
                return found
            record = self._record(line, reply)
        except Unreachable as error:
            raise NotSent(error.detail or error.sentence) from None
        line.do("putRecord", collection=POST, rkey=atproto.key_of(reply.client_key), record=record)
        return self._sent(line, reply)

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        return self._published(self._line(), reply)

    def like(self, target: Target) -> None:
        line = self._line(NotSent)
        key = atproto.key_of(f"like {target.id}")
        if line.record(LIKE, key):
            return
        view = self._target(line, target.id)
        subject = {"uri": view["uri"], "cid": view["cid"]}
        record = {"$type": LIKE, "subject": subject, "createdAt": atproto.as_time(datetime.now(UTC))}
        line.do("putRecord", collection=LIKE, rkey=key, record=record)

    def hide(self, target: Target, hidden: bool = True) -> None:
        """What is hidden stands in a list beside the first post of its thread, which has to be ours."""
        line = self._line(NotSent)
        root = self._our_thread(line, target)
        gate = line.record(GATE, root[2])
        rules = _object(gate, "value") or {"$type": GATE, "post": "at://{}/{}/{}".format(*root)}
        before = [each for each in rules.get("hiddenReplies") or () if isinstance(each, str)]
        after = [each for each in before if each != target.id] + ([target.id] if hidden else [])
        if set(after) == set(before):
            return
        if len(after) > MOST_HIDDEN:
            raise NotAllowed(f"Bluesky hides no more than {MOST_HIDDEN} answers in a thread.")
        # Who may answer stands there too: what somebody changed there meanwhile is not written over.
        swap = {"swapRecord": gate["cid"]} if gate else {}
        record = {"createdAt": atproto.as_time(datetime.now(UTC))} | rules | {"hiddenReplies": after}
        line.do("putRecord", collection=GATE, rkey=root[2], record=record, **swap)

    def _our_thread(self, line: Line, target: Target) -> tuple[str, str, str]:
        """The first post of the thread in which this one stands. Raises NotAllowed unless it is ours."""
        root = atproto.root_of(self._target(line, target.id))
        parts = atproto.parts_of(root["uri"]) if root else None
        if not parts or parts[0] != line.did:
            raise NotAllowed("Only answers in our own threads can be hidden.")
        return parts

    def remove(self, target: Target) -> None:
        line, parts = self._line(NotSent), atproto.parts_of(target.id)
        if not parts or parts[0] != line.did:
            raise NotAllowed("A post on Bluesky can be deleted by its author alone.")
        line.do("deleteRecord", collection=parts[1], rkey=parts[2])

    def _record(self, line: Line, reply: Outgoing) -> dict[str, Any]:
        """The reply as a record. It names the post that it answers and the first of the thread, each by its address and
        the hash of what stands there now."""
        view = self._target(line, reply.in_reply_to)
        if _object(view, "viewer").get("replyDisabled") is True:
            raise NotAllowed(atproto.CLOSED)
        parent = {"uri": view["uri"], "cid": view["cid"]}
        record = {
            "$type": POST,
            "text": reply.text,
            "createdAt": atproto.as_time(datetime.now(UTC)),
            "reply": {"root": atproto.root_of(view) or parent, "parent": parent},
        }
        facets = atproto.facets(reply.text, line.resolve)
        return record | ({"facets": facets} if facets else {})

    def _target(self, line: Line, id: str) -> Mapping[str, Any]:
        view = line.views([id]).get(id)
        if view is None:
            raise Rejected("The post is not there any more.")
        return view

    def _published(self, line: Line, reply: Outgoing) -> Sent | None:
        """Our reply, if it stands there: nobody else writes under its key."""
        return self._sent(line, reply) if line.record(POST, atproto.key_of(reply.client_key)) else None

    def _sent(self, line: Line, reply: Outgoing) -> Sent:
        uri = f"at://{line.did}/{POST}/{atproto.key_of(reply.client_key)}"
        return Sent(uri, atproto.page_of(uri), uri)

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        line = self._line()
        said, _ = line.ask("com.atproto.server.getSession")
        handle = said.get("handle")
        sentence = f"Connected as @{handle}."
        if xrpc.claims(line.access).get("scope") == OWN_PASSWORD:
            sentence += " This is the account’s own password: an app password can do less harm, and be taken back."
        return Checked(sentence, f"@{handle}")

    def renew(self) -> Mapping[str, str]:
        said = self._refreshed() or self._opened()
        session = {"access_token": said["accessJwt"], "refresh_token": said["refreshJwt"], "did": said["did"]}
        kept = {"app_password": self.credentials.get("app_password", ""), "of": self._whose}
        return kept | session | {"pds": xrpc.home_of(said)} | tokens.lasting(xrpc.lasts(said["accessJwt"]))

    def _refreshed(self) -> dict[str, Any] | None:
        """A new session for the old one, or None when that is over."""
        token = self.credentials.get("refresh_token")
        if not token or self.credentials.get("of") != self._whose:
            return None
        try:
            return xrpc.session(self._post("refreshSession", token))
        except (Refused, NotAuthorized):
            return None

    def _opened(self) -> dict[str, Any]:
        """A session for the password."""
        if not (password := self.credentials.get("app_password")):
            raise NotConnected("There is no app password yet.")
        known = self.credentials.get("did") if self.credentials.get("of") == self._whose else None
        identifier = known or self._handle
        try:
            return xrpc.session(self._post("createSession", json={"identifier": identifier, "password": password}))
        except Refused as error:
            wants_code = error.code == "AuthFactorTokenRequired"
            detail = "The account wants a code by e-mail for this password: make an app password." if wants_code else ""
            raise NotAuthorized(detail or error.detail) from None

    def _post(self, what: str, token: str = "", **request: Any) -> Any:
        url = f"{self._home}/xrpc/com.atproto.server.{what}"
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = http.exchange(url, method="POST", own=self._own, headers=headers, **request)
        xrpc.judge(answer, *(self.credentials.get(each, "") for each in SECRET))
        return answer.json()

    def _line(self, otherwise: type[ConnectorError] | None = None) -> Line:
        """The way to the account's server. Without a session that was kept one is opened for now; trouble with that is
        raised as `otherwise`."""
        kept = self.credentials
        if kept.get("access_token") and kept.get("of") != self._whose:
            raise NotAuthorized("The handle or the address of the server was changed since it was connected.")
        try:
            kept = kept if kept.get("access_token") else self.renew()
        except Unreachable as error:
            raise otherwise(error.detail or error.sentence) if otherwise else error from None
        # On which of its servers an account lies Bluesky says itself; a server of one's own is the only one.
        server = (kept.get("pds") if self._home == HOME else "") or self._home
        return Line(server, self._own, kept["access_token"], kept["did"])

    @property
    def _whose(self) -> str:
        """Whose session it is, and where: with another handle or server in the settings it is good no more."""
        return f"{self._handle} {self._home}"

    @property
    def _handle(self) -> str:
        handle = self.settings.get("handle", "").strip().removeprefix("@")
        if not atproto.is_handle(handle):
            raise Misconfigured(fields={"handle": "A handle is a name with a dot in it, such as example.bsky.social."})
        return handle

    @property
    def _home(self) -> str:
        return (self.settings.get("base_url") or HOME).rstrip("/")

    @property
    def _own(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "base_url")


def _posts(views: Iterable[Any], line: Line) -> list[Post | Unreadable]:
    views = list(views)
    authors = [each.get("author") for each in views if isinstance(each, dict)]
    dids = [each["did"] for each in authors if isinstance(each, dict) and isinstance(each.get("did"), str)]
    profiles = line.profiles(each for each in dids if each != line.did)
    return [atproto.as_post(each, line.did, profiles, reason=atproto.reason_of(each) or "") for each in views]


def _gone(line: Line, missing: Mapping[str, datetime]) -> dict[str, datetime]:
    """Those of them that stand there no more: their author may also have hidden them from us."""
    asked = list(missing)[:MOST_MISSED]
    there = line.views(asked)
    return {each: missing[each] for each in asked if each not in there and line.is_gone(each)}


def _object(said: Any, name: str) -> dict[str, Any]:
    """What stands under this name, if it is an object."""
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}
