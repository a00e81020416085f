"""The kill switch of a channel: from the moment it is pressed nothing leaves, whenever it was approved."""

import time

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions as channels
from connectors.models import Channel
from inbox import outbox
from inbox.errors import Refused
from inbox.models import Reply
from tests.inbox.test_outbox import answer, bring, on_the_network

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(settings):
    settings.UNDO_SEND_SECONDS = 0
    return Channel.objects.create(slug="demo", name="Demo", network="demo", settings={"story": False, "rate": 0})


def send_all() -> None:
    while outbox.send_due():
        pass


def states() -> list[str]:
    return list(Reply.objects.order_by("created_at").values_list("state", flat=True))


def test_a_reply_that_was_approved_before_cora_stops_sending_does_not_leave_and_goes_when_she_allows_it(
    channel, customer_service, carl, cora, client
):
    answer(bring(channel, customer_service, "Where is my bike?"), carl)
    began = time.monotonic()
    channels.freeze(channel, by=cora)
    send_all()
    assert (time.monotonic() - began < 1, on_the_network(), states()) == (True, 0, ["approved"])
    client.force_login(carl)
    page = client.get(reverse("conversation", args=[Reply.objects.get().conversation_id])).content.decode()
    assert "Waits: sending through Demo is stopped." in page
    channels.thaw(Channel.objects.get(), by=cora)
    send_all()
    assert (on_the_network(), states()) == (1, ["sent"])


def test_a_reply_that_is_approved_afterwards_does_not_leave_either(channel, customer_service, carl, cora):
    answer(bring(channel, customer_service, "Where is my bike?"), carl)
    Reply.objects.update(state=Reply.State.WAITING_APPROVAL)
    channels.freeze(channel, by=cora)
    Reply.objects.update(state=Reply.State.APPROVED, send_after=timezone.now())
    send_all()
    assert (on_the_network(), states()) == (0, ["approved"])


def test_carl_is_told_when_he_writes_one_meanwhile(channel, customer_service, carl, cora):
    item = bring(channel, customer_service, "Where is my bike?")
    channels.freeze(channel, by=cora)
    with pytest.raises(Refused, match="Sending through Demo is stopped"):
        answer(item, carl)


def test_a_reply_in_a_workers_hands_is_held_back_too(channel, customer_service, carl, cora):
    """The worker has claimed it, and asks again in the transaction that marks it as being sent."""
    answer(bring(channel, customer_service, "Where is my bike?"), carl)
    [claimed] = Reply.objects.all().claim(batch=1)
    channels.freeze(channel, by=cora)
    outbox.step(claimed)
    assert (on_the_network(), states()) == (0, ["approved"])


def test_other_channels_go_on(channel, customer_service, carl, cora):
    other = Channel.objects.create(slug="other", name="Other", network="demo", settings={"story": False, "rate": 0})
    for each in (channel, other):
        answer(bring(each, customer_service, f"Where is my bike, {each}?"), carl)
    channels.freeze(channel, by=cora)
    send_all()
    assert (on_the_network(), sorted(states())) == (1, ["approved", "sent"])
