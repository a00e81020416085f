"""An Instagram account: comments below its media and their answers, mentions, and messages.

Meta delivers what happens (webhooks), and a slower look closes what deliveries missed. A comment can be answered below
any of our media and an answer stand below any comment, so all comments of what we posted in the last weeks are read,
but only where Instagram counts more or fewer of them than at the last look; once a day everywhere.

Written after Meta's documents of 2026; no call to Meta itself was ever made with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from connectors import accounts, walking
from connectors.contract import (
    Batch,
    Capabilities,
    Outgoing,
    Post,
    Sent,
    Setting,
    Target,
    Unreadable,
)
from connectors.dialects import grants, hub, mediaposts, messenger, refusals
from connectors.dialects.graph import Heard, node
from connectors.dialects.hub import Event, moment
from connectors.dialects.igaccount import LOGIN, PERMISSIONS, InstagramAccount, us_of
from connectors.dialects.messenger import is_message
from connectors.dialects.meta import APP_ID, SECRETS, granted_all, is_direct, newest, objects, page_of, taken
from connectors.errors import (
    MakesNoSense,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotThere,
    Rejected,
    WindowClosed,
)
from connectors.walking import Page, Step

LONGEST, LONGEST_MESSAGE = 2_200, 1_000  # characters, bytes
PRIVATELY = timedelta(days=7)  # after a comment
REPLY = "id,text,timestamp,from,username,hidden,parent_id"
PAGE = 50  # Instagram gives no more comments at once
COMMENT = f"{REPLY},replies.limit({PAGE}){{{REPLY}}}"
MEDIUM = "id,caption,comments_count,media_type,media_url,permalink,timestamp,username"
MOST_LOOKS = 3  # pages, when one of our answers is looked for
FRESH = timedelta(hours=12)  # a round that reaches further back trusts no count

#: What a part is read with, where Instagram refuses it without saying so.
NEEDS = {"media": "basic", "comments": "manage_comments", "answers": "manage_comments", "messages": "manage_messages"}


@dataclass(frozen=True)
class Instagram(InstagramAccount):
    network = "instagram"
    name = "Instagram"
    capabilities = Capabilities(
        reads=frozenset(("comment", "mention", "dm")),
        hooks=True,
        replies=True,
        private_replies=True,
        hides=True,
        removes=True,
        removes_of_others=True,
        longest_reply=LONGEST,
        reply_window=messenger.WINDOW,
        lookups=True,
        global_ids=True,
        signs_in=True,
        missing={
            "likes": "cannot: Instagram lets no program like a comment",
            "edits": "cannot: a comment stays as it was written; an edited message is taken in",
            "deletions": "cannot: Instagram tells of no deleted comment; it shows when the comment is looked up",
            "searches": "not yet: Instagram finds hashtags alone, and does not say who wrote what it finds",
            "native_idempotency": "cannot: Instagram knows no key by which a second try could be told",
        },
    )
    asks = (
        LOGIN,
        APP_ID,
        Setting("account", "Account ID", help="Filled in by signing in"),
        Setting("read_messages", "Read messages", "flag", True, "Needs the permission for messages"),
        Setting("watch_days", "Days to watch a post", "number", 30, "For new comments below it", least=1, most=365),
        Setting("poll_seconds", "Seconds between two looks", "number", 300, least=1, most=86_400),
    )
    heeds = frozenset(("base_url", "allow_private_hosts", "poll_seconds", "backfill_days"))
    secrets = (*SECRETS, PERMISSIONS)

    # Reading ------------------------------------------------------------------------------------------------------

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        parts = ["media", "tags"] + (["messages"] if self._reads_messages else [])
        days, (me, learnt) = self.settings.get("backfill_days", 7), self._me
        cursor = cursor if cursor.get("of") == me["account"] else {"of": me["account"]}
        counts = dict(cursor.get("counts") or {})
        reader = partial(self._step, counts)
        batch = walking.read(cursor, parts, reader, days=days, spare=frozenset(("tags",)))
        # What is written while we look back at first is left to the next round, which then believes no number.
        kept = {} if batch.history else counts
        return replace(batch, cursor=dict(batch.cursor) | {"counts": kept}, known=learnt or batch.known)

    def _step(self, counts: dict[str, Any], step: Step, since: datetime) -> Page:
        try:
            if step.part == "media":
                return self._read_media(step, since, counts)
            return getattr(self, f"_read_{step.part}")(step, since)
        except MissingScope as error:
            raise grants.named(error, (self._scope(NEEDS.get(step.part, "manage_comments")),), self._words) from None

    def _read_media(self, step: Step, since: datetime, counts: dict[str, Any]) -> Page:
        """Our own media, and which of them have other comments than at the last look."""
        heard = self._graph.get(node(self._id, "media"), fields=MEDIUM, limit=PAGE, **step.place)
        page = newest(heard, since, lambda raw: mediaposts.medium(raw, self._us), "timestamp")
        watched = min(since, heard.at - timedelta(days=self.settings.get("watch_days", 30)))
        told = [(raw, moment(raw.get("timestamp"), heard.at)) for raw in objects(heard.said)]
        page.reached, sure = any(at < watched for _, at in told), heard.at - since < FRESH
        page.deeper = [
            Step("comments", str(raw.get("id")))
            for raw, at in told
            if at >= watched and _changed(counts, raw, at, sure)
        ]
        for id in [id for id, (_, at) in counts.items() if at < watched.timestamp()]:
            del counts[id]
        return page

    def _read_comments(self, step: Step, since: datetime) -> Page:
        """The comments below one of our media, with their answers: an answer may be newer than what it answers."""
        heard = self._graph.get(node(step.of, "comments"), fields=COMMENT, limit=PAGE, **step.place)
        page = page_of(heard)
        found = [post for raw in heard.items for post in mediaposts.with_answers(raw, self._us, step.of)]
        page.posts = list(_since(found, since))
        page.deeper = [
            Step("answers", node(step.of, str(raw["id"])), place)
            for raw in objects(heard.said)
            if isinstance(below := raw.get("replies"), dict) and (place := Heard(below).following)
        ]
        return page

    def _read_answers(self, step: Step, since: datetime) -> Page:
        """More answers to one comment than came with it."""
        media, _, comment = step.of.partition("/")
        heard = self._graph.get(node(comment, "replies"), fields=REPLY, limit=PAGE, **step.place)
        page = page_of(heard)
        page.posts = list(_since([mediaposts.comment(raw, self._us, media, comment) for raw in heard.items], since))
        return page

    def _read_tags(self, step: Step, since: datetime) -> Page:
        heard = self._graph.get(node(self._id, "tags"), fields=MEDIUM, limit=PAGE, **step.place)
        return newest(heard, since, lambda raw: mediaposts.tagged(raw, self._us), "timestamp")

    def _read_messages(self, step: Step, since: datetime) -> Page:
        return messenger.page_of(messenger.talks(self._graph, "instagram", step.place), self._us, since)

    def lookup(self, ids: Sequence[str]) -> dict[str, Post | None]:
        """One by one. What can not be seen is called gone only when nothing is missing of what we were granted; a
        mention never, for whoever is blocked by its author sees none either."""
        found: dict[str, Post | None] = {}
        for id in ids:
            mention = bool(mediaposts.mentioned(id))
            try:
                post = self._look_at(id)
            except NotThere:
                found |= {id: None} if not mention and granted_all(self._given, self._needed) else {}
            except MakesNoSense:
                if not mention:
                    raise
            else:
                found |= {id: post} if isinstance(post, Post) else {}
        return found

    def _look_at(self, id: str) -> Post | Unreadable | None:
        if is_message(id):
            raw = self._graph.get(node(id), fields=messenger.MESSAGE).said
            return messenger.post_of(raw, messenger.whom(raw, self._us), self._us.is_me(raw.get("from")))
        if mention := mediaposts.mentioned(id):
            return self._mention(*mention)
        raw = self._graph.get(node(id), fields=f"{REPLY},media{{id}}").said
        return mediaposts.comment(raw, self._us, "")

    def _mention(self, media: str, comment: str) -> Post | Unreadable:
        """What a mention says, which only our own account may read. Raises MakesNoSense where it can not be."""
        what, id, fields = ("comment", comment, REPLY) if comment else ("media", media, MEDIUM)
        asked = f"mentioned_{what}.{what}_id({id}){{{fields}}}"
        raw = self._graph.get(node(self._id), fields=asked).said.get(f"mentioned_{what}")
        if not isinstance(raw, dict):
            raise MakesNoSense("Instagram does not tell what the mention says.")
        return mediaposts.mentioning(raw, self._us, media) if comment else mediaposts.tagged(raw, self._us)

    # Deliveries ---------------------------------------------------------------------------------------------------

    def posts_in(self, body: bytes) -> Iterator[Post | Unreadable]:
        told = accounts.told(self, "account") or self.settings
        ours = us_of(told)
        for event in hub.events_in(body, "instagram"):
            if ours.ids and event.account not in ours.ids:
                continue
            if event.field == "messages":
                yield from messenger.from_event(event)
            elif event.field in ("comments", "live_comments"):
                yield mediaposts.delivered(event, ours)
            elif event.field == "mentions":
                yield from self._delivered_mention(event)

    def _delivered_mention(self, event: Event) -> Iterator[Post | Unreadable]:
        """Where it was said is all that is delivered; what was said has to be asked, and not every app is told. Below
        our own media it is a comment, which is delivered as such."""
        media, comment = (str(event.value.get(each) or "") for each in ("media_id", "comment_id"))
        try:
            if not self._posted(media):
                yield self._mention(media, comment)
        except (MakesNoSense, NotThere, NotAuthorized):
            yield mediaposts.untold(event, media, comment)

    def _posted(self, media: str) -> bool:
        """Whether this is one of our own media: of others Instagram does not tell the owner."""
        try:
            return "owner" in self._graph.get(node(media), fields="owner").said
        except (MakesNoSense, NotThere):
            return False

    # Writing ------------------------------------------------------------------------------------------------------

    def send(self, reply: Outgoing) -> Sent:
        if is_direct(reply) or reply.private:
            return self._send_message(reply)
        if mention := mediaposts.mentioned(reply.in_reply_to):
            where = {"media_id": mention[0], "comment_id": mention[1]}
            said = self._graph.put(
                node(self._id, "mentions"), message=reply.text, **{name: id for name, id in where.items() if id}
            )
        else:
            with refusals.before_writing():
                above, text = self._placed(reply)
            said = self._graph.put(node(above, "replies"), message=text)
        return Sent(taken(said), global_id=str(said["id"]))

    def _placed(self, reply: Outgoing) -> tuple[str, str]:
        """Below which comment an answer belongs, and its words there: an answer to an answer stands below the comment
        above both and begins with whom it is for."""
        about = self._graph.get(node(reply.in_reply_to), fields=REPLY).said
        if about.get("hidden") is True:
            raise NotAllowed(mediaposts.HIDDEN)
        if not (above := str(about.get("parent_id") or "")):
            return reply.in_reply_to, reply.text
        handle = mediaposts.author_of(about)["username"] or (reply.to.handle if reply.to else "")
        named = f"@{handle} {reply.text}"
        return above, named if handle and len(named) <= LONGEST else reply.text

    def _send_message(self, reply: Outgoing) -> Sent:
        if (over := len(reply.text.encode()) - LONGEST_MESSAGE) > 0:
            raise Rejected(f"It is {over:,} bytes too long for a message, which may have {LONGEST_MESSAGE:,}.")
        with refusals.before_writing():
            if is_direct(reply):
                whom = messenger.recipient_of(self._graph, reply, self._us)
            else:
                whom = self._author_of(reply.in_reply_to)
        return messenger.send(self._graph, whom, reply.text)

    def _author_of(self, id: str) -> dict[str, str]:
        """How a private message to who wrote a comment is addressed. Raises NotAllowed, or WindowClosed."""
        if mediaposts.mentioned(id):
            raise NotAllowed("Instagram lets an account answer in private only comments below its own posts.")
        said = self._graph.get(node(id), fields="id,timestamp").said
        if (now := _now()) - moment(said.get("timestamp"), now) > PRIVATELY:
            raise WindowClosed("They commented more than 7 days ago: Instagram takes no private answer any more.")
        return {"comment_id": id}

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        if is_direct(reply) or reply.private:
            return messenger.find(self._graph, "instagram", reply, since, self._us)
        if mention := mediaposts.mentioned(reply.in_reply_to):
            return self._found(self._below_mention(mention[0]), [reply.text], since)
        above, text = self._placed_before(reply)
        place: Mapping[str, str] = {}
        for _ in range(MOST_LOOKS):
            heard = self._graph.get(node(above, "replies"), fields=REPLY, limit=PAGE, **place)
            if found := self._found(objects(heard.said), [reply.text, text], since):
                return found
            if not (place := heard.following):
                break
        return None

    def _placed_before(self, reply: Outgoing) -> tuple[str, str]:
        try:
            return self._placed(reply)
        except NotAllowed:  # hidden since
            return reply.in_reply_to, reply.text

    def _below_mention(self, media: str) -> Iterator[Mapping[str, Any]]:
        """The comments below media that are not ours, with their answers, as far as we may see them."""
        asked = f"mentioned_media.media_id({media}){{comments.limit({PAGE}){{{COMMENT}}}}}"
        said = self._graph.get(node(self._id), fields=asked).said.get("mentioned_media")
        for each in objects(said.get("comments") if isinstance(said, dict) else None):
            yield each
            yield from objects(each.get("replies"))

    def _found(self, told, texts: Sequence[str], since: datetime) -> Sent | None:
        for raw in told:
            ours = self._us.is_me(mediaposts.author_of(raw))
            if ours and any(messenger.is_ours(raw, "text", "timestamp", text, since) for text in texts):
                return Sent(str(raw["id"]), global_id=str(raw["id"]))
        return None

    def hide(self, target: Target, hidden: bool = True) -> None:
        self._graph.put(_own_comment(target, "hides"), hide="true" if hidden else "false")

    def remove(self, target: Target) -> None:
        self._graph.delete(_own_comment(target, "deletes"))


def _changed(counts: dict[str, Any], raw: Mapping[str, Any], at: datetime, sure: bool) -> bool:
    """Whether there are other comments below this than were counted last, and how many there are now."""
    id, number = str(raw.get("id")), raw.get("comments_count")
    before, counts[id] = counts.get(id), [number, at.timestamp()]
    return not sure or number is None or before is None or before[0] != number


def _since(posts: Sequence[Post | Unreadable], since: datetime) -> Iterator[Post | Unreadable]:
    return (each for each in posts if not isinstance(each, Post) or each.created_at >= since)


def _own_comment(target: Target, verb: str) -> str:
    """Raises NotAllowed for what is no comment below a post of ours."""
    if is_message(target.id) or mediaposts.mentioned(target.id):
        raise NotAllowed(f"Instagram {verb} nothing but comments below our own posts.")
    return node(target.id)


def _now() -> datetime:
    return datetime.now(UTC)
