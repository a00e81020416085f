"""What is special to YouTube; what every network keeps is asked in `test_networks.py`."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import http
from connectors.contract import Outgoing, Post, Target
from connectors.dialects import comments, google
from connectors.errors import (
    MakesNoSense,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    QuotaExhausted,
    RateLimited,
    Rejected,
)
from connectors.models import Usage
from connectors.networks import youtube
from connectors.networks.youtube import YouTube
from tests.connectors import played
from tests.connectors.visits import on_stage, open_channel, read_all, told, visit
from tests.connectors.youtube.stage import US, error, midnight_pacific

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "youtube"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("youtube") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def brand(stage):
    """Our channel's connector."""
    return YouTube("brand", stage.settings, stage.credentials)


def ago(minutes):
    return datetime.now(UTC) - minutes * MINUTE


def scan_is_due(channel):
    """Half an hour has passed since the counts of all threads were looked at."""
    channel.cursor["threads"]["scanned"] = ago(31).isoformat()
    channel.save()


def asked(stage, path):
    return [each.query for each in stage.asked if each.path == f"/youtube/v3/{path}" and each.method == "GET"]


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_youtube_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("youtube", recorded) == recorded["understood"]


# Answers below old threads ------------------------------------------------------------------------------------------


def test_an_answer_below_a_thread_of_three_weeks_ago_is_found_by_its_count(stage, channel):
    thread = stage.write("Which tyres?", datetime.now(UTC) - 21 * DAY)
    for number in range(stage.page + 1):
        stage.write(f"new {number}", ago(5 + 20 * number))
    read_all(channel)
    stage.write("28 inch", ago(2), kind="reply", answers=thread.id)
    read_all(channel)
    assert "28 inch" not in told(), "nobody tells of it at the head"
    scan_is_due(channel)
    read_all(channel)
    assert told()["28 inch"] == 1 and sum(told().values()) == stage.page + 2


def test_of_a_thread_with_more_answers_than_come_along_all_are_read_and_only_when_their_number_changed(stage, channel):
    thread = stage.write("Which tyres?", ago(120))
    texts = [stage.write(f"answer {each}", ago(100 - each), kind="reply", answers=thread.id).text for each in range(8)]
    read_all(channel)
    assert set(told()) == {"Which tyres?", *texts}
    listed = len(asked(stage, "comments"))
    assert listed == 2, "eight answers, five a page"
    scan_is_due(channel)
    read_all(channel)
    assert len(asked(stage, "comments")) == listed
    stage.write("answer 8", kind="reply", answers=thread.id)
    read_all(channel)
    scan_is_due(channel)
    read_all(channel)
    assert sum(told().values()) == 10


def test_answers_that_were_there_before_us_are_history_however_many_pages_they_fill(stage, brand):
    thread = stage.write("Which tyres?", ago(60))
    for number in range(8):
        stage.write(f"answer {number}", ago(50 - number), answers=thread.id, kind="reply")
    cursor, more, told = {}, True, []
    while more:
        batch = brand.fetch(cursor)
        cursor, more = batch.cursor, batch.more
        told += [batch.history] * len(batch.posts)
    assert len(told) == 9 and all(told)
    stage.write("answer 8", ago(0), answers=thread.id, kind="reply")
    cursor["threads"]["scanned"] = ago(31).isoformat()
    again = [brand.fetch(cursor)]
    while again[-1].more:
        again.append(brand.fetch(again[-1].cursor))
    assert not any(batch.history for batch in again)


def test_a_walk_whose_next_page_youtube_does_not_know_any_more_begins_again_and_loses_nothing(stage, brand):
    for number in range(8):
        stage.write(f"comment {number}", ago(number + 1))
    first = brand.fetch({})
    brand, answer = replace(brand, known=dict(first.known)), stage.answer

    def forgetful(asked):
        forgot = asked.query.get("pageToken")
        return (400, error(400, "invalidPageToken", "The page token is wrong.")) if forgot else answer(asked)

    stage.answer = forgetful
    begun = brand.fetch(first.cursor)
    assert begun.more and not begun.posts
    stage.answer, stage.page = answer, 100
    again = brand.fetch(begun.cursor)
    assert {each.text for each in (*first.posts, *again.posts)} == {f"comment {number}" for number in range(8)}


def test_youtube_that_never_knows_its_next_page_is_not_asked_without_end(stage, channel):
    for number in range(8):
        stage.write(f"comment {number}", ago(number + 1))
    answer = stage.answer

    def forgetful(asked):
        forgot = asked.query.get("pageToken")
        return (400, error(400, "invalidPageToken", "The page token is wrong.")) if forgot else answer(asked)

    stage.answer = forgetful
    cursor, pages = {}, 0
    while (batch := channel.connector().fetch(cursor)).more and pages < 20:
        cursor, pages = batch.cursor, pages + 1
    assert 1 < pages < 6


def test_what_was_there_before_we_look_back_stays_outside(stage, channel):
    thread = stage.write("Long ago", datetime.now(UTC) - 20 * DAY)
    stage.write("Long ago too", datetime.now(UTC) - 19 * DAY, kind="reply", answers=thread.id)
    stage.write("Of this week", datetime.now(UTC) - 2 * DAY)
    read_all(channel)
    scan_is_due(channel)
    read_all(channel)
    assert told() == {"Of this week": 1}


