"""Routing what waits: placed, recorded, and each message once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from departments import audit
from departments.models import AuditEntry
from inbox.actions import reply as say
from inbox.actions.step import lock_conversation
from inbox.models import Conversation, Message, Notice, QueueItem
from routing import actions, engine
from routing.models import Decision
from tests.make import make_post, receive
from tests.routing.posts import says


@pytest.fixture
def rules(house):
    """`rules(rule, …)`: these are in force for everybody."""

    def in_force(*written, department=None):
        rule_set = actions.found_rule_set(department, by="system")
        return actions.publish(rule_set, list(written), by="system")

    return in_force


def written(name, when, **then):
    return {"uid": name.lower(), "name": name, "when": when, "then": then}


PARCELS = written("Parcels", says("parcel", "delivery"), place="customer-service", tags=["delivery"])
PRESS = written("Press", says("journalist"), place="pr", priority="high", join=["marketing"])
FAULTS = written("Faults", says("crash"), join=["rnd"])
BOSS = written("Boss", says("my boss"), place="hr")


def items(message):
    return {item.department.slug: item for item in message.conversation.items.select_related("department")}


def test_a_post_is_placed_and_the_reason_is_kept(rules):
    version = rules(PARCELS)
    (message,) = receive(make_post("Where is my PARCEL? It was due on Monday", title="Help"))
    assert engine.route() == 1

    message.refresh_from_db()
    (item,) = items(message).values()
    decision = Decision.objects.get(message=message)
    assert item.department.slug == "customer-service"
    assert (item.lead, item.why) == (True, "Parcels")
    assert message.routed_at is not None
    assert message.language == item.language == "en"
    assert [tag.name for tag in message.conversation.tags.all()] == ["delivery"]
    assert decision.sentence == "The rule “Parcels” put this in Customer service, because the text contains “parcel”."
    assert decision.spans == [["text", 12, 18, "parcel"]]
    assert (decision.rule_uid, decision.label, decision.source) == ("parcels", "Parcels", "rule")
    assert decision.versions == [version.pk]
    assert decision.facts["followers"] == 120
    assert "parcel" not in str(decision.facts).lower()
    entry = AuditEntry.objects.get(verb="item_placed", conversation_id=message.conversation_id)
    assert audit.sentence(entry) == (
        "The rule “Parcels” put this in Customer service, because the text contains “parcel”"
    )


def test_what_no_rule_places_lies_in_triage_with_the_reason(rules):
    rules(PARCELS)
    (message,) = receive(make_post("Hello there"))
    engine.route()
    assert list(items(message)) == ["triage"]
    assert Decision.objects.get().sentence == "It went to Triage, because no rule fits."


def test_without_any_rules_everything_lies_in_triage(house):
    (message,) = receive(make_post("Where is my parcel?"))
    assert engine.route() == 1
    assert list(items(message)) == ["triage"]


def test_departments_join_each_for_its_own_reason(rules):
    rules(PRESS, FAULTS)
    (message,) = receive(make_post("A journalist asks: why does it crash?"))
    engine.route()
    placed = items(message)
    assert {slug: item.lead for slug, item in placed.items()} == {"pr": True, "marketing": False, "rnd": False}
    assert placed["pr"].priority == placed["rnd"].priority == 1
    told = {
        entry.department.slug: audit.sentence(entry)
        for entry in AuditEntry.objects.filter(verb="item_joined").select_related("department")
    }
    assert told == {
        "marketing": "The rule “Press” asked Marketing to join, because the text contains “journalist”",
        "rnd": "The rule “Faults” asked R&D to join, because the text contains “crash”",
    }


def test_a_message_that_continues_a_conversation_stays_there(rules):
    rules(PARCELS, PRESS, FAULTS)
    first = make_post("My parcel is late")
    receive(first)
    engine.route()
    (second,) = receive(make_post("I am a journalist, and your app does crash", in_reply_to=first.id, kind="reply"))
    engine.route()
    placed = items(second)
    assert [slug for slug, item in placed.items() if item.lead] == ["customer-service"]
    assert set(placed) == {"customer-service", "marketing", "rnd"}
    assert placed["customer-service"].priority == 1
    decision = Decision.objects.get(message=second)
    assert decision.source == "thread"
    assert [each["name"] for each in decision.also_matched] == ["Press", "Faults"]


def test_two_messages_of_one_conversation_in_one_batch_are_one_thread(rules):
    rules(PARCELS, PRESS)
    first = make_post("My parcel is late")
    receive(first, make_post("A journalist will hear of it", in_reply_to=first.id, kind="reply", minutes_ago=5))
    assert engine.route() == 2
    assert sorted(Decision.objects.values_list("source", flat=True)) == ["rule", "thread"]
    assert QueueItem.objects.filter(lead=True).count() == 1


def test_hr_takes_a_conversation_alone(rules, hr):
    rules(BOSS, FAULTS)
    (message,) = receive(make_post("my boss let it crash"))
    engine.route()
    assert list(items(message)) == ["hr"]
    assert Conversation.objects.get(pk=message.conversation_id).confidential


def test_a_departments_own_rules_tag_what_it_leads(rules, customer_service):
    rules(PARCELS)
    rules(written("Loud", says("now"), priority="urgent", tags=["loud"]), department=customer_service)
    (message,) = receive(make_post("Find my parcel now"))
    engine.route()
    assert items(message)["customer-service"].priority == 2
    assert sorted(tag.name for tag in message.conversation.tags.all()) == ["delivery", "loud"]
    assert len(Decision.objects.get().versions) == 2


def test_an_edited_post_is_decided_again_and_stays_where_it_lies(rules):
    rules(PARCELS, PRESS)
    post = make_post("My parcel is late")
    receive(post)
    engine.route()
    (message,) = receive(make_post("My parcel is late, I told a journalist", id=post.id, edited_at=timezone.now()))
    assert engine.route() == 1
    assert list(Decision.objects.values_list("revision", "source").order_by("id")) == [(1, "rule"), (2, "thread")]
    assert set(items(message)) == {"customer-service", "marketing"}


def test_what_was_deleted_before_anybody_saw_it_is_placed_nowhere(rules):
    rules(PARCELS)
    post = make_post("My parcel is late")
    receive(post)
    receive(make_post("", id=post.id, deleted=True, author=None))
    assert engine.route() == 0
    assert not QueueItem.objects.exists()


def test_new_rules_hold_for_the_next_message(rules, cora):
    rules(PARCELS)
    receive(make_post("parcel"))
    engine.route()
    rules(written("Parcels", says("parcel"), place="marketing"))
    (second,) = receive(make_post("parcel", author="ben"))
    engine.route()
    assert list(items(second)) == ["marketing"]


def test_live_posts_are_routed_before_history(rules):
    rules(PARCELS)
    (old,) = receive(make_post("old parcel", author="ben"))
    Message.objects.filter(pk=old.pk).update(history=True)
    (new,) = receive(make_post("new parcel"))
    engine.route(1)
    assert list(Message.objects.waiting_for_route()) == [old]
    assert Message.objects.get(pk=new.pk).routed_at is not None


# What goes wrong ----------------------------------------------------------------------------------------------------
def test_a_crash_in_the_middle_routes_nothing_twice(rules, monkeypatch):
    rules(PARCELS)
    receive(*[make_post("parcel", author=f"a{number}") for number in range(5)])

    class PulledThePlug(BaseException):
        pass

    def crash(*_, **__):
        raise PulledThePlug

    with monkeypatch.context() as broken, pytest.raises(PulledThePlug):
        broken.setattr(Decision.objects, "keep", crash)
        with transaction.atomic():
            engine.route()
    assert QueueItem.objects.count() == 0
    assert Message.objects.waiting_for_route().count() == 5

    assert engine.route() == 5
    assert engine.route() == 0
    assert QueueItem.objects.count() == Decision.objects.count() == 5
    assert AuditEntry.objects.filter(verb="item_placed").count() == 5


def test_a_message_that_can_not_be_decided_goes_to_triage_and_holds_up_nobody(rules, monkeypatch):
    rules(PARCELS)
    bad, good = receive(make_post("bad parcel"), make_post("good parcel", author="ben"))
    decided = engine.decide

    def stumbles(facts, *rest, **more):
        if "bad" in facts.text:
            raise ValueError("a rule tripped")
        return decided(facts, *rest, **more)

    monkeypatch.setattr(engine, "decide", stumbles)
    assert engine.route() == 2
    assert list(items(bad)) == ["triage"]
    assert list(items(good)) == ["customer-service"]
    decision = Decision.objects.get(message=bad)
    assert decision.sentence == "It went to Triage, because routing failed (ValueError)."
    assert decision.label == "Routing failed"


def test_a_message_that_can_not_be_placed_goes_to_triage_and_holds_up_nobody(rules, monkeypatch):
    rules(PARCELS)
    bad, good = receive(make_post("bad parcel"), make_post("good parcel", author="ben"))
    place = engine.place_many

    def stumbles(placements):
        placements = list(placements)
        if any(each.message.pk == bad.pk and each.department.slug != "triage" for each in placements):
            raise RuntimeError("no place")
        place(placements)

    monkeypatch.setattr(engine, "place_many", stumbles)
    assert engine.route() == 2
    assert list(items(bad)) == ["triage"]
    assert list(items(good)) == ["customer-service"]


def test_messages_that_are_stored_one_by_one_still_share_their_conversation(rules, monkeypatch):
    rules(BOSS, FAULTS)
    first = make_post("my boss shouts", minutes_ago=9)
    one, two = receive(first, make_post("and lets it crash", in_reply_to=first.id, kind="reply", minutes_ago=5))
    place = engine.place_many

    def stumbles(placements):
        placements = list(placements)
        place(placements)
        if len(placements) > 1:
            raise RuntimeError("no place for so many")

    monkeypatch.setattr(engine, "place_many", stumbles)
    assert engine.route() == 2
    assert list(items(one)) == list(items(two)) == ["hr"]
    assert items(one)["hr"].preview == "and lets it crash"


def test_a_message_that_nothing_can_place_is_left_alone_after_some_tries(rules, monkeypatch):
    rules(PARCELS)
    bad, good = receive(make_post("bad parcel"), make_post("good parcel", author="ben"))
    place = engine.place_many

    def stumbles(placements):
        placements = list(placements)
        if any(each.message.pk == bad.pk for each in placements):
            raise RuntimeError("no place at all")
        place(placements)

    monkeypatch.setattr(engine, "place_many", stumbles)
    assert [engine.route() for _ in range(7)] == [1, 0, 0, 0, 0, 0, 0]
    assert Message.objects.get(pk=bad.pk).route_attempts == engine.ATTEMPTS
    assert list(items(good)) == ["customer-service"]


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_holds_is_passed_over(rules):
    rules(PARCELS)
    held, free = receive(make_post("parcel"), make_post("parcel", author="ben"))
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Message.objects.select_for_update().get(pk=held.pk)
        assert other.submit(_route_elsewhere).result(timeout=10) == 1
        assert list(Message.objects.waiting_for_route()) == [held]
    assert engine.route() == 1
    assert Decision.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_carl_answers_while_the_router_looks_again_at_what_he_answers(rules, carl):
    rules(PARCELS)
    (message,) = receive(make_post("parcel"))
    engine.route()
    item = message.conversation.items.get()
    message.channel.speakers.add(item.department)
    Message.objects.filter(pk=message.pk).update(routed_at=None, revision=2)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            lock_conversation(message.conversation_id)
            router = other.submit(_route_elsewhere)
            while not _somebody_waits():
                time.sleep(0.01)
            reply = say(item, "It comes tomorrow.", seen=message.pk, by=carl)
        assert router.result(timeout=10) == 1
    assert reply.target == message and not Message.objects.waiting_for_route().exists()


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
        return cursor.rowcount


def _route_elsewhere():
    try:
        return engine.route()
    finally:
        connection.close()


def test_a_batch_costs_the_same_number_of_queries_at_any_size(rules):
    rules(PARCELS, PRESS)
    texts = ["My parcel is late today", "I am a journalist here", "Good morning to everybody"]

    def queries(many):
        receive(*[make_post(texts[number % 3], author=f"p{many}-{number}") for number in range(many)])
        with CaptureQueriesContext(connection) as asked:
            assert engine.route() == many
        return len(asked)

    queries(3)
    assert queries(6) == queries(60)


def test_what_else_rules_ask_for_is_carried_out(rules, customer_service, carl, carla):
    spam = written("Casino", says("casino"), spam=True)
    lawyers = written("Lawyers", says("lawyer"), place="customer-service", approval=True, notify=["carla", "pia"])
    rules(spam, lawyers)
    rules(written("Carls", says("lawyer"), assign="carl", snooze=60), department=customer_service)
    posts = receive(make_post("Casino tonight", author="bot"), make_post("My lawyer writes to you"))
    assert engine.route() == 2
    junk, strict = (message.conversation.items.get() for message in posts)
    assert (junk.status, junk.resolution) == ("resolved", "spam")
    assert (strict.assignee, strict.needs_approval, strict.status) == (carl, True, "snoozed")
    assert [each.user for each in Notice.objects.all()] == [carla]  # Pia does not see it
