"""Why here, and why not there: what stands above a conversation."""

import pytest
from django.utils import timezone

from inbox import actions as inbox
from inbox.models import Message
from routing import actions, engine, recording, starter
from routing.explaining import explain
from routing.facts import facts_again
from routing.models import Decision
from tests.make import answer_in, item_of, make_conversation, make_post, receive
from tests.routing.posts import says

pytestmark = pytest.mark.django_db
PARCELS = {"uid": "p", "name": "Parcels", "when": says("parcel"), "then": {"place": "customer-service"}}
PRESS = {"uid": "j", "name": "Press", "when": says("journalist", "reporter"), "then": {"place": "pr"}}
TV = {"uid": "t", "name": "Television", "when": says("camera"), "then": {"place": "pr"}}
LATE = {"uid": "l", "name": "Late", "when": says("late"), "then": {"place": "marketing"}}


@pytest.fixture
def rules(house):
    rule_set = actions.found_rule_set(by="system")
    actions.publish(rule_set, [PARCELS, PRESS, TV, LATE], by="system")
    return rule_set


def routed(post):
    (message,) = receive(post)
    engine.route()
    return message.conversation


def test_it_says_why_it_is_here_and_why_not_there_the_nearest_miss_first(rules, carl):
    told = explain(routed(make_post("My parcel is late", title="Help me")), carl)
    assert (told["label"], told["because"]) == ("Parcels", "the text contains “parcel”")
    assert told["not"] == [
        {"department": "Marketing", "because": "“Late”: it fits, but the rule “Parcels” stands before it"},
        {
            "department": "PR",
            "because": "“Press”: the text does not contain “journalist” or “reporter”; nor does “Television” fit",
        },
    ]
    assert told["version"] == "For everybody, version 1"
    assert list(told["spans"].values()) == [[(3, 9)]]


def test_why_not_is_answered_by_the_version_that_ran(rules, carl):
    conversation = routed(make_post("My parcel is late"))
    actions.publish(rules, [PARCELS | {"name": "Renamed"}], by="system")
    told = explain(conversation, carl)
    assert told["version"] == "For everybody, version 1"
    assert [each["department"] for each in told["not"]] == ["Marketing", "PR"]


def test_what_was_handed_on_since_says_where_routing_had_put_it(rules, carl, carla, pia, pr):
    conversation = routed(make_post("My parcel is late"))
    inbox.hand_off(item_of(conversation, "customer-service"), pr, reason="expertise", by=carla)
    inbox.accept(item_of(conversation, pr), by=pia)
    told = explain(conversation, pia)
    assert told["because"] == "routing had put it in Customer service first, because the text contains “parcel”"
    assert "PR" not in [each["department"] for each in told["not"]]


def test_marks_of_an_edited_message_are_those_of_its_newest_revision(rules, carl):
    post = make_post("My parcel is late")
    conversation = routed(post)
    routed(make_post("Found it: the parcel is here", id=post.id, edited_at=timezone.now()))
    told = explain(conversation, carl)
    assert list(told["spans"].values()) == [[(14, 20)]]


def test_without_a_decision_there_is_nothing_to_say(house, carl):
    told = explain(make_conversation(), carl)
    assert (told["label"], told["because"], told["not"], told["version"]) == ("Parcels", "", [], "")


def test_every_stored_decision_is_reached_again_from_what_was_kept(house):
    starter.found(by="system")
    for number, text in enumerate(
        ["Wo ist mein Paket?", "We are hiring", "A sunset", "reporter with the Courier here"]
    ):
        routed(make_post(text, author=f"a{number}"))
    answer_in(Message.objects.first().conversation, "Hallo? Liest hier jemand mit?", "a0")
    engine.route()
    kept = Decision.objects.select_related("department", "message__channel", "message__identity").order_by("id")
    assert kept.count() == 5
    for each in kept:
        holder = each.department.slug if each.source == "thread" else ""
        facts = facts_again(each.message, each.facts)
        again = engine.decide(facts, engine.rule_sets_that_ran(each.versions), holder=holder)
        assert (again.department, again.because, recording.places(again)) == (
            each.department.slug,
            each.sentence,
            each.spans,
        )
