"""Conversations for tests, made the way they come about: taken in from a network and placed in a queue."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from connectors import registry
from connectors.contract import Author, Capabilities, Connector, Post
from connectors.models import Channel
from departments.models import Department
from inbox import actions
from inbox.intake import take_in
from inbox.models import Conversation, Message, QueueItem

_numbers = count(1)


class Quiet(Connector):
    """A network for tests, on which nothing happens by itself. It takes replies of up to 280 characters."""

    network = "quiet"
    name = "Quiet"
    capabilities = Capabilities(polls=False, replies=True, longest_reply=280)


registry.NETWORKS["quiet"] = "tests.make.Quiet"


def make_channel(slug: str = "brand", network: str = "quiet", **more) -> Channel:
    """The channel of this name; the same one when it is asked for twice."""
    more.setdefault("name", slug.title())
    return Channel.objects.get_or_create(slug=slug, defaults={"network": network, "next_poll_at": None, **more})[0]


def make_post(
    text: str = "Where is my parcel?", author: str | None = "ana", *, minutes_ago: float = 10, **more
) -> Post:
    """A post by somebody outside. `author` is a handle; the name is made from it."""
    more.setdefault("id", f"post-{next(_numbers)}")
    more.setdefault("kind", "mention")
    more.setdefault("created_at", timezone.now() - timedelta(minutes=minutes_ago))
    written_by = Author(id=author, handle=f"@{author}", name=author.title(), followers=120) if author else None
    return Post(text=text, author=written_by, **more)


def receive(*posts: Post, channel: Channel | None = None) -> list[Message]:
    """Take these posts in; the messages that they are, in the same order."""
    channel = channel or make_channel()
    taken = take_in(channel, posts)
    assert not taken.refused, taken.refused
    kept = {each.external_id: each for each in Message.objects.filter(external_id__in=[post.id for post in posts])}
    return [kept[post.id] for post in posts]


def make_conversation(
    text: str = "Where is my parcel?",
    department: Department | str | None = "customer-service",
    *,
    author: str | None = "ana",
    joins: tuple = (),
    channel: Channel | None = None,
    because: str = "the text contains “parcel”",
    why: str = "Parcels",
    priority: int = 0,
    probably_nothing: bool = False,
    tags: tuple = (),
    orders=(),
    **post,
) -> Conversation:
    """One post, taken in and placed as a rule would place it. Without a department it lies unrouted."""
    message = receive(make_post(text, author, **post), channel=channel)[0]
    message = Message.objects.select_related("conversation", "channel", "identity").get(pk=message.pk)
    if department is not None:
        actions.place(
            message.conversation,
            find(department),
            message=message,
            joins=[find(each) for each in joins],
            because=because,
            why=why,
            rule="Parcels first",
            priority=priority,
            probably_nothing=probably_nothing,
            tags=tags,
            orders=orders,
        )
        Message.objects.filter(pk=message.pk).update(routed_at=timezone.now())
    return Conversation.objects.get(pk=message.conversation_id)


def make_item(
    text: str = "Where is my parcel?", department: Department | str = "customer-service", **more
) -> QueueItem:
    """The share of the department that leads in a new conversation."""
    conversation = make_conversation(text, department, **more)
    return item_of(conversation, department)


def item_of(conversation: Conversation, department: Department | str) -> QueueItem:
    return QueueItem.objects.select_related("department", "conversation").get(
        conversation=conversation, department=find(department)
    )


def answer_in(conversation: Conversation, text: str, author: str = "ana", **post) -> Message:
    """Somebody outside writes again in the same thread."""
    first = conversation.messages.first()
    made = make_post(
        text, author, in_reply_to=first.external_id, kind="reply", minutes_ago=post.pop("minutes_ago", 1), **post
    )
    return receive(made, channel=conversation.channel)[0]


def find(department: Department | str) -> Department:
    return department if isinstance(department, Department) else Department.objects.get(slug=department)
