"""What is special to Reddit; what every network keeps is asked in `test_networks.py`."""

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import http
from connectors.contract import Outgoing, Post, Target
from connectors.dialects import submissions
from connectors.errors import MissingScope, NotAllowed, NotAuthorized, RateLimited, Rejected, WindowClosed
from connectors.networks import reddit
from connectors.networks.reddit import Reddit
from tests.connectors import played
from tests.connectors.visits import on_stage, open_channel, read_all, told, visit

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "reddit"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("reddit") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def brand(stage):
    """Our account's connector."""
    return Reddit("brand", stage.settings, stage.credentials)


def ago(minutes):
    return datetime.now(UTC) - minutes * MINUTE


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_reddit_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("reddit", recorded) == recorded["understood"]


# The library neither sleeps nor tries again -------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["down", "limited", "limited silently", "expired", "scope", "reset", "html"])
def test_the_library_neither_sleeps_nor_asks_twice(stage, brand, monkeypatch, trouble):
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it slept {seconds} s"))
    brand.check()
    for ask in (brand.check, lambda: brand.send(Outgoing("Hello", "t1_1", KEY))):
        stage.trouble, before = trouble, len(stage.asked)
        with pytest.raises(Exception) as raised:
            ask()
        assert type(raised.value).__module__ == "connectors.errors"
        assert len(stage.asked) == before + 1


def test_a_limit_that_is_used_up_does_not_make_the_library_wait(stage, brand, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail(f"it slept {seconds} s"))
    answer = stage.answer
    spent = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "100", "x-ratelimit-reset": "540"}
    stage.answer = lambda asked: (*answer(asked)[:2], spent)
    stage.write("Hello u/mirabelo")
    batch = brand.fetch({})
    assert len(batch.posts) == 1 and batch.limits.remaining == 0 and batch.limits.limit == 100
    assert ago(-8) < batch.limits.reset < ago(-10)


# Reading ------------------------------------------------------------------------------------------------------------


def test_more_than_reddit_lists_is_a_gap_that_says_from_when_to_when(stage, channel, monkeypatch):
    monkeypatch.setattr(reddit, "DEEPEST", 200)
    stage.write("before", ago(500))
    read_all(channel)
    for number in range(20):
        stage.write(f"flood {number}", ago(100 - number))
    stage.deepest = 2 * stage.page
    runs = read_all(channel)
    [gap] = [run for run in runs if run.gap]
    assert abs(gap.gap_since - ago(500)) < MINUTE and abs(gap.gap_until - ago(90)) < MINUTE
    assert len(told()) == 11


def test_a_keyword_channel_searches_one_subreddit_or_all_of_reddit(stage, house):
    stage.write("a zebra on a bike")
    for slug, where in (("all", ""), ("one", "r/ebikes")):
        channel = open_channel(stage, slug, query="zebra", subreddit=where)
        assert channel.offers.reads == {"post"}
        read_all(channel)
    paths = [each.path for each in stage.asked if "search" in each.path]
    assert paths == ["/r/all/search", "/r/ebikes/search"]
    assert told() == {"a zebra on a bike": 1}, "both found one message"


def test_where_the_post_after_which_reddit_should_go_on_is_deleted_nothing_is_left_out(stage, brand, monkeypatch):
    posts = [stage.write(f"Hello {number} u/mirabelo", ago(60 - number)) for number in range(12)]
    first = brand.fetch({})
    read = [each.text for each in first.posts]
    last = min(posts[-5:], key=lambda each: each.at)
    listing = stage._listing
    lost = {"kind": "Listing", "data": {"after": None, "before": None, "dist": 0, "children": []}}

    def after_what_is_gone(asked, *of, **how):
        return lost if asked.query.get("after") == last.id else listing(asked, *of, **how)

    stage.delete(last.id)
    monkeypatch.setattr(stage, "_listing", after_what_is_gone)
    batch = first
    while batch.more:
        batch = brand.fetch(batch.cursor)
        read += [each.text for each in batch.posts]
    assert sorted(read) == sorted(each.text for each in posts)


def test_direct_messages_are_not_kept_wherever_they_turn_up(stage, channel):
    answer = stage.answer

    def with_letters(asked):
        status, said, *headers = answer(asked)
        if asked.path.startswith("/message"):
            letter = {"name": "t4_1", "body": "only for you", "author": "ana", "created_utc": 1.0}
            said["data"]["children"].append({"kind": "t4", "data": letter})
        return status, said, *headers

    stage.answer = with_letters
    stage.write("Hello u/mirabelo")
    assert visit(channel).read == 1
    assert told() == {"Hello u/mirabelo": 1} and not channel.quarantine.exists()
    asked = {each.path for each in stage.asked}
    assert not asked & {"/message/inbox", "/message/unread", "/message/messages", "/message/sent"}


def test_a_deleted_post_is_gone_though_reddit_still_tells_of_it(stage, brand):
    here, gone = stage.write("Here"), stage.write("Gone")
    stage.delete(gone.id)
    found = brand.lookup([here.id, gone.id, "t1_never"])
    assert found[here.id].text == "Here" and found[gone.id] is None and found["t1_never"] is None


def test_a_post_in_a_form_that_nobody_knows_is_not_taken_for_deleted(stage, brand, monkeypatch):
    here = stage.write("Here")
    monkeypatch.setattr(stage, "told", lambda post, **how: {"kind": "t1", "data": {"name": post.id, "body": 5}})
    assert brand.lookup([here.id, "t1_never"]) == {"t1_never": None}


