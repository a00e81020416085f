"""How things look: words for time, marks for people, and that a strict content policy finds nothing to object to."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone

from socialhub.templatetags import look

TEMPLATES = sorted((settings.ROOT / "templates").rglob("*.html"))
SPRITE = (settings.ROOT / "static" / "img" / "icons.svg").read_text()


def item(**parts):
    usual = {
        "handed_to": None,
        "status": "open",
        "due_at": None,
        "snoozed_until": None,
        "last_message_at": timezone.now(),
    }
    return SimpleNamespace(**usual | parts)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "1 min"),
        (720, "12 min"),
        (5399, "89 min"),
        (6000, "2 h"),
        (86_399, "24 h"),
        (100_800, "1 d 4 h"),
        (5e5, "5 d"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds, said):
    assert look.span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("name", "mark"),
    [("Inês Carvalho", "IC"), ("carl", "CA"), ("田中 友紀", "田"), ("نورة العتيبي", "ن"), ("@x_y", "XY"), ("", "?")],
)
def test_a_mark_is_made_of_any_name(name, mark):
    assert look.initials(name) == mark


def test_a_person_keeps_their_tint():
    assert look.tint("inescarvalho") == look.tint("inescarvalho")
    assert len({look.tint(number) for number in range(200)}) == 8


def test_only_what_is_late_is_red_and_only_what_is_soon_is_amber():
    now = timezone.now()
    assert 'class="clock late"' in look.clock(item(due_at=now - timedelta(minutes=18)))
    assert "18 min overdue" in look.clock(item(due_at=now - timedelta(minutes=18, seconds=1)))
    assert 'class="clock soon"' in look.clock(item(due_at=now + timedelta(minutes=12)))
    assert 'class="clock"' in look.clock(item(due_at=now + timedelta(hours=3)))


def test_a_clock_tells_what_an_item_waits_for():
    assert "waits for R&amp;D" in look.clock(item(handed_to="R&D"))
    assert "until they answer" in look.clock(item(status="snoozed"))
    assert "their turn since" in look.clock(item(status="pending"))


def test_the_list_is_grouped_by_urgency():
    now = timezone.now()
    assert look.urgency(item(due_at=now - timedelta(minutes=1))) == "Overdue"
    assert look.urgency(item(due_at=now + timedelta(minutes=59))) == "Due within the hour"
    assert look.urgency(item(due_at=now + timedelta(days=3))) == "Later"
    assert look.urgency(item(status="pending")) == "Waiting"


def test_a_followers_figure_is_short_from_ten_thousand_on_and_unknown_is_not_zero():
    said = [look.reach(number) for number in (None, 0, 9_800, 48_213, 1_250_000)]
    assert said == ["", "0", "9\u202f800", "48\u202fk", "1.2\u202fM"]


def test_an_address_that_runs_code_never_becomes_a_link():
    assert look.is_web("https://example.org/post/1")
    assert not look.is_web("javascript:alert(1)")
    assert not look.is_web(None)


def test_a_sign_escapes_its_label():
    assert "&quot;&gt;&lt;script&gt;" in look.icon("lock", "", '"><script>')


def test_templates_hold_nothing_that_the_content_policy_forbids():
    forbidden = re.compile(r"""\sstyle=["']|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=["']|hx-on""")
    drawn = {path: re.sub("{[%#].*?[%#]}", "", path.read_text()) for path in TEMPLATES}
    assert [str(path) for path, text in drawn.items() if forbidden.search(text)] == []


def test_templates_name_only_signs_and_files_that_exist():
    text = "".join(path.read_text() for path in TEMPLATES)
    signs, files = set(re.findall(r'{% icon "([^"]+)"', text)), set(re.findall(r"{% static ['\"]([^'\"]+)", text))
    assert {name for name in signs if f'id="i-{name}"' not in SPRITE} == set()
    assert {name for name in files if not finders.find(name)} == set()


def test_every_network_that_has_a_mark_has_it_in_the_sprite():
    assert [network for network in look.MARKED if f'id="i-n-{network}"' not in SPRITE] == []


def test_the_page_for_what_broke_asks_for_nobody_and_no_database():
    page = render_to_string("500.html")
    assert "Something broke on our side" in page
