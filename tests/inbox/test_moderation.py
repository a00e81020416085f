"""What Carl has done to a post on its network besides answering it, and what he finds out before he answers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions as channels
from connectors.contract import Post
from connectors.demo import server
from connectors.errors import Unreachable
from connectors.models import Channel, DemoPost
from connectors.networks.demo import Demo
from departments.tokens import make_token
from inbox import actions, outbox, rechecking
from inbox.errors import Refused
from inbox.intake import take_in
from inbox.models import Message, Moderation, QueueItem, Reply
from inbox.moderating import moderate_due
from tests.inbox.test_outbox import answer, bring, channel, no_delay, on_the_network  # noqa: F401

# ruff: noqa: F811  (fixtures of the outbox's tests, by their names)

pytestmark = pytest.mark.django_db


@pytest.fixture
def comment(channel, customer_service):
    """Ana's comment below a post of ours; it lies with customer service."""
    post = server.as_post(server.write_as("ana", "Shame on you.", "comment"))
    take_in(channel, [post])
    message = Message.objects.select_related("conversation").get(external_id=post.id)
    actions.place(message.conversation, customer_service, message=message, because="it was tested")
    return message


@pytest.fixture
def item(comment):
    return QueueItem.objects.get(conversation=comment.conversation)


def there(comment):
    return DemoPost.objects.get(pk=comment.external_id)


def now(comment):
    return Message.objects.get(pk=comment.pk)


def test_carl_hides_a_comment_and_shows_it_again(comment, item, carl):
    actions.moderate(item, comment, "hide", by=carl)
    assert moderate_due() == 1 and moderate_due() == 0
    assert there(comment).hidden_at and now(comment).hidden_at
    actions.moderate(item, comment, "show", by=carl)
    moderate_due()
    assert there(comment).hidden_at is None and now(comment).hidden_at is None


def test_what_carl_deletes_is_gone_there_and_here(comment, item, carl):
    actions.moderate(item, comment, "remove", by=carl)
    moderate_due()
    assert there(comment).deleted_at
    assert (now(comment).text, bool(now(comment).deleted_at)) == ("", True)
    with pytest.raises(Refused, match="deleted already"):
        actions.moderate(item, comment, "hide", by=carl)


def test_carl_likes_it_once(comment, item, carl):
    actions.moderate(item, comment, "like", by=carl)
    with pytest.raises(Refused, match="Something is being done to it already"):
        actions.moderate(item, comment, "hide", by=carl)
    moderate_due()
    with pytest.raises(Refused, match="does not let us"):
        actions.moderate(item, comment, "like", by=carl)


def test_a_network_that_is_away_is_asked_again_and_one_that_refuses_is_believed(comment, item, channel, carl):
    asked = actions.moderate(item, comment, "hide", by=carl)
    channels.change_channel(channel, settings={"story": False, "rate": 0, "outage": True}, by="system")
    moderate_due()
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == ("waiting", 1) and asked.try_after > timezone.now() and asked.trouble
    channels.change_channel(channel, settings={"story": False, "rate": 0, "refuse": "Not you."}, by="system")
    Moderation.objects.update(try_after=timezone.now())
    moderate_due()
    asked.refresh_from_db()
    assert (asked.state, asked.trouble) == ("refused", "Not you.")
    assert now(comment).hidden_at is None


def test_nothing_is_done_through_a_channel_that_is_stopped(comment, item, channel, carl):
    actions.moderate(item, comment, "hide", by=carl)
    channels.freeze(channel, by="system")
    assert moderate_due() == 0 and there(comment).hidden_at is None
    channels.thaw(channel, by="system")
    assert moderate_due() == 1


def test_nobody_changes_what_they_do_not_speak_for(comment, item, pr, pia, carl):
    joined = actions.add_department(item, department=pr, by=carl)
    with pytest.raises(Refused, match="does not speak here"):
        actions.moderate(joined, comment, "hide", by=pia)


def test_carl_finds_the_acts_at_the_message(comment, client, carl):
    client.force_login(carl)
    page = client.get(reverse("conversation", args=[comment.conversation_id])).content.decode()
    hide = reverse("message-act", args=[comment.pk, "hide"])
    assert hide in page and reverse("message-act", args=[comment.pk, "show"]) not in page
    assert client.post(hide).status_code == 302
    assert Moderation.objects.get().act == "hide"
    assert "on its way" in client.get(reverse("conversation", args=[comment.conversation_id])).content.decode()


