"""Reddit, through prawcore, the part of PRAW that speaks to the network: mentions and answers from the account's inbox,
search for keyword channels, answers by comment.

Only for apps that Reddit has approved: since November 2025 nobody gets keys by themselves. Its policy forbids direct
messages that were not asked for and finding out who somebody is elsewhere, so direct messages are neither read nor
written here.

The library would sleep and try again by itself; here it does neither.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import prawcore
from prawcore.rate_limit import RateLimiter
from prawcore.sessions import RetryStrategy

from connectors import accounts, cursors, http, oauth
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
from connectors.cursors import Entry, Read, Walk
from connectors.dialects import submissions
from connectors.errors import (
    MakesNoSense,
    MaybeSent,
    NotAllowed,
    NotConnected,
)
from connectors.sessions import Session

#: What we have to be granted, and in the admin’s words what for.
SCOPES = {
    "identity": "see which account it is",
    "privatemessages": "read mentions and answers, which lie in the inbox",
    "history": "read what the account wrote",
    "read": "search, and look posts up",
    "submit": "answer",
    "edit": "delete our own answers",
}
API = "https://oauth.reddit.com"
LISTS = {"mentions": "message/mentions", "replies": "message/comments", "comments": "message/selfreply"}
OVERLAP = timedelta(hours=1)
PAGE, DEEPEST = 100, 1_000  # posts
MOST_LOOKED_UP = 100
LONGEST = 10_000

# It logs addresses and bodies when asked to say much.
logging.getLogger("prawcore").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Reddit(Connector):
    network = "reddit"
    name = "Reddit"
    capabilities = Capabilities(
        reads=frozenset(("mention", "reply", "comment", "post")),
        replies=True,
        removes=True,
        longest_reply=LONGEST,
        lookups=True,
        searches=True,
        global_ids=True,
        signs_in=True,
        missing={
            "hooks": "cannot: Reddit delivers no news",
            "private_replies": "cannot: Reddit forbids direct messages that were not asked for",
            "likes": "cannot: Reddit wants votes from people, not through programs",
            "hides": "not yet: only where the account moderates",
            "removes_of_others": "not yet: only where the account moderates",
            "edits": "cannot: Reddit tells of no edits; they show when a post is looked up",
            "deletions": "cannot: Reddit tells of no deletions; they show when a post is looked up",
            "native_idempotency": "cannot: Reddit knows no key for a comment",
        },
    )
    asks = (
        Setting("subreddit", "Search only in r/…", help="For a keyword channel; left empty, everywhere"),
        Setting("poll_seconds", "Seconds between two looks", "number", 180, least=1, most=86_400),
    )
    secrets = (
        Setting("client_id", "Client ID", help="Only of an app that Reddit has approved; then sign in"),
        Setting("client_secret", "Client secret", help="Of the same app"),
        Setting("access_token", "Access token", help="Filled in by signing in"),
        Setting("refresh_token", "Refresh token", help="Filled in by signing in"),
    )

    @property
    def offers(self) -> Capabilities:
        """Only a search finds posts that are meant for nobody."""
        mine = {"post"} if self.query else self.capabilities.reads - {"post"}
        return replace(self.capabilities, reads=frozenset(mine))

    @classmethod
    def estimate(cls, settings: Mapping[str, Any]) -> str:
        return "It costs nothing, but works only with an app that Reddit has approved for this; commercial use is paid."

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        me, learnt = self._me()
        now, lists = datetime.now(UTC), ("found",) if self.query else (*LISTS, "own")
        whose = f"{me} {self.query} {self._subreddit}"
        return cursors.read(cursor, whose, lists, lambda name, state: self._page(name, state, me, now), known=learnt)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        me, _ = self._me()
        found: dict[str, Post | None] = {}
        for start in range(0, len(ids), MOST_LOOKED_UP):
            some = list(ids[start : start + MOST_LOOKED_UP])
            said, _ = self._ask("api/info", id=",".join(some))
            there = [each for each in submissions.children(said) if not submissions.is_gone(each)]
            posts = [submissions.as_post(each, me) for each in there]
            gone = submissions.missing(some, there)
            found |= dict.fromkeys(gone) | {each.id: each for each in posts if isinstance(each, Post)}
        return found

    def _page(self, name: str, state: Mapping[str, Any], me: str, now: datetime) -> Read:
        days = self.settings.get("backfill_days", 7)
        walk = Walk(state.get("walk"), now=now, days=days, overlap=OVERLAP, deepest=DEEPEST // PAGE)
        path, asked = self._place(name, me)
        said, answer = self._ask(path, **asked, limit=PAGE, after=walk.token or None)
        read = [(each, submissions.as_post(each, me)) for each in submissions.children(said)]
        entries = [Entry(post.id, post.created_at, post) for _, post in read if isinstance(post, Post)]
        following = submissions.following(said)
        if walk.token and not read and not following and not state.get("again"):
            # The post after which to go on may be gone meanwhile, and all behind it with it: once more from the head.
            return cursors.begun_anew(state)
        is_all = not following and (walk.walk["pages"] + 1) * PAGE < DEEPEST
        step = walk.step(entries, following, walk.floor - timedelta(seconds=1) if is_all else None)
        posts = [each.raw for each in step.fresh] + [post for _, post in read if isinstance(post, Unreadable)]
        return Read(
            posts,
            {"walk": step.state},
            step.more,
            submissions.limits(answer),
            step.history,
            step.progress,
            step.stretch,
        )

    def _place(self, name: str, me: str) -> tuple[str, dict[str, Any]]:
        """Where a list lies, and how to ask for its newest."""
        if name == "own":
            return f"user/{me}/comments", {"sort": "new"}
        if name in LISTS:
            return LISTS[name], {}
        restricted = {"restrict_sr": "true"} if self._subreddit else {}
        return f"r/{self._subreddit or 'all'}/search", {"q": self.query, "sort": "new", "type": "link", **restricted}

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if reply.private or reply.is_direct:
            raise NotAllowed("Direct messages are not written on Reddit.")
        said = self._write("api/comment", thing_id=reply.in_reply_to, text=reply.text)
        post = submissions.as_post(submissions.first_thing(said), "")
        if not isinstance(post, Post):
            raise MaybeSent("Reddit did not say under which id it took the reply.")
        return Sent(post.id, post.url, post.global_id)

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        me, _ = self._me()
        said, _ = self._ask(f"user/{me}/comments", sort="new", limit=PAGE)
        for post in (submissions.as_post(each, me) for each in submissions.children(said)):
            is_it = isinstance(post, Post) and post.in_reply_to == reply.in_reply_to and post.created_at >= since
            if is_it and post.text.split() == reply.text.split():
                return Sent(post.id, post.url, post.global_id)
        return None

    def remove(self, target: Target) -> None:
        self._write("api/del", id=target.id)

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        me = self._asked_who()
        scopes = self.credentials.get("scope", "").replace(",", " ").split()
        granted, missing = oauth.granted(list(SCOPES) if "*" in scopes else scopes, SCOPES)
        sentence = f"Connected as u/{me}. Direct messages are neither read nor written."
        known = {"name": me, "of": accounts.mark(self)}
        return Checked(sentence, f"u/{me}", granted, missing, known=known)

    def sign_in(self, back: str, state: str) -> SignIn:
        oauth.needed(self.credentials, "client_id", "client_secret")
        asked = {"client_id": self.credentials["client_id"], "response_type": "code", "state": state}
        asked |= {"redirect_uri": back, "duration": "permanent", "scope": " ".join(SCOPES)}
        return SignIn(oauth.page(f"{submissions.WWW}/api/v1/authorize", **asked))

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        said = oauth.ask(self._token_door, self._own, self.credentials, **form)
        credentials = oauth.credentials_in(said, self.credentials)
        me = replace(self, credentials=credentials, known={})._asked_who()
        return [Account(f"u/{me}", {}, credentials | {"name": me})]

    def renew(self) -> Mapping[str, str]:
        return oauth.renewed(self._token_door, self._own, self.credentials)

    def _me(self) -> tuple[str, Mapping[str, Any] | None]:
        """The name of our account; what was asked for it is to be kept."""
        if told := accounts.told(self, "name"):
            return told["name"], None
        name = self._asked_who()
        return name, {"name": name, "of": accounts.mark(self)}

    def _asked_who(self) -> str:
        said, _ = self._ask("api/v1/me")
        if not isinstance(name := said.get("name"), str) or not name.replace("-", "_").isidentifier():
            raise MakesNoSense("Reddit does not say whose token this is.")
        return name

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _subreddit(self) -> str:
        return self.settings.get("subreddit", "").strip().removeprefix("r/").strip("/")

    @property
    def _token_door(self) -> str:
        return f"{self.settings.get('base_url', submissions.WWW).rstrip('/')}/api/v1/access_token"

    @property
    def _own(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "base_url")

    def _ask(self, path: str, **params: Any) -> tuple[dict[str, Any], http.Answer]:
        with self._library(writing=False) as (library, session):
            asked = {name: value for name, value in params.items() if value is not None}
            said = library.request(method="GET", path=path, params=asked)
            if not isinstance(said, dict):
                raise MakesNoSense("Reddit did not answer with an object.")
            return said, session.answer

    def _write(self, path: str, **data: str) -> Any:
        with self._library(writing=True) as (library, _):
            said = library.request(method="POST", path=path, data=data)
        if error := submissions.refused(said):
            raise error
        return said

    @contextmanager
    def _library(self, writing: bool):
        if not (token := self.credentials.get("access_token")):
            raise NotConnected("There is no access token yet.")
        session = Session(own=self._own, writing=writing)
        base = self.settings.get("base_url", "").rstrip("/")
        places = {"oauth_url": f"{base or API}/", "reddit_url": base or submissions.WWW}
        requestor = prawcore.Requestor(session=session, user_agent="SocialHub/1 (by its operator)", **places)
        library = _Patient(authorizer=_Token(requestor, token))
        judge = submissions.of_writing if writing else submissions.of_reading
        # The library also trips over a 401 that does not explain itself (KeyError).
        with session.translating(prawcore.PrawcoreException, KeyError, judge=judge):
            yield library, session


class _Once(RetryStrategy):
    """No second try, and no sleep before the first."""

    def _sleep_seconds(self) -> None:
        return None

    def consume_available_retry(self) -> "_Once":
        return self

    def should_retry_on_failure(self) -> bool:
        return False


class _Unhurried(RateLimiter):
    """Never sleeps: what Reddit says of its limits is kept beside the channel, and 429 makes it wait there."""

    def delay(self) -> None:
        pass

    def update(self, *, response_headers: Mapping[str, str]) -> None:
        pass


class _Patient(prawcore.Session):
    def __init__(self, *, authorizer: Any):
        super().__init__(authorizer=authorizer)
        self._rate_limiter = _Unhurried(window_size=600)
        self._retry_strategy_class = _Once


class _Token(prawcore.auth.BaseAuthorizer):
    """The token that the channel has; it is renewed elsewhere, under a lock."""

    def __init__(self, requestor: prawcore.Requestor, token: str):
        super().__init__(authenticator=prawcore.UntrustedAuthenticator(client_id="", requestor=requestor))
        self.access_token = token

    def is_valid(self) -> bool:
        return True
