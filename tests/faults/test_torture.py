"""A small torture (tests/torture): every process is killed once, one of them while a reply is on the wire, and the
network misbehaves, while people write and colleagues answer. Then the network tells what ought to be there."""

import pytest

from tests.launcher.house import own_folder
from tests.torture.run import Plan, torture

# With the launcher's tests, so that they do not take each other's seconds.
pytestmark = pytest.mark.xdist_group("launcher")

KILLS = ("kill_postgres", "kill_valkey", "kill_web", "kill_beat", "kill_worker_while_sending")
KINDS = (*KILLS, "flush_valkey", "feed_truncated", "brought_at_once", "reply_reset", "reply_refused")


@pytest.fixture(scope="module")
def report():
    plan = Plan(posts=250, faults=len(KINDS), seed=1, gap=1.5, hasty=True, kinds=KINDS)
    return torture(plan, own_folder("tortured"), print)


def test_nothing_that_people_wrote_is_lost_or_doubled_and_each_is_routed_once(report):
    assert report["posts"] == 250
    wrong = ("lost", "doubled", "stale", "split", "unrouted", "routed_twice", "miscounted")
    assert {name: report[name] for name in wrong} == dict.fromkeys(wrong, 0)


def test_no_reply_left_twice_none_was_forgotten_and_each_stands_in_its_thread_once(report):
    assert report["replies"] and report["unknown"]
    wrong = ("replied_twice", "forgotten", "lied", "threaded")
    assert {name: report[name] for name in wrong} == dict.fromkeys(wrong, 0)


def test_what_was_not_confirmed_was_found_and_whoever_was_killed_works_again(report):
    assert report["kinds"] == dict.fromkeys(KINDS, 1) and report["kills"] == len(KILLS)
    assert (report["at_rest"], report["not_found"], report["never_went_on"]) == (True, 0, [])
