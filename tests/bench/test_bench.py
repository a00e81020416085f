"""The harness itself, on a small house in the tests' own database: what it measures it still can measure."""

import re

import pytest
from django.db import connection

from connectors.models import Channel
from departments.models import User
from departments.tokens import digest, make_token
from inbox.models import QueueItem
from tests.bench import deciding, filling, floor, matching, pages, taking
from tests.bench.figures import Figure, table

pytestmark = pytest.mark.django_db
MANY = 1_000


@pytest.fixture
def full_house(house):
    filling.fill_tables(MANY)


def ask(statement: str, *given):
    """A statement of the floor, whose places are numbered."""
    with connection.cursor() as cursor:
        cursor.execute(
            re.sub(r"\$(\d)", lambda place: f"%({place[1]})s", statement), dict(zip("12", given, strict=True))
        )
        return cursor.fetchall()


def test_the_house_is_filled_and_the_floor_answers_what_it_is_asked(full_house, carl):
    assert QueueItem.objects.count() == MANY
    assert 0.55 < QueueItem.objects.open().count() / MANY < 0.65
    assert QueueItem.objects.values("department").distinct().count() == 10
    token = digest(make_token(carl, "bench", by=carl)[1])
    talk = pages._a_talk(carl)
    assert len(ask(floor.QUEUE, token, "customer-service")) == 51
    assert len(ask(floor.MESSAGES, token, talk)) == 20
    assert len(ask(floor.CONVERSATION, token, talk)) == 1
    assert not ask(floor.QUEUE, token, "hr")


def test_the_search_by_hand_finds_what_ours_finds(full_house, carl):
    from inbox import search

    given = {"word": filling.COMMON, "mine": [str(each) for each in pages.rights(carl).at_least(1)], "hits": 25}
    with connection.cursor() as cursor:
        cursor.execute(pages._FLOOR, given)
        by_hand = {row[0] for row in cursor.fetchall()}
    ours = {found.conversation.pk for found in search.search(carl, filling.COMMON, size=100)[0]}
    assert by_hand and by_hand <= ours


def test_rules_as_people_write_them_are_matched_and_interpreted(monkeypatch):
    monkeypatch.setattr(matching, "FEW", 5)
    found = {each.name: each for each in matching.measure(1, 400, set(matching.NAMES))}
    assert set(found) == set(matching.NAMES)
    assert found["matching_over_naive"].ratio > 1


def test_posts_are_taken_in_and_routed_for_the_figures(full_house, monkeypatch):
    monkeypatch.setattr(taking, "cpu_of_server", lambda pid: 0.0)
    found = {each.name: each for each in taking.measure(0, 1, 40, set(taking.NAMES))}
    assert set(found) == set(taking.NAMES)
    assert all(each.value > 0 and each.floor > 0 for each in found.values())
    assert Channel.objects.count() >= filling.CHANNELS and User.objects.filter(username="carl").exists()


def test_rules_decide_for_the_figures():
    found = list(deciding.measure(1, 40, set(deciding.SIZES)))
    assert [each.name for each in found] == list(deciding.SIZES)
    assert all(each.value > 0 for each in found)


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("first_page_json_10k", 9, 1), True),
        (Figure("first_page_json_10k", 11, 1), False),
        (Figure("take_in_10k", 50, 100), True),
        (Figure("take_in_10k", 30, 100), False),
        (Figure("rules_100_10k", 19_999, 300_000), False),
        (Figure("memory_pss", 390, 100), True),
        (Figure("first_page_json_10k", 9, None), None),
    ],
)
def test_a_goal_is_met_or_missed_by_what_was_measured(figure, met):
    assert figure.met is met
    assert figure.name in table([figure])
