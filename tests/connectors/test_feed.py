"""Feeds: what they are understood to say, which entry is which, what is remembered, and what a bad one ends as."""

import io
import json
import os
import re
import time
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import feedparser
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from connectors import actions, feeds, http, polling
from connectors.contract import Post, Unreadable
from connectors.errors import Gone, HostileFeed, NotAFeed, NotAuthorized, NotThere, RateLimited
from connectors.models import Channel, QuarantinedPost
from connectors.networks.feed import LEAST_REMEMBERED, FeedReader
from inbox.intake import take_in
from inbox.models import Message
from tests.connectors.test_http import NOT_PUBLIC
from tests.connectors.web import serving

REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "rss"
LONG_AGO = "Mon, 02 Jun 2008 10:00:00 GMT"


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def reader(web):
    """`reader.fetch(cursor)` of the feed at `/feed`."""
    return FeedReader(slug="feed", settings={"url": f"{web.url}/feed", "allow_private_hosts": True})


def item(number, **said):
    """One `<item>`; `item(1, title=None)` leaves the title out."""
    said = {
        "guid": f"guid-{number}",
        "title": f"Title {number}",
        "link": f"https://blog.example/{number}",
        "description": f"Text {number}",
        "pubDate": LONG_AGO,
    } | said
    return "".join(["<item>", *(f"<{name}>{value}</{name}>" for name, value in said.items() if value), "</item>"])


def rss(*items, about="<title>The blog</title><link>https://www.blog.example/</link>"):
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{about}{"".join(items)}</channel></rss>'


def news(reader, cursor, web, *items):
    """What is new in the feed as it is now: ids, and the cursor after it."""
    web.lay("/feed", rss(*items))
    batch = reader.fetch(cursor)
    return [each.id for each in batch.posts], dict(batch.cursor)


def only(reader, web, body, **headers):
    web.lay("/feed", body, **headers)
    [post] = reader.fetch({}).posts
    return post


# What it says ---------------------------------------------------------------------------------------------------------


def test_an_item_of_rss_is_an_article_of_its_publication(reader, web):
    post = only(reader, web, rss(item(1, description="&lt;p&gt;One &amp;amp; two.&lt;/p&gt;&lt;p&gt;Three&lt;/p&gt;")))
    assert (post.id, post.kind, post.title, post.text) == ("guid-1", "article", "Title 1", "One & two.\n\nThree")
    assert post.url == "https://blog.example/1"
    assert post.created_at == datetime(2008, 6, 2, 10, tzinfo=UTC)
    assert (post.author.id, post.author.handle, post.author.name) == ("blog.example", "blog.example", "The blog")