# Writing ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TOO_OLD", WindowClosed),
        ("THREAD_LOCKED", NotAllowed),
        ("DELETED_COMMENT", Rejected),
        ("TOO_LONG", Rejected),
        ("BAD_CAPTCHA", Rejected),
    ],
)
def test_a_refusal_inside_of_an_answer_that_looks_like_success_is_one(stage, brand, code, kind):
    stage.refuses = [[code, "that is not possible", "parent"]]
    with pytest.raises(kind) as refused:
        brand.send(Outgoing("Hello", "t1_1", KEY))
    assert type(refused.value) is kind and stage.published == []


def test_a_pause_between_two_answers_is_waited_for(stage, brand):
    stage.refuses = [["RATELIMIT", "you are doing that too much. try again in 2 minutes.", "ratelimit"]]
    with pytest.raises(RateLimited) as limited:
        brand.send(Outgoing("Hello", "t1_1", KEY))
    assert ago(-1) < limited.value.until < ago(-3)


@pytest.mark.parametrize("to", [Target("t4_1", kind="dm"), Target("t1_1", visibility="direct")])
def test_nothing_leaves_as_a_direct_message(stage, brand, to):
    for reply in (Outgoing("Between us", to.id, KEY, to=to), Outgoing("Between us", "t1_1", KEY, private=True)):
        with pytest.raises(NotAllowed):
            brand.send(reply)
    assert stage.asked == [] and not Reddit.capabilities.private_replies


def test_an_answer_is_found_by_what_it_answers_and_says(stage, brand):
    post = stage.write("u/mirabelo where is my order?")
    sent = brand.send(Outgoing("On its way.\n\nLook here.", post.id, KEY))
    assert sent.url == f"https://www.reddit.com/r/ebikes/comments/1j7g9uj/title/{sent.id[3:]}/"
    assert brand.find_sent(Outgoing("On its way.\nLook here.", post.id, KEY), ago(1)).id == sent.id
    assert brand.find_sent(Outgoing("On its way.\nLook here.", "t1_other", KEY), ago(1)) is None
    assert brand.find_sent(Outgoing("On its way.\nLook here.", post.id, KEY), ago(-1)) is None


# Connecting ---------------------------------------------------------------------------------------------------------


def test_who_connects_it_is_told_what_it_needs_and_what_it_leaves_alone(stage, brand):
    assert "approved" in Reddit.estimate({}) and "approved" in Reddit.secrets[0].help
    checked = replace(brand, credentials=brand.credentials | {"scope": "identity read"}).check()
    assert checked.sentence == "Connected as u/mirabelo. Direct messages are neither read nor written."
    assert "answer (submit)" in checked.missing and "see which account it is" in checked.granted
    assert replace(brand, credentials=brand.credentials | {"scope": "*"}).check().missing == ()
    way = brand.sign_in("https://hub.example/channels/signed-in/", "state")
    assert "duration=permanent" in way.url and way.url.startswith("https://www.reddit.com/api/v1/authorize?")


def test_an_expired_token_and_a_missing_permission_are_told_apart(stage, brand):
    stage.trouble = "expired"
    with pytest.raises(NotAuthorized) as expired:
        brand.check()
    assert not isinstance(expired.value, MissingScope)
    stage.trouble = "scope"
    with pytest.raises(MissingScope):
        brand.check()


# What Reddit really said --------------------------------------------------------------------------------------------

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/reddit")


def listings(recording):
    """The answers of Reddit that are lists of posts, as they came."""
    for each in json.loads((REAL / f"{recording}.json").read_text())["interactions"]:
        body = each["response"]["body"].get("string", "")
        if each["request"]["method"] == "GET" and '"Listing"' in body[:200]:
            headers = {name: value[0] for name, value in each["response"]["headers"].items()}
            yield {name: value for name, value in headers.items() if "content-" not in name.lower()}, body


@needs_real_data
@pytest.mark.parametrize(
    ("recording", "kinds"),
    [
        ("TestInbox.test_mentions", {"mention"}),
        ("TestInbox.test_comment_replies", {"reply"}),
        ("TestSubreddit.test_search", {"post"}),
        ("TestSubredditListings.test_new", {"post"}),
        ("TestSubredditModeration.test_modqueue__only_comments", {"comment", "reply"}),
        ("TestSubredditStreams.test_submissions", {"post"}),
        ("TestSubredditStreams.test_comments__with_pause", {"comment", "reply"}),
        ("TestComment.test_attributes", {"reply"}),
    ],
)
def test_real_lists_are_read_through_the_real_library(monkeypatch, recording, kinds):
    settings = {"backfill_days": 36_500, "query": "words"}
    brand = Reddit("brand", settings, {"access_token": "token", "name": "nobody"})
    seen = 0
    for headers, body in listings(recording):
        answer = http.Answer(200, http.httpx.Headers(headers), body.encode(), "https://oauth.reddit.com/")
        monkeypatch.setattr(http, "exchange", lambda *of, answer=answer, **named: answer)
        posts = brand.fetch({}).posts
        said = {each["data"]["name"] for each in json.loads(body)["data"]["children"]}
        assert {each.id for each in posts} == said and all(isinstance(each, Post) for each in posts)
        assert {each.kind for each in posts} <= kinds
        assert all(each.thread.startswith("t3_") and each.url.startswith("https://www.reddit.com/r/") for each in posts)
        seen += len(posts)
    assert seen


@needs_real_data
def test_a_real_direct_message_is_none_of_our_business():
    for _, body in listings("TestInbox.test_message"):
        letters = [each for each in json.loads(body)["data"]["children"] if each["kind"] == "t4"]
        assert letters
        assert submissions.children(json.loads(body)) == []
        assert not any(isinstance(submissions.as_post(each, ""), Post) for each in letters)