def test_what_the_network_can_not_do_is_not_offered(comment, client, carl, channel):
    Channel.objects.filter(pk=channel.pk).update(network="import")
    client.force_login(carl)
    page = client.get(reverse("conversation", args=[comment.conversation_id])).content.decode()
    assert reverse("message-act", args=[comment.pk, "hide"]) not in page
    client.post(reverse("message-act", args=[comment.pk, "hide"]))
    assert not Moderation.objects.exists()


# Before one answers -----------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """The demo network tells of no changes, but can be asked."""
    seen = []

    def lookup(self, ids):
        seen.extend(ids)
        posts = {str(each.pk): each for each in DemoPost.objects.filter(pk__in=ids)}
        return {id: server.as_post(posts[id]) if posts[id].deleted_at is None else None for id in ids}

    monkeypatch.setattr(Demo, "lookup", lookup)
    monkeypatch.setattr(Demo, "capabilities", replace(Demo.capabilities, lookups=True))
    return seen


def test_a_reply_to_what_was_deleted_meanwhile_does_not_leave(channel, customer_service, carl, asked):
    item = bring(channel, customer_service, "Is anybody there?")
    written = answer(item, carl)
    server.delete(DemoPost.objects.get(text="Is anybody there?"))
    outbox.send_due()
    written.refresh_from_db()
    assert (written.state, written.trouble) == (Reply.State.REFUSED, "They deleted the message before the reply left.")
    assert on_the_network() == 0


def test_a_network_that_can_not_be_asked_just_now_holds_up_no_reply(
    channel, customer_service, carl, asked, monkeypatch
):
    def away(self, ids):
        raise Unreachable

    monkeypatch.setattr(Demo, "lookup", away)
    answer(bring(channel, customer_service, "Is anybody there?"), carl)
    outbox.send_due()
    assert on_the_network() == 1


def test_once_a_day_open_messages_are_asked_about(channel, customer_service, asked):
    item = bring(channel, customer_service, "The bike is broken")
    assert rechecking.recheck_open() == 0
    Message.objects.update(received_at=timezone.now() - timedelta(hours=21))
    server.edit(DemoPost.objects.get(text="The bike is broken"), "The bike is mended")
    assert rechecking.recheck_open() == 1 and rechecking.recheck_open() == 0
    message = item.conversation.messages.get()
    assert (message.text, message.revision) == ("The bike is mended", 2)


def test_the_notice_of_a_deletion_finds_its_message(comment):
    notice = rechecking.gone(comment)
    assert isinstance(notice, Post) and notice.deleted and notice.global_id == f"demo:{comment.external_id}"


def test_a_program_hides_a_comment_too(comment, carl, client):
    _, token = make_token(carl, "bot", scopes=["read", "reply"], by=carl)
    asked = {"HTTP_AUTHORIZATION": f"Bearer {token}", "content_type": "application/json"}
    path = f"/api/v1/conversations/{comment.conversation_id}/moderations/"
    answer = client.post(path, {"message": str(comment.pk), "act": "hide"}, **asked)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    moderate_due()
    assert client.get(path, **asked).json()["results"][0]["state"] == "done"
    said = client.get(f"/api/v1/conversations/{comment.conversation_id}/messages/", **asked).json()["results"][0]
    assert said["hidden_at"] and said["reply_closed"] == ""
    refused = client.post(path, {"message": str(comment.pk), "act": "hide"}, **asked)
    assert refused.status_code == 409 and "does not let us" in refused.json()["detail"]


# Whether the network takes answers --------------------------------------------------------------------------------


def test_carl_learns_why_he_can_not_answer_and_when_he_can_again(channel, customer_service, carl, client):
    post = server.as_post(server.write_as("ana", "Somebody should tell them", "mention"))
    closed = replace(post, reply_closed="They did not mention us, so the network takes no answer.")
    take_in(channel, [closed])
    message = Message.objects.select_related("conversation").get()
    actions.place(message.conversation, customer_service, message=message, because="it was tested")
    item = QueueItem.objects.get()
    client.force_login(carl)
    assert closed.reply_closed in client.get(reverse("conversation", args=[item.conversation_id])).content.decode()
    with pytest.raises(Refused, match="They did not mention us"):
        answer(item, carl)
    take_in(channel, [post])
    assert now(message).reply_closed == ""
    take_in(channel, [replace(post, reply_until=timezone.now() - timedelta(minutes=1))])
    with pytest.raises(Refused, match="time in which the network lets us answer"):
        answer(item, carl)
    take_in(channel, [replace(post, reply_until=timezone.now() + timedelta(hours=3))])
    assert (
        "takes answers to this until"
        in client.get(reverse("conversation", args=[item.conversation_id])).content.decode()
    )
    assert answer(item, carl).state == Reply.State.APPROVED
