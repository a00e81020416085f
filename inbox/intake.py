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

from connectors.contract import Post
from connectors.models import Channel
from departments import bell
from departments.away import is_away
from inbox.fresh import Fresh, sight
from inbox.indexing import index_messages
from inbox.keys import key_of, ref_of
from inbox.models import Conversation, Message, QueueItem, Revision, SearchEntry, Sighting
from inbox.row import shown

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


class _Page:
    """One page on its way in: what we had already is done with here, the rest is `Fresh`."""

    def __init__(self, channel: Channel, posts: Sequence[Post], history: bool):
        self.channel = channel
        self.history = history
        self.now = timezone.now()
        self.taken = Taken()
        self.posts = self._newest_of_each(posts)
        self.by_id = {post.id: post for post in self.posts}
        self.own = ref_of(channel, "")
        self.keys = {post.id: self._key(post) for post in self.posts}

    def _key(self, post: Post) -> str:
        return key_of(self.channel, post.id, post.global_id) if post.global_id else f"{self.own}{post.id}"

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
        known = self._known()
        fresh = [post for post in self.posts if self.keys[post.id] not in known]
        self._meet_again([post for post in self.posts if self.keys[post.id] in known], known)
        if fresh:
            given = {"page": self.by_id, "keys": self.keys, "now": self.now, "history": self.history}
            self.taken.taken_in += Fresh(self.channel, fresh, **given).take_in()
        return self.taken

    def _pass_over_duplicates(self) -> None:
        """Posts that we have just so, seen by this very channel, are done with at a glance: a page that comes again
        costs little. The others go the whole way."""
        said = Message.objects.filter(key__among=self.keys.values()).values_list(*_SAID, named=True)
        self.stored = {row.key: row for row in said}
        if not self.stored:
            return
        seen = self._seen()
        again = {post.id for post in self.posts if post.id in seen and self._is_stored_so(post)}
        self.taken.duplicates += len(again)
        self.posts = [post for post in self.posts if post.id not in again]
        self.by_id = {post.id: post for post in self.posts}
        self.keys = {post.id: self.keys[post.id] for post in self.posts}

    def _seen(self) -> set[str]:
        """Ids under which this channel saw a message before. Of one whose key is made of the channel and its id there
        no sighting is kept."""
        foreign = {id for id, key in self.keys.items() if key != f"{self.own}{id}"}
        sighted = Sighting.objects.filter(channel=self.channel, external_id__among=foreign)
        return (self.keys.keys() - foreign).union(sighted.values_list("external_id", flat=True) if foreign else ())

    def _is_stored_so(self, post: Post) -> bool:
        row = self.stored.get(self.keys[post.id])
        if row is None or (post.deleted and not row.deleted_at) or _is_newer(post, row):
            return False
        return bool(row.deleted_at) or _answering(post) == _answering(row)

    def _known(self) -> dict[str, Message]:
        """The messages that we have of these posts, by their keys."""
        keys = self.stored.keys() & self.keys.values()
        # Prefetched, not joined, for the reason given in `Fresh.known`.
        found = Message.objects.filter(key__among=keys).prefetch_related("conversation") if keys else ()
        return {message.key: message for message in found}

    # Posts that we had already ------------------------------------------------------------------------------------

    def _meet_again(self, posts: Sequence[Post], known: dict[str, Message]) -> None:
        sight(self.channel, {post.id: known[self.keys[post.id]].pk for post in posts}, self.keys, self.now)
        for post in posts:
            message = known[self.keys[post.id]]
            if post.deleted and not message.deleted_at:
                self._bury(message)
            elif _is_newer(post, message):
                self._revise(message, post)
            else:
                self._note_answering(message, post)
                self.taken.duplicates += 1
                continue
            self.taken.changed += 1

    def _note_answering(self, message: Message, post: Post) -> None:
        """Whether the network takes answers may change while the words stay."""
        if not message.deleted_at and _answering(post) != _answering(message):
            message.reply_closed, message.reply_until = _answering(post)
            message.save(update_fields=["reply_closed", "reply_until"])
            self._show_anew(message)

    def _revise(self, message: Message, post: Post) -> None:
        """Keep how it read, show how it reads, and let the router look at it again."""
        Revision.objects.create(message=message, number=message.revision, text=message.text, title=message.title)
        message.text, message.title = post.text, post.title
        message.edited_at = post.edited_at or self.now
        message.reply_closed, message.reply_until = _answering(post)
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


#: What tells whether a post says something new of a message.
_SAID = ("key", "text", "title", "edited_at", "deleted_at", "reply_closed", "reply_until")


def _answering(said: Any) -> tuple[str, datetime | None]:
    """Whether the network takes answers to this post or message, and until when."""
    return said.reply_closed[:300], said.reply_until


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
