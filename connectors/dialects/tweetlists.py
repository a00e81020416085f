"""X’s lists of posts, page by page: mentions, our own posts, the threads below them, a search.

X shows the newest first and is told how far back we want it; the library asks for one page at a time.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import http
from connectors.cursors import Entry, Read, Walk, begun_anew
from connectors.dialects import rebuffs, tweets
from connectors.errors import MakesNoSense

OVERLAP = timedelta(minutes=15)
SEARCHED = timedelta(days=7) - timedelta(minutes=1)  # how far back search goes
PAGE = 100
MOST_PAGES = {"mentions": 8, "own": 32}  # 800 mentions, 3,200 posts of our own
MOST_THREADS = 12  # as many as a query of 512 characters names
SOON = timedelta(seconds=30)  # X takes no time that is just now

#: Asks through the library, which is handed to what is to be asked.
Ask = Callable[[Callable[[Any], Any]], tuple[dict[str, Any], http.Answer]]


class Lists:
    """The lists of one visit. `ask` asks through the library and gives what X says and the answer it said it in; `own`
    is what is kept of our own posts."""

    def __init__(
        self,
        ask: Ask,
        signs: bool,
        settings: Mapping[str, Any],
        me: tweets.Account,
        meter: tweets.Meter,
        now: datetime,
        own: Mapping[str, Any],
    ):
        self.ask, self.signs, self.settings, self.me, self.meter, self.now = ask, signs, settings, me, meter, now
        self.roots: list[list[str]] = list(own.get("roots", ()))

    def read(self, name: str, state: Mapping[str, Any]) -> Read:
        """A page of the list of this name."""
        days = self.settings.get("backfill_days", 7)
        walk = Walk(state.get("walk"), now=self.now, days=days, overlap=OVERLAP)
        if name == "threads" and not self.roots:
            return Read([], state, False)
        since = min(max(walk.floor, self._earliest(name)), self.now - SOON)
        try:
            said, answer = self.ask(lambda client: _listed(self._asked(client, name, since, walk.token)))
        except rebuffs.NotTaken:
            if not walk.token:
                raise
            # The token of the next page is too old. The second time it waits for the next look, for each page costs.
            return begun_anew(state, at_once=not state.get("again"))
        return self._page(name, walk, since, said, answer)

    def _page(self, name: str, walk: Walk, since: datetime, said: dict[str, Any], answer: http.Answer) -> Read:
        self.meter.count(said, tweets.OWNED_READ if self._is_owned(name) else tweets.POST_READ)
        read = list(zip(said["data"], tweets.posts_of(said, self.me, name == "mentions"), strict=True))
        entries = [
            Entry(tweets.version_of(raw), tweets.written_at(raw) or since, post)
            for raw, post in read
            if tweets.version_of(raw)
        ]
        following = said["meta"].get("next_token") or ""
        step = walk.step(entries, following, None if following else self._reached(name, walk, since))
        posts = [each.raw for each in step.fresh] + [post for raw, post in read if not tweets.version_of(raw)]
        kept: dict[str, Any] = {"walk": step.state}
        if name == "own":
            self.roots = kept["roots"] = self._with_roots(said)
        return Read(posts, kept, step.more, rebuffs.limits(answer), step.history, step.progress, step.stretch)

    def _asked(self, client: Any, name: str, since: datetime, token: str) -> Any:
        asked = {"start_time": since, "max_results": PAGE, "user_auth": self.signs, **tweets.FIELDS}
        if name == "mentions":
            return client.get_users_mentions(self.me.id, pagination_token=token or None, **asked)
        if name == "own":
            return client.get_users_tweets(self.me.id, exclude=["retweets"], pagination_token=token or None, **asked)
        query = self.settings.get("query", "").strip()
        words = f"({query}) -is:retweet" if name == "found" else self._in_threads()
        return client.search_recent_tweets(words, next_token=token or None, **asked)

    def _in_threads(self) -> str:
        return f"({' OR '.join(f'conversation_id:{id}' for id, _ in self.roots)}) -from:{self.me.id}"

    def _is_owned(self, name: str) -> bool:
        return bool(self.settings.get("owns_app")) and name in ("mentions", "own")

    def _earliest(self, name: str) -> datetime:
        return self.now - SEARCHED if name in ("found", "threads") else datetime.min.replace(tzinfo=UTC)

    def _reached(self, name: str, walk: Walk, since: datetime) -> datetime | None:
        """How far back the list went that has just ended: to where we asked for, unless X gives no more of it."""
        if walk.walk["pages"] + 1 >= MOST_PAGES.get(name, walk.deepest):
            return None
        return since - timedelta(seconds=1) if since <= walk.floor else since

    def _with_roots(self, said: Mapping[str, Any]) -> list[list[str]]:
        """The newest posts with which we began a thread in the last days, with their times."""
        begun = {id: at for id, at in self.roots if datetime.fromisoformat(at) > self.now - SEARCHED}
        for each in said["data"]:
            at = tweets.written_at(each)
            if at and each.get("conversation_id") in tweets.versions(each):
                begun[each["conversation_id"]] = at.isoformat()
        return [[id, at] for id, at in sorted(begun.items(), key=lambda one: one[1])[-MOST_THREADS:]]


def an_object(said: Any) -> dict[str, Any]:
    """What X says, if it is anything at all. Raises MakesNoSense."""
    if not isinstance(said, dict):
        raise MakesNoSense("X did not answer with an object.")
    if "data" not in said and "meta" not in said and "errors" not in said:
        raise MakesNoSense("X’s answer holds nothing that we know.")
    return said


def _listed(said: Any) -> dict[str, Any]:
    """A page, which without a post has no `data`."""
    data, meta = an_object(said).get("data", []), said.get("meta", {})
    if not isinstance(data, list) or not isinstance(meta, dict):
        raise MakesNoSense("X did not answer with a list.")
    return said | {"data": data, "meta": meta}
