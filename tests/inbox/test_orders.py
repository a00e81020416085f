"""What a rule asks for beyond a place: a person, spam, a snooze, an approval, that somebody is told."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from departments.audit import sentence
from departments.models import AuditEntry
from inbox import actions, outbox
from inbox.actions import Order, Placement
from inbox.errors import Refused
from inbox.models import Clock, Message, Notice, QueueItem, Reply
from tests.make import answer_in, find, item_of, make_item

pytestmark = pytest.mark.django_db
TOMORROW = timezone.now() + timedelta(days=1)


def placed(*orders, department="customer-service", **more) -> QueueItem:
    """A post on which rules had these orders."""
    return make_item(department=department, orders=[Order(act, "Strict", *value) for act, *value in orders], **more)


def told(item) -> list[str]:
    return [sentence(each) for each in AuditEntry.objects.about(item.conversation_id)][1:]


def test_a_rule_names_who_gets_it(carl):
    item = placed(("assign", "pia"), ("assign", "carl"), ("assign", "carla"))
    assert item.assignee == carl  # Pia does not work there
    assert told(item) == ["The rule “Strict” gave it to Carl Okafor in Customer service"]


def test_whom_a_rule_names_may_be_away(carl):
    carl.away_until = TOMORROW
    carl.save()
    assert placed(("assign", "carl")).assignee is None


def test_spam_is_resolved_at_once_and_can_be_reopened(carl):
    item = placed(("spam",), ("snooze", TOMORROW))
    assert (item.status, item.resolution, item.due_at) == ("resolved", "spam", None)
    assert not Clock.objects.filter(item=item).exists()
    assert told(item) == ["The rule “Strict” resolved it in Customer service: spam"]
    assert actions.reopen(item, by=carl).status == "open"


def test_a_snoozed_post_comes_back_in_time():
    item = placed(("snooze", TOMORROW))
    assert (item.status, item.snoozed_until, item.due_at) == ("snoozed", TOMORROW, None)
    QueueItem.objects.update(snoozed_until=timezone.now() - timedelta(minutes=1))
    assert actions.wake() == 1
    item.refresh_from_db()
    assert item.status == "open" and item.due_at


def test_only_who_sees_it_is_told_and_once(pia, carla, hana, cora):
    item = placed(("notify", "pia"), ("notify", "carla"), ("notify", "carla"), ("notify", "cora"), ("notify", "nobody"))
    assert {each.user for each in Notice.objects.all()} == {carla, cora}  # Pia's department is not on it
    assert told(item) == [f"The rule “Strict” told {carla}", f"The rule “Strict” told {cora}"]
    secret = placed(("notify", "cora"), ("notify", "hana"), department="hr", author="ben")
    assert [each.user for each in Notice.objects.filter(conversation=secret.conversation)] == [hana]


def test_a_later_message_can_ask_for_approval_but_not_hide_the_conversation(carla):
    item = make_item()
    message = answer_in(item.conversation, "I have called my lawyer.")
    orders = [Order("approval", "Lawyers"), Order("assign", "Lawyers", "carla"), Order("spam", "Lawyers")]
    message = Message.objects.select_related("conversation", "channel", "identity").get(pk=message.pk)
    actions.place_many([Placement(message=message, department=None, orders=orders)])
    item.refresh_from_db()
    assert (item.needs_approval, item.assignee, item.status) == (True, carla, "open")


# Approval -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def strict(carl):
    """Carl's reply in a conversation whose replies a lead reads first."""
    item = placed(("approval",))
    seen = item.conversation.messages.get().pk
    return actions.reply(item, "We are so sorry, it was all our fault.", seen=seen, by=carl)


def again(reply):
    reply.refresh_from_db()
    return reply


def test_nothing_leaves_before_a_lead_has_read_it(strict, carl, carla, mia, pia, cora):
    assert (strict.state, strict.approved_hash, outbox.send_due()) == ("waiting_approval", "", 0)
    assert [each.user for each in Notice.objects.visible_to(carla)] == [carla]
    for nobody in (carl, mia):  # who wrote it, who does not lead
        with pytest.raises(PermissionDenied):
            actions.approve(strict, body_hash=strict.body_hash, by=nobody)
    with pytest.raises(Http404):
        actions.approve(strict, body_hash=strict.body_hash, by=pia)
    assert actions.approve(strict, body_hash=strict.body_hash, by=cora).state == "approved"
    outbox.send_due()
    assert again(strict).state in ("sent", "unknown", "approved") and strict.attempts == 1