def test_a_comment_that_is_held_for_review_is_read_and_once_it_is_shown_it_is_the_same_message(stage, channel):
    held = stage.write("Is this a scam?", ago(5))
    stage.held.add(held.id)
    read_all(channel)
    assert told() == {"Is this a scam?": 1}
    channel.connector().hide(Target(held.id), hidden=False)
    assert held.id not in stage.held
    scan_is_due(channel)
    read_all(channel)
    assert told() == {"Is this a scam?": 1}


def test_comments_that_are_held_for_review_are_left_alone_where_that_is_wanted(stage, house):
    channel = open_channel(stage, held=False)
    stage.held.add(stage.write("Is this a scam?").id)
    read_all(channel)
    assert told() == {}
    assert {each["moderationStatus"] for each in asked(stage, "commentThreads")} == {"published"}


# Units --------------------------------------------------------------------------------------------------------------


def test_each_question_costs_a_unit_and_each_write_fifty(stage, channel):
    post = stage.write("Which tyres?", ago(5))
    read_all(channel)
    assert Usage.objects.get().used == 3, "which channel it is, its threads, and what is held"
    assert channel.connector().send(Outgoing("28 inch", post.id, KEY)).used == 50
    assert YouTube.estimate({}).startswith("About 624 of 10,000 units a day")


def test_a_used_up_quota_is_waited_for_until_midnight_in_california(stage, channel):
    stage.write("Which tyres?")
    stage.trouble = "limited"
    assert visit(channel).outcome == "failed"
    assert channel.trouble == "QuotaExhausted" and channel.state == "listening"
    assert abs(channel.next_poll_at - midnight_pacific()) < MINUTE


@pytest.mark.parametrize(
    ("moment", "midnight"),
    [
        ("2026-07-01T06:59:00+00:00", "2026-07-01T07:00:00+00:00"),
        ("2026-07-01T07:00:00+00:00", "2026-07-02T07:00:00+00:00"),
        ("2026-11-24T19:00:00+00:00", "2026-11-25T08:00:00+00:00"),
        ("2026-11-01T07:30:00+00:00", "2026-11-02T08:00:00+00:00"),
    ],
)
def test_midnight_in_california_knows_summer_and_winter(moment, midnight):
    assert google.midnight(datetime.fromisoformat(moment)) == datetime.fromisoformat(midnight)


# Writing and moderating ---------------------------------------------------------------------------------------------


def test_an_answer_to_an_answer_stands_below_the_thread(stage, brand):
    thread = stage.write("Which tyres?", ago(9))
    answer = stage.write("28 inch?", ago(8), kind="reply", answers=thread.id)
    sent = brand.send(Outgoing("Yes, 28 inch", answer.id, KEY))
    assert stage.posts[sent.id].answers == thread.id
    assert sent.url.endswith(f"lc={sent.id}") and sent.global_id == f"youtube:{sent.id}"
    found = brand.find_sent(Outgoing("Yes,  28 inch", answer.id, KEY), ago(1))
    assert (found.id, found.used) == (sent.id, 50), "what it cost is counted though nobody heard of it"
    assert brand.find_sent(Outgoing("Yes, 28 inch", answer.id, KEY), datetime.now(UTC) + MINUTE) is None


def test_a_comment_of_others_is_rejected_and_our_own_deleted(stage, brand):
    theirs, ours = stage.write("Spam"), stage.write("Wrong", ours=True, kind="reply")
    brand.remove(Target(theirs.id, author="UCana"))
    brand.remove(Target(ours.id, author=US))
    assert theirs.id in stage.rejected and ours.id not in stage.posts


def test_what_youtube_refuses_is_certain(stage, brand):
    gone = stage.write("Which tyres?")
    stage.delete(gone.id)
    with pytest.raises(Rejected, match="not there any more"):
        brand.send(Outgoing("28 inch", gone.id, KEY))
    stage.answer = lambda asked: (403, error(403, "commentsDisabled", "Comments are off."))
    with pytest.raises(NotAllowed, match="commentsDisabled"):
        brand.send(Outgoing("28 inch", "Ug1", KEY))
    with pytest.raises(NotAllowed):
        brand.send(Outgoing("Between us", "Ug1", KEY, private=True))


def test_a_comment_in_a_form_that_nobody_knows_is_not_taken_for_deleted(stage, brand, monkeypatch):
    here, strange, gone = (stage.write(each) for each in ("Here", "Strange", "Gone"))
    stage.delete(gone.id)
    as_told = stage.told
    monkeypatch.setattr(stage, "told", lambda post: as_told(post) if post == here else {"id": post.id, "snippet": 5})
    found = brand.lookup([here.id, strange.id, gone.id])
    assert found[here.id].text == "Here" and found[gone.id] is None and strange.id not in found


def test_an_answer_without_a_list_deletes_nothing(stage, brand, monkeypatch):
    here = stage.write("Here")
    monkeypatch.setattr(stage, "_comments", lambda query: {})
    with pytest.raises(MakesNoSense):
        brand.lookup([here.id])


