"""The clock: when a channel is looked at next, who may have a hand for it, and that a worker's rounds keep to it."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import quantiles
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from connectors import actions, clock
from connectors.clock import next_look, place_of
from connectors.contract import Batch
from connectors.lanes import SLOW, Closed, Lanes
from connectors.models import Channel, FetchRun
from inbox.models import Message
from socialhub import history, pipeline
from socialhub.rounds import Rounds
from tests.bench.network import Servers
from tests.make import make_channel, make_post, receive

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


# When ---------------------------------------------------------------------------------------------------------------


def test_a_thousand_slow_looks_do_not_drift():
    due = start = next_look(NOON, NOON, 10, 0.37)
    for _ in range(1000):
        due = next_look(due, due + seconds(4.2), 10, 0.37)
    assert due == start + seconds(10_000)


def test_what_a_stopped_worker_missed_is_not_made_up_for():
    due = next_look(NOON, NOON, 10, 0.37)
    after = next_look(due, due + seconds(3605), 10, 0.37)
    assert after == due + seconds(3610)
    assert next_look(after, after + seconds(1), 10, 0.37) == after + seconds(10)


def test_a_look_in_between_shifts_nobody_from_their_place():
    due = next_look(NOON, NOON, 60, 0.5)
    for asked in range(1, 60):
        at = due + seconds(asked)
        after = next_look(at, at + seconds(0.4), 60, 0.5)
        assert seconds(29.9) < after - at < seconds(90.1)
        assert next_look(after, after, 60, 0.5) == after + seconds(60)


def test_two_hundred_channels_opened_together_spread_over_their_interval():
    looks = [next_look(NOON, NOON, 10, place_of(uuid4())) for _ in range(200)]
    tenths = [sum(number <= look.timestamp() % 10 < number + 1 for look in looks) for number in range(10)]
    assert sum(tenths) == 200 and min(tenths) >= 4 and max(tenths) <= 45


def test_the_pace_in_words():
    began = [NOON - seconds(61 * number) for number in range(21)]
    assert clock.pace(60, began).sentence == "Every 60 s; the last 20 looks came every 61 s on average."
    assert clock.pace(900, began[:1]).sentence == "Every 15 min."


# Who ----------------------------------------------------------------------------------------------------------------


@dataclass
class Stand:
    """A channel, as far as lanes ask."""

    server: str = "example.com"
    failures: int = 0
    pk: UUID = field(default_factory=uuid4)


def enter(lanes, number, **stand) -> list[Stand]:
    """So many channels want in; those that were let in."""
    return [each for each in (Stand(**stand) for _ in range(number)) if lanes.enter(each)]


def known(lanes, server, waited=0.3) -> None:
    """Somebody has been at this server before."""
    [first] = enter(lanes, 1, server=server)
    lanes.leave(first, waited)


def test_one_server_never_has_all_hands():
    lanes = Lanes(24)
    assert len(enter(lanes, 30, server="new.example")) == 6
    known(lanes, "brisk.example")
    assert len(enter(lanes, 30, server="brisk.example")) == 12
    assert lanes.free == 6
    assert lanes.closed().servers == {"new.example", "brisk.example"}


def test_a_server_that_did_not_answer_has_few_until_it_does():
    lanes = Lanes(24)
    known(lanes, "dead.example", waited=SLOW * 5)
    inside = enter(lanes, 20, server="dead.example")
    assert len(inside) == 3
    lanes.leave(inside.pop(), 0.3)
    assert len(enter(lanes, 20, server="dead.example")) == 10, "twelve, with the two inside"


def test_many_dead_servers_share_a_narrow_lane_and_the_living_one_goes_on():
    lanes = Lanes(24)
    inside = [each for number in range(50) for each in enter(lanes, 1, server=f"dead{number}", failures=2)]
    assert len(inside) == 6
    assert {f"dead{number}" for number in range(50)} == lanes.closed().servers
    assert enter(lanes, 1, server="living.example")


def test_who_walks_through_history_leaves_hands_to_those_who_live():
    lanes, page = Lanes(24), Batch([], {}, more=True, history=True)
    walkers = [each for number in range(9) for each in enter(lanes, 1, server=f"old{number}")]
    assert [lanes.goes_on(each, page) for each in walkers] == [True] * 6 + [False] * 3
    for each in walkers:
        lanes.leave(each, 0.3)
    again = [each for each in walkers if lanes.enter(each)]
    assert again == walkers[:6]
    assert lanes.closed() == Closed(channels=frozenset(each.pk for each in walkers))
    assert lanes.goes_on(again[0], Batch([], {}))
    lanes.leave(again[0], 0.3)
    assert lanes.enter(walkers[7]), "one has come to the end of its history"


def test_a_walker_stops_after_its_page_when_somebody_waits_for_a_hand():
    lanes, page = Lanes(4), Batch([], {}, more=True)
    [walker] = enter(lanes, 1)
    assert lanes.goes_on(walker, page)
    for number in range(3):
        enter(lanes, 1, server=f"other{number}")
    assert lanes.free == 0 and not lanes.goes_on(walker, page)


def test_a_claim_that_fails_leaves_no_hand_behind():
    lanes = Lanes(4)
    with pytest.raises(OSError), lanes.door() as enter:
        assert enter(Stand())
        raise OSError("the database went away")
    assert lanes.free == 4


def test_a_worker_on_its_way_home_lets_nobody_in():
    lanes, page = Lanes(4), Batch([], {}, more=True)
    [walker] = enter(lanes, 1)
    lanes.close()
    assert lanes.free == 0 and not lanes.goes_on(walker, page)


@pytest.fixture
def channel_at(house):
    def at(slug, network="clocked", **settings):
        own = {"allow_private_hosts": True} if network == "clocked" else {}
        return actions.open_channel(network=network, slug=slug, name=slug, settings=settings | own, by="system")

    return at


def test_whom_a_channel_talks_to_stands_in_its_settings(channel_at):
    channel_at("feed", url="https://news.example:8443/feed?of=https://other.example/")
    channel_at("demo", "demo")
    assert dict(Channel.objects.due(timezone.now()).values_list("slug", "server")) == {
        "feed": "news.example:8443",
        "demo": "demo",
    }


def test_a_claim_passes_over_those_who_have_to_wait(channel_at):
    for number in range(40):
        channel_at(f"full{number}", url="https://full.example/")
    free, walker = channel_at("free", url="https://free.example/"), channel_at("walker", url="https://old.example/")
    due = Channel.objects.due(timezone.now()).not_in(Closed(frozenset(["full.example"]), frozenset([walker.pk])))
    assert due.claim(until=timezone.now() + seconds(60), batch=5) == [free]


def test_who_is_turned_down_is_not_leased(channel_at):
    channel_at("one", url="https://one.example/")
    assert Channel.objects.due(timezone.now()).claim(timezone.now() + seconds(60), admits=lambda channel: False) == []
    assert Channel.objects.get(slug="one").leased_until is None


def test_an_overdue_look_stands_on_the_page_and_in_the_figures(channel_at, ada, client_of):
    channel = channel_at("one", url="https://one.example/", poll_seconds=60)
    overdue = {"late": 61, "in time": 59}
    for told, since in overdue.items():
        Channel.objects.update(next_poll_at=timezone.now() - seconds(since))
        channel.refresh_from_db()
        assert channel.is_late == (told == "late") == Channel.objects.late(timezone.now()).exists()
        page = client_of(ada).get("/channels/").content.decode()
        assert ("Not looked at in time" in page) == (told == "late")
    Channel.objects.update(leased_until=timezone.now() + seconds(60), next_poll_at=timezone.now() - seconds(99))
    assert not Channel.objects.late(timezone.now()).exists(), "somebody is looking just now"


# A worker's rounds ----------------------------------------------------------------------------------------------

INTERVAL = 4


@pytest.fixture
def network():
    servers = Servers(quickest=0.1, slowest=0.3)
    yield servers
    servers.stop()


@pytest.fixture
def rounds():
    """A worker's hands, and the bell that rings for them every second, as beat does."""
    rounds = Rounds(24)
    yield rounds
    rounds.end()
    rounds.wait()


