"""What machines are told, and which database the house agrees to live in."""

import re
from pathlib import Path

import pytest
from django.test import Client

from socialhub.database import complaints, complaints_about

OPERATING = (Path(__file__).resolve().parents[2] / "docs/operating.md").read_text()
pytestmark = pytest.mark.django_db
GOOD = {"version": 18, "encoding": "UTF8", "letters": "C.UTF-8", "extensions": {"pg_trgm", "unaccent"}}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


def figures(token="", headers=(), **more):
    headers = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
    return Client().get("/metrics", headers=headers, **more)


def test_figures_are_for_this_machine_and_for_who_has_the_token(settings, house):
    settings.METRICS_TOKEN = ""
    assert "social_hub_up" in figures().content.decode()
    assert [figures(token, **ELSEWHERE).status_code for token in ("", "none", "no token at all")] == [401] * 3
    settings.METRICS_TOKEN = "the-token-of-the-watchman"
    assert [figures(token, **ELSEWHERE).status_code for token in ("", "wrong", "thé token")] == [401] * 3
    told = figures("the-token-of-the-watchman", **ELSEWHERE)
    assert (told.status_code, told["Content-Type"].split(";")[0]) == (200, "text/plain")


def test_the_page_for_operators_tells_each_figure_and_no_other(house):
    told = set(re.findall(r"^\| `(social_hub_\w+)`", OPERATING, re.MULTILINE))
    assert told == set(re.findall(r"^# TYPE (\w+)", figures().content.decode(), re.MULTILINE))


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_what_a_proxy_on_this_machine_passes_on_comes_from_elsewhere(house, name):
    assert figures(headers={name: "for=203.0.113.9"}).status_code == 401


def test_the_database_of_these_tests_serves():
    assert list(complaints()) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"version": 14}, "is PostgreSQL 14; Social Hub needs 15 or newer"),
        ({"encoding": "SQL_ASCII"}, "is in SQL_ASCII; make one in UTF-8"),
        ({"letters": "C"}, "so search would not work"),
        ({"extensions": {"unaccent"}}, "lacks pg_trgm: install"),
    ],
    ids=lambda each: next(iter(each), "") if isinstance(each, dict) else "",
)
def test_one_that_does_not_is_refused_in_a_sentence(wrong, told):
    assert list(complaints_about(**GOOD)) == []
    (sentence,) = complaints_about(**GOOD | wrong)
    assert told in sentence
