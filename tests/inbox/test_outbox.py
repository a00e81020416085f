"""A reply goes out once or a person is asked: the demo network is the witness, for it takes the same reply twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from connectors import registry
from connectors.contract import Sent
from connectors.demo import server
from connectors.errors import Rejected
from connectors.lanes import Lanes
from connectors.models import Channel
from connectors.models.demo import DemoPost
from connectors.networks.demo import Demo
from inbox import actions, outbox
from inbox.errors import Refused
from inbox.intake import take_in
from inbox.models import Conversation, Message, QueueItem, Reply
from tests.make import Quiet, make_item

pytestmark = pytest.mark.django_db
SOON = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_delay(settings):
    settings.UNDO_SEND_SECONDS = 0


@pytest.fixture
def channel():
    return Channel.objects.create(slug="demo", name="Demo", network="demo", settings={"story": False, "rate": 0})


@pytest.fixture
def item(channel, customer_service):
    """Ana wrote something angry on the demo network, and it lies with customer service."""
    return bring(channel, customer_service, "Three days without a bike. Is anybody there?")


def bring(channel, department, text, in_reply_to=None):
    post = server.as_post(server.write_as("ana", text, "mention", in_reply_to=in_reply_to))
    take_in(channel, [post])
    message = Message.objects.select_related("conversation", "channel", "identity").get(external_id=post.id)
    actions.place(message.conversation, department, message=message, because="it was tested")
    return QueueItem.objects.get(conversation=message.conversation, department=department)


def answer(item, by, text="We bring you another one today.", **more):
    seen = item.conversation.messages.order_by("received_at").last()
    return actions.reply(item, text, seen=seen.pk, by=by, **more)


def fault(channel, **settings):
    Channel.objects.filter(pk=channel.pk).update(settings={"story": False, "rate": 0, **settings})


def on_the_network():
    return DemoPost.objects.filter(direction="out").count()


def look_later(reply, times=1):
    for _ in range(times):
        Reply.objects.filter(pk=reply.pk).update(send_after=timezone.now() - SOON)
        outbox.send_due()
    reply.refresh_from_db()


def test_carls_answer_arrives_once_and_it_is_their_turn(item, carl):
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    item.refresh_from_db()
    assert (reply.state, on_the_network(), item.status, item.due_at) == ("sent", 1, "pending", None)
    assert reply.message.text == "We bring you another one today."
    outbox.send_due()
    assert on_the_network() == 1


def test_send_and_resolve_resolves_once_it_is_sent(item, carl):
    answer(item, carl, resolve=True)
    item.refresh_from_db()
    assert item.status == "open"
    outbox.send_due()
    item.refresh_from_db()
    assert (item.status, item.resolution) == ("resolved", "replied")


def test_what_the_network_gives_back_of_our_own_is_the_same_message(item, channel, carl):
    reply = answer(item, carl)
    outbox.send_due()
    sent = DemoPost.objects.get(direction="out")
    take_in(channel, [server.as_post(sent)])
    reply.refresh_from_db()
    assert Message.objects.filter(direction="out").get() == reply.message


def test_a_line_dropped_after_the_network_took_it_is_looked_for_and_found(item, channel, carl):
    fault(channel, drop_after_accept=True)
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, on_the_network()) == ("unknown", 1)
    look_later(reply)
    assert (reply.state, on_the_network()) == ("sent", 1)


def test_what_is_never_found_needs_a_person_and_is_not_sent_again_by_itself(item, channel, carl, monkeypatch):
    monkeypatch.setattr(Demo, "send", lambda self, reply: 1 / 0)
    reply = answer(item, carl)
    outbox.send_due()
    look_later(reply, len(outbox.LOOKS))
    assert (reply.state, on_the_network()) == ("needs_person", 0)
    look_later(reply)
    assert on_the_network() == 0
    monkeypatch.undo()
    actions.send_again(reply, by=carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, on_the_network()) == ("sent", 1)


def test_a_person_confirms_what_could_not_be_found(item, carl):
    reply = answer(item, carl)
    Reply.objects.update(state="needs_person", send_after=None)
    actions.confirm_sent(reply, url="https://demo.example/42", by=carl)
    reply.refresh_from_db()
    item.refresh_from_db()
    assert (reply.state, reply.message.url, item.status) == ("sent", "https://demo.example/42", "pending")


def test_a_refused_reply_says_why_and_keeps_its_text(item, channel, carl):
    fault(channel, refuse="The thread is closed.")
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, reply.trouble, reply.text) == (
        "refused",
        "The thread is closed.",
        "We bring you another one today.",
    )
    fault(channel)
    answer(item, carl, "Another try")
    outbox.send_due()
    assert on_the_network() == 1


def test_while_the_network_is_away_it_waits_and_then_leaves(item, channel, carl):
    fault(channel, outage=True)
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, reply.send_after > timezone.now()) == ("approved", True)
    fault(channel)
    look_later(reply)
    assert (reply.state, on_the_network()) == ("sent", 1)


def test_not_being_able_to_look_is_not_the_same_as_not_finding(item, channel, carl):
    fault(channel, drop_after_accept=True)
    reply = answer(item, carl)
    outbox.send_due()
    fault(channel, outage=True)
    look_later(reply, 8)
    assert (reply.state, reply.looks) == ("unknown", 0)
    fault(channel)
    look_later(reply)
    assert (reply.state, on_the_network()) == ("sent", 1)


def test_a_worker_that_dies_while_sending_leaves_a_doubt_and_no_second_reply(item, carl):
    reply = answer(item, carl)
    held = Reply.objects.all().claim()[0]
    outbox._mark_sending(held)
    server.accept(reply.text, reply.target.external_id, str(reply.client_key))  # it arrived, and then the worker died
    outbox.send_due()
    reply.refresh_from_db()
    assert reply.state == "sending"  # the lease still runs
    Reply.objects.update(leased_until=timezone.now() - SOON)
    outbox.send_due()
    look_later(reply)
    assert (reply.state, on_the_network()) == ("sent", 1)


def test_a_late_worker_that_lost_its_lease_changes_nothing(item, carl):
    answer(item, carl)
    late = Reply.objects.all().claim()[0]
    Reply.objects.update(leased_until=timezone.now() - SOON)
    outbox.send_due()
    with pytest.raises(outbox.LostLease):
        outbox.step(late)
    assert on_the_network() == 1


def test_nothing_leaves_when_they_deleted_or_changed_what_is_answered(item, channel, carl):
    reply = answer(item, carl)
    take_in(channel, [server.as_post(server.delete(DemoPost.objects.get(pk=reply.target.external_id)))])
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, on_the_network()) == ("refused", 0)
    assert "deleted" in reply.trouble


def test_nothing_leaves_that_is_not_what_was_approved(item, carl):
    reply = answer(item, carl)
    Reply.objects.update(text="Something else")
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, on_the_network()) == ("refused", 0)


def test_a_frozen_channel_sends_nothing_until_it_is_thawed(item, channel, carl):
    reply = answer(item, carl)
    Channel.objects.update(frozen_at=timezone.now())
    outbox.send_due()
    assert on_the_network() == 0
    Channel.objects.update(frozen_at=None)
    look_later(reply)
    assert on_the_network() == 1


def test_a_reply_that_has_left_can_not_be_stopped(item, carl):
    reply = answer(item, carl)
    outbox.send_due()
    with pytest.raises(Refused, match="can not be stopped any more"):
        actions.cancel_reply(reply, by=carl)


def test_a_message_that_came_while_the_reply_was_on_its_way_keeps_the_item_open(item, channel, customer_service, carl):
    answer(item, carl)
    bring(channel, customer_service, "Hello?", in_reply_to=DemoPost.objects.filter(direction="in").first())
    outbox.send_due()
    item.refresh_from_db()
    assert item.status == "open"


def test_what_was_confirmed_and_is_not_there_is_told(item, carl):
    reply = answer(item, carl)
    outbox.send_due()
    DemoPost.objects.filter(direction="out").delete()
    look_later(reply)
    assert (reply.state, reply.trouble) == ("sent", "The network said that it took this reply, and does not show it.")


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_reply(item, carl):
    answer(item, carl)
    ready = threading.Barrier(4)

    def work():
        ready.wait()
        outbox.send_due()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert on_the_network() == 1
    assert Conversation.objects.get(pk=item.conversation_id).messages.filter(direction="out").count() == 1


@pytest.fixture
def elsewhere(customer_service):
    """Somebody wrote on a network of another kind, whose server is quick."""
    return make_item("Do you also sell helmets?", customer_service)


def test_a_network_that_takes_its_time_delays_no_reply_to_another(item, elsewhere, channel, customer_service, carl):
    slow = [answer(item, carl), answer(bring(channel, customer_service, "Hello?"), carl)]
    quick = answer(elsewhere, carl)
    send, meanwhile = Demo.send, []

    def takes_its_time(self, reply):
        if not meanwhile:  # another thread of the worker looks for what waits
            meanwhile.append("first")
            while outbox.send_due():
                pass
            meanwhile.append({each.pk: each.state for each in Reply.objects.all()})
        return send(self, reply)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "_lanes", Lanes(outbox.HANDS))  # a worker that has met neither network yet
        patch.setattr(Demo, "send", takes_its_time)
        patch.setattr(Quiet, "send", lambda self, reply: Sent("1"))
        while outbox.send_due():
            pass
    assert meanwhile[1] == {slow[0].pk: "sending", slow[1].pk: "approved", quick.pk: "sent"}
    assert {each.state for each in Reply.objects.all()} == {"sent"}


def test_a_network_that_never_lets_us_look_is_left_alone_in_the_end(channel, item, carl):
    written = answer(item, carl)
    outbox.send_due()
    fault(channel, outage=True)
    for _ in range(outbox.MOST_LOOKS + 1):
        Reply.objects.filter(pk=written.pk).update(send_after=timezone.now())
        assert outbox.send_due() == 1
    written.refresh_from_db()
    assert (written.state, written.send_after, written.trouble) == (Reply.State.SENT, None, "")


def test_a_network_that_repeats_our_secret_in_a_refusal_is_not_quoted_with_it(item, carl, channel, monkeypatch):
    channel.credentials = {"access_token": "canary-token", "renewable": "no"}
    channel.save()
    monkeypatch.setattr(Demo, "send", _refusing)
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, reply.trouble) == ("refused", "Nobody may speak with •••.")


def _refusing(demo, reply):
    raise Rejected(f"Nobody may speak with {demo.credentials['access_token']}.")


def test_looking_once_more_takes_nothing_of_the_time_for_sending(item, carl, monkeypatch):
    """Else another worker would begin to doubt a reply that is just being sent."""
    reply = answer(item, carl)
    [claimed] = Reply.objects.all().claim(batch=1, seconds=1)
    left = []

    def send(demo, outgoing):
        left.append(Reply.objects.get().leased_until - timezone.now())
        raise Rejected

    monkeypatch.setattr(Demo, "send", send)
    outbox.step(claimed)
    assert left[0] > timedelta(minutes=1) and reply.pk == claimed.pk


def test_a_reply_for_which_there_is_no_way_to_the_network_waits_and_is_not_doubted(item, carl, channel, monkeypatch):
    reply = answer(item, carl)
    monkeypatch.setitem(registry.NETWORKS, "demo", "connectors.networks.missing.Demo")
    registry.connector_class.cache_clear()
    outbox.send_due()
    monkeypatch.undo()
    registry.connector_class.cache_clear()
    reply.refresh_from_db()
    assert (reply.state, on_the_network()) == ("approved", 0)
    look_later(reply)
    assert (reply.state, on_the_network()) == ("sent", 1)
