"""Rounds from the head back to what is known, for networks that know no "since then"."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors import walking
from connectors.contract import Post
from connectors.errors import NotThere
from connectors.walking import Page, Step

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Town:
    """What stands in the parts of a network, three on a page; `asked` holds each step and how far back it went."""

    def __init__(self, **parts):
        self.parts, self.asked = parts, []

    def read(self, step: Step, since: datetime) -> Page:
        self.asked.append((step.part, step.of, since))
        if step.part not in self.parts:
            raise NotThere
        posts = sorted(self.parts[step.part], key=lambda each: each.created_at, reverse=True)
        start = int(step.place.get("after", 0))
        page = posts[start : start + 3]
        new = [each for each in page if each.created_at >= since]
        more = {"after": str(start + 3)} if len(posts) > start + 3 else {}
        return Page(posts=new, following=more, reached=len(new) < len(page))


def post(id, ago):
    return Post(id, "comment", id, datetime.now(UTC) - ago)


def rounds(town, cursor=None, parts=("feed",), days=7, **named):
    """A whole round; its batches."""
    cursor, batches = cursor or {}, []
    while not batches or batches[-1].more:
        batches.append(walking.read(cursor, parts, town.read, days=days, **named))
        cursor = json.loads(json.dumps(batches[-1].cursor))
    return batches


def told(batches):
    return [each.id for batch in batches for each in batch.posts]


def test_the_first_round_goes_as_far_back_as_was_wanted_and_is_history():
    town = Town(feed=[post(str(day), day * DAY) for day in range(10)])
    batches = rounds(town)
    assert sorted(told(batches)) == ["0", "1", "2", "3", "4", "5", "6"]
    assert all(each.history for each in batches) and batches[-1].progress == 1
    assert batches[0].posts[0].id == "2", "the oldest of a page comes first"


def test_what_is_written_while_we_look_back_at_first_is_no_history_and_left_to_the_next_round():
    town = Town(feed=[post("1", MINUTE)], messages=[post("2", MINUTE)])
    first = walking.read({}, ("feed", "messages"), town.read, days=1)
    town.parts["messages"].append(post("meanwhile", timedelta()))
    second = walking.read(first.cursor, ("feed", "messages"), town.read, days=1)
    assert (told([first, second]), second.history) == (["1", "2"], True)
    batches = rounds(town, second.cursor, ("feed", "messages"))
    assert "meanwhile" in told(batches) and not any(each.history for each in batches)


def test_the_next_round_stops_at_what_is_known_and_covers_all_since_then():
    town = Town(feed=[post(str(number), number * HOUR) for number in range(1, 30)])
    known = rounds(town)[-1].cursor
    town.parts["feed"].append(post("new", timedelta(seconds=1)))
    [batch] = rounds(town, known)
    assert told([batch]) == ["new"] and not batch.history
    since, until = batch.covered
    assert since < datetime.fromisoformat(known["since"]) <= until


def test_what_appears_late_behind_newer_posts_is_found_within_the_overlap_and_once_a_day_much_further_back():
    town = Town(feed=[])
    known = rounds(town)[-1].cursor
    town.parts["feed"] = [post("late", 9 * MINUTE), post("held back", 20 * HOUR)]
    assert told(rounds(town, known)) == ["late"]
    yesterday = (datetime.now(UTC) - DAY).isoformat()
    swept = rounds(town, known | {"swept": yesterday})
    assert sorted(told(swept)) == ["held back", "late"]
    assert swept[-1].cursor["swept"] > yesterday


def test_a_round_that_was_interrupted_goes_on_at_its_next_page_and_back_as_far_as_it_began():
    town = Town(feed=[post(str(number), number * MINUTE) for number in range(9)])
    first = walking.read({}, ("feed",), town.read, days=1)
    again = walking.read(first.cursor, ("feed",), town.read, days=1)
    assert told([first, again]) == ["2", "1", "0", "5", "4", "3"]
    assert len({since for _, _, since in town.asked}) == 1
    assert "since" not in again.cursor, "what is known moves on with the whole round alone"


def test_what_a_page_names_deeper_is_read_in_the_same_round_and_may_be_gone_by_then():
    town = Town(feed=[post("1", MINUTE)])

    def read(step, since):
        page = town.read(step, since)
        page.deeper = [Step("below", "1"), Step("below", "2")] if step.part == "feed" else []
        return page

    first = walking.read({}, ("feed",), read, days=1)
    assert first.more
    second = walking.read(first.cursor, ("feed",), read, days=1)
    third = walking.read(second.cursor, ("feed",), read, days=1)
    assert (second.posts, third.more) == ([], False)
    assert [of for part, of, _ in town.asked if part == "below"] == ["1", "2"]


def test_a_part_that_a_network_need_not_have_is_noted_and_the_round_goes_on():
    town = Town(feed=[post("1", MINUTE)])
    batches = rounds(town, parts=("reviews", "feed"), spare=frozenset(("reviews",)))
    assert told(batches) == ["1"] and "reviews" in batches[0].note
    with pytest.raises(NotThere):
        rounds(town, parts=("messages",))


def test_more_pages_than_we_read_are_a_gap_and_nothing_is_called_covered(monkeypatch):
    monkeypatch.setattr(walking, "DEEPEST", 2)
    town = Town(feed=[])
    known = rounds(town)[-1].cursor
    town.parts["feed"] = [post(str(number), number * timedelta(seconds=10)) for number in range(9)]
    batches = rounds(town, known)
    assert len(told(batches)) == 6
    [gap] = [each for each in batches if each.gap]
    assert gap.gap_since < gap.gap_until == town.parts["feed"][5].created_at
    assert [each.covered for each in batches] == [None, None]