# Connecting ---------------------------------------------------------------------------------------------------------


def test_an_app_in_testing_ends_after_seven_days_and_the_test_says_so(stage, brand):
    stage.testing = True
    [account] = brand.signed_in("good", "https://hub.example/channels/signed-in/", {"verifier": "v"})
    checked = replace(brand, credentials=account.credentials).check()
    assert "after seven days" in checked.sentence and checked.account == "Mirabelo"
    assert timedelta(days=6) < checked.ends - datetime.now(UTC) <= timedelta(days=7)
    renewed = replace(brand, credentials=account.credentials).renew()
    assert renewed["signed_in_until"] == account.credentials["signed_in_until"]
    assert renewed["refresh_token"] == "canary-refresh", "Google does not say it again"


def test_the_page_of_google_is_asked_for_a_refresh_token(brand):
    way = brand.sign_in("https://hub.example/channels/signed-in/", "state")
    assert "access_type=offline" in way.url and "prompt=consent" in way.url and "code_challenge_method=S256" in way.url
    assert way.keep["verifier"] not in way.url


def test_a_google_account_without_a_channel_is_told_so(stage, brand):
    stage.answer = lambda asked: (200, {"items": []})
    with pytest.raises(NotAuthorized, match="no channel"):
        brand.check()


def test_the_library_writes_no_cache_and_asks_nobody_for_its_description(tmp_path, monkeypatch):
    google.service.cache_clear()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(http, "exchange", lambda *of, **named: pytest.fail("somebody was asked"))
    assert google.service("youtube", "v3").commentThreads()
    assert list(tmp_path.iterdir()) == []


# What YouTube really said -------------------------------------------------------------------------------------------

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/youtube")


@pytest.fixture
def youtube_said(monkeypatch):
    """`youtube_said(200, "comments_multi")`: what is asked next is answered so, and then with nothing."""
    left = []

    def exchange(url, **asked):
        status, body = left.pop(0) if left else (200, b'{"items": []}')
        return http.Answer(status, http.httpx.Headers({"content-type": "application/json"}), body, url)

    monkeypatch.setattr(http, "exchange", exchange)
    return lambda status, name: left.append((status, (REAL / f"{name}.json").read_bytes()))


@needs_real_data
@pytest.mark.parametrize(
    "recording",
    [
        "comment_threads_all_to_me",
        "comment_threads_by_channel",
        "comment_threads_by_video_paged_2",
        "comment_thread_api_response",
    ],
)
def test_real_threads_are_read_through_the_real_library(youtube_said, recording):
    youtube_said(200, recording)
    said = json.loads((REAL / f"{recording}.json").read_text())
    me = said["items"][0]["snippet"]["topLevelComment"]["snippet"]["authorChannelId"]["value"]
    brand = YouTube("brand", {"backfill_days": 36_500, "held": False}, {"access_token": "t", "channel_id": me})
    posts = brand.fetch({}).posts
    tops = [each["id"] for each in said["items"]]
    assert set(tops) <= {each.id for each in posts} and all(isinstance(each, Post) for each in posts)
    # A channel’s own page had comments too, which stand below no video.
    videos = {each["id"]: each["snippet"].get("videoId") for each in said["items"]}
    assert all(
        each.url == (f"https://www.youtube.com/watch?v={videos[each.id]}&lc={each.id}" if videos[each.id] else "")
        for each in posts
        if each.kind == "comment"
    )
    assert {each.direction for each in posts if each.author and each.author.id == me} == {"out"}


@needs_real_data
def test_real_comments_are_looked_up(youtube_said):
    youtube_said(200, "comments_multi")
    known = "UgyUBI0HsgL9emxcZpR4AaABAg"
    found = YouTube("brand", {}, {"access_token": "t", "channel_id": "me"}).lookup([known, "Ug0"])
    assert found[known].text and found["Ug0"] is None
    answers = json.loads((REAL / "comment_thread_replies.json").read_text())["comments"]
    read = [comments.as_post(each, "") for each in answers]
    assert all(each.kind == "reply" and each.id.startswith(f"{each.in_reply_to}.") for each in read)


@needs_real_data
@pytest.mark.parametrize("recording", ["error_response", "error_response_simple"])
def test_real_refusals_are_understood(youtube_said, recording):
    brand = YouTube("brand", {}, {"access_token": "t", "channel_id": "me"})
    for status, kind in ((400, MakesNoSense), (401, NotAuthorized), (403, MissingScope), (429, RateLimited)):
        youtube_said(status, recording)
        with pytest.raises(kind):
            brand.fetch({})
    youtube_said(400, recording)
    with pytest.raises(Rejected):
        brand.send(Outgoing("Hello", "Ug1", KEY))


def test_every_word_for_a_used_up_quota_is_known(stage, brand):
    for reason in google.SPENT:
        stage.answer = lambda asked, reason=reason: (403, error(403, reason, "Spent", "youtube.quota"))
        with pytest.raises(QuotaExhausted):
            brand.fetch({})
    assert youtube.A_DAY == 10_000
