"""X, through tweepy: mentions, answers below our posts, keyword search; answers, hiding and deleting.

X shows its newest posts first, so reading walks back from the head to what is known and a quarter of an hour further,
for a mention may appear later than a newer one (`since_id` would lose it). Every post that is read costs money: the
meter counts as X does, a post once a day, and a channel stops when its budget for the month is spent.

Who has no Enterprise contract may answer only posts whose author mentioned or quoted the account; each other post says
so by itself.
"""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from tweepy import Client
from tweepy.errors import HTTPException

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
from connectors.dialects import rebuffs, tweetlists, tweets, weighing
from connectors.errors import (
    Forged,
    MakesNoSense,
    MaybeSent,
    NotAllowed,
    NotConnected,
)
from connectors.sessions import Session

#: What we have to be granted, and in the admin’s words what for.
SCOPES = {
    "tweet.read": "read posts",
    "users.read": "see who wrote them",
    "tweet.write": "answer and delete our own posts",
    "tweet.moderate.write": "hide answers below our posts",
    "offline.access": "stay connected for longer than two hours",
}
LIBRARYS = "https://api.twitter.com"  # the address that the library has built in
API = "https://api.x.com"
SIGN_IN = "https://x.com/i/oauth2/authorize"
MOST_LOOKED_UP = 100

