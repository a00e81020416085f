"""The demo network: its story, its life, its faults, and what outsiders see of our replies."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from connectors.contract import Outgoing
from connectors.demo import inflow, pool, server, week
from connectors.demo.people import HOUSE, PEOPLE
from connectors.errors import MaybeSent, NotAuthorized, NotSent, RateLimited, Rejected, Unreachable
from connectors.models import DemoPost
from connectors.networks import demo as network

DEPARTMENTS = {"customer_service", "pr", "marketing", "hr", "rnd", "none"}


def read_all(channel, cursor=None):
    """Every page that waits, as (posts, histories, cursor)."""
    posts, histories, cursor = [], [], cursor or {}
    while True:
        batch = channel.connector().fetch(cursor)
        posts += batch.posts
        histories += [batch.history] * len(batch.posts)
        cursor = batch.cursor
        if not batch.more:
            return posts, histories, cursor


def reply(to, text="We are on it.", key="key-1"):
    return Outgoing(text=text, in_reply_to=str(to.pk), client_key=key)


@pytest.fixture
def ana(demo):
    return server.write_as("ana", "Where is my bike? @mirabelo")


# The story --------------------------------------------------------------------------------------------------------


def test_the_week_is_told_by_known_people_in_order_and_to_each_department():
    said = [each for each in week.story() if isinstance(each, week.Said)]
    keys = [each.key for each in said]
    assert len(keys) == len(set(keys)) >= 80
    assert {each.who for each in said} <= {each.handle for each in (*HOUSE, *PEOPLE)}
    for number, each in enumerate(said):
        assert not each.to or each.to in keys[:number], each.key
        assert len(each.text) <= server.LONGEST
        assert (each.belongs == "ours") == each.is_ours
    counts = Counter(each.belongs for each in said)
    assert set(counts) == DEPARTMENTS | {"ours"}
    assert min(counts[each] for each in DEPARTMENTS) >= 8
    assert len({each.lang for each in said}) >= 6
    assert max(week.span(each.ago) for each in said) < timedelta(days=7)


def test_the_pool_can_be_filled_in_every_language_and_speaks_to_each_department():
    from random import Random

    for number, line in enumerate(pool.lines()):
        text = pool.filled(line.text, line.lang, Random(number))
        assert "{" not in text and len(text) <= server.LONGEST
    assert {each.belongs for each in pool.lines()} == DEPARTMENTS
    assert {"en", "de", "fr", "es"} <= {each.lang for each in pool.lines()}


def test_at_first_the_week_is_there_as_history_and_only_the_last_hours_are_fresh(demo, switch):
    posts, histories, _ = read_all(switch(demo, story=True))
    ages = [timezone.now() - each.created_at for each in posts]
    assert len(posts) > 75
    assert all(is_history == (age > network.FRESH) for is_history, age in zip(histories, ages, strict=True))
    assert 8 <= histories.count(False) < 25
    assert {each.direction for each in posts} == {"in", "out"}
    assert {each.kind for each in posts} == {"mention", "reply", "comment", "dm", "review", "post"}
    assert [each.created_at for each in posts] == sorted(each.created_at for each in posts)


def test_the_story_goes_on_while_somebody_looks_with_an_edit_and_a_deletion(demo, switch):
    demo = switch(demo, story=True)
    _, _, cursor = read_all(demo)
    inflow.tell_story(timezone.now() + timedelta(minutes=20))
    later, _, _ = read_all(demo, cursor)
    assert len(later) >= 8
    assert [each.text for each in later if each.deleted] == [""]
    assert len([each for each in later if each.edited_at]) == 1
    assert inflow.tell_story(timezone.now() + timedelta(minutes=30)) and not read_all(demo, cursor)[0][len(later) :]


def test_the_story_is_told_once_however_many_read_it(demo, switch):
    demo = switch(demo, story=True)
    read_all(demo)
    number = DemoPost.objects.count()
    read_all(demo)
    assert DemoPost.objects.count() == number


# Life -------------------------------------------------------------------------------------------------------------


def live(minutes, rate=6.0, slug="demo"):
    start = timezone.now()
    return sum(inflow.pass_time(slug, start + timedelta(minutes=at), rate=rate) for at in range(minutes + 1))


def test_people_write_at_the_rate_that_was_asked_for(demo):
    assert 220 < live(60, rate=5) < 380
    kinds = Counter(DemoPost.objects.values_list("kind", flat=True))
    assert kinds["mention"] > kinds["dm"] > 0


def test_hours_of_it_stay_plausible_and_varied(demo):
    live(60, rate=2)
    texts = list(DemoPost.objects.filter(in_reply_to=None).values_list("text", flat=True))
    assert len(set(texts)) > 0.97 * len(texts)
    assert len(set(DemoPost.objects.values_list("lang", flat=True))) >= 4
    assert DemoPost.objects.exclude(edited_at=None).exists()
    assert len(set(DemoPost.objects.values_list("account__handle", flat=True))) == 3


def test_the_same_channel_sees_the_same_things(demo):
    live(5)
    first = list(DemoPost.objects.order_by("pk").values_list("text", flat=True))
    DemoPost.objects.all().delete()
    inflow.DemoClient.objects.all().delete()
    live(5)
    assert list(DemoPost.objects.order_by("pk").values_list("text", flat=True))[: len(first)] == first


def test_a_rate_of_nothing_is_silence(demo):
    assert live(60, rate=0) == 0


def test_after_a_night_switched_off_people_do_not_write_all_at_once(demo):
    inflow.pass_time("demo", timezone.now() - timedelta(hours=10), rate=2)
    assert inflow.pass_time("demo", timezone.now(), rate=2) < 40


def test_nobody_watching_makes_it_calm_and_a_look_wakes_it(demo, switch, carl, monkeypatch):
    asked = []
    monkeypatch.setattr(inflow, "pass_time", lambda slug, at, **how: asked.append(how["rate"]))
    demo = switch(demo, calm=True, rate=2)
    demo.connector().fetch({})
    carl.last_seen_at = timezone.now()
    carl.save()
    demo.connector().fetch({})
    assert asked == [inflow.CALM, 2]


def test_who_was_answered_often_answers_in_turn(demo, ana):
    for number in range(20):
        post = server.write_as(f"person{number}", "Help @mirabelo", at=timezone.now() - timedelta(minutes=3))
        server.accept("Done.", str(post.pk), f"key{number}")
    DemoPost.objects.filter(direction="out").update(created_at=timezone.now() - timedelta(minutes=2))
    live(10, rate=6)
    thanks = DemoPost.objects.filter(in_reply_to__direction="out", direction="in")
    assert 5 < thanks.count() <= 20
    assert all(each.author == each.in_reply_to.in_reply_to.author for each in thanks)
    assert len({each.in_reply_to_id for each in thanks}) == thanks.count()


# Reading ----------------------------------------------------------------------------------------------------------


def test_what_ana_writes_changes_and_deletes_arrives_each_time(demo, ana):
    [first], _, cursor = read_all(demo)
    assert (first.text, first.author.handle, first.global_id) == (ana.text, "ana", f"demo:{ana.pk}")
    server.edit(ana, "Where is my bike, please? @mirabelo")
    [edited], _, cursor = read_all(demo, cursor)
    assert (edited.id, edited.edited_at is not None) == (first.id, True)
    server.delete(ana)
    [gone], _, cursor = read_all(demo, cursor)
    assert (gone.id, gone.deleted, gone.text, gone.author) == (first.id, True, "", None)
    assert read_all(demo, cursor)[0] == []


def test_a_channel_of_one_account_reads_that_alone(demo, switch):
    server.write_as("ana", "Any jobs? @mirabelo_jobs")
    server.write_as("ana", "Flat tyre @mirabelo")
    assert [each.text for each in read_all(switch(demo, account="mirabelo_jobs"))[0]] == ["Any jobs? @mirabelo_jobs"]


def test_a_keyword_channel_hears_what_people_say_to_each_other_and_no_secrets(demo, switch):
    server.write_as("ana", "My mirabelo has a flat TYRE")
    server.write_as("ana", "A tyre in private", "dm")
    server.write_as("bea", "Something else")
    assert [each.text for each in read_all(switch(demo, query="tyre"))[0]] == ["My mirabelo has a flat TYRE"]


def test_pages_are_small_and_lose_nothing(demo, monkeypatch):
    monkeypatch.setattr(network, "PAGE", 3)
    written = [server.write_as("ana", f"Number {number}") for number in range(10)]
    assert [each.id for each in read_all(demo)[0]] == [str(each.pk) for each in written]


@pytest.mark.django_db(transaction=True)
def test_a_reader_never_passes_over_what_is_committed_late():
    """Numbers are given out in the order of the commits: who reads up to 5 has seen 4."""
    server.write_as("ana", "one")
    started = []

    def slow():
        try:
            with transaction.atomic():
                server.write_as("bea", "two, committed late")
                started.append(True)
                pool_.submit(quick)
                import time

                time.sleep(0.4)
                return server.last_change()
        finally:
            connection.close()

    def quick():
        try:
            server.write_as("cid", "three")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool_:
        task = pool_.submit(slow)
        while not started:
            pass
        seen = [each.text for each in server.changes(0, server.last_change())]
        task.result()
    assert seen == ["one"]
    assert [each.text for each in server.changes(1, server.last_change())] == ["two, committed late", "three"]


# Replies and faults -----------------------------------------------------------------------------------------------


def ours():
    return list(DemoPost.objects.filter(direction="out"))


def test_a_reply_arrives_once_and_is_found_again(demo, ana):
    since = timezone.now() - timedelta(minutes=1)
    connector = demo.connector()
    assert connector.find_sent(reply(ana), since) is None
    sent = connector.send(reply(ana))
    [post] = ours()
    assert (post.text, post.in_reply_to, post.author.handle) == ("We are on it.", ana, "mirabelo")
    assert (sent.id, sent.global_id) == (str(post.pk), f"demo:{post.pk}")
    assert sent.url.startswith("http")
    assert connector.find_sent(reply(ana, key="another"), since) == sent
    assert connector.find_sent(reply(ana, text="another"), since) == sent
    assert connector.find_sent(reply(ana, text="another", key="another"), since) is None
    assert connector.find_sent(reply(ana), timezone.now()) is None


def test_our_reply_comes_back_to_us_under_the_same_id(demo, ana):
    sent = demo.connector().send(reply(ana))
    _, echo = read_all(demo)[0]
    assert (echo.id, echo.global_id, echo.direction, echo.url) == (sent.id, sent.global_id, "out", sent.url)


def test_the_network_takes_a_double_so_that_doubles_can_be_counted(demo, ana):
    demo.connector().send(reply(ana))
    demo.connector().send(reply(ana))
    assert len(ours()) == 2


def test_a_message_is_answered_in_private(demo):
    asked = server.write_as("ana", "My address has changed", "dm")
    demo.connector().send(reply(asked))
    assert [(each.kind, each.visibility) for each in ours()] == [("dm", "direct")]


@pytest.mark.parametrize(
    ("fault", "reading", "sending"),
    [
        ({"outage": True}, Unreachable, NotSent),
        ({"expired": True}, NotAuthorized, NotAuthorized),
        ({"rate_limited": 30}, RateLimited, RateLimited),
    ],
)
def test_a_fault_in_front_of_the_network_leaves_nothing_there(demo, ana, switch, fault, reading, sending):
    connector = switch(demo, **fault).connector()
    with pytest.raises(reading) as caught:
        connector.fetch({})
    if "rate_limited" in fault:
        assert timedelta(seconds=25) < caught.value.until - timezone.now() <= timedelta(seconds=30)
    with pytest.raises(sending):
        connector.send(reply(ana))
    assert ours() == []


def test_a_line_that_drops_after_the_reply_was_taken_leaves_doubt_and_one_reply(demo, ana, switch):
    connector = switch(demo, drop_after_accept=True).connector()
    with pytest.raises(MaybeSent):
        connector.send(reply(ana))
    assert len(ours()) == 1
    assert connector.find_sent(reply(ana), timezone.now() - timedelta(minutes=1)).id == str(ours()[0].pk)


def test_a_refusal_carries_its_reason(demo, ana, switch):
    with pytest.raises(Rejected, match="This account is blocked"):
        switch(demo, refuse="This account is blocked").connector().send(reply(ana))
    assert ours() == []


def test_too_long_or_to_a_post_that_is_gone_is_refused(demo, ana):
    with pytest.raises(Rejected, match="500 characters"):
        demo.connector().send(reply(ana, text="x" * 501))
    server.delete(ana)
    with pytest.raises(Rejected, match="not there any more"):
        demo.connector().send(reply(ana))
    with pytest.raises(Rejected):
        demo.connector().send(Outgoing("x", "'; drop table", "k"))
    assert ours() == []


def test_a_late_answer_has_taken_the_reply_long_before(demo, ana, switch, monkeypatch):
    there = []
    monkeypatch.setattr(network.time, "sleep", lambda seconds: there.append((seconds, len(ours()))))
    switch(demo, late=5).connector().send(reply(ana))
    assert there == [(5, 1)]


def test_what_the_outside_world_sees_is_newest_first_and_without_what_was_deleted(demo, ana):
    server.write_as("bea", "Newer")
    server.delete(server.write_as("cid", "Gone"))
    assert [each.text for each in server.posts()] == ["Newer", ana.text]