def test_even_a_lead_has_another_read_what_they_wrote(carla, cora):
    item = placed(("approval",))
    own = actions.reply(item, "Sorry.", seen=item.conversation.messages.get().pk, by=carla)
    with pytest.raises(PermissionDenied, match="Somebody else"):
        actions.approve(own, body_hash=own.body_hash, by=carla)


def test_an_approval_is_of_one_text(strict, carl, carla):
    read = strict.body_hash
    actions.revise(strict, "We look into it.", by=carl)
    with pytest.raises(Refused, match="changed since you read it"):
        actions.approve(strict, body_hash=read, by=carla)
    approved = actions.approve(strict, body_hash=again(strict).body_hash, by=carla)
    assert approved.approved_hash == approved.body_hash
    changed = actions.revise(approved, "It was all our fault.", by=carl)
    assert (changed.state, changed.approved_hash) == ("waiting_approval", "")
    Reply.objects.update(state="approved", send_after=timezone.now(), approved_hash=read)  # by a back door
    outbox.send_due()
    assert (again(strict).state, strict.attempts) == ("refused", 0)


def test_a_newer_message_is_read_before_the_reply_is_approved(strict, carla):
    newer = answer_in(strict.conversation, "Forget it, it came.")
    with pytest.raises(Refused, match="came since"):
        actions.approve(strict, body_hash=strict.body_hash, by=carla)
    assert actions.approve(strict, body_hash=strict.body_hash, seen=newer.pk, by=carla).state == "approved"


def test_sent_back_it_says_what_should_be_different_and_a_new_one_replaces_it(strict, carl, carla, client_of):
    actions.send_back(strict, "Promise nothing.", by=carla)
    assert Notice.objects.visible_to(carl).get().why == "Carla Mendes sent your reply back"
    page = client_of(carl).get(strict.conversation.get_absolute_url()).content.decode()
    assert "Sent back: Promise nothing." in page and "Send for approval" in page
    item = strict.conversation.items.get()
    actions.reply(item, "We look into it.", seen=strict.conversation.messages.get().pk, by=carl)
    assert again(strict).state == "cancelled"


def test_programs_decide_as_well(strict, carl, carla, client_of):
    path = f"/api/v1/replies/{strict.pk}/"
    send = {"content_type": "application/json"}
    assert client_of(carl).post(path + "approve/", {"body_hash": strict.body_hash}, **send).status_code == 403
    assert client_of(carla).post(path + "approve/", {"body_hash": "another"}, **send).status_code == 409
    assert client_of(carla).post(path + "send-back/", {"note": "No."}, **send).json()["state"] == "draft"
    assert client_of(carl).post(path + "revise/", {"text": "Yes."}, **send).status_code == 409


# Notices --------------------------------------------------------------------------------------------------------------
def test_a_notice_leads_to_its_conversation_and_is_gone_when_sight_is_lost(carl, carla, hana, client_of):
    item = placed(("notify", "carla"))
    notice, carlas = Notice.objects.get(), client_of(carla)
    page = carlas.get("/notices/").content.decode()
    assert "The rule “Strict” fitted" in page and 'title="unread">1' in page
    assert carlas.post("/notices/", {"notice": notice.pk}).url == item.get_absolute_url()
    assert 'title="unread"' not in carlas.get("/notices/").content.decode()
    actions.hand_off(item, find("hr"), reason="expertise", by=carl)
    actions.accept(item_of(item.conversation, "hr"), by=hana)
    assert "The rule “Strict” fitted" not in carlas.get("/notices/").content.decode()
    assert carlas.post("/notices/", {"notice": notice.pk}).url == "/notices/"
    assert carlas.post("/notices/", {"notice": "x"}).status_code == client_of(hana).post("/notices/").status_code == 302