# It logs headers when asked to say much.
for _name in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True)
class X(Connector):
    network = "x"
    name = "X"
    capabilities = Capabilities(
        reads=frozenset(("mention", "reply", "post")),
        hooks=True,
        replies=True,
        hides=True,
        removes=True,
        longest_reply=weighing.LONGEST,
        counts="x",
        edits=True,
        lookups=True,
        searches=True,
        global_ids=True,
        signs_in=True,
        unit="US$",
        budget_of="month",
        missing={
            "private_replies": "not yet: direct messages of X are not read",
            "likes": "cannot: X took likes from all programs without an Enterprise contract",
            "removes_of_others": "cannot: posts of others can only be hidden",
            "deletions": "cannot: X tells of no deletions of others; they show when a post is looked up",
            "native_idempotency": "cannot: X knows no key for a post",
        },
    )
    asks = (
        Setting("budget", "Budget a month in US$", "number", 20, "Reading stops when it is spent", least=0),
        Setting("poll_seconds", "Seconds between two looks", "number", 180, least=1, most=86_400),
        Setting("owns_app", "The account owns the app", "flag", False, "Then reading its mentions costs a fifth"),
        Setting("counts_authors", "Count authors as read", "flag", True, "X’s price list leaves it open"),
        Setting("threads", "Read whole threads", "flag", False, "Also answers that do not name us, at search prices"),
        Setting("answers_all", "May answer anybody", "flag", False, "Only with an Enterprise contract"),
    )
    secrets = (
        Setting("client_id", "Client ID", help="OAuth 2, from the app’s keys and tokens; then sign in"),
        Setting("client_secret", "Client secret", help="Of the same app"),
        Setting("access_token", "Access token", help="Filled in by signing in; or one of OAuth 1.0a"),
        Setting("access_token_secret", "Access token secret", help="Only with an access token of OAuth 1.0a"),
        Setting("consumer_key", "API key", help="Only with OAuth 1.0a"),
        Setting("consumer_secret", "API key secret", help="With OAuth 1.0a, and for deliveries: X signs with it"),
        Setting("refresh_token", "Refresh token", help="Filled in by signing in"),
    )

    @property
    def offers(self) -> Capabilities:
        """Only a search finds posts that are meant for nobody."""
        mine = self.capabilities.reads if self.query else self.capabilities.reads - {"post"}
        return replace(self.capabilities, reads=mine)

    def length_of(self, text: str) -> int:
        return weighing.length(text)

    @classmethod
    def estimate(cls, settings: Mapping[str, Any]) -> str:
        author = tweets.USER_READ if settings.get("counts_authors", True) else 0
        budget = f"Reading stops at US$ {settings.get('budget', 20):,g} a month."
        if settings.get("query"):
            return f"Each post that is found costs US$ {tweets.POST_READ + author:.3f}: 100 a day are US$ " + (
                f"{3000 * (tweets.POST_READ + author):,.2f} a month. {budget}"
            )
        mention = (tweets.OWNED_READ if settings.get("owns_app") else tweets.POST_READ) + author
        return (
            f"Each mention costs US$ {mention:.3f} to read (20 a day: US$ {600 * mention:,.2f} a month), an answer "
            f"US$ {tweets.WRITE_SUMMONED:.2f}, one with a link US$ {tweets.WRITE_WITH_LINK:.2f}. {budget}"
        )

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        now, meter = datetime.now(UTC), tweets.Meter(cursor.get("paid", {}), self.settings.get("counts_authors", True))
        me, learnt = self._me(meter)
        lists = ("found",) if self.query else ("mentions", "own", *(("threads",) if self._reads_threads else ()))
        lists_of_x = tweetlists.Lists(self._ask, self._signs, self.settings, me, meter, now, cursor.get("own", {}))
        batch = cursors.read(cursor, f"{me.id} {self.query}", lists, lists_of_x.read, known=learnt)
        return replace(batch, cursor=dict(batch.cursor) | {"paid": meter.paid}, used=meter.used)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        me, _ = self._me()
        found: dict[str, Post | None] = {}
        for start in range(0, len(ids), MOST_LOOKED_UP):
            found |= self._as_they_are(list(ids[start : start + MOST_LOOKED_UP]), me)
        return found

    def price(self, doing: Literal["lookup", "act"], number: int = 1) -> float:
        """Whether X counted these today already only a visit's meter knows."""
        author = tweets.USER_READ if self.settings.get("counts_authors", True) else 0
        return number * (tweets.POST_READ + author) if doing == "lookup" else 0

    def _as_they_are(self, ids: list[str], me: tweets.Account) -> dict[str, Post | None]:
        said = self._looked_up(ids)
        told = [each for each in tweets.listed(said) if tweets.version_of(each)]
        last = {tweets.versions(each)[-1] for each in told} - set(ids)
        newer = self._looked_up(sorted(last)) if last else {}
        posts = [*tweets.posts_of(said, me), *tweets.posts_of(newer, me)]
        gone = {str(each.get("resource_id")) for each in tweets.listed(said, "errors") if _is_gone(each)}
        return dict.fromkeys(gone & set(ids)) | {each.id: each for each in posts if isinstance(each, Post)}

    def _looked_up(self, ids: list[str]) -> dict[str, Any]:
        return self._ask(lambda x: x.get_tweets(ids, user_auth=self._signs, **tweets.FIELDS))[0]

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if reply.private or reply.is_direct:
            raise NotAllowed("What was said in private is not answered in public.")
        written = {"text": reply.text, "in_reply_to_tweet_id": reply.in_reply_to}
        said = self._write(lambda x: x.create_tweet(user_auth=self._signs, **written))
        if not (id := tweets.version_of(said.get("data"))):
            raise MaybeSent("X did not say under which id it took the reply.")
        return self._sent(id, self._price(reply.text))

    def _price(self, text: str) -> float:
        if weighing.has_link(text):
            return tweets.WRITE_WITH_LINK
        return tweets.WRITE if self.settings.get("answers_all") else tweets.WRITE_SUMMONED

    def _sent(self, id: str, used: float = 0) -> Sent:
        return Sent(id, tweets.address_of(id, self._handle), tweets.key_of(id), used)

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        me, _ = self._me()
        start = min(since, datetime.now(UTC) - tweetlists.SOON)
        asked = {"start_time": start, "max_results": tweetlists.PAGE, "user_auth": self._signs, **tweets.FIELDS}
        said, _ = self._ask(lambda x: x.get_users_tweets(me.id, **asked))
        for each in tweets.listed(said):
            if tweets.version_of(each) and _answers(each, reply.in_reply_to) and tweets.alike(each, reply.text):
                return self._sent(tweets.versions(each)[0], self._price(reply.text))
        return None

    def hide(self, target: Target, hidden: bool = True) -> None:
        verb = "hide_reply" if hidden else "unhide_reply"
        self._write(lambda x: getattr(x, verb)(target.id, user_auth=self._signs))

    def remove(self, target: Target) -> None:
        try:
            self._write(lambda x: x.delete_tweet(target.id, user_auth=self._signs))
        except rebuffs.NoSuchPost:
            return  # it was deleted before

    # Deliveries ---------------------------------------------------------------------------------------------------

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        signed = {name.lower(): value for name, value in headers.items()}.get("x-twitter-webhooks-signature", "")
        if not hmac.compare_digest(signed.encode(), self._signature(body).encode()):
            raise Forged("the signature does not fit")
        return hashlib.sha256(body).hexdigest()

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        return tweets.delivered(body, bool(self.settings.get("answers_all")), self._handle)

    def handshake(self, params: Mapping[str, str]) -> str:
        if not (token := params.get("crc_token")):
            raise Forged("nothing was asked")
        return json.dumps({"response_token": self._signature(token.encode())})

    def _signature(self, signed: bytes) -> str:
        if not (secret := self.credentials.get("consumer_secret")):
            raise Forged("there is no API key secret to compare with")
        return f"sha256={base64.b64encode(hmac.digest(secret.encode(), signed, 'sha256')).decode()}"

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        me, learnt, answer = self._asked_who()
        granted, missing = oauth.granted(self.credentials.get("scope", "").split(), SCOPES)
        if self._signs and answer.headers.get("x-access-level") == "read":
            missing += ("answer: the access token may only read; make a new one after the app may write",)
        ends = _moment(self.credentials.get("expires_at")) if not self.credentials.get("refresh_token") else None
        return Checked(f"Connected as @{me.handle}.", f"@{me.handle}", granted, missing, ends, learnt)

    def sign_in(self, back: str, state: str) -> SignIn:
        oauth.needed(self.credentials, "client_id")
        verifier, shadow = oauth.proof()
        asked = {"response_type": "code", "client_id": self.credentials["client_id"], "redirect_uri": back}
        asked |= {"scope": " ".join(SCOPES), "state": state, "code_challenge": shadow, "code_challenge_method": "S256"}
        return SignIn(oauth.page(SIGN_IN, **asked), {"verifier": verifier})

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        said = oauth.ask(self._token_door, self._own, self.credentials, **form, code_verifier=keep.get("verifier", ""))
        before = {**self.credentials, "access_token_secret": "", "refresh_token": ""}
        credentials = oauth.credentials_in(said, before)
        me, _, _ = replace(self, credentials=credentials, known={})._asked_who()
        return [Account(f"@{me.handle}", {}, credentials | {"user_id": me.id, "handle": me.handle})]

    def renew(self) -> Mapping[str, str]:
        return oauth.renewed(self._token_door, self._own, self.credentials)

    def _me(self, meter: tweets.Meter | None = None) -> tuple[tweets.Account, Mapping[str, Any] | None]:
        """Our account: as the credentials or X told; what was asked is to be kept. Asking costs as reading a person
        does, and access tokens change every two hours, so it is not asked again for each of them."""
        if told := accounts.told(self, "user_id"):
            return tweets.Account(told["user_id"], told.get("handle", ""), bool(self.settings.get("answers_all"))), None
        me, learnt, _ = self._asked_who()
        if meter:
            meter.used += tweets.USER_READ
        return me, learnt

    def _asked_who(self) -> tuple[tweets.Account, dict[str, Any], http.Answer]:
        said, answer = self._ask(lambda x: x.get_me(user_auth=self._signs))
        user = said.get("data")
        if not tweets.version_of(user) or not isinstance(user.get("username"), str):
            raise MakesNoSense("X does not say whose token this is.")
        learnt = {"user_id": user["id"], "handle": user["username"], "of": accounts.mark(self)}
        return tweets.Account(user["id"], user["username"], bool(self.settings.get("answers_all"))), learnt, answer

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _handle(self) -> str:
        return self.credentials.get("handle") or self.known.get("handle", "")

    @property
    def _reads_threads(self) -> bool:
        return bool(self.settings.get("threads"))

    @property
    def _signs(self) -> bool:
        """Whether requests are signed after OAuth 1.0a."""
        return bool(self.credentials.get("access_token_secret"))

    @property
    def _own(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "base_url")

    @property
    def _token_door(self) -> str:
        return f"{self.settings.get('base_url', API).rstrip('/')}/2/oauth2/token"

    def _ask(self, ask: Callable[[Client], Any]) -> tuple[dict[str, Any], http.Answer]:
        """What X says, and the answer it said it in."""
        with self._client(writing=False) as (client, session):
            said = tweetlists.an_object(ask(client))
            return said, session.answer

    def _write(self, write: Callable[[Client], Any]) -> dict[str, Any]:
        with self._client(writing=True) as (client, _):
            said = write(client)
        return said if isinstance(said, dict) else {}

    @contextmanager
    def _client(self, writing: bool) -> Iterator[tuple[Client, Session]]:
        """The library, asking where the channel's settings say, never waiting and never asking twice."""
        if not (token := self.credentials.get("access_token")):
            raise NotConnected("There is no access token yet.")
        # What is signed names the library's address, so it is asked there.
        base = self.settings.get("base_url") or ("" if self._signs else API)
        session = Session(own=self._own, instead={LIBRARYS: base} if base else {}, writing=writing)
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        keys = {name: self.credentials.get(name) for name in names} if self._signs else {"bearer_token": token}
        client = Client(**keys, return_type=dict, wait_on_rate_limit=False)
        client.session = session
        with session.translating(HTTPException, judge=rebuffs.of_writing if writing else rebuffs.of_reading):
            yield client, session


# X’s answers --------------------------------------------------------------------------------------------------------


def _is_gone(error: Any) -> bool:
    return isinstance(error, dict) and str(error.get("type", "")).endswith("resource-not-found")


def _answers(raw: Any, id: str) -> bool:
    referenced = tweets.listed(raw, "referenced_tweets")
    return any(each.get("type") == "replied_to" and each.get("id") == id for each in referenced)


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