def ring(rounds, until) -> None:
    while time.monotonic() < until:
        rounds.ring()
        time.sleep(0.5)


@pytest.mark.django_db(transaction=True)
def test_two_hundred_channels_keep_their_intervals_beside_a_dead_server_and_history(channel_at, rounds, network):
    living, dead, old = network.living(18), network.dead(), network.living(1)
    for number in range(180):
        channel_at(f"c{number}", url=living[number % 18], poll_seconds=INTERVAL)
    for number in range(20):
        channel_at(f"dead{number}", url=dead, poll_seconds=INTERVAL)
    channel_at("old", url=old[0], poll_seconds=INTERVAL)
    network.history["old"] = 10_000
    network.write("c7")
    opened_long_ago()
    ring(rounds, time.monotonic() + 2.5 * INTERVAL)
    looks = [network.seen[f"c{number}"] for number in range(180)]
    gaps = [after - before for at in looks for before, after in pairwise(at)]
    near = sum(abs(gap - INTERVAL) <= INTERVAL / 5 for gap in gaps)
    assert min(map(len, looks)) >= 2 and near >= 0.95 * len(gaps) >= 170, (near, quantiles(gaps, n=20))
    assert 1 <= sum(len(network.seen[f"dead{number}"]) for number in range(20)) <= 12
    assert Message.objects.get(external_id="c7-live-0").routed_at
    assert Message.objects.filter(history=True).count() >= 500
    assert not twice_at_once()


