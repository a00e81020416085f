"""What a rule asks for beyond a place: a person, spam, a snooze, an approval, that somebody is told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import actions
from inbox.actions import Order, Placement
from inbox.models import Clock, Message, Notice, QueueItem
from tests.make import answer_in, find, make_conversation, make_item

pytestmark = pytest.mark.django_db
TOMORROW = timezone.now() + timedelta(days=1)


def placed(*orders, department="customer-service", **more) -> QueueItem:
    """A post on which rules had these orders."""
    return make_item(department=department, orders=[Order(act, "Strict", *value) for act, *value in orders], **more)


def told(item) -> list[str]:
    from departments.audit import sentence
    from departments.models import AuditEntry

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