def test_an_entry_of_atom_keeps_author_language_pictures_and_relative_links(reader, web):
    post = only(
        reader,
        web,
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://blog.example/a/"><title>Blog</title>
        <entry><id>tag:1</id><title type="html">&lt;b&gt;Neu&lt;/b&gt;</title><link href="../1"/>
        <link rel="enclosure" type="image/png" href="p.png"/><published>2024-01-01T10:00:00+02:00</published>
        <updated>2024-01-02T10:00:00Z</updated><author><name>Ana</name><uri>http://ana.example</uri></author>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><ul><li>eins</li><li>zwei</li></ul>
        <script>alert(1)</script></div></content></entry></feed>""",
    )
    assert (post.title, post.text, post.url, post.lang) == ("Neu", "- eins\n- zwei", "https://blog.example/1", "de")
    assert (post.author.id, post.author.name) == ("https://ana.example", "Ana")
    assert [(each.url, each.type) for each in post.media] == [("https://blog.example/a/p.png", "image/png")]
    assert (post.created_at.hour, post.edited_at.day) == (8, 2)


def test_json_feed_is_read_as_the_others_are(reader, web):
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Blog",
        "language": "nl",
        "authors": [{"name": "Ana", "url": "https://ana.example"}],
        "items": [{"id": 7, "url": "/7", "content_html": "<p>Hallo</p>", "date_published": "2024-01-01T10:00:00Z"}],
    }
    post = only(reader, web, "\ufeff" + json.dumps(told), Content_Type="application/feed+json")
    assert (post.id, post.text, post.url, post.lang) == ("7", "Hallo", f"{web.url}/7", "nl")
    assert post.author.name == "Ana"
    assert reader.check().sentence == "JSON Feed 1.1, 1 entry, the newest of 1 January 2024."


@pytest.mark.parametrize(
    ("body", "kind", "thread", "answers"),
    [
        (rss(item(1, link="https://blog.example/post#comment-5")), "comment", "https://blog.example/post", ""),
        (
            '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"><entry><id>c</id>'
            '<thr:in-reply-to ref="tag:post" href="https://blog.example/post"/><title>Re</title></entry></feed>',
            "comment",
            "",
            "tag:post",
        ),
        (rss(item(1, link="https://blog.example/post#more")), "article", "", ""),
    ],
    ids=["WordPress", "RFC 4685", "article"],
)
def test_a_comment_hangs_on_what_it_comments(reader, web, body, kind, thread, answers):
    post = only(reader, web, body)
    assert (post.kind, post.thread, post.in_reply_to) == (kind, thread, answers)
    assert (post.author is None) == (kind == "comment")


@pytest.mark.parametrize(
    "told", ["Fri, 31 Feb 2010 25:61:00 GMT", "tomorrow", "1 Jan 0001", "Mon, 01 Jan 2390 00:00:00 GMT", ""]
)
def test_an_impossible_date_is_the_day_we_saw_it(reader, web, told):
    post = only(reader, web, rss(item(1, pubDate=told)))
    assert abs(post.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_ill_formed_feeds_give_what_they_carry(reader, web):
    broken = rss(item(1), item(2)).replace("</rss>", "").replace("Text 1", "Fish & chips <br> &nbsp;")
    web.lay("/feed", "\n\n<!-- cached -->" + broken, Content_Type="text/html")
    assert [each.id for each in reader.fetch({}).posts] == ["guid-2", "guid-1"]
    web.lay("/feed", rss(item(1, title="Caf\xe9")).replace("?>", ' encoding="latin-1"?>').encode("latin-1"))
    assert reader.fetch({}).posts[0].title == "Café"


def test_one_bad_entry_is_laid_aside_once_and_its_neighbours_arrive(reader, web):
    items = [{"id": "1", "content_text": "one"}, {"id": "2", "content_text": "\0"}, "no entry", {"id": "3"}]
    web.lay("/feed", json.dumps({"version": "https://jsonfeed.org/version/1", "items": items}))
    batch = reader.fetch({})
    assert [each.id for each in batch.posts if isinstance(each, Post)] == ["3", "1"]
    reasons = [each.reason for each in batch.posts if isinstance(each, Unreadable)]
    assert len(reasons) == 2 and any("NUL" in each for each in reasons)
    assert reader.fetch(batch.cursor).posts == []


# Which entry is which -------------------------------------------------------------------------------------------------


def test_a_second_look_finds_only_what_is_new_or_changed(reader, web):
    ids, cursor = news(reader, {}, web, item(1), item(2))
    assert ids == ["guid-2", "guid-1"]
    assert news(reader, cursor, web, item(1), item(2))[0] == []
    web.lay("/feed", rss(item(3), item(1, description="Corrected"), item(2)))
    batch = reader.fetch(json.loads(json.dumps(cursor)))
    changed, new = batch.posts
    assert (changed.id, changed.text, new.id) == ("guid-1", "Corrected", "guid-3")
    assert changed.edited_at and not new.edited_at
    assert news(reader, batch.cursor, web, item(3), item(1, description="Corrected"))[0] == []


def test_what_was_approved_late_arrives_though_it_is_older(reader, web):
    _, cursor = news(reader, {}, web, item(9), item(7))
    assert news(reader, cursor, web, item(9), item(8, pubDate="Mon, 02 Jan 2006 10:00:00 GMT"), item(7))[0] == [
        "guid-8"
    ]


def test_a_feed_that_moves_to_https_tells_nothing_new(reader, web):
    _, cursor = news(reader, {}, web, *(item(n, guid=f"http://blog.example/?p={n}") for n in (1, 2)))
    assert news(reader, cursor, web, *(item(n, guid=f"https://blog.example/?p={n}") for n in (1, 2)))[0] == []


def test_a_feed_that_renames_everything_tells_nothing_new(reader, web):
    first, cursor = news(reader, {}, web, item(1), item(2))
    ids, cursor = news(reader, cursor, web, *(item(n, guid=f"new-{n}") for n in (3, 2, 1)))
    assert ids == ["new-3"]
    changed, _ = news(reader, cursor, web, item(1, guid="new-1", description="Corrected"))
    assert changed == ["guid-1"]


@pytest.mark.parametrize("same", [{"guid": None}, {"guid": "always-this"}], ids=["no guid", "always the same guid"])
def test_without_a_guid_of_its_own_an_entry_is_known_by_its_link(reader, web, same):
    ids, cursor = news(reader, {}, web, item(1, **same), item(2, **same))
    assert ids == ["https://blog.example/2", "https://blog.example/1"]
    assert news(reader, cursor, web, item(2, title="Other", description="Other", **same))[0] == ids[:1]
    assert news(reader, cursor, web, item(3, **same), item(2, **same))[0] == ["https://blog.example/3"]


def test_a_guid_that_turns_out_to_be_everybodys_names_nobody_any_more(reader, web):
    ids, cursor = news(reader, {}, web, item(1, guid="x"))
    assert ids == ["x"]
    ids, cursor = news(reader, cursor, web, item(2, guid="x"), item(1, guid="x"))
    assert ids == ["https://blog.example/2"]
    assert news(reader, cursor, web, item(3, guid="x"))[0] == ["https://blog.example/3"]


def test_without_guid_and_link_an_entry_is_known_by_what_it_says_of_itself_but_never_by_its_text(reader, web):
    plain = {"guid": None, "link": None}
    ids, cursor = news(reader, {}, web, item(1, **plain), item(2, **plain, pubDate=None, title=None))
    assert len(set(ids)) == 2
    assert news(reader, cursor, web, item(1, description="Corrected", **plain))[0] == ids[1:]
    home = {"guid": None, "link": "https://blog.example/"}
    assert len(news(reader, {}, web, *(item(n, **home, pubDate=None) for n in (1, 2, 3)))[0]) == 3


def test_one_guid_given_twice_does_not_rename_the_others(reader, web):
    _, cursor = news(reader, {}, web, item(1), item(2, pubDate=None))
    twice = [item(3, guid="x"), item(4, guid="x")]
    assert news(reader, cursor, web, *twice, item(1), item(2, pubDate=None))[0] == [
        "https://blog.example/4",
        "https://blog.example/3",
    ]


def test_two_versions_of_an_entry_are_one(reader, web):
    assert len(news(reader, {}, web, item(1), item(1), item(1, title="Edited"))[0]) == 1


def test_a_guid_that_no_database_holds_is_kept_by_its_likeness(reader, web):
    items = [{"id": "a\0b", "title": "NUL"}, {"id": "\ud800", "title": "half"}]
    web.lay("/feed", json.dumps({"version": "https://jsonfeed.org/version/1", "items": items}))
    batch = reader.fetch({})
    assert [each.title for each in batch.posts] == ["half", "NUL"]
    json.dumps(batch.cursor, ensure_ascii=False).encode()
    assert "\\u0000" not in json.dumps(batch.cursor)


def test_a_character_that_can_not_be_costs_nothing_else(reader, web):
    odd = "a &#xD800; &#0; &#x110000; &#99999999999999; &#; &#233; &#x1F6B2; b"
    web.lay("/feed", rss(item(1, title=odd), item(2)))
    assert [each.title for each in reader.fetch({}).posts] == ["Title 2", "a � � � � � é 🚲 b"]


def test_a_very_long_guid_is_shortened_and_stays_the_same(reader, web):
    ids, cursor = news(reader, {}, web, item(1, guid="x" * 4000))
    assert len(ids[0]) < 255
    assert news(reader, cursor, web, item(1, guid="x" * 4000))[0] == []


# What is remembered ---------------------------------------------------------------------------------------------------


def test_the_memory_is_bounded_and_holds_four_snapshots(reader, web):
    cursor = {}
    for start in range(0, 600, 90):
        _, cursor = news(reader, cursor, web, *map(item, range(start, start + 100)))
    assert len(cursor["seen"]) == 400
    assert LEAST_REMEMBERED == 200
    kept = {name for name, _, _ in cursor["seen"]}
    assert {f"guid-{number}" for number in range(540, 640)} <= kept


def test_a_snapshot_without_a_known_entry_is_a_gap_in_words(reader, web):
    _, cursor = news(reader, {}, web, item(1), item(2))
    web.lay("/feed", rss(item(2), item(3)))
    batch = reader.fetch(cursor)
    assert batch.gap == ""
    web.lay("/feed", rss(item(8), item(9)))
    assert reader.fetch(batch.cursor).gap.startswith("none of the 2 entries was there at the last look (")
    web.lay("/feed", rss())
    assert reader.fetch(batch.cursor).gap == ""


def test_all_that_it_held_before_we_came_is_history_but_for_what_is_fresh(reader, web):
    now = format_datetime(datetime.now(UTC) - timedelta(minutes=5))
    web.lay("/feed", rss(item(3, pubDate=now), item(2), item(1, pubDate=None)), ETag='"1"')
    old = reader.fetch({})
    assert ([each.id for each in old.posts], old.history, old.more) == (["guid-1", "guid-2"], True, True)
    new = reader.fetch(json.loads(json.dumps(old.cursor)))
    assert ([each.id for each in new.posts], new.history, new.more) == (["guid-3"], False, False)
    assert "If-None-Match" not in str(web.asked) and "if-none-match" not in str(web.asked)
    web.lay("/feed", rss(item(4), item(3)))
    assert reader.fetch(new.cursor).history is False


def test_a_big_feed_comes_in_pages_that_lose_nothing(reader, web):
    web.lay("/feed", rss(*map(item, range(1100))))
    batch, pages = reader.fetch({}), []
    while pages.append([each.id for each in batch.posts]) or batch.more:
        batch = reader.fetch(batch.cursor)
    assert [len(each) for each in pages] == [500, 500, 100]
    assert len({each for page in pages for each in page}) == 1100


def test_a_feed_that_changed_in_the_second_of_our_look_is_read_whole_the_next_time(reader, web):
    """Its age is told in whole seconds, so what came later within that second would never show. A real WordPress did
    this to us."""
    now = format_datetime(datetime.now(UTC), usegmt=True)
    web.lay("/feed", rss(item(1)), ETag='"7"', Last_Modified=now, Date=now)
    reader.fetch(reader.fetch({}).cursor)
    assert not {"If-None-Match", "If-Modified-Since"} & set(web.asked[-1][2])


def test_an_unchanged_feed_is_not_read_again(reader, web):
    web.lay("/feed", rss(item(1)), ETag='W/"7"', Last_Modified="Tue, 24 Nov 2026 10:00:00 GMT")
    cursor = reader.fetch({}).cursor
    web.lay("/feed", b"", status=304)
    batch = reader.fetch(cursor)
    sent = web.asked[-1][2]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('W/"7"', "Tue, 24 Nov 2026 10:00:00 GMT")
    assert (batch.posts, batch.cursor["seen"]) == ((), cursor["seen"])


def test_another_address_is_another_feed(reader, web):
    _, cursor = news(reader, {}, web, item(1))
    web.lay("/other", rss(item(5)))
    other = FeedReader(slug="feed", settings=reader.settings | {"url": f"{web.url}/other"})
    batch = other.fetch(cursor)
    assert (batch.gap, [each.id for each in batch.posts], batch.history) == ("", ["guid-5"], True)


# What the server says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"), [(401, NotAuthorized), (403, NotAuthorized), (404, NotThere), (410, Gone), (429, RateLimited)]
)
def test_refusals_have_their_names(reader, web, status, kind):
    web.lay("/feed", status=status)
    with pytest.raises(kind):
        reader.fetch({})


def test_name_and_password_go_to_a_feed_that_asks_for_them(web):
    settings = {"url": web.lay("/feed", rss(item(1))), "allow_private_hosts": True}
    reader = FeedReader(slug="feed", settings=settings, credentials={"username": "ada", "password": "canary"})
    reader.fetch({})
    assert web.asked[0][2]["authorization"] == "Basic YWRhOmNhbmFyeQ=="


def test_a_feed_that_moved_for_good_or_wants_to_rest_says_so(reader, web):
    web.lay("/feed", status=301, Location="/new?key=canary")
    web.lay("/new", rss(item(1)), Cache_Control="public, max-age=1800")
    batch = reader.fetch({})
    assert batch.note == f"The feed has moved for good; its address is now {web.url}/new."
    assert timedelta(minutes=29) < batch.not_before - datetime.now(UTC) <= timedelta(minutes=30)
    web.lay("/new", rss(item(1)), Cache_Control="max-age=99999999")
    assert reader.fetch({}).not_before < datetime.now(UTC) + timedelta(hours=1.1)


# Made to harm ---------------------------------------------------------------------------------------------------------


LAUGHS = (
    '<!DOCTYPE rss [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
FILE = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
WIDE = f'<!DOCTYPE rss [\n<!ENTITY w "{"w" * 5000}">\n]>'
ACCENTS = (
    '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd" ['
    '<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "http://www.w3.org/lat1.ent">%HTMLlat1;'
    '<!ENTITY eacute "&#233;">]>'
)


def bomb(doctype, text):
    return f'{doctype}<rss version="2.0"><channel><item><title>{text}</title></item></channel></rss>'


@pytest.mark.parametrize(
    "body",
    [
        bomb(LAUGHS, "&i;"),
        bomb(LAUGHS, "&i;").encode("utf-16"),
        bomb(LAUGHS, "&i;") + "<",
        bomb(FILE, "&x;"),
        bomb(WIDE, "&w;" * 1000),
        '<rss version="2.0"><channel>' + "<a>" * 500_000,
    ],
    ids=["laughs", "laughs in utf-16", "laughs, ill-formed", "file", "wide", "deep"],
)
def test_a_feed_that_is_made_to_harm_is_refused_at_once(body):
    began = time.monotonic()
    with pytest.raises(HostileFeed):
        feeds.read(body if isinstance(body, bytes) else body.encode())
    assert time.monotonic() - began < 2


def test_entities_for_accents_do_no_harm():
    [entry] = feeds.read(bomb(ACCENTS, "Caf&eacute;").encode()).readable
    assert entry.title == "Café"


def test_a_feed_in_an_encoding_that_takes_for_ever_is_none():
    body = f'<?xml version="1.0" encoding="punycode"?><rss version="2.0">{"a" * 3_000_000}-{"b" * 1_000_000}</rss>'
    with pytest.raises(NotAFeed):
        feeds.read(body.encode())


# On the page ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def channel(house, web):
    settings = {"url": f"{web.url}/feed", "allow_private_hosts": True}
    return actions.open_channel(network="feed", slug="blog", name="The blog", settings=settings, by="system")


def page_after_a_visit(channel, inbox, client):
    Channel.objects.filter(pk=channel.pk).update(cursor={})
    run = polling.poll(Channel.objects.get(pk=channel.pk), inbox)
    return run, client.get(reverse("channel", kwargs={"slug": "blog"})).content.decode()


def _drip(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n<rss>")
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"body": bomb(LAUGHS, "&i;")}, "made so that reading it takes time or memory without end"),
        ({"body": b"", "Content_Encoding": "gzip"}, "larger than we read"),
        ({"status": 302, "Location": "http://127.0.0.1:9/"}, "sends us on to an address that must not be opened"),
        ({"status": 302, "Location": "http://127.0.0.1/"}, "sends us on to an address that must not be opened"),
        ({"status": 302, "Location": "gopher://127.0.0.1/"}, "sends us on to an address that must not be opened"),
        ({"status": 302, "Location": "/feed"}, "from address to address without end"),
        ({"body": _drip}, "not there in the time that we wait"),
        ({"body": "<html><body>Welcome</body></html>"}, "is no feed"),
        ({"body": "{"}, "can not be understood"),
        ({"status": 500}, "has trouble of its own"),
        ({"status": 410}, "gone for good"),
    ],
    ids=lambda each: each.split()[-1] if isinstance(each, str) else "",
)
def test_whatever_a_feed_does_its_page_says_what_happened(
    channel, web, inbox, ada, client_of, monkeypatch, answer, sentence
):
    if answer.get("Content_Encoding"):
        packer, nothing = zlib.compressobj(9, wbits=31), bytes(1024 * 1024)
        answer = answer | {"body": b"".join(packer.compress(nothing) for _ in range(200)) + packer.flush()}
    monkeypatch.setattr(http, "WITHIN", 3 if answer.get("body") != _drip else 0.3)
    web.lay("/feed", **answer)
    run, shown = page_after_a_visit(channel, inbox, client_of(ada))
    assert (run.outcome, inbox.posts) == ("failed", [])
    assert sentence in " ".join(shown.split())


def test_every_spelling_of_a_private_address_ends_as_a_sentence(channel, inbox, ada, client_of):
    for spelling in NOT_PUBLIC:
        try:
            channel = actions.change_channel(channel, settings={"url": f"http://{spelling}/"}, by="system")
        except ValidationError as refused:
            assert "address that begins with" in str(refused), spelling
            continue
        assert polling.poll(channel, inbox).outcome == "failed"
        assert re.search("private or reserved network|No server is known|can be opened", channel.in_words), spelling
    actions.change_channel(channel, settings={"url": "http://localhost/"}, by="system")
    _, shown = page_after_a_visit(channel, inbox, client_of(ada))
    assert "leads into a private or reserved network" in " ".join(shown.split())


def test_a_note_and_a_rest_reach_the_ledger_and_the_clock(channel, web, inbox, ada, client_of):
    web.lay("/feed", status=301, Location="/new")
    web.lay("/new", rss(item(1)), Cache_Control="max-age=3600")
    run, shown = page_after_a_visit(channel, inbox, client_of(ada))
    assert (run.outcome, run.taken_in) == ("ok", 1)
    assert "The feed has moved for good" in shown
    rests = Channel.objects.get().next_poll_at - datetime.now(UTC)
    assert timedelta(minutes=59) < rests <= timedelta(minutes=60)


# Real feeds -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/rss")
def test_of_real_feeds_all_that_feedparser_finds_arrives_once(house, web):
    found, arrived = 0, 0
    for number, path in enumerate(sorted(REAL.glob("*/*"))):
        body = path.read_bytes()
        url = web.lay(f"/{number}", body, ETag=f'"{number}"', Content_Type="application/xml")
        settings = {"url": url, "allow_private_hosts": True}
        channel = actions.open_channel(
            network="feed", slug=f"f{number}", name=path.name, settings=settings, by="system"
        )
        here, first = len(feedparser.parse(io.BytesIO(body)).entries), polling.poll(channel, take_in)
        assert first.outcome == "ok" or here == 0, (path.name, first.detail)
        assert first.taken_in >= 0.95 * here, path.name
        found, arrived = found + here, arrived + min(here, first.taken_in)
        if not first.read:
            continue
        channel.cursor.pop("etag", None)
        assert polling.poll(channel, take_in).taken_in == 0
        channel.refresh_from_db()
        web.lay(f"/{number}", status=304)
        assert polling.poll(channel, take_in).read == 0
    assert found > 150 and arrived >= 0.95 * found
    assert Message.objects.filter(channel__network="feed").count() >= arrived
    assert QuarantinedPost.objects.count() == 0
    print(f"{arrived} of {found} entries ({100 * arrived / found:.1f} %)")