def opened_long_ago() -> None:
    """Every channel has found its place in the interval."""
    now = timezone.now()
    for channel in Channel.objects.filter(slug__startswith="c"):
        due = next_look(now - seconds(INTERVAL), now, INTERVAL, place_of(channel.pk))
        Channel.objects.filter(pk=channel.pk).update(next_poll_at=due)


def twice_at_once() -> list:
    """Visits to one channel that were under way at the same time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id FROM connectors_fetchrun a JOIN connectors_fetchrun b ON a.channel_id = b.channel_id "
            "AND a.id <> b.id AND b.started > a.started AND b.started < a.finished"
        )
        return cursor.fetchall()


def test_what_is_live_is_routed_before_each_batch_of_history(house):
    pipeline.take_in(make_channel(), [make_post(author=f"who{number}") for number in range(150)], history=True)
    receive(make_post())
    order = []
    route = pipeline.engine.route

    def told(*batch, history):
        order.append((history, done := route(*batch, history=history)))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.engine, "route", told)
        assert pipeline.route() == 151
    assert [each for each in order if each[1]] == [(False, 1), (True, 100), (True, 50)]
    assert [history for history, _ in order] == [False, False, True, False, True, False, True]


def test_history_rests_after_each_page_and_a_file_is_taken_in_behind_everybody(monkeypatch):
    rests, hour = [], iter((0.0, 0.3, 0.3, 9.0, 9.0))
    monkeypatch.setattr(history.time, "monotonic", lambda: next(hour))
    monkeypatch.setattr(history.time, "sleep", rests.append)
    pace = history.Pace()
    pace.rest(), pace.rest()
    assert rests == [pytest.approx(0.2), history.LONGEST_REST], "two parts of five, but nobody sleeps for long"
    stands = "import os; from socialhub import history; history.step_back(); print(os.nice(0))"
    here = os.nice(0)
    told = subprocess.run([sys.executable, "-c", stands], capture_output=True, text=True, check=True)
    assert int(told.stdout) == min(19, here + history.BEHIND)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_look_at_one_channel_at_once(channel_at, network, rounds):
    [living], other = network.living(1), Rounds(24)
    for number in range(20):
        channel_at(f"c{number}", url=living, poll_seconds=1)
    for _ in range(5):
        rounds.ring(), other.ring()
        time.sleep(0.5)
    other.end(), other.wait()
    rounds.end(), rounds.wait()
    assert FetchRun.objects.count() >= 40
    assert not twice_at_once()
    assert not Channel.objects.exclude(leased_until=None).exists(), "everybody gave back what was leased"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_breaks_down_comes_to_its_end_though_nobody_told_it_to(channel_at, network, rounds):
    channel_at("c", url=network.living(1)[0], poll_seconds=1)
    rounds.ring()
    time.sleep(0.5)
    leaves = threading.Thread(target=rounds.wait, daemon=True)
    leaves.start()
    leaves.join(5)
    assert not leaves.is_alive()
