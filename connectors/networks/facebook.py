"""A Facebook Page: comments below its posts, what visitors write on it, posts that tag it, reviews and messages.

Meta delivers what happens (webhooks), and a slower look at the Page closes what deliveries missed: its posts of the
last weeks with what is new below each, for a comment can come below any of them. Written after Meta's documents of
2026; no call to Meta itself was ever made with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connectors import accounts, oauth, walking
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
from connectors.dialects import grants, hub, messenger, pageposts, pages, refusals
from connectors.dialects.graph import Heard, node
from connectors.dialects.hub import moment
from connectors.dialects.messenger import Us, is_message
from connectors.dialects.meta import (
    APP_ID,
    SECRETS,
    MetaConnector,
    granted_all,
    is_direct,
    newest,
    objects,
    page_of,
    taken,
)
from connectors.errors import MakesNoSense, Misconfigured, MissingScope, NotAllowed, NotThere, Rejected, ServerFailed
from connectors.walking import Page, Step

LONGEST, LONGEST_MESSAGE = 8_000, 2_000
WWW = "https://www.facebook.com"
POSTS, FEWER, COMMENTS = 25, 5, 50  # on a page of answers
MOST_LOOKS = 3  # pages, when one of our answers is looked for


@dataclass(frozen=True)
class Facebook(MetaConnector):
    network = "facebook"
    name = "Facebook Page"
    words = pages.SCOPES
    capabilities = Capabilities(
        reads=frozenset(("comment", "mention", "post", "review", "dm")),
        hooks=True,
        replies=True,
        private_replies=True,
        likes=True,
        hides=True,
        removes=True,
        removes_of_others=True,
        longest_reply=LONGEST,
        reply_window=messenger.WINDOW,
        edits=True,
        deletions=True,
        lookups=True,
        global_ids=True,
        signs_in=True,
        missing={
            "searches": "cannot: Facebook ended its search of public posts for programs",
            "native_idempotency": "cannot: Facebook knows no key by which a second try could be told",
        },
    )
    asks = (
        APP_ID,
        Setting("login_configuration", "Login configuration", help="Its ID, only with Facebook Login for Business"),
        Setting("page", "Page ID", help="Filled in by signing in"),
        Setting("read_messages", "Read messages", "flag", True, "Needs the permission pages_messaging"),
        Setting("read_reviews", "Read reviews", "flag", True, "Recommendations of the Page"),
        Setting("watch_days", "Days to watch a post", "number", 30, "For new comments below it", least=1, most=365),
        Setting("poll_seconds", "Seconds between two looks", "number", 300, least=1, most=86_400),
    )
    heeds = frozenset(("base_url", "allow_private_hosts", "poll_seconds", "backfill_days"))
    secrets = SECRETS

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        parts = ["feed", "tagged"]
        parts += ["reviews"] if self.settings.get("read_reviews", True) else []
        parts += ["messages"] if self._reads_messages else []
        days, learnt = self.settings.get("backfill_days", 7), self._me[1]
        batch = walking.read(cursor, parts, self._step, days=days, spare=frozenset(("reviews",)))
        return replace(batch, known=learnt)

    def _step(self, step: Step, since: datetime) -> Page:
        try:
            return getattr(self, f"_read_{step.part}")(step, since)
        except MissingScope as error:
            raise grants.named(error, (pages.NEEDS.get(step.part, pages.NEEDED),), self.words) from None

    def _read_feed(self, step: Step, since: datetime) -> Page:
        """The Page's posts with what is new below each; those of visitors stand among them."""
        heard = self._feed(since, step.place)
        page, times = page_of(heard), [heard.at]
        found: list[Post | Unreadable] = []
        deeper: list[Step] = []
        for raw in heard.items:
            posts, more, at = self._with_comments(raw, since, heard.at)
            found, deeper, times = found + posts, deeper + more, [*times, at]
        watched = heard.at - timedelta(days=self.settings.get("watch_days", 30))
        page.posts, page.deeper = found, deeper
        page.reached = min(times) < min(since, watched)
        return page

    def _feed(self, since: datetime, place: Mapping[str, str]) -> Heard:
        """Facebook fails when it is asked for too much at once; how much that is only it knows."""
        below = f"comments.filter(stream).order(reverse_chronological).since({_seconds(since)})"
        fields = f"{pageposts.POST},{below}.limit({COMMENTS}){{{pageposts.COMMENT}}}"
        try:
            return self._graph.get(node(self._page, "feed"), fields=fields, limit=POSTS, **place)
        except ServerFailed:
            return self._graph.get(node(self._page, "feed"), fields=fields, limit=FEWER, **place)

    def _with_comments(self, raw: Any, since: datetime, now: datetime):
        """A post if it is new, with the new comments that came along; where more of them are; and when it was."""
        if not isinstance(raw, dict):
            return [pageposts.post(raw, self._us)], [], now
        at, id, below = moment(raw.get("created_time"), now), str(raw.get("id") or ""), raw.get("comments")
        posts = [pageposts.post(raw, self._us)] if at >= since else []
        posts += [pageposts.comment(each, self._us, id) for each in objects(below)]
        place = Heard(below).following if isinstance(below, dict) else {}
        return posts, [Step("comments", id, place)] if place else [], at

    def _read_comments(self, step: Step, since: datetime) -> Page:
        """More comments below one post than came with it. All since then are read: Facebook may rank them."""
        heard = self._comments_below(step.of, since, step.place)
        page = page_of(heard)
        page.posts = [pageposts.comment(each, self._us, step.of) for each in heard.items]
        return page

    def _comments_below(self, id: str, since: datetime, place: Mapping[str, str]) -> Heard:
        asked: dict[str, Any] = {"filter": "stream", "order": "reverse_chronological", "since": _seconds(since)}
        return self._graph.get(node(id, "comments"), fields=pageposts.COMMENT, limit=COMMENTS, **asked, **place)

    def _read_tagged(self, step: Step, since: datetime) -> Page:
        heard = self._graph.get(node(self._page, "tagged"), fields=pageposts.POST, limit=POSTS, **step.place)
        return newest(heard, since, lambda raw: pageposts.post(raw, self._us, mention=True))

    def _read_reviews(self, step: Step, since: datetime) -> Page:
        heard = self._graph.get(node(self._page, "ratings"), fields=pageposts.REVIEW, limit=POSTS, **step.place)
        return newest(heard, since, lambda raw: pageposts.review(raw, self._us))

    def _read_messages(self, step: Step, since: datetime) -> Page:
        return messenger.page_of(messenger.talks(self._graph, "messenger", step.place), self._us, since)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """One by one: Graph refuses all of them for one that is gone. Of what we may not see nothing is said."""
        found: dict[str, Post | None] = {}
        for id in ids:
            try:
                post = self._look_at(id)
            except NotThere:
                found |= {id: None} if self._is_gone(id) else {}
            except MissingScope:
                continue
            else:
                found |= {id: post} if isinstance(post, Post) else {}
        return found

    def _is_gone(self, id: str) -> bool:
        """Facebook says the same of what is gone and of what we may not see. It is believed when all was granted, of
        what stands on our Page: a tag elsewhere may be hidden from us."""
        if not granted_all(self._granted, self._needed):
            return False
        if is_message(id) or id.startswith(f"{self._page}_"):
            return True
        try:
            self._graph.get(node(f"{self._page}_{id.partition('_')[0]}"), fields="id")
        except (NotThere, MissingScope):
            return False
        return True

    def _look_at(self, id: str) -> Post | Unreadable | None:
        if is_message(id):
            raw = self._graph.get(node(id), fields=messenger.MESSAGE).said
            return messenger.post_of(raw, messenger.whom(raw, self._us), self._us.is_me(raw.get("from")))
        if "_" not in id:  # a review stands nowhere but in the list of them
            return None
        raw = self._graph.get(node(id), fields=pageposts.EITHER).said
        is_post = id.startswith(f"{self._page}_")
        return pageposts.post(raw, self._us) if is_post else pageposts.comment(raw, self._us)

    # Deliveries ---------------------------------------------------------------------------------------------------

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        """Asks the network nothing; what is about another Page of the same app is its channel's."""
        for event in hub.events_in(body, "page"):
            if self._told in ("", event.account):
                yield from messenger.from_event(event) if event.field == "messages" else pageposts.changed(event)

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        direct = is_direct(reply)
        longest = LONGEST_MESSAGE if direct or reply.private else LONGEST
        if (over := len(reply.text) - longest) > 0:
            raise Rejected(f"It is {over:,} characters too long for Facebook, which takes {longest:,} here.")
        if direct:
            with refusals.before_writing():
                person = messenger.recipient_of(self._graph, reply, self._us)
            return messenger.send(self._graph, person, reply.text)
        if reply.private:
            return messenger.send(self._graph, _author_of(reply), reply.text)
        said = self._graph.put(node(reply.in_reply_to, "comments"), message=reply.text, fields="id,permalink_url")
        return _sent(taken(said), said)

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        """A comment stands below what it answers; one that answers an answer stands beside that."""
        if reply.private or is_direct(reply):
            return messenger.find(self._graph, "messenger", reply, since, self._us)
        if found := self._find_below(reply.in_reply_to, reply.text, since):
            return found
        if not reply.to or reply.to.kind != "comment":
            return None
        above = pageposts.above(self._graph.get(node(reply.in_reply_to), fields="parent{id}").said)
        return self._find_below(above, reply.text, since) if above else None

    def _find_below(self, id: str, text: str, since: datetime) -> Sent | None:
        place: Mapping[str, str] = {}
        for _ in range(MOST_LOOKS):
            heard = self._comments_below(id, since, place)
            for raw in objects(heard.said):
                is_there = self._us.is_me(raw.get("from")) and pageposts.above(raw) in ("", id)
                if is_there and messenger.is_ours(raw, "message", "created_time", text, since):
                    return _sent(str(raw["id"]), raw)
            if not (place := heard.following):
                break
        return None

    def like(self, target: Target) -> None:
        if is_message(target.id):
            raise NotAllowed("Facebook lets no program like a message.")
        self._graph.put(node(target.id, "likes"))

    def hide(self, target: Target, hidden: bool = True) -> None:
        if target.kind not in ("comment", ""):
            raise NotAllowed("Facebook hides nothing but comments.")
        self._graph.put(node(target.id), is_hidden="true" if hidden else "false")

    def remove(self, target: Target) -> None:
        if is_message(target.id):
            raise NotAllowed("Facebook lets no program delete a message.")
        try:
            self._graph.delete(node(target.id))
        except Rejected:
            if self.lookup([target.id]).get(target.id, target):
                raise

    # Connecting ---------------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        id, name = self._asked_who()
        given, app = self._granted, str(self.settings.get("app_id") or "")
        granted, missing = grants.told(given, self._needed, self.words)
        if lacking := pages.not_delivered(self._graph, self._page, app, self._wanted):
            missing += (f"have Facebook deliver {', '.join(lacking)}: connect the channel again (subscribed_apps)",)
        sentence = f"Connected as {name}." + ("" if given else " What was granted, Facebook did not say.")
        if not (self._secret and self.credentials.get("verify_token")):
            sentence += " Deliveries are refused until app secret and verify token are entered."
        known = {"page": id, "of": accounts.mark(self)}
        return Checked(sentence, name, granted, missing, given.ends if given else None, known)

    def connected(self) -> None:
        """Facebook delivers nothing of a Page before it is told to. Asked twice it is the same."""
        try:
            self._graph.ask(node(self._page, "subscribed_apps"), subscribed_fields=",".join(self._wanted))
        except MissingScope as error:
            raise grants.named(error, ("pages_manage_metadata",), self.words) from None

    def sign_in(self, back: str, state: str) -> SignIn:
        asked = {"client_id": self._app_id, "redirect_uri": back, "state": state, "response_type": "code"}
        if configuration := self.settings.get("login_configuration"):
            asked |= {"config_id": configuration}
        else:
            asked |= {"scope": ",".join(self._needed), "auth_type": "rerequest"}
        return SignIn(oauth.page(f"{WWW}/{self.version}/dialog/oauth", **asked))

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        """Each Page with a token of its own. Those that a long-lived token of the person gives have no end; what ends
        is Meta's permission to use them, which is asked of one, for it is the same for all."""
        found = pages.managed(self._graph_with("", self._secret), self._app_id, code, back)
        ends = grants.inspect(self._app, found[0]["access_token"]).ends
        return [pages.account(each, ends) for each in found]

    # Who we are ---------------------------------------------------------------------------------------------------

    @property
    def _reads_messages(self) -> bool:
        return bool(self.settings.get("read_messages", True))

    @property
    def _needed(self) -> dict[str, str]:
        return pages.needed(self._reads_messages)

    @property
    def _wanted(self) -> tuple[str, ...]:
        return pages.wanted(self._reads_messages)

    @property
    def _told(self) -> str:
        """The Page's id, if it was told."""
        told = accounts.told(self, "page")
        return str(self.settings.get("page") or (told or {}).get("page", ""))

    @cached_property
    def _me(self) -> tuple[str, Mapping[str, Any] | None]:
        """The Page's id; what was asked for it is to be kept."""
        if self._told:
            return self._told, None
        id, _ = self._asked_who()
        return id, {"page": id, "of": accounts.mark(self)}

    @property
    def _page(self) -> str:
        return self._me[0]

    @property
    def _us(self) -> Us:
        return Us(frozenset((self._page,)))

    def _asked_who(self) -> tuple[str, str]:
        """Whose token it is. Raises Misconfigured when it is not the Page's."""
        said = self._graph.get("me", fields="id,name").said
        if not isinstance(id := said.get("id"), str) or not id:
            raise MakesNoSense("Facebook does not say whose token this is.")
        if (wanted := self.settings.get("page")) and wanted != id:
            raise Misconfigured("The access token is not that of this Page: sign in and choose it.")
        return id, str(said.get("name") or id)


def _author_of(reply: Outgoing) -> dict[str, str]:
    """How a private message to who wrote this is addressed. Raises NotAllowed."""
    kind = reply.to.kind if reply.to else "comment"
    if kind not in ("comment", "post"):
        raise NotAllowed("Facebook lets a Page answer in private only comments and posts that stand on it.")
    return {f"{kind}_id": reply.in_reply_to}


def _sent(id: str, said: Mapping[str, Any]) -> Sent:
    return Sent(id, str(said.get("permalink_url") or f"{WWW}/{id}"), id)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
