"""What has to be looked up, and is looked up only when a rule asks: lists, campaigns, hours, how often somebody wrote,
near copies."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.contract import Author, Post
from inbox.actions import place
from inbox.models import Message
from inbox.waiting import as_they_waited, claim
from routing.copies import similar_to, tidy
from routing.gathering import LOOKED_UP, gather, gather_again, gather_tried
from routing.models import AuthorList, Campaign, Fingerprint
from routing.previewing import Anywhere
from routing.scoring.similar import Copies
from tests.make import answer_in, find, make_conversation, make_post, receive

pytestmark = pytest.mark.django_db

RECALL = "Attention: the Aero kettle of the year 2024 is called back, do not use it any more and bring it to a shop"


def waiting() -> list:
    return claim(1000, tried_less_than=5)


def looked_up(messages, *asks) -> list:
    """What the router would know of each of these, one fact for each."""
    found = gather(waiting(), frozenset(asks))
    return [getattr(found[str(each.pk)], *asks) for each in messages]


def test_where_no_rule_asks_nothing_is_looked_up(house):
    receive(*(make_post(RECALL, f"author{number}") for number in range(5)))
    messages = waiting()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = gather(messages, frozenset(("mood", "labels")))
    assert not asked.captured_queries
    assert {each.similar for each in found.values()} == {None}


def test_a_thousand_messages_cost_as_many_statements_as_one(house):
    AuthorList.objects.create(slug="press", name="Press", handles=["author3"])
    Campaign.objects.create(slug="spring", name="Spring", hashtags=["spring"])
    receive(*(make_post(f"{RECALL} and {number}", f"author{number}") for number in range(40)))
    messages = waiting()
    with CaptureQueriesContext(connection) as one:
        gather(messages[:1], LOOKED_UP)
    with CaptureQueriesContext(connection) as all_of_them:
        gather(messages, LOOKED_UP)
    assert len(all_of_them) == len(one) <= 7


def test_somebody_is_on_a_list_by_handle_or_id_and_perhaps_on_one_network_alone(house):
    AuthorList.objects.create(slug="press", name="Press", handles=["ines", "x:tomas", "quiet:id-7"])
    AuthorList.objects.create(slug="vip", name="VIP", handles=["ines"])
    ines, tomas, seven, ana = receive(
        make_post("Hello", "Ines"),
        make_post("Hello", "tomas"),
        Post("p7", "mention", "Hello", timezone.now(), Author(id="id-7", handle="@somebody")),
        make_post("Hello", "ana"),
    )
    of_quiet = looked_up([ines, tomas, seven, ana], "author_lists")
    assert of_quiet == [{"press", "vip"}, set(), {"press"}, set()]


def test_a_post_belongs_to_a_campaign_by_hashtag_or_link_while_it_runs(house):
    now = timezone.now()
    running = {"begins_at": now - timedelta(days=2), "ends_at": now + timedelta(days=2)}
    Campaign.objects.create(slug="spring", name="Spring", hashtags=["SpringRide"], **running)
    Campaign.objects.create(slug="shop", name="Shop", links=["acme.example/spring"])
    posts = receive(
        make_post("Nice #springride"),
        make_post("Nice springride"),
        make_post("Nice #SpringRide", minutes_ago=60 * 24 * 3),
        make_post("Is https://www.acme.example/spring/bikes?utm_source=x. yours?"),
        make_post("https://acme.example/springtime #springride"),
    )
    assert looked_up(posts, "campaigns") == [{"spring"}, set(), set(), {"shop"}, {"spring"}]


def test_an_answer_to_our_post_belongs_to_its_campaign(house):
    Campaign.objects.create(slug="spring", name="Spring", hashtags=["spring"])
    ours, _ = receive(make_post("Ride with us #spring", None, direction="out"), make_post("Hello #spring", "leo"))
    answer, other = receive(
        make_post("How much is it?", "ana", in_reply_to=ours.external_id, kind="comment"),
        make_post("How much is it?", "bea"),
    )
    assert looked_up([answer, other], "campaigns") == [{"spring"}, set()]


def test_it_is_known_whose_people_were_there_when_it_was_written(house, customer_service, pr):
    customer_service.hours = {"mon": [["09:00", "17:00"]]}
    customer_service.save()
    Department = type(pr)
    Department.objects.exclude(slug="customer-service").update(hours={"tue": [["00:00", "01:00"]]})
    at_noon = receive(make_post("Hello", created_at=datetime(2026, 3, 2, 12, tzinfo=UTC)))
    in_the_evening = receive(make_post("Hello", created_at=datetime(2026, 3, 2, 20, tzinfo=UTC)))
    assert looked_up(at_noon + in_the_evening, "open_now") == [{"customer-service"}, set()]


def test_messages_of_one_author_are_counted_over_seven_days(house):
    days = 60 * 24
    older, first, second, other = receive(
        make_post("One", "ana", minutes_ago=9 * days),
        make_post("Two", "ana", minutes_ago=4 * days),
        make_post("Three", "ana"),
        make_post("Four", "bea"),
    )
    nobody = receive(make_post("Five", None))
    assert looked_up([older, first, second, other, *nobody], "author_messages") == [1, 2, 2, 1, None]


def test_what_somebody_wrote_to_hr_counts_there_alone(house, hr):
    secret = make_conversation("My boss shouts", None, author="ana", minutes_ago=30)
    place(secret, hr, message=secret.messages.get(), because="of its words", rule="Boss")
    Message.objects.filter(conversation=secret).update(routed_at=timezone.now())
    again = answer_in(secret, "He shouts again", minutes_ago=20)
    parcel = receive(make_post("My parcel is late", "ana", minutes_ago=5))
    assert looked_up([again, *parcel], "author_messages") == [2, 1]


def test_near_copies_are_counted_whoever_wrote_them(house):
    changed = RECALL.replace("kettle", "toaster")
    posts = receive(
        make_post(f"@acme {RECALL} https://a.example/1", "ana", minutes_ago=50),
        make_post(RECALL.upper(), "bea", minutes_ago=40),
        make_post(changed, "cem", minutes_ago=30),
        make_post("Thanks a lot", "dan", minutes_ago=25),
        make_post("Thanks a lot", "eva", minutes_ago=20),
        make_post("My parcel is late, and nobody answers the telephone", "flo", minutes_ago=15),
    )
    assert looked_up(posts, "similar") == [1, 2, 3, None, None, 1]


def test_another_worker_finds_the_copies_that_came_before_and_only_of_one_day(house):
    receive(make_post(RECALL, "old", minutes_ago=60 * 26), make_post(RECALL, "ana", minutes_ago=60))
    gather(waiting(), frozenset(("similar",)))
    Message.objects.update(routed_at=timezone.now())
    later = receive(make_post(RECALL, "bea"))
    assert looked_up(later, "similar") == [2]


def test_a_wiped_or_changed_text_is_nobodys_copy_any_more(house):
    first, second = receive(make_post(RECALL, "ana"), make_post(RECALL, "bea"))
    gather(waiting(), frozenset(("similar",)))
    first.text = ""
    first.save()
    Message.objects.filter(pk=second.pk).update(routed_at=timezone.now())
    assert [each.message_id for each in Fingerprint.objects.all()] == [second.pk]
    Fingerprint.objects.update(kept_at=timezone.now() - timedelta(days=3))
    tidy(timezone.now())
    assert not Fingerprint.objects.exists()


def test_copies_in_hr_count_for_nobody_else_and_are_shown_to_hr_alone(house, carl, hana, hr):
    secret = make_conversation(RECALL, None, author="ana", minutes_ago=30)
    gather(waiting(), frozenset(("similar",)))
    place(secret, hr, message=secret.messages.get(), because="of its words", rule="Boss")
    Message.objects.filter(conversation=secret).update(routed_at=timezone.now())
    open_one = make_conversation(RECALL, None, author="bea")
    message = open_one.messages.get()
    assert looked_up([message], "similar") == [1]
    place(open_one, find("customer-service"), message=message, because="of its words", rule="Recall", joins=[])
    assert not similar_to(secret.messages.select_related("channel", "identity").get(), carl).exclude(pk=message.pk)
    message = Message.objects.select_related("channel", "identity").get(pk=message.pk)
    assert not similar_to(message, carl)
    assert [each.conversation for each in similar_to(message, hana)] == [secret]


def test_who_goes_through_history_finds_copies_without_any_fingerprint_kept(house):
    days = 60 * 24
    old = receive(*(make_post(RECALL, f"a{number}", minutes_ago=20 * days - number) for number in range(3)))
    late = receive(make_post(RECALL, "later", minutes_ago=20 * days - 10), make_post(RECALL, minutes_ago=days))
    near, told = Copies(), {}
    for chunk in (old, late):
        messages = as_they_waited(str(each.pk) for each in chunk)
        told |= gather_again(messages, frozenset(("similar",)), near=near)
    assert [told[str(each.pk)].similar for each in (*old, *late)] == [1, 2, 3, 4, 1]
    assert not Fingerprint.objects.exists()


def test_a_decision_keeps_its_facts_and_only_what_it_lacks_is_looked_up(house):
    AuthorList.objects.create(slug="press", name="Press", handles=["ana"])
    (message,) = receive(make_post("Hello"))
    messages = as_they_waited([str(message.pk)])
    (facts,) = gather_again(messages, frozenset()).values()
    frozen = {str(message.pk): facts.frozen() | {"author_messages": 7}}
    (told,) = gather_again(messages, frozenset(("author_lists", "author_messages")), frozen=frozen).values()
    assert (told.author_lists, told.author_messages) == ({"press"}, 7)


def test_a_post_is_tried_as_if_it_had_come_in(house):
    AuthorList.objects.create(slug="press", name="Press", handles=["quiet:ana"])
    receive(make_post(RECALL, "ana"), make_post(RECALL, "bea"))
    gather(waiting(), LOOKED_UP)
    post = make_post(RECALL, "ana", minutes_ago=0)
    nobody = Post("", "mention", "Hm", timezone.now())
    facts, by_nobody = gather_tried([(post, Anywhere("quiet")), (nobody, Anywhere())], LOOKED_UP)
    assert (facts.author_lists, facts.author_messages, facts.similar) == ({"press"}, 2, 3)
    assert (by_nobody.author_lists, by_nobody.author_messages, by_nobody.similar) == (set(), None, None)
