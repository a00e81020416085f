"""People outside who ask, and what departments do about it."""

import pytest

from connectors.demo import server
from connectors.models import Channel
from departments.models import Department
from inbox import actions, outbox
from inbox.intake import take_in
from inbox.models import Message, QueueItem, Reply


@pytest.fixture
def channel(house):
    """An account of ours that every department answers as."""
    opened = Channel.objects.create(slug="demo", name="Mirabelo", network="demo", settings={"story": False, "rate": 0})
    opened.speakers.set(Department.objects.all())
    return opened


@pytest.fixture
def ask(channel):
    """`ask(department, "words", who)`: somebody asks from outside, and it lies in this department."""
    number = iter(range(1, 100_000))

    def ask(department, text="Where is my parcel?", who="", **placing):
        post = server.as_post(server.write_as(who or f"person{next(number)}", text, "mention"))
        take_in(channel, [post])
        message = Message.objects.select_related("conversation", "channel", "identity").get(external_id=post.id)
        actions.place(message.conversation, department, message=message, **placing)
        return QueueItem.objects.get(conversation=message.conversation, department=department)

    return ask


@pytest.fixture
def late():
    """`late(item)`: its time to answer has run out."""

    def late(item):
        item.clocks.update(due_at=item.waiting_since)
        QueueItem.objects.filter(pk=item.pk).update(due_at=item.waiting_since, sort_at=item.waiting_since)
        return item

    return late


@pytest.fixture
def answer(settings):
    """`answer(item, by=carl)`: the reply went out, and the network has it."""
    settings.UNDO_SEND_SECONDS = 0

    def answer(item, *, by, text="It is on its way."):
        seen = item.conversation.messages.order_by("received_at").last()
        reply = actions.reply(item, text, seen=seen.pk, by=by)
        outbox.send_due()
        reply.refresh_from_db()
        assert reply.state == Reply.State.SENT
        return reply

    return answer
