"""Walks back from the head of a list, and going on from an id, without any network."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.cursors import SETTLED, SWEEP, SWEEP_EVERY, Entry, Forward, Read, Walk, in_order, read

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class List:
    """A network's list: newest first, five on a page, by the time of the last one."""

    def __init__(self, *minutes):
        self.entries = {f"p{each}": NOW - each * MINUTE for each in minutes}

    def page(self, token):
        newest = sorted(self.entries.items(), key=lambda each: (each[1], each[0]), reverse=True)
        start = next((place for place, each in enumerate(newest, 1) if each[0] == token), 0)
        page = newest[start : start + 5]
        return [Entry(*each) for each in page], page[-1][0] if len(newest) > start + 5 else ""


def walk_through(listed, state=None, *, now=NOW, pages=99, **how):
    """The ids that a visit gives, in order, and its last step."""
    given, step = [], None
    for _ in range(pages):
        walk = Walk(state, now=now, **{"days": 7, "sweeps": True} | how)
        step = walk.step(*listed.page(walk.token))
        given += [each.id for each in step.fresh]
        state = step.state
        if not step.more:
            break
    return given, step


def test_at_first_as_many_days_are_read_as_wanted_and_later_only_what_is_new():
    listed = List(*range(1, 13), 8 * 24 * 60)
    given, step = walk_through(listed)
    assert sorted(given) == sorted(f"p{each}" for each in range(1, 13)) and step.history
    listed.entries["new"] = NOW + MINUTE
    given, step = walk_through(listed, step.state, now=NOW + 2 * MINUTE)
    assert given == ["new"] and not step.history
    assert step.covered[1] == NOW + 2 * MINUTE


def test_looking_back_tells_how_far_it_has_come():
    listed = List(*(each * 24 * 60 for each in range(1, 7)))
    walk = Walk(None, now=NOW, days=10)
    step = walk.step(*listed.page(""))
    assert step.more and step.history and step.progress == pytest.approx(0.5)


def test_what_was_there_before_the_first_walk_is_never_read_by_a_later_one():
    """A sweep looks a day back, and somebody who wanted no history gets none."""
    listed = List(60, 120)
    given, step = walk_through(listed, days=0)
    assert given == []
    listed.entries["new"] = NOW + MINUTE
    for later in (2 * MINUTE, SWEEP_EVERY, 3 * SWEEP_EVERY):
        more, step = walk_through(listed, step.state, now=NOW + later)
        given += more
    assert given == ["new"]


def test_a_sweep_finds_what_came_a_day_late_and_comes_once_an_hour():
    listed = List(5)
    _, step = walk_through(listed)
    listed.entries["late"] = NOW - SWEEP + HOUR
    given, step = walk_through(listed, step.state, now=NOW + 10 * MINUTE)
    assert given == []
    given, step = walk_through(listed, step.state, now=NOW + SWEEP_EVERY)
    assert given == ["late"]
    listed.entries["later"] = NOW - SWEEP + 2 * HOUR
    assert walk_through(listed, step.state, now=NOW + SWEEP_EVERY + MINUTE)[0] == []


def test_a_clock_that_runs_ahead_does_not_move_the_place_to_stop_into_the_future():
    listed = List(-90, 5)
    _, step = walk_through(listed)
    listed.entries["now"] = NOW + MINUTE
    assert walk_through(listed, step.state, now=NOW + 2 * MINUTE)[0] == ["now"]


def test_what_is_missing_from_a_stretch_that_was_read_is_named_and_at_its_edge_nothing_is():
    listed = List(1, 2, 3)
    _, step = walk_through(listed)
    del listed.entries["p2"]
    _, step = walk_through(listed, step.state, now=NOW + MINUTE)
    assert step.missing == {"p2": NOW - 2 * MINUTE}
    _, step = walk_through(listed, step.state, now=NOW + 2 * MINUTE)
    assert step.missing == {}, "it is named once"


def test_a_list_that_ends_before_what_is_known_has_a_gap():
    listed = List(10)
    _, step = walk_through(listed)
    listed.entries = {f"n{each}": NOW + each * MINUTE for each in range(1, 8)}
    _, step = walk_through(listed, step.state, now=NOW + 10 * MINUTE)
    assert step.gap == (NOW - 10 * MINUTE, NOW + MINUTE) and set(step.missing) == {"p10"}
    assert "may be missing" in step.stretch["gap"]


def test_a_walk_that_gets_nowhere_is_given_up():
    walk = Walk(None, now=NOW, days=7)
    state = walk.step([Entry("a", NOW)], "same").state
    step = Walk(state, now=NOW, days=7).step([Entry("a", NOW)], "same")
    assert not step.more and step.gap


OLD = st.lists(st.integers(0, 600), unique=True, max_size=25)
COMES = st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 30)), max_size=25)


@given(before=OLD, comes=COMES, interrupted=st.lists(st.integers(1, 3), max_size=4))
def test_whatever_comes_while_walking_is_given_once_by_some_walk(before, comes, interrupted):
    """Posts come between any two pages, up to five minutes late; a visit may end early."""
    listed, given, state, now = List(*before), [], None, NOW
    waiting = list(enumerate(comes))
    for pages in [*interrupted, 99, 99]:
        now += MINUTE
        for number, (after, back) in waiting[: len(waiting) // 2 + 1]:
            listed.entries[f"c{number}"] = now - min(back, 4) * MINUTE + after * timedelta(seconds=1)
        waiting = waiting[len(waiting) // 2 + 1 :]
        more, step = walk_through(listed, state, now=now, pages=pages)
        given, state = given + more, step.state
    more, _ = walk_through(listed, state, now=now + MINUTE)
    given += more
    assert sorted(given) == sorted(listed.entries)


def test_going_forward_reads_what_is_young_again_until_it_has_settled():
    state = Forward.begun("10", "12", NOW)
    state, more = Forward(state, NOW).step(["11", "12", "13"])
    assert more and state["after"] == "13"
    state, more = Forward(state, NOW).step([])
    assert not more and state["after"] == "10"
    for later, after in ((SETTLED, "12"), (2 * SETTLED, "13"), (3 * SETTLED, "13")):
        state, _ = Forward(state, NOW + later).step(["13"])
        state, _ = Forward(state, NOW + later).step([])
        assert state["after"] == after


def test_ids_of_numbers_and_of_letters_compare_as_their_servers_mean_it():
    assert sorted(["100", "99", "1000"], key=in_order) == ["99", "100", "1000"]
    ulids = ["01JD4Z6Q0B7M1S8F5X2C9R3T4V", "01JD4Z5Q0B7M1S8F5X2C9R3T4V"]
    assert sorted(ulids, key=in_order) == sorted(ulids)


def test_what_was_there_before_us_shares_no_page_with_what_is_new():
    """A list that is read from now on, such as the answers in our threads, goes back at first; the others do not."""
    pages = {"mentions": Read(["new"], {"at": 1}, False), "threads": Read(["old"], {"at": 1}, False, history=True)}

    def page(name, state):
        return pages[name] if not state else Read([], state, False)

    first = read({}, "us", ["mentions", "threads"], page)
    assert (first.posts, first.history, first.more) == (["new"], False, True)
    second = read(first.cursor, "us", ["mentions", "threads"], page)
    assert (second.posts, second.history, second.more) == (["old"], True, False)
    third = read(second.cursor, "us", ["mentions", "threads"], page)
    assert (third.posts, third.more) == ([], False)
