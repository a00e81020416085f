"""Which posts belong to one conversation: same thread, same person outside. And what happens when a post that the
others answer arrives after them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import UUID

from connectors.contract import Post
from departments.audit import record
from inbox.models import Access, Conversation, HandOff, Message, Note, QueueItem, Reply, SearchEntry

#: Nobody's thread is that deep; it ends a walk through posts that answer one another in a circle.
DEEPEST = 200


class Told(NamedTuple):
    """What a message tells of the thread that it belongs to."""

    id: UUID | str
    external_id: str
    thread_root: str
    direction: str
    conversation_id: UUID | str


def root_of(post: Post, page: Mapping[str, Post], known: Mapping[str, Told]) -> str:
    """The network's id of the thread's first post, as far as it can be told now.

    `page` holds the posts that arrive together, `known` the messages that we have, both by the network's id. A parent
    that nobody knows yet is taken for the root until it arrives.
    """
    for _ in range(DEEPEST):
        if post.thread:
            return post.thread
        if not post.in_reply_to or post.in_reply_to == post.id:
            return post.id
        if parent := known.get(post.in_reply_to):
            return parent.thread_root or parent.external_id
        if post.in_reply_to not in page:
            return post.in_reply_to
        post = page[post.in_reply_to]
    return post.id


def thread_key(post: Post, root: str) -> str:
    """Thread and person. Without an author nobody can say that two posts are the same person's: each stands alone."""
    if post.author:
        return f"{root}|{post.author.id}"[:500]
    return f"{post.id if post.direction == 'in' else root}|"[:500]


def adopt_orphans(arrived: Mapping[str, Post], told: Callable[[Post], Told]) -> None:
    """Tie messages that came before the post they answer to it, now that it is here; their thread may turn out to be
    part of an older one, and two conversations one. `arrived` by the words with which others of their channel name
    them (`ref_of`)."""
    # Said again in words, that the text is not empty lets the database use the index that holds orphans alone.
    for orphan in Message.objects.filter(parent=None, parent_key__among=arrived).exclude(parent_key=""):
        parent = told(arrived[orphan.parent_key])
        if parent.external_id == orphan.external_id:  # it names itself
            continue
        Message.objects.filter(pk=orphan.pk).update(parent=parent.id)
        root = parent.thread_root or parent.external_id
        if orphan.thread_root and orphan.thread_root != root:
            _rehang(orphan, root)


def _rehang(orphan: Message, root: str) -> None:
    """Everything of this channel that was hung on the provisional root belongs to the real one."""
    provisional = orphan.thread_root
    hung = Conversation.objects.filter(
        channel=orphan.channel_id, thread_key__startswith=f"{provisional}|", merged_into=None
    )
    hung = list(hung.select_for_update(of=("self",), no_key=True).order_by("pk"))
    Message.objects.filter(conversation__in=hung, thread_root=provisional).update(thread_root=root)
    for conversation in hung:
        key = f"{root}|{conversation.thread_key[len(provisional) + 1 :]}"[:500]
        real = Conversation.objects.filter(channel=orphan.channel_id, thread_key=key, merged_into=None).first()
        if real:
            merge(conversation, into=real)
        else:
            Conversation.objects.filter(pk=conversation.pk).update(thread_key=key)


def merge(conversation: Conversation, *, into: Conversation) -> None:
    """Two conversations are one. What was said and done on either is kept; where a department had a share in both,
    the one that stays is open if either was. If one was confidential, both are."""
    held = {item.department_id: item for item in QueueItem.objects.filter(conversation=into)}
    confidential = conversation.confidential or into.confidential
    for item in QueueItem.objects.filter(conversation=conversation).select_related("department"):
        item.lead = item.lead and not any(each.lead for each in held.values())
        if item.department_id in held:
            _fold(item, held[item.department_id])
        else:
            item.conversation = into
            item.version += 1
            item.save()
            held[item.department_id] = item
    for model in (Message, Note, Reply):
        model.objects.filter(conversation=conversation).update(conversation=into)
    SearchEntry.objects.filter(conversation=conversation).update(conversation=into)
    _join_access(conversation, into, confidential)
    into.tags.add(*conversation.tags.all())
    Conversation.objects.filter(pk=into.pk).update(
        confidential=confidential,
        last_message_at=max(into.last_message_at, conversation.last_message_at),
        routed_at=into.routed_at or conversation.routed_at,
    )
    Conversation.objects.filter(pk=conversation.pk).update(
        merged_into=into, thread_key=f"{conversation.thread_key[:450]}~{conversation.pk}"
    )
    Conversation.objects.filter(merged_into=conversation).update(merged_into=into)
    record("conversations_merged", into, by="system", conversation_id=into.pk)


def _fold(item: QueueItem, stays: QueueItem) -> None:
    """One department's two shares become one."""
    if item.status == QueueItem.Status.OPEN and stays.status != QueueItem.Status.OPEN:
        for name in ("status", "resolution", "due_at", "waiting_since", "sort_at", "resolved_at", "snoozed_until"):
            setattr(stays, name, getattr(item, name))
    stays.assignee_id = stays.assignee_id or item.assignee_id
    stays.priority = max(stays.priority, item.priority)
    stays.unread = stays.unread or item.unread
    stays.version += 1
    stays.save()
    item.clocks.update(item=stays) if not stays.clocks.filter(stopped_at=None).exists() else item.clocks.all().delete()
    HandOff.objects.filter(item=item).update(item=stays)
    item.changes.all().delete()
    item.delete()


def _join_access(conversation: Conversation, into: Conversation, confidential: bool) -> None:
    """Who could see either sees the whole; but what became confidential by this is seen only by whom it was confided
    to."""
    side = into if into.confidential else conversation
    if confidential:
        keep = set(Access.objects.filter(conversation=side, until=None).values_list("department_id", flat=True))
        QueueItem.objects.filter(conversation=into).exclude(department__in=keep).update(sealed=True)
        QueueItem.objects.filter(conversation=into).update(confidential=True)
    else:
        both = Access.objects.filter(conversation__in=[conversation, into], until=None)
        keep = set(both.values_list("department_id", flat=True))
    Access.objects.filter(conversation__in=[conversation, into]).delete()
    Access.objects.bulk_create([Access(conversation=into, department_id=each) for each in keep])
