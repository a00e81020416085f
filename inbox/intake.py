"""Taking in what connectors fetched: a page of posts becomes identities, conversations and messages in one batch.

Twice is once, whatever the order: the same post makes the same row, the newest edit wins, a deletion leaves a
tombstone. A page goes in as a whole; only when that fails is it tried post by post, so that a bad one harms none of
its neighbours.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from connectors.contract import Author, Post
from connectors.models import Channel
from departments import bell
from departments.audit import entry
from departments.audit import keep as keep_entries
from departments.away import is_away
from inbox import lifecycle, threads
from inbox.indexing import index_messages
from inbox.models import Contact, Conversation, Identity, Message, QueueItem, Revision, SearchEntry, Sighting
from inbox.row import SHOWN, shown, sort

logger = logging.getLogger(__name__)

#: How often a page is tried again when another worker took in the same posts at the same moment.
RACES = 3


@dataclass
class Taken:
    """What became of a page: new messages, posts that we had already, messages edited or deleted, and posts that
    could not be taken in (by their place in the page, with the reason)."""

    taken_in: int = 0
    duplicates: int = 0
    changed: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def take_in(channel: Channel, posts: Sequence[Post], *, history: bool = False) -> Taken:
    """Take in a page of one channel's posts, inside the caller's transaction.

    With `history` they are kept and routed, but start no clock. Raises nothing for a bad post: it is `refused`. While
    the database is full or takes no writes, its error comes through, and the page is to come again.
    """
    posts = list(posts)
    for _ in range(RACES):
        try:
            with transaction.atomic():
                return _Page(channel, posts, history).take_in()
        except (IntegrityError, OperationalError):
            continue
        except Exception:
            logger.exception(
                "A page of %s posts of %s did not go in as a whole; trying one by one.", len(posts), channel.slug
            )
            break
    return _one_by_one(channel, posts, history)


def _one_by_one(channel: Channel, posts: Sequence[Post], history: bool) -> Taken:
    total = Taken()
    for index, post in enumerate(posts):
        try:
            with transaction.atomic():
                one = _Page(channel, [post], history).take_in()
        except DatabaseError as error:
            if is_away(error):  # no fault of the post: the whole page comes again
                raise
            total.refused.append((index, f"The database refused it: {str(error).splitlines()[0]}"))
        except Exception as error:
            logger.exception("A post of %s could not be taken in.", channel.slug)
            total.refused.append((index, f"It could not be taken in ({type(error).__name__})."))
        else:
            total.taken_in += one.taken_in
            total.duplicates += one.duplicates
            total.changed += one.changed
    return total


def key_of(channel: Channel, external_id: str, global_id: str = "") -> str:
    """What makes two posts the same: the network's global key where it told one, else the channel and its id there.
    Only posts that we fetched ourselves carry a global key: who pushes posts could write into other channels by
    it."""
    return f"{channel.network}:{global_id}" if global_id else ref_of(channel, external_id)


def ref_of(channel: Channel, external_id: str) -> str:
    """How a post is named by others of its channel that answer it."""
    return f"{channel.pk}:{external_id}"


class _Page:
    """One page on its way in. Every table is read once and written once, however many posts there are."""

    def __init__(self, channel: Channel, posts: Sequence[Post], history: bool):
        self.channel = channel
        self.history = history
        self.now = timezone.now()
        self.taken = Taken()
        self.posts = self._newest_of_each(posts)
        self.by_id = {post.id: post for post in self.posts}
        self.keys = {post.id: self._key(post) for post in self.posts}

    def _key(self, post: Post) -> str:
        return key_of(self.channel, post.id, post.global_id)

    def _newest_of_each(self, posts: Sequence[Post]) -> list[Post]:
        """A page may hold the same post twice, even in two versions: the newest counts. Oldest posts first, so that a
        parent stands before its answers."""
        newest: dict[str, Post] = {}
        for post in posts:
            other = newest.get(post.id)
            if other:
                self.taken.duplicates += 1
            if other is None or _age(post) > _age(other):
                newest[post.id] = post
        return sorted(newest.values(), key=lambda post: post.created_at)

    def take_in(self) -> Taken:
        self._pass_over_duplicates()
        if not self.posts:
            return self.taken
        self._load()
        fresh = [post for post in self.posts if self.keys[post.id] not in self.known]
        self._meet_again([post for post in self.posts if self.keys[post.id] in self.known])
        if fresh:
            self._greet(fresh)
            self._open_conversations(fresh)
            messages = self._keep(fresh)
            self._touch(messages)
            threads.adopt_orphans(messages)
            self.taken.taken_in += len(messages)
        return self.taken

    def _pass_over_duplicates(self) -> None:
        """Posts that we have just so, seen by this very channel, are done with at a glance: a page that comes again
        costs little. The others go the whole way."""
        self.stored = {
            row.key: row for row in Message.objects.filter(key__in=self.keys.values()).values_list(*_SAID, named=True)
        }
        if not self.stored:
            return
        sighted = Sighting.objects.filter(channel=self.channel, external_id__in=self.by_id)
        seen = set(sighted.values_list("external_id", flat=True))
        again = {post.id for post in self.posts if post.id in seen and self._is_stored_so(post)}
        self.taken.duplicates += len(again)
        self.posts = [post for post in self.posts if post.id not in again]
        self.by_id = {post.id: post for post in self.posts}
        self.keys = {post.id: self.keys[post.id] for post in self.posts}

    def _is_stored_so(self, post: Post) -> bool:
        row = self.stored.get(self.keys[post.id])
        return row is not None and not (post.deleted and not row.deleted_at) and not _is_newer(post, row)

    def _load(self) -> None:
        """Messages that we have of these posts, and of the posts that they answer or begin with."""
        named = {each for post in self.posts for each in (post.id, post.in_reply_to, post.thread) if each}
        # Prefetched, not joined: while a big import runs, the planner's idea of these tables is old, and a join of
        # thousands with the wrong plan takes minutes. Each of these reads is one index, whatever it believes.
        with_people = "conversation__identity"
        seen = Sighting.objects.filter(channel=self.channel, external_id__in=named)
        seen = seen.prefetch_related(f"message__{with_people}")
        self.known_by_id = {sighting.external_id: sighting.message for sighting in seen}
        keys = self.stored.keys() & set(self.keys.values())
        found = Message.objects.filter(key__in=keys).prefetch_related(with_people) if keys else ()
        self.known = {message.key: message for message in found}

    # Posts that we had already ------------------------------------------------------------------------------------

    def _meet_again(self, posts: Sequence[Post]) -> None:
        Sighting.objects.bulk_create(
            [
                Sighting(message=self.known[self.keys[post.id]], channel=self.channel, external_id=post.id)
                for post in posts
            ],
            ignore_conflicts=True,
        )
        for post in posts:
            message = self.known[self.keys[post.id]]
            if post.deleted and not message.deleted_at:
                self._bury(message)
            elif _is_newer(post, message):
                self._revise(message, post)
            else:
                self.taken.duplicates += 1
                continue
            self.taken.changed += 1

    def _revise(self, message: Message, post: Post) -> None:
        """Keep how it read, show how it reads, and let the router look at it again."""
        Revision.objects.create(message=message, number=message.revision, text=message.text, title=message.title)
        message.text, message.title = post.text, post.title
        message.edited_at = post.edited_at or self.now
        message.revision += 1
        message.routed_at = None
        message.save()
        index_messages([message])
        self._show_anew(message)

    def _bury(self, message: Message) -> None:
        """A tombstone: that something stood here, when, and nothing of what or whose."""
        message.text = message.title = ""
        message.media, message.identity, message.deleted_at = [], None, self.now
        message.routed_at = message.routed_at or self.now
        message.save()
        message.revisions.all().delete()
        SearchEntry.objects.filter(source=SearchEntry.Source.MESSAGE, source_id=message.pk).delete()
        if not message.conversation.messages.from_outside().filter(deleted_at=None).exists():
            Conversation.objects.filter(pk=message.conversation_id).update(identity=None)
        self._show_anew(message)

    def _show_anew(self, message: Message) -> None:
        """The list shows the newest message: if this is it, show it as it is now."""
        newest = (
            message.conversation.messages.select_related("identity", "channel").order_by("-created_at", "-id").first()
        )
        if newest == message:
            items = QueueItem.objects.filter(conversation=message.conversation)
            items.update(**shown(newest))
            bell.ring(*items.filter(sealed=False).values_list("department_id", flat=True))

    # Posts that are new -------------------------------------------------------------------------------------------

    def _greet(self, posts: Sequence[Post]) -> None:
        """Know each author: a new identity has a contact of its own until somebody says that two are one person."""
        authors = {post.author.id: post.author for post in posts if post.author and not post.deleted}
        network = self.channel.network
        known = {each.external_id: each for each in Identity.objects.filter(network=network, external_id__in=authors)}
        new = {key: author for key, author in authors.items() if key not in known}
        contacts = {key: Contact(name=author.name or author.handle) for key, author in new.items()}
        Contact.objects.bulk_create(contacts.values())
        added = [
            Identity(network=network, external_id=key, contact=contacts[key], **_face(author))
            for key, author in new.items()
        ]
        Identity.objects.bulk_create(added)
        changed = [each for key, each in known.items() if _update_face(each, authors[key])]
        Identity.objects.bulk_update(changed, ["handle", "name", "followers", "verified", "avatar_url"])
        self.identities = known | {each.external_id: each for each in added}

    def _open_conversations(self, posts: Sequence[Post]) -> None:
        """Find or begin the conversation of each post; an old resolved one gives its place to a new one."""
        self.roots = {post.id: threads.root_of(post, self.by_id, self.known_by_id) for post in posts}
        keys = {post.id: threads.thread_key(post, self.roots[post.id]) for post in posts}
        existing = Conversation.objects.filter(
            channel=self.channel, thread_key__in=set(keys.values()), merged_into=None
        )
        found = {each.thread_key: each for each in existing.prefetch_related("identity")}
        found = self._without_finished(found, posts, keys)
        self.conversation_of, begun = {}, {}
        for post in posts:
            continued = self._continued(post)
            key = keys[post.id]
            if continued is None and key not in found and key not in begun:
                begun[key] = self._begin(post, key)
            self.conversation_of[post.id] = continued or found.get(key) or begun[key]
        for post in posts:
            _hear(self.conversation_of[post.id], post.direction, min(post.created_at, self.now))
        Conversation.objects.bulk_create(begun.values())
        self.begun = {each.pk for each in begun.values()}

    def _continued(self, post: Post) -> Conversation | None:
        """Ours go where the post lies that they answer; so does an unnamed answer to one of ours."""
        parent = self.known_by_id.get(post.in_reply_to)
        if parent and (post.direction == "out" or (post.author is None and parent.direction == Message.Direction.OUT)):
            return parent.conversation
        if post.direction == "out" and post.in_reply_to in self.conversation_of:
            return self.conversation_of[post.in_reply_to]
        return None

    def _begin(self, post: Post, key: str) -> Conversation:
        identity = self.identities.get(post.author.id) if post.author and post.direction == "in" else None
        return Conversation(
            channel=self.channel,
            thread_key=key,
            identity=identity,
            about_post=self._about(post),
            history=self.history,
            last_message_at=min(post.created_at, self.now),
        )

    def _about(self, post: Post) -> Message | None:
        """The post of ours under which they write, when we know it."""
        root = self.known_by_id.get(self.roots[post.id])
        return root if root and root.direction == Message.Direction.OUT and post.kind != "dm" else None

    def _without_finished(self, found: dict, posts: Sequence[Post], keys: dict) -> dict:
        leads = QueueItem.objects.filter(conversation__in=found.values(), lead=True, status=QueueItem.Status.RESOLVED)
        by_conversation = {item.conversation_id: item for item in leads}
        newest: dict[str, datetime] = {}
        for post in posts:
            if post.direction == "in":
                newest[keys[post.id]] = max(post.created_at, newest.get(keys[post.id], post.created_at))
        for key, conversation in list(found.items()):
            item = by_conversation.get(conversation.pk)
            if item and key in newest and lifecycle.is_over(item, newest[key]):
                # The running conversation always holds the plain key.
                Conversation.objects.filter(pk=conversation.pk).update(thread_key=f"{key[:450]}~{conversation.pk}")
                del found[key]
        return found

    def _keep(self, posts: Sequence[Post]) -> list[Message]:
        messages = {post.id: self._message(post) for post in posts}
        for post in posts:
            messages[post.id].parent = messages.get(post.in_reply_to) or self.known_by_id.get(post.in_reply_to)
        # In the order of their keys, so that two workers with the same posts wait for one another and not in a circle.
        kept = sorted(messages.values(), key=lambda message: message.key)
        Message.objects.bulk_create(kept)
        Sighting.objects.bulk_create(
            [Sighting(message=each, channel=self.channel, external_id=each.external_id) for each in kept],
            ignore_conflicts=True,
        )
        index_messages(kept)
        return [messages[post.id] for post in posts]

    def _message(self, post: Post) -> Message:
        return Message(
            conversation=self.conversation_of[post.id],
            channel=self.channel,
            key=self.keys[post.id],
            external_id=post.id,
            identity=self.identities.get(post.author.id) if post.author and not post.deleted else None,
            kind=post.kind,
            direction=post.direction,
            parent_key=ref_of(self.channel, post.in_reply_to) if post.in_reply_to else "",
            thread_root=self.roots[post.id],
            title="" if post.deleted else post.title[:500],
            text="" if post.deleted else post.text,
            language=post.lang[:12],
            url=post.url[:2000],
            rating=post.rating,
            media=[] if post.deleted else [{"url": each.url, "type": each.type} for each in post.media],
            visibility=post.visibility[:20],
            # A clock that runs ahead elsewhere must not put a post before all others for days.
            created_at=min(post.created_at, self.now),
            received_at=self.now,
            edited_at=post.edited_at,
            deleted_at=self.now if post.deleted else None,
            # What was deleted before we ever saw it is kept only so that it can not come back: nobody routes it.
            routed_at=self.now if post.deleted else None,
            history=self.history,
        )

    def _touch(self, messages: Sequence[Message]) -> None:
        """What these messages mean for their conversations and for the items that lie there already."""
        old = {each.conversation_id: each.conversation for each in messages if each.conversation_id not in self.begun}
        if old:
            # In the order in which everybody locks them, and their keys stay free (`lock_conversation`).
            locked = Conversation.objects.select_for_update(no_key=True).filter(pk__in=old).order_by("pk")
            list(locked.values_list("pk", flat=True))
            Conversation.objects.bulk_update(old.values(), ["last_message_at", "last_in_at", "last_out_at"])
            self._tell_items(messages)

    def _tell_items(self, messages: Sequence[Message]) -> None:
        newest = {message.conversation_id: message for message in messages if not message.deleted_at}
        items = QueueItem.objects.filter(conversation__in=newest, sealed=False).select_related(
            "department", "conversation"
        )
        changed, entries = [], []
        for item in items.select_for_update(of=("self",)):
            message = newest[item.conversation_id]
            was_resolved = item.status == QueueItem.Status.RESOLVED
            if message.direction == Message.Direction.OUT:
                self._answered_elsewhere(item)
            elif lifecycle.heard(item, message.created_at) and was_resolved:
                entries.append(self._reopened(item))
            for name, value in shown(message).items():
                setattr(item, name, value)
            sort(item)
            item.version += 1
            changed.append(item)
        QueueItem.objects.bulk_update(changed, [*_LIVING, *SHOWN])
        keep_entries(entries)
        bell.ring(*{item.department_id for item in changed})

    def _answered_elsewhere(self, item: QueueItem) -> None:
        """Somebody of ours answered on the network itself."""
        if item.lead and item.status == QueueItem.Status.OPEN:
            lifecycle.answered(item)

    def _reopened(self, item: QueueItem):
        return entry(
            "item_reopened_by_message",
            item,
            by="system",
            department=item.department,
            conversation_id=item.conversation_id,
        )


#: What tells whether a post says something new of a message.
_SAID = ("key", "text", "title", "edited_at", "deleted_at")
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


def _hear(conversation: Conversation, direction: str, at: datetime) -> None:
    """Set when something was last said in the conversation, by them or by us."""
    side = "last_in_at" if direction == Message.Direction.IN else "last_out_at"
    setattr(conversation, side, max(getattr(conversation, side) or at, at))
    conversation.last_message_at = max(conversation.last_message_at, at)


def _age(post: Post) -> tuple[bool, datetime]:
    return post.deleted, post.edited_at or post.created_at


def _is_newer(post: Post, message: Any) -> bool:
    """Whether the post is a later version of the message. Networks that name no time of an edit are believed once
    they show another text, unless we have a dated edit already."""
    if message.deleted_at or post.deleted or (post.text, post.title[:500]) == (message.text, message.title):
        return False
    if post.edited_at is None:
        return message.edited_at is None
    return message.edited_at is None or post.edited_at > message.edited_at


def _face(author: Author) -> dict:
    return {
        "handle": author.handle[:200],
        "name": author.name[:200],
        "followers": author.followers,
        "verified": author.verified,
        "avatar_url": author.avatar_url[:2000],
    }


def _update_face(identity: Identity, author: Author) -> bool:
    """Keep how they look now. What the network did not say this time stays as it was."""
    told = {name: value for name, value in _face(author).items() if value not in (None, "", False)}
    changed = {name: value for name, value in told.items() if getattr(identity, name) != value}
    for name, value in changed.items():
        setattr(identity, name, value)
    return bool(changed)
