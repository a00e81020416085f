"""A Facebook Page: comments below its posts, what visitors write on it, posts that tag it, reviews and messages.

Meta delivers what happens (webhooks), and a slower look at the Page closes what deliveries missed. Written after Meta's
documents of 2026; it has never been tried against Meta itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from connectors import grants, hub, messenger, refusals, walking
from connectors.contract import (
    Account,
    Batch,
    Capabilities,
    Checked,
    Outgoing,
    Post,
    Sent,
    Setting,
    SignIn,
    Target,
    Unreadable,
)
from connectors.errors import MissingScope, NotAllowed, NotThere, Rejected
from connectors.graph import Heard, node
from connectors.hub import Event, moment
from connectors.messenger import Us
from connectors.meta import APP_ID, SECRETS, MetaConnector, is_direct, made, newest, objects, page_of, taken
from connectors.walking import Page, Step

WWW = "https://www.facebook.com"
LONGEST_MESSAGE = 2_000
COMMENT = "id,message,created_time,from,parent{id},permalink_url,attachment{type,url,media},can_comment"
POST = "id,message,story,created_time,from,permalink_url,full_picture"
REVIEW = "reviewer{id,name},created_time,rating,review_text,recommendation_type,open_graph_story{id}"
POSTS, COMMENTS = 25, 50  # on a page
DELIVERED = ("feed", "mention", "ratings", "messages", "message_echoes")
CHANGES = {"add": False, "edit": True, "edited": True, "remove": False}  # verbs, and whether they tell of an edit
WRITTEN = frozenset(("post", "status", "photo", "video", "share"))
RECOMMENDED = {"positive": (5, "Recommends the Page"), "negative": (1, "Does not recommend the Page")}


@dataclass(frozen=True)
class Facebook(MetaConnector):
    network = "facebook"
    name = "Facebook Page"
    capabilities = Capabilities(
        reads=frozenset(("comment", "mention", "post", "review", "dm")),
        hooks=True,
        replies=True,
        private_replies=True,
        likes=True,
        hides=True,
        removes=True,
        removes_of_others=True,
        longest_reply=8_000,
        reply_window=messenger.WINDOW,
        edits=True,
        deletions=True,
        lookups=True,
        global_ids=True,
        signs_in=True,
        missing={
            "searches": "cannot: Facebook has ended its search of public posts by programs",
            "native_idempotency": "cannot: Facebook knows no key by which a second try could be told",
        },
    )
    asks = (
        APP_ID,
        Setting("page", "Page ID", help="Filled in by signing in"),
        Setting("read_messages", "Read messages", "flag", True, "Needs the permission pages_messaging"),
        Setting("read_reviews", "Read reviews", "flag", True, "Recommendations of the Page"),
        Setting("watch_days", "Days to watch a post", "number", 30, "For new comments", least=1, most=365),
        Setting("poll_seconds", "Seconds between two looks", "number", 300, least=1, most=86_400),
    )
    heeds = frozenset(("base_url", "allow_private_hosts", "poll_seconds", "backfill_days"))
    secrets = SECRETS
    words = {
        "pages_show_list": "find the Page",
        "pages_manage_metadata": "be told by Facebook at once",
        "pages_read_engagement": "read the Page’s own posts",
        "pages_read_user_content": "read comments, visitors’ posts and reviews",
        "pages_manage_engagement": "answer, like, hide and remove comments",
        "pages_messaging": "read and answer messages",
    }

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        parts = ["feed", "tagged"]
        parts += ["reviews"] if self.settings.get("read_reviews", True) else []
        parts += ["messages"] if self._reads_messages else []
        days, us = self.settings.get("backfill_days", 7), self._us
        batch = walking.read(cursor, parts, self._step, days=days, spare=frozenset(("reviews",)))
        return batch if self.known.get("account") in us.ids else replace(batch, known={"account": self._page})

    def _step(self, step: Step, since: datetime) -> Page:
        try:
            return getattr(self, f"_read_{step.part}")(step, since)
        except MissingScope as error:
            needed = "pages_messaging" if step.part == "messages" else "pages_read_user_content"
            raise grants.named(error, [needed], self.words) from None

    def _read_feed(self, step: Step, since: datetime) -> Page:
        """The Page's posts with what is new below each; those of visitors stand among them."""
        below = f"comments.filter(stream).order(reverse_chronological).since({int(since.timestamp())})"
        fields = f"{POST},{below}.limit({COMMENTS}){{{COMMENT}}}"
        heard = self._graph.get(node(self._page, "feed"), fields=fields, limit=POSTS, **step.place)
        page = newest(heard, since, self._post)
        for raw in objects(heard.items):
            id, comments = str(raw.get("id") or ""), raw.get("comments")
            page.posts = [*page.posts, *(self._comment(each, id) for each in objects(comments))]
            if isinstance(comments, dict) and (place := Heard(comments).following):
                page.deeper = [*page.deeper, Step("comments", id, place)]
        # Further back than is new, for a post of last week may have a comment of today.
        watched = min(since, heard.at - timedelta(days=self.settings.get("watch_days", 30)))
        page.reached = any(moment(raw.get("created_time"), heard.at) < watched for raw in objects(heard.items))
        return page

    def _read_comments(self, step: Step, since: datetime) -> Page:
        """More comments below one post than came with it. All since then are read: Facebook may rank them."""
        asked = {"filter": "stream", "order": "reverse_chronological", "since": int(since.timestamp())}
        edge = node(step.of, "comments")
        heard = self._graph.get(edge, fields=COMMENT, limit=COMMENTS, **asked | dict(step.place))
        page = page_of(heard)
        page.posts = [self._comment(each, step.of) for each in objects(heard.items)]
        return page

    def _read_tagged(self, step: Step, since: datetime) -> Page:
        heard = self._graph.get(node(self._page, "tagged"), fields=POST, limit=POSTS, **step.place)
        return newest(heard, since, self._mention)

    def _read_reviews(self, step: Step, since: datetime) -> Page:
        heard = self._graph.get(node(self._page, "ratings"), fields=REVIEW, limit=POSTS, **step.place)
        return newest(heard, since, self._review)

    def _read_messages(self, step: Step, since: datetime) -> Page:
        return messenger.page_of(messenger.talks(self._graph, "messenger", step.place), self._us, since)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """One by one, for Graph refuses all of them for one that is gone. What can not be seen is called gone only when
        nothing is missing of what we were granted: Facebook says the same of both."""
        found: dict[str, Post | None] = {}
        for id in ids:
            try:
                post = self._look_at(id)
            except NotThere:
                if self._granted and not self._granted.missing(self._wanted):
                    found[id] = None
            else:
                found |= {id: post} if isinstance(post, Post) else {}
        return found

    def _look_at(self, id: str) -> Post | Unreadable | None:
        if messenger.is_message(id):
            raw = self._graph.get(node(id), fields=messenger.MESSAGE).said
            return messenger.post_of(raw, messenger.whom(raw, self._us), self._us.is_me(raw.get("from")))
        if "_" not in id:  # a review stands nowhere but in the list of them
            return None
        raw = self._graph.get(node(id), fields="id,message,created_time,from,permalink_url").said
        return self._post(raw) if id.startswith(f"{self._page}_") else self._comment(raw, "")

    # One thing as a post ------------------------------------------------------------------------------------------

    def _comment(self, raw: Mapping[str, Any], post: str) -> Post | Unreadable:
        parent = raw.get("parent") if isinstance(raw.get("parent"), dict) else {}
        attached = raw.get("attachment") if isinstance(raw.get("attachment"), dict) else {}
        media = [{"url": str(attached["url"]), "type": str(attached.get("type"))}] if attached.get("url") else []
        closed = "Facebook takes no answer to this comment." if raw.get("can_comment") is False else ""
        answered = str(parent.get("id") or post) or None
        facts = {"in_reply_to": answered, "thread": post or None, "media": media, "reply_closed": closed}
        return made(raw, self._us, kind="comment", **facts)

    def _post(self, raw: Mapping[str, Any]) -> Post | Unreadable:
        picture = raw.get("full_picture")
        media = [{"url": str(picture), "type": "image"}] if picture else []
        return made(raw, self._us, kind="post", text=raw.get("message") or raw.get("story") or "", media=media)

    def _mention(self, raw: Mapping[str, Any]) -> Post | Unreadable:
        post = self._post(raw)
        return replace(post, kind="mention") if isinstance(post, Post) and post.direction == "in" else post

    def _review(self, raw: Mapping[str, Any]) -> Post | Unreadable:
        """Recommendations took the place of stars; who recommends gave five of them."""
        story = raw.get("open_graph_story") if isinstance(raw.get("open_graph_story"), dict) else {}
        stars, title = RECOMMENDED.get(str(raw.get("recommendation_type") or "").lower(), (None, ""))
        facts = {"text": raw.get("review_text") or "", "rating": raw.get("rating") or stars, "title": title}
        return made({**raw, "id": story.get("id"), "from": raw.get("reviewer")}, self._us, kind="review", **facts)

    # Deliveries ---------------------------------------------------------------------------------------------------

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        for event in hub.events_in(body, "page"):
            if self.settings.get("page") in (None, "", event.account):
                yield from messenger.from_event(event) if event.field == "messages" else self._changed(event)

    def _changed(self, event: Event) -> Iterator[Post | Unreadable]:
        """What a change of the Page brought. Likes, hiding and what is not published bring nothing."""
        value, item = event.value, event.value.get("item")
        if event.field not in ("feed", "mention", "ratings") or value.get("verb") not in CHANGES:
            return
        kind, id = "mention" if event.field == "mention" else "post", value.get("post_id")
        if item in ("comment", "rating"):
            kind, id = ("comment", value.get("comment_id")) if item == "comment" else ("review", _story(value))
        if id and (item in WRITTEN or kind in ("comment", "review")) and value.get("published") != 0:
            yield self._delivered(event, kind, str(id))

    def _delivered(self, event: Event, kind: str, id: str) -> Post | Unreadable:
        value, us = event.value, Us(frozenset((event.account,)))
        removed, at = value["verb"] == "remove", moment(event.value.get("created_time"), event.at)
        raw = {"id": id, "created_time": at.isoformat(), "from": _who(value), "message": value.get("message")}
        media = list(_media(value))
        if not removed and kind != "review" and not value.get("message") and not media:
            return self._asked(kind, id)
        facts: dict[str, Any] = {"kind": kind, "deleted": removed, "media": [] if removed else media}
        if kind == "comment":
            facts |= {"thread": value.get("post_id"), "in_reply_to": value.get("parent_id") or value.get("post_id")}
        if kind == "review":
            stars, title = RECOMMENDED.get(str(value.get("recommendation_type") or "").lower(), (None, ""))
            facts |= {"text": value.get("review_text") or "", "rating": value.get("rating") or stars, "title": title}
        if CHANGES[value["verb"]]:
            facts["edited_at"] = event.at.isoformat()
        return made(raw, us, **facts | ({"text": "", "title": "", "author": None} if removed else {}))

    def _asked(self, kind: str, id: str) -> Post | Unreadable:
        """Facebook delivers of some only that they are there."""
        if kind == "comment":
            return self._comment(self._graph.get(node(id), fields=COMMENT).said, id.partition("_")[0])
        return (self._mention if kind == "mention" else self._post)(self._graph.get(node(id), fields=POST).said)

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if is_direct(reply) or reply.private:
            return messenger.send(self._graph, self._recipient(reply), reply.text)
        if too_long := self.too_long(reply.text):
            raise Rejected(too_long)
        said = self._graph.put(node(reply.in_reply_to, "comments"), message=reply.text, fields="id,permalink_url")
        id = taken(said)
        return Sent(id, str(said.get("permalink_url") or f"{WWW}/{id}"), id)

    def _recipient(self, reply: Outgoing) -> dict[str, str]:
        """Whom a message goes to: who wrote the message, or privately who wrote the comment or post."""
        if (over := len(reply.text) - LONGEST_MESSAGE) > 0:
            raise Rejected(f"It is {over:,} characters too long for a message, which takes {LONGEST_MESSAGE:,}.")
        if is_direct(reply):
            with refusals.before_writing():
                return messenger.recipient_of(self._graph, reply, self._us)
        kind = reply.to.kind if reply.to else "comment"
        if kind == "review":
            raise NotAllowed("Facebook does not allow a private answer to a review.")
        return {"post_id" if kind in ("post", "mention") else "comment_id": reply.in_reply_to}

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        if is_direct(reply) or reply.private:
            return messenger.find(self._graph, "messenger", reply, since, self._us)
        return self._find_below(reply.in_reply_to, reply.text, since) or self._find_beside(reply, since)

    def _find_below(self, id: str, text: str, since: datetime) -> Sent | None:
        asked = {"filter": "stream", "order": "reverse_chronological", "limit": 100}
        heard = self._graph.get(node(id, "comments"), fields="id,message,created_time,from,permalink_url", **asked)
        for raw in objects(heard.items):
            if self._us.is_me(raw.get("from")) and messenger.is_ours(raw, "message", "created_time", text, since):
                return Sent(str(raw["id"]), str(raw.get("permalink_url") or ""), str(raw["id"]))
        return None

    def _find_beside(self, reply: Outgoing, since: datetime) -> Sent | None:
        """An answer to an answer hangs below the same comment as that."""
        try:
            parent = self._graph.get(node(reply.in_reply_to), fields="id,parent{id}").said.get("parent")
        except NotThere:
            return None
        return self._find_below(str(parent["id"]), reply.text, since) if isinstance(parent, dict) else None

    def like(self, target: Target) -> None:
        self._graph.put(node(target.id, "likes"))

    def hide(self, target: Target, hidden: bool = True) -> None:
        self._graph.put(node(target.id), is_hidden="true" if hidden else "false")

    def remove(self, target: Target) -> None:
        self._graph.delete(node(target.id))

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        page = self._graph.get(node(self.settings.get("page") or "me"), fields="id,name").said
        name, given = str(page.get("name") or page.get("id")), self._granted
        missing = list(grants.in_words(given.missing(self._wanted), self.words)) if given else []
        if not self._is_delivered_to:
            missing.append("be told by Facebook at once: the Page does not deliver to this app; connect it again")
        sentence = f"Connected as the Page {name}." if given else f"Connected as the Page {name}; what it may do is not known."
        return Checked(
            sentence,
            name,
            tuple(sorted(given.scopes)) if given else (),
            tuple(missing),
            given.ends if given else None,
            {"account": str(page.get("id"))},
        )

    @property
    def _is_delivered_to(self) -> bool:
        """Whether the Page delivers to our app: forgotten, nothing would ever arrive."""
        apps = list(objects(self._graph.get(node(self._page, "subscribed_apps")).items))
        ours = self.settings.get("app_id")
        return any(not ours or str(each.get("id")) == str(ours) for each in apps)

    def connected(self) -> None:
        self._graph.ask(node(self._page, "subscribed_apps"), subscribed_fields=",".join(self._delivered_fields))

    @property
    def _delivered_fields(self) -> list[str]:
        return [each for each in DELIVERED if self._reads_messages or not each.startswith("message")]

    def sign_in(self, back: str, state: str) -> SignIn:
        asked = {"client_id": self._app_id, "redirect_uri": back, "state": state, "scope": ",".join(self._wanted)}
        return SignIn(f"{self._at(WWW)}/{self.version}/dialog/oauth?{urlencode(asked)}")

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> list[Account]:
        """Each Page of the person who signed in. A Page's token has no end as long as it was asked for with one of theirs
        that lives long, so the short one is exchanged first."""
        app = {"client_id": self._app_id, "client_secret": self._secret}
        bare = self._graph_with("")
        short = _token(bare.ask("oauth/access_token", code=code, redirect_uri=back, **app))
        exchange = {"grant_type": "fb_exchange_token", "fb_exchange_token": short}
        person = self._graph_with(_token(bare.ask("oauth/access_token", **exchange, **app)), self._secret)
        found, place = [], {}
        while True:
            heard = person.get("me/accounts", fields="id,name,access_token", limit=100, **place)
            found += [self._account(each) for each in objects(heard.items) if each.get("access_token")]
            if not (place := heard.following) or len(found) > 1_000:
                return found

    def _account(self, page: Mapping[str, Any]) -> Account:
        kept = {**self.credentials, "access_token": str(page["access_token"])}
        return Account(str(page.get("name") or page.get("id")), {"page": str(page.get("id"))}, kept)

    # Who we are ---------------------------------------------------------------------------------------------------

    @property
    def _reads_messages(self) -> bool:
        return bool(self.settings.get("read_messages", True))

    @property
    def _wanted(self) -> dict[str, str]:
        return {one: what for one, what in self.words.items() if self._reads_messages or one != "pages_messaging"}

    @cached_property
    def _page(self) -> str:
        """The Page's id: as set, as known, or asked for."""
        known = self.settings.get("page") or self.known.get("account")
        return str(known or self._graph.get("me", fields="id").said.get("id") or "me")

    @property
    def _us(self) -> Us:
        return Us(frozenset((self._page,)))


def _token(heard: Heard) -> str:
    return str(heard.said.get("access_token") or "")


def _story(value: Mapping[str, Any]) -> Any:
    return value.get("open_graph_story_id")


def _who(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who did it; older deliveries tell it in other words."""
    if isinstance(value.get("from"), dict):
        return value["from"]
    id, name = value.get("sender_id") or value.get("reviewer_id"), value.get("sender_name") or value.get("reviewer_name")
    return {"id": id, "name": name}


def _media(value: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    photos = value.get("photos") if isinstance(value.get("photos"), list) else []
    for url in (value.get("photo"), *photos):
        if isinstance(url, str):
            yield {"url": url, "type": "image"}
    if isinstance(link := value.get("video") or value.get("link"), str):
        yield {"url": link, "type": str(value.get("item"))}
