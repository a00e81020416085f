"""A visit to a network: what is kept, what is laid aside, what the ledger says, and when the next visit comes."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from connectors import actions, ledger, polling
from connectors.contract import Batch, Post, Unreadable
from connectors.errors import Misconfigured, NotAuthorized, RateLimited, Unreachable
from connectors.models import Channel, FetchRun, QuarantinedPost
from tests.connectors.conftest import Scripted


def post(number, text="Hello"):
    return Post(id=str(number), kind="mention", text=text, created_at=timezone.now())


def page(*numbers, cursor, more=False, **rest):
    return Batch([post(number) for number in numbers], {"at": cursor}, more=more, **rest)


def visit(inbox):
    [channel] = Channel.objects.due(timezone.now() + timedelta(days=2)).claim(
        until=timezone.now() + timedelta(minutes=1)
    )
    return polling.poll(channel, inbox)


def now(channel):
    channel.refresh_from_db()
    return channel


def test_pages_are_kept_one_by_one_until_no_more_wait(scripted, inbox):
    Scripted.answers += [page(1, 2, cursor="b", more=True), page(3, cursor="c")]
    run = visit(inbox)
    assert [each.id for each in inbox.posts] == ["1", "2", "3"]
    assert Scripted.asked == [{}, {"at": "b"}]
    assert (run.outcome, run.read, run.taken_in, run.duplicates) == ("ok", 3, 3, 0)
    channel = now(scripted)
    assert channel.cursor == {"at": "c"}
    assert channel.leased_until is None
    assert timedelta(seconds=29) < channel.next_poll_at - timezone.now() < timedelta(seconds=91)
    assert channel.last_post_at is not None


def test_a_network_with_much_to_say_lets_others_have_their_turn_and_goes_on_at_once(scripted, inbox):
    Scripted.answers += [page(number, cursor=number, more=True) for number in range(polling.MOST_PAGES + 5)]
    visit(inbox)
    assert len(Scripted.answers) == 5
    assert now(scripted).next_poll_at <= timezone.now()


def test_history_is_said_to_be_history(scripted, inbox):
    Scripted.answers += [page(1, cursor="b", more=True, history=True), page(2, cursor="c")]
    visit(inbox)
    assert inbox.histories == [True, False]


def test_a_gap_stands_in_the_ledger(scripted, inbox):
    Scripted.answers += [page(1, cursor="b", gap="posts between 9:00 and 10:00")]
    assert FetchRun.objects.get(pk=visit(inbox).pk).gap == "posts between 9:00 and 10:00"


def test_a_page_read_twice_is_taken_in_once(scripted, inbox):
    Scripted.answers += [page(1, 2, cursor="b"), page(1, 2, cursor="b")]
    visit(inbox)
    run = visit(inbox)
    assert (run.taken_in, run.duplicates, len(inbox.posts)) == (0, 2, 2)


def test_when_the_page_can_not_be_kept_nothing_of_it_is_and_it_is_read_again(scripted, inbox):
    Scripted.answers += [page(1, cursor="b", more=True), page(2, cursor="c"), page(2, cursor="c")]
    good = inbox.__call__

    def breaks_once(channel, posts, *, history=False):
        if posts[0].id == "2" and not getattr(inbox, "broke", False):
            inbox.broke = True
            raise DatabaseError("disk full")
        return good(channel, posts, history=history)

    run = visit(breaks_once)
    assert (run.outcome, run.read, run.taken_in) == ("failed", 1, 1)
    assert run.detail == "Social Hub itself failed here (DatabaseError)."
    assert now(scripted).cursor == {"at": "b"}
    assert scripted.failures == 1
    visit(inbox)
    assert [each.id for each in inbox.posts] == ["1", "2"]
    assert (now(scripted).cursor, scripted.failures) == ({"at": "c"}, 0)


def test_who_lost_the_lease_keeps_nothing(scripted, inbox, cora):
    def paused_meanwhile(connector):
        actions.pause(scripted, by=cora)
        return Batch([post(1), Unreadable("?", "broken")], {"at": "b"})

    Scripted.answers += [paused_meanwhile]
    run = visit(inbox)
    assert (run.outcome, run.read, run.quarantined) == ("interrupted", 0, 0)
    assert not QuarantinedPost.objects.exists()
    assert (now(scripted).state, scripted.cursor) == ("paused", {})


def test_a_pause_during_a_failing_visit_stays_a_pause(scripted, inbox, cora):
    def paused_meanwhile(connector):
        actions.pause(scripted, by=cora)
        raise Unreachable

    Scripted.answers += [paused_meanwhile]
    assert visit(inbox).outcome == "interrupted"
    assert (now(scripted).state, scripted.next_poll_at, scripted.failures) == ("paused", None, 0)


def test_a_visit_whose_worker_died_is_closed_by_the_next(scripted, inbox):
    dead = ledger.start(scripted, FetchRun.Via.POLL)
    Scripted.answers += [page(1, cursor="b")]
    visit(inbox)
    dead.refresh_from_db()
    assert (dead.outcome, dead.finished is not None) == ("interrupted", True)


@pytest.mark.parametrize(
    ("error", "state", "comes_back"),
    [
        (Unreachable("timed out"), "listening", True),
        (RateLimited(until=timezone.now() + timedelta(minutes=15)), "listening", True),
        (NotAuthorized("401"), "needs_login", False),
        (Misconfigured("No such page."), "broken", False),
        (KeyError("created_at"), "listening", True),
    ],
)
def test_what_goes_wrong_becomes_the_channels_health(scripted, inbox, error, state, comes_back):
    Scripted.answers += [error]
    run = visit(inbox)
    channel = now(scripted)
    assert (run.outcome, channel.state, channel.failures) == ("failed", state, 1)
    assert (channel.next_poll_at is not None) == comes_back
    assert channel.leased_until is None
    assert run.finished


def test_the_third_failure_in_a_row_is_trouble_and_a_good_visit_ends_it(scripted, inbox):
    for _ in range(3):
        Scripted.answers += [Unreachable()]
        visit(inbox)
    assert now(scripted).is_trouble
    assert list(Channel.objects.in_trouble()) == [scripted]
    Scripted.answers += [page(1, cursor="b")]
    visit(inbox)
    assert not now(scripted).is_trouble


def test_a_secret_that_the_network_repeats_does_not_reach_the_ledger(scripted, inbox):
    scripted.credentials = {"token": "canary-4711"}
    scripted.save()
    Scripted.answers += [Unreachable("GET /?access_token=canary-4711 gave 500")]
    assert visit(inbox).detail == "GET /?access_token=••• gave 500"


def test_a_channel_whose_key_is_gone_asks_for_a_person(scripted, inbox, settings):
    scripted.credentials = {"token": "x"}
    scripted.save()
    settings.CREDENTIAL_KEYS = ["kF7NwYkAQ8Qp8f0w1o9wWn7bXhQk0u2mJr5yq6T3xZ8="]
    visit(inbox)
    assert (now(scripted).state, "put that key back" in scripted.in_words) == ("needs_login", True)


# Quarantine -------------------------------------------------------------------------------------------------------


def test_what_can_not_be_read_or_kept_is_laid_aside_and_the_rest_goes_on(scripted, inbox):
    bad = Unreadable({"id": "2", "text": "nul \0 and \ud800"}, "There is no “kind”.")
    Scripted.answers += [Batch([post(1), bad, post(3, "poison"), post(4)], {"at": "b"})]
    run = visit(inbox)
    assert inbox.texts == ["Hello", "Hello"]
    assert (run.read, run.taken_in, run.quarantined) == (4, 2, 2)
    assert sorted(QuarantinedPost.objects.values_list("reason", flat=True)) == ["It is poison.", "There is no “kind”."]
    assert now(scripted).cursor == {"at": "b"}


def test_a_page_of_nothing_but_rubbish_still_moves_on(scripted, inbox):
    Scripted.answers += [Batch([Unreadable(b"\xff\x00", "broken")], {"at": "b"})]
    assert visit(inbox).quarantined == 1
    assert now(scripted).cursor == {"at": "b"}


class Mended:
    """The inbox after whatever was wrong with poison has been mended."""

    def __init__(self, inbox):
        self.inbox = inbox

    def __call__(self, channel, posts, *, history=False):
        from dataclasses import replace

        return self.inbox(channel, [replace(each, text="cured") for each in posts], history=history)


@pytest.fixture
def poisoned(scripted, inbox):
    Scripted.answers += [Batch([post(1, "poison"), post(2, "poison"), Unreadable("{", "not JSON")], {"at": "b"})]
    visit(inbox)
    return scripted


def test_after_the_mending_all_is_tried_again_and_twice_is_once(poisoned, inbox):
    [run] = polling.replay(QuarantinedPost.objects.all(), Mended(inbox))
    assert (run.via, run.read, run.taken_in, run.quarantined) == ("replay", 3, 2, 1)
    assert inbox.texts == ["cured", "cured"]
    assert QuarantinedPost.objects.waiting().count() == 1
    again = polling.replay(QuarantinedPost.objects.all(), Mended(inbox))
    assert [each.read for each in again] == [1]
    assert len(inbox.posts) == 2


def test_what_still_does_not_work_stays_with_its_reason_and_a_count(poisoned, inbox):
    polling.replay(QuarantinedPost.objects.all(), inbox)
    assert set(QuarantinedPost.objects.values_list("attempts", "replayed_at")) == {(1, None)}


def test_ada_asks_for_one_post_and_the_worker_tries_it(poisoned, inbox, ada):
    chosen = QuarantinedPost.objects.filter(reason="It is poison.").first()
    assert polling.replay_asked_for(Mended(inbox)) == []
    assert actions.ask_replay(poisoned, QuarantinedPost.objects.filter(pk=chosen.pk), by=ada) == 1
    polling.replay_asked_for(Mended(inbox))
    assert len(inbox.posts) == 1
    assert QuarantinedPost.objects.waiting().count() == 2
    assert not QuarantinedPost.objects.asked_for().exists()


def test_history_stays_history_when_it_is_tried_again(scripted, inbox):
    Scripted.answers += [Batch([post(1, "poison")], {"at": "b"}, history=True)]
    visit(inbox)
    polling.replay(QuarantinedPost.objects.all(), Mended(inbox))
    assert inbox.histories == [True]


# What is brought to us --------------------------------------------------------------------------------------------


def test_posts_that_are_pushed_come_back_with_place_and_reason(scripted, inbox):
    read = [post(1), Unreadable({}, "There is no “id”."), post(3, "poison"), post(4)]
    run, refused = polling.receive(scripted, read, inbox, batch=2)
    assert refused == [(1, "There is no “id”."), (2, "It is poison.")]
    assert (run.via, run.outcome, run.read, run.taken_in, run.quarantined) == ("push", "ok", 4, 2, 2)


def test_when_the_inbox_breaks_in_the_middle_the_batches_before_are_kept(scripted, inbox):
    def breaks_later(channel, posts, *, history=False):
        if posts[0].id == "3":
            raise DatabaseError
        return inbox(channel, posts, history=history)

    with pytest.raises(DatabaseError):
        polling.receive(scripted, map(post, range(1, 9)), breaks_later, batch=2)
    run = FetchRun.objects.get()
    assert (run.outcome, run.read, run.taken_in) == ("failed", 2, 2)


def test_old_quiet_visits_are_swept_and_telling_ones_stay(scripted):
    def line(days, **more):
        return FetchRun.objects.create(channel=scripted, started=timezone.now() - timedelta(days=days), **more)

    line(2, outcome="ok")
    kept = {
        line(2, outcome="failed"),
        line(2, outcome="ok", read=1),
        line(2, outcome="ok", gap="a gap"),
        line(0, outcome="ok"),
    }
    line(91, outcome="failed")
    assert ledger.tidy(timezone.now()) == 2
    assert set(FetchRun.objects.all()) == kept
