"""Comments on a WordPress: one that was approved late is found behind newer ones, and what the feed lost is asked for
from the site itself. The site speaks as WordPress 6.1 was heard to (`python -m tests.end_to_end` hears a real one)."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

import pytest
from django.utils import timezone

from connectors import actions
from connectors.contract import Unreadable
from connectors.dialects import wordpress
from inbox.models import Message
from tests.connectors.visits import read_all, visit
from tests.connectors.web import serving

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Blog:
    """A site with its feed of the ten newest comments, by their time, and its API; `closed` to strangers or not."""

    def __init__(self, web):
        self.web, self.comments, self.closed, self.asked = web, {}, False, []
        web.lay("/comments/feed/", self._feed)
        web.lay("/wp-json/wp/v2/comments", self._list)

    def comment(self, text, ago=timedelta(), *, held=False):
        number = len(self.comments) + 1
        at = (timezone.now() - ago).replace(microsecond=0)
        self.comments[number] = {"id": number, "text": text, "at": at, "held": held}
        return number

    def approve(self, number):
        self.comments[number]["held"] = False

    @property
    def shown(self):
        return [each for each in self.comments.values() if not each["held"]]

    def _feed(self, handler):
        newest = sorted(self.shown, key=lambda each: each["at"], reverse=True)[:10]
        # Its age is that of the newest comment, which a late one does not change.
        tag = f'"{sha256(str(newest[0]["at"]).encode()).hexdigest()[:12]}"' if newest else '"none"'
        if handler.headers.get("If-None-Match") == tag:
            return _say(handler, 304, b"", ETag=tag)
        link = f'<{self.web.url}/wp-json/>; rel="https://api.w.org/"'
        items = "".join(map(self._item, newest))
        body = f"<rss version='2.0'><channel><title>Comments</title><link>{self.web.url}</link>{items}</channel></rss>"
        return _say(handler, 200, body.encode(), ETag=tag, Link=link)

    def _item(self, each):
        return (
            f"<item><title>Comment on Hello by ana</title><link>{self.web.url}/hello/#comment-{each['id']}</link>"
            f"<guid isPermaLink='false'>{self.web.url}/?p=1#comment-{each['id']}</guid>"
            f"<pubDate>{format_datetime(each['at'])}</pubDate><description>{each['text']}</description></item>"
        )

    def _list(self, handler):
        query = handler.path.partition("?")[2]
        self.asked.append((query, handler.headers.get("Authorization")))
        if self.closed:
            return _say(handler, 401, b'{"code": "rest_forbidden"}')
        asked = dict(each.split("=") for each in query.split("&"))
        start = int(asked["offset"])
        page = self.shown[start : start + int(asked["per_page"])]
        return _say(handler, 200, json.dumps([self._told(each) for each in page]).encode())

    def _told(self, each):
        return {
            "id": each["id"],
            "post": 1,
            "author_name": "ana",
            "date_gmt": each["at"].replace(tzinfo=None).isoformat(),
            "content": {"rendered": f"<p>{each['text']}</p>\n"},
            "link": f"{self.web.url}/hello/#comment-{each['id']}",
            "_links": {"up": [{"embeddable": True, "post_type": "post"}]},
        }


def _say(handler, status, body, **headers):
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def blog():
    with serving() as web:
        yield Blog(web)


def open_channel(blog, **settings):
    settings |= {"url": f"{blog.web.url}/comments/feed/", "allow_private_hosts": True}
    return actions.open_channel(network="feed", slug="blog", name="Blog", settings=settings, by="system")


def told():
    return Counter(Message.objects.values_list("text", flat=True))


def some_hours_later(channel, hours):
    """As if the last looks had been so many hours ago."""
    then = {
        name: (datetime.fromisoformat(channel.cursor[name]) - hours * HOUR).isoformat()
        for name in ("at", "whole", "swept")
        if name in channel.cursor
    }
    channel.cursor = channel.cursor | then
    channel.save(update_fields=["cursor"])


def test_a_comment_that_is_approved_late_is_found_though_the_feed_calls_itself_unchanged(blog, house):
    held = blog.comment("Held", 3 * HOUR, held=True)
    blog.comment("Newer", HOUR)
    channel = open_channel(blog)
    read_all(channel)
    blog.approve(held)
    some_hours_later(channel, 1)
    read_all(channel)
    assert told() == Counter(("Newer", "Held"))


def test_what_the_feed_lost_on_a_busy_day_is_asked_for_from_the_site_and_the_gap_is_closed(blog, house):
    blog.comment("First", 2 * HOUR)
    channel = open_channel(blog, wordpress=True)
    read_all(channel)
    said = ["First", *(f"Busy {number}" for number in range(205))]
    for text in said[1:]:
        blog.comment(text, timedelta(minutes=1))
    runs = read_all(channel)
    assert told() == Counter(said)
    [lost] = [each for each in runs if each.gap]
    lost.refresh_from_db()
    assert lost.gap_since < lost.gap_until <= lost.gap_closed_at
    assert not channel.runs.open_gaps().exists()
    some_hours_later(channel, 7)
    read_all(channel)
    assert told() == Counter(said), "known by their names, whoever tells them"


def test_a_comment_that_was_approved_too_late_for_the_feed_is_found_within_hours(blog, house):
    held = blog.comment("Held for a day", 30 * HOUR, held=True)
    for number in range(12):
        blog.comment(f"Newer {number}", timedelta(minutes=20 - number))
    channel = open_channel(blog, wordpress=True)
    read_all(channel)
    blog.approve(held)
    some_hours_later(channel, 7)
    assert not Message.objects.filter(text="Held for a day").exists()
    read_all(channel)
    found = Message.objects.get(text="Held for a day")
    assert not found.history, "it is new to everybody"
    assert found.external_id.endswith("/?p=1#comment-1")


def test_a_site_that_lists_nothing_for_strangers_is_read_by_its_feed_and_says_so(blog, house):
    blog.closed = True
    blog.comment("Hello")
    channel = open_channel(blog, wordpress=True)
    run = visit(channel)
    assert (run.outcome, channel.state, told()) == ("ok", "listening", Counter(["Hello"]))
    assert "WordPress does not list its comments" in run.detail
    asked = len(blog.asked)
    visit(channel)
    assert len(blog.asked) == asked, "it is not asked again at every look"


def test_a_site_is_not_asked_unless_that_is_wanted_and_only_on_its_own_server(blog, house):
    blog.comment("Hello")
    read_all(open_channel(blog))
    assert blog.asked == []
    elsewhere = {"link": '<https://evil.example/wp-json/>; rel="https://api.w.org/"'}
    assert wordpress.api_of(elsewhere, "https://blog.example/feed") == ""


@pytest.mark.parametrize(
    ("api", "wanted"),
    [
        ("https://b.example/wp-json/", "https://b.example/wp-json/wp/v2/comments?after="),
        ("https://b.example/index.php?rest_route=/", "https://b.example/index.php?rest_route=/wp/v2/comments&after="),
    ],
)
def test_a_site_without_fine_addresses_is_asked_too(api, wanted):
    walk = wordpress.begin(datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    assert wordpress.address(api, walk).startswith(wanted)


def test_a_comment_has_the_name_that_the_feed_would_give_it():
    comment = {"id": 7, "post": 3, "date_gmt": "2026-11-24T10:00:00", "link": "https://b.example/x/#comment-7"}
    comment |= {"content": {"rendered": "<p>Hi</p>"}, "_links": {"up": [{"post_type": "page"}]}}
    known = ["https://old.example/?p=2#comment-1"]
    assert (
        wordpress.entries([comment], known, "https://b.example")[0].guid == "https://old.example/?page_id=3#comment-7"
    )
    assert wordpress.entries([comment], [], "https://b.example")[0].guid == "https://b.example/?page_id=3#comment-7"
    assert isinstance(wordpress.entries([{"id": 7}], [], "https://b.example")[0], Unreadable)
