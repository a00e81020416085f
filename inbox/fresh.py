"""Posts that nobody had before: their people, their conversations, their messages, and what they mean for the items
that lie there already.

Every table is read once and written once for a page, however many posts there are, and in rows (`departments.rows`):
nobody asks for their instances afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from uuid import UUID

from connectors.contract import Author, Post
from connectors.models import Channel
from departments import bell, rows
from departments.audit import entry
from departments.audit import keep as keep_entries
from inbox import lifecycle, threads
from inbox.indexing import index_new
from inbox.keys import ref_of
from inbox.models import Contact, Conversation, Identity, Message, QueueItem, Sighting
from inbox.row import SHOWN, shown, sort
from inbox.threads import Told

#: What a network says of a person.
_FACE = ("handle", "name", "followers", "verified", "avatar_url")
_SPOKEN = ("last_message_at", "last_in_at", "last_out_at")
#: What a new message may change of an item, besides what the list shows.
_LIVING = (
    "status",
    "resolution",
    "unread",
    "waiting_since",
    "due_at",
    "sort_at",
    "snoozed_until",
    "resolved_at",
    "version",
)


@dataclass(slots=True)
class _Talk:
    """What new posts have to know of a conversation, stored or about to be."""

    id: UUID | str
    last_message_at: datetime
    last_in_at: datetime | None = None
    last_out_at: datetime | None = None
    is_new: bool = False

    def hear(self, direction: str, at: datetime) -> None:
        """Something was said at this time, by them or by us."""
        if direction == "in":
            self.last_in_at = max(self.last_in_at or at, at)
        else:
            self.last_out_at = max(self.last_out_at or at, at)
        self.last_message_at = max(self.last_message_at, at)


class Fresh:
    """A page's new posts, the oldest first. `page` holds all posts of the page by the network's id, `keys` the key of
    each."""

    def __init__(
        self,
        channel: Channel,
        posts: Sequence[Post],
        *,
        page: Mapping[str, Post],
        keys: Mapping[str, str],
        now: datetime,
        history: bool,
    ):
        self.channel, self.posts, self.page, self.keys = channel, posts, page, keys
        self.now, self.history = now, history
        self.own = ref_of(channel, "")  # how posts of this channel are named begins with it
        in_order = sorted((post.id for post in posts), key=self.keys.__getitem__)  # as they are stored
        self.ids = dict(zip(in_order, rows.new_ids(len(posts)), strict=True))
        self.at = {post.id: min(post.created_at, now) for post in posts}  # a clock may run ahead elsewhere

    def take_in(self) -> int:
        """Store them, inside the caller's transaction; how many messages they became."""
        self._greet()
        self._open_conversations()
        self._keep()
        self._touch()
        threads.adopt_orphans({f"{self.own}{post.id}": post for post in self.posts}, self._told)
        return len(self.posts)

    # People -------------------------------------------------------------------------------------------------------
    def _greet(self) -> None:
        """Know each author: a new identity has a contact of its own until somebody says that two are one person."""
        authors = {post.author.id: post.author for post in self.posts if post.author and not post.deleted}
        known = self._people(authors)
        new = self._strangers([author for id, author in authors.items() if id not in known])
        contacts = [{"id": each["contact_id"], "name": each["name"] or each["handle"]} for each in new.values()]
        rows.insert(Contact, contacts)
        rows.insert(Identity, list(new.values()), same={"network": self.channel.network})
        rows.update(Identity, [face for id, each in known.items() if (face := _new_face(each, authors[id]))])
        self.people = known | new

    def _people(self, authors: Mapping[str, Author]) -> dict[str, dict]:
        found = Identity.objects.filter(network=self.channel.network, external_id__among=authors)
        names = ("external_id", "id", *_FACE)
        return {row[0]: dict(zip(names, row, strict=True)) for row in found.order_by("id").values_list(*names)}

    def _strangers(self, authors: Sequence[Author]) -> dict[str, dict]:
        ids, contacts = rows.new_ids(len(authors)), rows.new_ids(len(authors))
        named = zip(ids, contacts, authors, strict=True)
        return {
            author.id: {"id": id, "contact_id": contact, "external_id": author.id, **_face(author)}
            for id, contact, author in named
        }

    def _person(self, post: Post) -> dict | None:
        return self.people.get(post.author.id) if post.author and not post.deleted else None

    # Conversations ------------------------------------------------------------------------------------------------
    @cached_property
    def known(self) -> dict[str, Told]:
        """The messages that we have of those that these posts answer or belong to, by the network's id."""
        named = {each for post in self.posts for each in (post.in_reply_to, post.thread) if each}
        if not named:
            return {}
        refs = {f"{self.own}{each}": each for each in named}
        # Read one by one from the index, not joined: while a big import runs, the planner's idea of these tables is
        # old, and a join of thousands with the wrong plan takes minutes.
        of_our_own = Message.objects.filter(key__among=refs).values_list("key", *Told._fields)
        sighted = Sighting.objects.filter(channel=self.channel, external_id__among=named)
        ids = dict(sighted.values_list("external_id", "message_id"))
        seen = {row[0]: Told(*row) for row in Message.objects.filter(pk__among=ids.values()).values_list(*Told._fields)}
        return {refs[key]: Told(*told) for key, *told in of_our_own} | {id: seen[pk] for id, pk in ids.items()}

    def _open_conversations(self) -> None:
        """Find or begin the conversation of each post; an old resolved one gives its place to a new one."""
        self.roots = {post.id: threads.root_of(post, self.page, self.known) for post in self.posts}
        keys = {post.id: threads.thread_key(post, self.roots[post.id]) for post in self.posts}
        found = self._running(keys)
        continued = self._continued({talk.id: talk for talk in found.values()})
        self.talk_of: dict[str, _Talk] = {}
        begun: dict[str, tuple[_Talk, Post]] = {}
        ids = iter(rows.new_ids(len(self.posts)))
        for post in self.posts:
            talk, key = continued.get(post.id) or self._follows(post), keys[post.id]
            if talk is None and key not in found:
                found[key] = _Talk(next(ids), self.at[post.id], is_new=True)
                begun[key] = found[key], post
            self.talk_of[post.id] = talk or found[key]
            self.talk_of[post.id].hear(post.direction, self.at[post.id])
        self._begin(begun)

    def _running(self, keys: Mapping[str, str]) -> dict[str, _Talk]:
        """Conversations by their keys, without those that were done with long ago."""
        stored = Conversation.objects.filter(channel=self.channel, merged_into=None)
        stored = stored.filter(thread_key__among=set(keys.values())).values_list("thread_key", "id", *_SPOKEN)
        found = {key: _Talk(*told) for key, *told in stored}
        return self._without_finished(found, keys) if found else found

    def _without_finished(self, found: dict[str, _Talk], keys: Mapping[str, str]) -> dict[str, _Talk]:
        talks = [each.id for each in found.values()]
        leads = QueueItem.objects.filter(conversation__among=talks, lead=True, status=QueueItem.Status.RESOLVED)
        by_talk = {item.conversation_id: item for item in leads}
        newest: dict[str, datetime] = {}
        for post in self.posts:
            if post.direction == "in":
                newest[keys[post.id]] = max(post.created_at, newest.get(keys[post.id], post.created_at))
        for key, talk in list(found.items()):
            item = by_talk.get(talk.id)
            if item and key in newest and lifecycle.is_over(item, newest[key]):
                # The running conversation always holds the plain key.
                Conversation.objects.filter(pk=talk.id).update(thread_key=f"{key[:450]}~{talk.id}")
                del found[key]
        return found

    def _continued(self, found: dict[UUID | str, _Talk]) -> dict[str, _Talk]:
        """Ours go where the post lies that they answer; so does an unnamed answer to one of ours."""
        where = {}
        for post in self.posts:
            parent = self.known.get(post.in_reply_to)
            if parent and (post.direction == "out" or (post.author is None and parent.direction == "out")):
                where[post.id] = parent.conversation_id
        stored = Conversation.objects.filter(pk__among=set(where.values()) - found.keys()).values_list("id", *_SPOKEN)
        talks = found | ({row[0]: _Talk(*row) for row in stored} if where else {})
        return {id: talks[talk] for id, talk in where.items()}

    def _follows(self, post: Post) -> _Talk | None:
        """Where ours goes that answers a post of the same page."""
        return self.talk_of.get(post.in_reply_to) if post.direction == "out" else None

    def _begin(self, begun: Mapping[str, tuple[_Talk, Post]]) -> None:
        # In the order of their keys, so that two workers with the same posts wait for one another and not in a circle.
        given = [
            {
                "id": talk.id,
                "thread_key": key,
                "identity_id": (self._person(post) or {}).get("id") if post.direction == "in" else None,
                "about_post_id": self._about(post),
                **dict(zip(_SPOKEN, _times(talk), strict=True)),
            }
            for key, (talk, post) in sorted(begun.items())
        ]
        shared = {"channel_id": self.channel.pk, "history": self.history, "created_at": self.now}
        rows.insert(Conversation, given, same=shared)

    def _about(self, post: Post) -> UUID | None:
        """The post of ours under which they write, when we know it."""
        root = self.known.get(self.roots[post.id])
        return root.id if root and root.direction == "out" and post.kind != "dm" else None

    # Messages -----------------------------------------------------------------------------------------------------
    def _keep(self) -> None:
        given = sorted(map(self._message, self.posts), key=itemgetter("key"))  # as conversations
        shared = {"channel_id": self.channel.pk, "history": self.history, "received_at": self.now}
        rows.insert(Message, given, same=shared)
        sight(self.channel, self.ids, self.keys, self.now)
        index_new(given)

    def _told(self, post: Post) -> Told:
        """What this post tells of its thread."""
        return Told(self.ids[post.id], post.id, self.roots[post.id], post.direction, self.talk_of[post.id].id)

    def _message(self, post: Post) -> dict:
        gone = post.deleted
        person = self._person(post)
        return {
            "id": self.ids[post.id],
            "conversation_id": self.talk_of[post.id].id,
            "key": self.keys[post.id],
            "external_id": post.id,
            "identity_id": person and person["id"],
            "kind": post.kind,
            "direction": post.direction,
            "parent_id": self._parent(post),
            "parent_key": f"{self.own}{post.in_reply_to}" if post.in_reply_to else "",
            "thread_root": self.roots[post.id],
            "title": "" if gone else post.title[:500],
            "text": "" if gone else post.text,
            "language": post.lang[:12],
            "url": post.url[:2000],
            "rating": post.rating,
            "media": [] if gone else _media(post),
            "visibility": post.visibility[:20],
            "reply_closed": post.reply_closed[:300],
            "reply_until": post.reply_until,
            "created_at": self.at[post.id],
            "edited_at": post.edited_at,
            "deleted_at": self.now if gone else None,
            # What was deleted before we ever saw it is kept only so that it can not come back: nobody routes it.
            "routed_at": self.now if gone else None,
        }

    def _parent(self, post: Post) -> UUID | str | None:
        if not post.in_reply_to or post.in_reply_to == post.id:
            return None
        known = self.known.get(post.in_reply_to)
        return self.ids.get(post.in_reply_to) or (known.id if known else None)

    # What they mean for what lies there already -------------------------------------------------------------------
    def _touch(self) -> None:
        old = {talk.id: talk for talk in self.talk_of.values() if not talk.is_new}
        if not old:
            return
        # In the order in which everybody locks them, and their keys stay free (`lock_conversation`).
        locked = Conversation.objects.select_for_update(no_key=True).filter(pk__among=old).order_by("pk")
        list(locked.values_list("pk", flat=True))
        rows.update(
            Conversation, [{"id": id, **dict(zip(_SPOKEN, _times(talk), strict=True))} for id, talk in old.items()]
        )
        self._tell_items(old)

    def _tell_items(self, old: Mapping[UUID | str, _Talk]) -> None:
        newest = {self.talk_of[post.id].id: post for post in self.posts if not post.deleted}
        items = QueueItem.objects.filter(conversation__among=old.keys() & newest.keys(), sealed=False)
        changed, entries = [], []
        for item in items.select_related("department", "conversation").select_for_update(of=("self",)):
            post = newest[item.conversation_id]
            was_resolved = item.status == QueueItem.Status.RESOLVED
            if post.direction == "out":
                _answered_elsewhere(item)
            elif lifecycle.heard(item, self.at[post.id]) and was_resolved:
                entries.append(_reopened(item))
            for name, value in shown(self._as_message(post)).items():
                setattr(item, name, value)
            sort(item)
            item.version += 1
            changed.append(item)
        rows.update(QueueItem, [_columns(item, ("id", *_LIVING, *SHOWN)) for item in changed])
        keep_entries(entries)
        bell.ring(*{item.department_id for item in changed})

    def _as_message(self, post: Post) -> Message:
        """As much of it as the list shows."""
        person = self._person(post)
        return Message(
            channel=self.channel,
            identity=Identity(**{name: person[name] for name in _FACE}) if person else None,
            kind=post.kind,
            title=post.title[:500],
            text=post.text,
            language=post.lang[:12],
            rating=post.rating,
            media=_media(post),
            created_at=self.at[post.id],
        )


