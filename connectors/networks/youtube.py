"""YouTube: the comments below a channel's videos, through Google's own library.

Threads come newest first, by when they were begun: an answer below an old thread shows nowhere but in the thread's
count. So the counts of thirty days are kept, looked at again now and then, and of threads whose count has changed all
answers are read. What YouTube holds back for review is read too.

Each request costs units of a quota that counts anew at midnight Pacific time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Literal

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
from connectors.dialects import comments, google
from connectors.errors import MakesNoSense, MaybeSent, NotAllowed, NotAuthorized, NotConnected

SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
GRANTED = "read, answer, moderate and delete comments"
SIGN_IN = "https://accounts.google.com/o/oauth2/v2/auth"
TOKENS = "https://oauth2.googleapis.com"
PAGE = 100
OVERLAP = timedelta(hours=1)
REMEMBERED = timedelta(days=30)  # how long answers below a thread are looked for
SCAN_EVERY = timedelta(minutes=30)
MOST_THREADS = 1_500
MOST_LOOKED_UP = 50
MOST_LOOKS = 3  # pages of a thread, when one of our answers is looked for
READ, WRITE, A_DAY = 1, 50, 10_000  # units
LONGEST = 10_000


@dataclass(frozen=True)
class YouTube(Connector):
    network = "youtube"
    name = "YouTube"
    capabilities = Capabilities(
        reads=frozenset(("comment", "reply")),
        replies=True,
        hides=True,
        removes=True,
        removes_of_others=True,
        longest_reply=LONGEST,
        edits=True,
        lookups=True,
        global_ids=True,
        signs_in=True,
        unit="units",
        budget_of="day",
        missing={
            "hooks": "cannot: YouTube delivers no news of comments",
            "private_replies": "cannot: YouTube has no direct messages",
            "likes": "cannot: comments can not be liked through its interface",
            "deletions": "cannot: YouTube tells of no deletions; they show when a comment is looked up",
            "searches": "cannot: YouTube searches videos, not what is said below them",
            "native_idempotency": "cannot: YouTube knows no key for a comment",
        },
    )
    asks = (
        Setting("budget", "Units a day", "number", 8_000, "Of the 10,000 that Google gives an app a day", least=0),
        Setting("poll_seconds", "Seconds between two looks", "number", 300, least=1, most=86_400),
        Setting("held", "Read what is held for review", "flag", True, "Comments that only you can see until then"),
    )
    heeds = frozenset(("base_url", "allow_private_hosts", "poll_seconds", "backfill_days"))
    secrets = (
        Setting("client_id", "Client ID", help="Of the app in Google’s console; then sign in"),
        Setting("client_secret", "Client secret", help="Of the same app"),
        Setting("access_token", "Access token", help="Filled in by signing in"),
        Setting("refresh_token", "Refresh token", help="Filled in by signing in"),
    )

    @classmethod
    def estimate(cls, settings: Mapping[str, Any]) -> str:
        lists = 2 if settings.get("held", True) else 1
        looks = 86_400 / max(settings.get("poll_seconds", 300), 1)
        units = looks * lists * READ + timedelta(days=1) / SCAN_EVERY
        return (
            f"About {units:,.0f} of {A_DAY:,} units a day for looking, more with many comments; each answer, each "
            f"hiding and each deletion {WRITE}."
        )

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        me, learnt = self._me()
        pages = _Pages(self, me, datetime.now(UTC), cursor)
        lists = ("threads", *(("held",) if self.settings.get("held", True) else ()), "replies")
        batch = cursors.read(cursor, me, lists, pages.read, known=learnt)
        return replace(batch, used=pages.used + (READ if learnt else 0))

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        me, _ = self._me()
        found: dict[str, Post | None] = {}
        for start in range(0, len(ids), MOST_LOOKED_UP):
            some = list(ids[start : start + MOST_LOOKED_UP])
            asked = {"part": "snippet", "id": ",".join(some), "textFormat": "plainText"}
            said = self._ask(lambda youtube, asked=asked: youtube.comments().list(**asked))
            posts = [comments.as_post(each, me) for each in comments.items(said)]
            found |= dict.fromkeys(comments.gone(some, said))
            found |= {each.id: each for each in posts if isinstance(each, Post)}
        return found

    def price(self, doing: Literal["lookup", "act"], number: int = 1) -> float:
        return READ * ceil(number / MOST_LOOKED_UP) if doing == "lookup" else WRITE * number

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if reply.private or (reply.to and reply.to.visibility == "direct"):
            raise NotAllowed("YouTube has no direct messages.")
        body = {"snippet": {"parentId": comments.thread_of(reply.in_reply_to), "textOriginal": reply.text}}
        said = self._write(lambda youtube: youtube.comments().insert(part="snippet", body=body))
        post = comments.as_post(said, "")
        if not isinstance(post, Post):
            raise MaybeSent("YouTube did not say under which id it took the reply.")
        return Sent(post.id, post.url, post.global_id, WRITE)

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        me, _ = self._me()
        asked = {"part": "snippet", "parentId": comments.thread_of(reply.in_reply_to), "textFormat": "plainText"}
        token = ""
        for _ in range(MOST_LOOKS):
            page = asked | {"maxResults": PAGE, "pageToken": token or None}
            said = self._ask(lambda youtube, page=page: youtube.comments().list(**page))
            for post in (comments.as_post(each, me) for each in comments.items(said)):
                if _is_ours(post, since) and _alike(post.text, reply.text):
                    return Sent(post.id, post.url, post.global_id, WRITE)
            if not (token := comments.following(said)):
                break
        return None

    def hide(self, target: Target, hidden: bool = True) -> None:
        self._moderate(target, "heldForReview" if hidden else "published")

    def remove(self, target: Target) -> None:
        """Our own is deleted. One of others is rejected, which YouTube says is how an owner deletes it."""
        me, _ = self._me()
        if target.author and target.author != me:
            self._moderate(target, "rejected")
        else:
            self._write(lambda youtube: youtube.comments().delete(id=target.id))

    def _moderate(self, target: Target, status: str) -> None:
        asked = {"id": target.id, "moderationStatus": status}
        self._write(lambda youtube: youtube.comments().setModerationStatus(**asked))

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        id, name = self._asked_who()
        scopes = self.credentials.get("scope", "").split()
        missing = (f"{GRANTED} (youtube.force-ssl)",) if scopes and SCOPE not in scopes else ()
        ends = self.credentials.get("signed_in_until")
        sentence = f"Connected as {name}."
        if ends:
            sentence += " Google calls the app “in testing”: after seven days somebody has to sign in again."
        known = {"channel_id": id, "of": accounts.mark(self)}
        return Checked(sentence, name, () if missing else (GRANTED,), missing, _moment(ends) if ends else None, known)

    def sign_in(self, back: str, state: str) -> SignIn:
        oauth.needed(self.credentials, "client_id", "client_secret")
        verifier, shadow = oauth.proof()
        asked = {"response_type": "code", "client_id": self.credentials["client_id"], "redirect_uri": back}
        asked |= {"scope": SCOPE, "state": state, "code_challenge": shadow, "code_challenge_method": "S256"}
        # Only so Google gives a refresh token, and gives it again.
        asked |= {"access_type": "offline", "prompt": "consent"}
        return SignIn(oauth.page(SIGN_IN, **asked), {"verifier": verifier})

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        said = oauth.ask(self._token_door, self._own, self.credentials, **form, code_verifier=keep.get("verifier", ""))
        credentials = oauth.credentials_in(said, self.credentials) | {"signed_in_until": _until(said)}
        id, name = replace(self, credentials=credentials, known={})._asked_who()
        return [Account(name, {}, credentials | {"channel_id": id})]

    def renew(self) -> Mapping[str, str]:
        return oauth.renewed(self._token_door, self._own, self.credentials)

    def _me(self) -> tuple[str, Mapping[str, Any] | None]:
        """The id of our channel; what was asked for it is to be kept."""
        if told := accounts.told(self, "channel_id"):
            return told["channel_id"], None
        id, _ = self._asked_who()
        return id, {"channel_id": id, "of": accounts.mark(self)}

    def _asked_who(self) -> tuple[str, str]:
        said = self._ask(lambda youtube: youtube.channels().list(part="id,snippet", mine=True))
        found = next(iter(comments.items(said)), None)
        if not isinstance(found, dict) or not isinstance(found.get("id"), str):
            raise NotAuthorized("This Google account has no channel on YouTube.")
        name = (found.get("snippet") or {}).get("title")
        return found["id"], name if isinstance(name, str) and name else found["id"]

    # The way there ------------------------------------------------------------------------------------------------

    @property
    def _token_door(self) -> str:
        return f"{self.settings.get('base_url', TOKENS).rstrip('/')}/token"

    @property
    def _own(self) -> frozenset[http.Origin]:
        return http.own_servers(self.settings, "base_url")

    def _ask(self, request: Callable[[Any], Any]) -> dict[str, Any]:
        said = self._http(writing=False).ask(lambda: request(google.service("youtube", "v3")))
        if not isinstance(said, dict):
            raise MakesNoSense("YouTube did not answer with an object.")
        return said

    def _write(self, request: Callable[[Any], Any]) -> Any:
        return self._http(writing=True).ask(lambda: request(google.service("youtube", "v3")))

    def _http(self, writing: bool) -> google.Http:
        if not (token := self.credentials.get("access_token")):
            raise NotConnected("There is no access token yet.")
        return google.Http(token, own=self._own, instead=self.settings.get("base_url", ""), writing=writing)


class _Pages:
    """A visit's pages: of threads, of threads that are held back, and of the answers below those that changed."""

    def __init__(self, youtube: YouTube, me: str, now: datetime, cursor: Mapping[str, Any]):
        self.youtube, self.me, self.now, self.used = youtube, me, now, 0
        kept = cursor if cursor.get("of") == me else {}
        threads = kept.get("threads", {})
        days = youtube.settings.get("backfill_days", 7)
        #: Before this nothing is wanted. Of each thread: how many answers were read, when it began, when it was edited.
        self.born = _moment(threads.get("born") or (now - timedelta(days=days)).isoformat())
        self.counts: dict[str, list] = dict(threads.get("counts", {}))
        self.waiting: list[list[str]] = [list(each) for each in kept.get("replies", {}).get("waiting", ())]
        self.goes_on = False
        #: Whether the answers that are waited for lie below threads that were there before us.
        self.history = bool(kept.get("replies", {}).get("history"))

    def read(self, name: str, state: Mapping[str, Any]) -> Read:
        """A page of the list of this name."""
        if name == "replies":
            return self._replies()
        try:
            return self._threads(state) if name == "threads" else self._held(state)
        except google.NotTaken:
            if "walk" not in state.get("walk", {}):
                raise
            # The token of the next page is too old. The second time it waits for the next look, for each page costs.
            at_once = not state.get("again")
            self.goes_on = self.goes_on or (at_once and name == "threads")
            return cursors.begun_anew(state, at_once=at_once)

    def _threads(self, state: Mapping[str, Any]) -> Read:
        scans = not state.get("scanned") or self.now - _moment(state["scanned"]) >= SCAN_EVERY
        days = max(REMEMBERED / timedelta(days=1), (self.now - self.born) / timedelta(days=1))
        overlap = max(OVERLAP, REMEMBERED if scans else OVERLAP)
        walk = Walk(state.get("walk"), now=self.now, days=days, overlap=overlap)
        scanning = state.get("scanning") if walk.token else scans
        said = self._page("published", walk.token)
        step, posts = self._stepped(walk, said)
        for thread in comments.items(said):
            posts += self._answers_of(thread)
        self.goes_on, self.history = step.more, self.history or step.history
        kept = {"walk": step.state, "born": self.born.isoformat(), "counts": self._counted(), "scanning": scanning}
        kept["scanned"] = self.now.isoformat() if scanning and not step.more else state.get("scanned", "")
        return Read(posts, kept, step.more, None, step.history, step.progress, step.stretch)

    def _held(self, state: Mapping[str, Any]) -> Read:
        days = (self.now - self.born) / timedelta(days=1)
        walk = Walk(state.get("walk"), now=self.now, days=days, overlap=REMEMBERED)
        said = self._page("heldForReview", walk.token)
        step, posts = self._stepped(walk, said)
        return Read(posts, {"walk": step.state}, step.more, None, step.history)

    def _replies(self) -> Read:
        """A page of the answers below one thread."""
        posts: list[Post | Unreadable] = []
        if self.waiting:
            thread, token, video = self.waiting.pop(0)
            asked = {"part": "snippet", "parentId": thread, "maxResults": PAGE, "textFormat": "plainText"}
            said = self._listed(asked, token)
            read = (comments.as_post(each, self.me, video) for each in comments.items(said))
            posts = [each for each in read if self._is_wanted(each)]
            if following := comments.following(said):
                self.waiting.insert(0, [thread, following, video])
        more = bool(self.waiting) or self.goes_on
        return Read(posts, {"waiting": self.waiting, "history": self.history and more}, more, history=self.history)

    def _listed(self, asked: Mapping[str, Any], token: str) -> dict[str, Any]:
        """A page of answers; the first when the token of another is too old."""
        try:
            return self._ask(lambda youtube: youtube.comments().list(**asked, pageToken=token or None))
        except google.NotTaken:
            if not token:
                raise
            return self._listed(asked, "")

    def _page(self, status: str, token: str) -> dict[str, Any]:
        asked = {"part": "snippet,replies", "allThreadsRelatedToChannelId": self.me, "order": "time"}
        asked |= {"maxResults": PAGE, "moderationStatus": status, "textFormat": "plainText"}
        return self._ask(lambda youtube: youtube.commentThreads().list(**asked, pageToken=token or None))

    def _ask(self, request: Callable[[Any], Any]) -> dict[str, Any]:
        self.used += READ
        return self.youtube._ask(request)

    def _stepped(self, walk: Walk, said: Mapping[str, Any]):
        """The walk's next step, and those of the comments that begin a thread that are new or changed."""
        entries, strange = [], []
        for thread in comments.items(said):
            top = comments.top_of(thread)
            post = comments.as_post(top, self.me)
            if isinstance(post, Post):
                entries.append(Entry(f"{post.id}@{comments.edited(post)}", post.created_at, post))
            else:
                strange.append(post)
        step = walk.step(entries, comments.following(said))
        return step, [*strange, *(each.raw for each in step.fresh if self._is_news(each.raw))]

    def _answers_of(self, thread: Any) -> list[Post | Unreadable]:
        """The answers that came along with a thread whose count has changed; when there are more, they are asked
        for."""
        top = comments.as_post(comments.top_of(thread), self.me)
        count, inline = comments.answers_of(thread)
        if not isinstance(top, Post):
            return []
        known = self.counts.get(top.id, [0])[0]
        self.counts[top.id] = [count, top.created_at.isoformat(), comments.edited(top)]
        if count == known:
            return []
        if len(inline) >= count:
            return [each for each in (comments.as_post(one, self.me) for one in inline) if self._is_wanted(each)]
        if all(waiting[0] != top.id for waiting in self.waiting):
            self.waiting.append([top.id, "", comments.video_of(comments.top_of(thread))])
        return []

    def _is_news(self, top: Post) -> bool:
        known = self.counts.get(top.id)
        return self._is_wanted(top) and (known is None or known[2] != comments.edited(top))

    def _is_wanted(self, post: Post | Unreadable) -> bool:
        return isinstance(post, Unreadable) or post.created_at >= self.born

    def _counted(self) -> dict[str, list]:
        recent = {id: each for id, each in self.counts.items() if self.now - _moment(each[1]) < REMEMBERED}
        return dict(sorted(recent.items(), key=lambda one: one[1][1])[-MOST_THREADS:])


def _is_ours(post: Post | Unreadable, since: datetime) -> bool:
    return isinstance(post, Post) and post.direction == "out" and post.created_at >= since


def _alike(one: str, other: str) -> bool:
    return one.split() == other.split()


def _until(said: Mapping[str, Any]) -> str:
    """When somebody has to sign in again, where Google says: it does for apps in testing."""
    seconds = said.get("refresh_token_expires_in")
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat() if isinstance(seconds, int) and seconds else ""


def _moment(said: str) -> datetime:
    return datetime.fromisoformat(said)
