"""What outsiders may send us, and what becomes of it."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Author, Media, Post, Unreadable
from connectors.models import QuarantinedPost
from connectors.normalise import as_json, kept, post_from, post_from_line, read_again

PLAIN = {"id": "1", "kind": "mention", "text": "Hello", "created_at": "2026-11-20T08:00:00Z"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(**changes):
    return post_from({**PLAIN, **changes}, now=NOW)


def test_a_full_post_is_read_to_its_last_key():
    post = read(
        author={
            "id": "7",
            "handle": "ana",
            "name": "Ana",
            "followers": 12,
            "verified": True,
            "avatar_url": "https://a/b.png",
        },
        edited_at="2026-11-20T09:00:00+01:00",
        direction="out",
        url="https://example.org/1",
        in_reply_to="0",
        thread="0",
        lang="pt-BR",
        title="A title",
        rating=4,
        media=[{"url": "https://example.org/a.jpg", "type": "image"}],
        visibility="direct",
        source="an unknown key",
    )
    assert post == Post(
        id="1",
        kind="mention",
        text="Hello",
        created_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        author=Author("7", "ana", "Ana", 12, True, "https://a/b.png"),
        edited_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        direction="out",
        url="https://example.org/1",
        in_reply_to="0",
        thread="0",
        lang="pt-BR",
        title="A title",
        rating=4,
        media=(Media("https://example.org/a.jpg", "image"),),
        visibility="direct",
    )
    assert post_from(as_json(post), now=NOW) == post


def test_a_post_without_author_and_with_empty_extras_is_fine():
    post = read(author=None, edited_at=None, rating=None, url=None, media=None, account=None)
    assert (post.author, post.edited_at, post.rating, post.media) == (None, None, None, ())


REFUSED = [
    ("not an object", ["a", "list"], "JSON object"),
    ("no text", {key: value for key, value in PLAIN.items() if key != "text"}, "no “text”"),
    ("nothing at all", {}, "no “id”, no “kind”, no “text”, no “created_at”"),
    ("id null", PLAIN | {"id": None}, "no “id”"),
    ("id number", PLAIN | {"id": 5}, "“id” has to be text"),
    ("id empty", PLAIN | {"id": " "}, "“id” is empty"),
    ("id too long", PLAIN | {"id": "x" * 256}, "longer than 255"),
    ("kind unknown", PLAIN | {"kind": "shout"}, "has to be one of"),
    ("text a list", PLAIN | {"text": ["a"]}, "has to be text"),
    ("NUL in text", PLAIN | {"text": "a\0b"}, "NUL"),
    ("NUL in id", PLAIN | {"id": "a\0b"}, "NUL"),
    ("NUL in a name", PLAIN | {"author": {"id": "1", "handle": "a", "name": "\0"}}, "“author.name” holds a NUL"),
    ("half a character", PLAIN | {"text": "a\ud83d"}, "lone surrogate"),
    ("half a character in a thread", PLAIN | {"thread": "\udc00"}, "lone surrogate"),
    ("a megabyte", PLAIN | {"text": "a" * 1_000_000}, "1,000,000 characters"),
    ("heaped accents", PLAIN | {"text": "a" + "\u0301\u0323" * 40_000}, "accents"),
    ("heaped marks that hide", PLAIN | {"text": "\u0f73\u0301" * 50_000}, "accents"),
    ("year 0", PLAIN | {"created_at": "0000-01-01T00:00:00Z"}, "not a time"),
    ("year 1 before UTC", PLAIN | {"created_at": "0001-01-01T00:00:00+14:00"}, "not a time"),
    ("year 1", PLAIN | {"created_at": "0001-06-01T00:00:00Z"}, "before 1970"),
    ("year 9999", PLAIN | {"created_at": "9999-12-31T23:59:59-12:00"}, "not a time"),
    ("next week", PLAIN | {"created_at": "2026-11-29T00:00:00Z"}, "in the future"),
    ("a unix time", PLAIN | {"created_at": 1700000000}, "has to be a time"),
    ("words for a time", PLAIN | {"created_at": "yesterday"}, "not a time"),
    ("an edit in the future", PLAIN | {"edited_at": "2099-01-01T00:00:00Z"}, "in the future"),
    ("six stars", PLAIN | {"rating": 6}, "from 1 to 5"),
    ("true stars", PLAIN | {"rating": True}, "from 1 to 5"),
    ("half a star", PLAIN | {"rating": 2.5}, "from 1 to 5"),
    ("author a name", PLAIN | {"author": "ana"}, "“author” has to be a JSON object"),
    ("author without id", PLAIN | {"author": {"handle": "ana"}}, "“author.id” is empty"),
    ("minus followers", PLAIN | {"author": {"id": "1", "handle": "a", "followers": -1}}, "whole number"),
    ("more followers than people", PLAIN | {"author": {"id": "1", "handle": "a", "followers": 10**30}}, "whole number"),
    ("deleted as text", PLAIN | {"deleted": "yes"}, "true or false"),
    ("sideways", PLAIN | {"direction": "sideways"}, "in or out"),
    ("media a text", PLAIN | {"media": "https://example.org"}, "“media” has to be a list"),
    ("media of texts", PLAIN | {"media": ["https://example.org"]}, "“media” has to be a list"),
]


@pytest.mark.parametrize(("raw", "reason"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_what_can_not_be_used_says_why_and_comes_back_unchanged(raw, reason):
    found = post_from(raw, now=NOW)
    assert isinstance(found, Unreadable)
    assert reason in found.reason
    assert len(found.reason) < 300
    again = read_again(kept(found.raw), now=NOW)
    assert again == found


def test_what_was_refused_can_be_stored(demo):
    for _, raw, reason in REFUSED:
        QuarantinedPost.objects.create(channel=demo, raw=kept(raw), reason=reason)
    stored = {each.raw for each in QuarantinedPost.objects.all()}
    assert stored == {kept(raw) for _, raw, _ in REFUSED}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "abc \u202e txt.exe \u202c",
        "\u2066hidden\u2069",
        "👩‍👩‍👧‍👦",
        "",
        "\x1b[31m",
        "' OR 1=1 --",
        "%s {0} {{x}}",
    ],
)
def test_strange_text_is_kept_as_it_was_written(text):
    assert read(text=text).text == text


def test_equal_words_are_made_equal():
    assert read(text="Cafe\u0301").text == "Café"


def test_ids_are_never_touched():
    assert read(id="Cafe\u0301").id == "Cafe\u0301"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "x" * 3000, "//example.org"]
)
def test_an_address_that_no_browser_should_open_is_left_out(url):
    assert read(url=url).url == ""
    assert read(media=[{"url": url, "type": "image"}]).media == ()


def test_a_time_without_zone_is_utc():
    assert read(created_at="2026-11-20T08:00:00").created_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_clock_that_is_some_hours_ahead_is_forgiven():
    assert isinstance(read(created_at=(NOW + timedelta(hours=14)).isoformat()), Post)


def test_a_name_that_is_too_long_does_not_cost_the_post():
    post = read(author={"id": "1", "handle": "a", "name": "n" * 5000}, title="t" * 5000, lang="klingon, mostly")
    assert (len(post.author.name), len(post.title), post.lang) == (200, 500, "")


def test_nobody_who_pushes_can_claim_a_global_id():
    assert read(global_id="demo:1").global_id == ""
    assert post_from(PLAIN | {"global_id": "demo:1"}, global_ids=True, now=NOW).global_id == "demo:1"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"\xff\xfe\xfa", "not UTF-8"),
        (b'{"id": "\xc3\x28"}', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"NaN", "JSON object"),
    ],
)
def test_a_broken_line_keeps_its_bytes(line, reason):
    found = post_from_line(line)
    assert reason in found.reason
    again = read_again(kept(found.raw))
    assert isinstance(again, Unreadable)
    assert kept(again.raw) == kept(found.raw)


def test_a_line_that_was_mended_by_a_later_version_reads():
    assert read_again(kept(json.dumps(PLAIN).encode()), now=NOW) == read()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
keys = st.sampled_from(
    ["id", "kind", "text", "created_at", "author", "rating", "media", "url", "lang", "deleted", "thread"]
)


@given(st.dictionaries(keys, anything | st.sampled_from(["dm", "2026-11-20T08:00:00Z", "a"])))
def test_whatever_comes_is_a_post_or_has_a_reason(raw):
    found = post_from(raw)
    assert isinstance(found, Post | Unreadable)
    if isinstance(found, Post):
        "".join((found.id, found.text, found.url, found.title, found.lang)).encode()
        assert post_from(as_json(found)) == found
    assert kept(raw).isascii()


def test_a_large_page_is_read_in_no_time():
    lines = [
        json.dumps(PLAIN | {"id": str(number), "text": "Où est mon vélo ? " * 10}).encode() for number in range(5000)
    ]
    started = time.process_time()
    assert all(isinstance(post_from_line(line), Post) for line in lines)
    assert time.process_time() - started < 2