def sight(channel: Channel, messages: Mapping[str, UUID | str], keys: Mapping[str, str], now: datetime) -> None:
    """Note that this channel saw these messages, by the id that each has there. A message whose key is made of just
    that says so itself."""
    own = ref_of(channel, "")
    seen = sorted((id, pk) for id, pk in messages.items() if keys[id] != f"{own}{id}")
    rows.insert(
        Sighting,
        [{"external_id": id, "message_id": pk} for id, pk in seen],
        same={"channel_id": channel.pk, "at": now},
        unless_there=True,
    )


def _times(talk: _Talk) -> tuple:
    return talk.last_message_at, talk.last_in_at, talk.last_out_at


def _columns(item: QueueItem, names: Iterable[str]) -> dict:
    return {name: getattr(item, name) for name in names}


def _media(post: Post) -> list[dict]:
    return [{"url": each.url, "type": each.type} for each in post.media]


def _answered_elsewhere(item: QueueItem) -> None:
    """Somebody of ours answered on the network itself."""
    if item.lead and item.status == QueueItem.Status.OPEN:
        lifecycle.answered(item)


def _reopened(item: QueueItem):
    told = {"department": item.department, "conversation_id": item.conversation_id}
    return entry("item_reopened_by_message", item, by="system", **told)


def _face(author: Author) -> dict:
    return {
        "handle": author.handle[:200],
        "name": author.name[:200],
        "followers": author.followers,
        "verified": author.verified,
        "avatar_url": author.avatar_url[:2000],
    }


def _new_face(person: dict, author: Author) -> dict | None:
    """The row of somebody who looks otherwise now, or None; `person` is brought up to date. What the network did not
    say this time stays as it was."""
    told = {name: value for name, value in _face(author).items() if value not in (None, "", False)}
    if all(person[name] == value for name, value in told.items()):
        return None
    person.update(told)
    return {"id": person["id"], **{name: person[name] for name in _FACE}}
