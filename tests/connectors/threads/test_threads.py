"""What is special to Threads; what every network keeps is asked in `test_networks.py`."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.contract import Outgoing, Post, Target, Unreadable
from connectors.dialects import threadposts
from connectors.dialects.messenger import Us
from connectors.errors import MissingScope, NotAllowed, NotAuthorized, NotSent, QuotaExhausted
from connectors.networks import threads
from connectors.networks.threads import Threads
from tests.connectors import played
from tests.connectors.threads.stage import HANDLE, ROOT, SCOPES, US
from tests.connectors.visits import on_stage, open_channel, read_all, told

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "threads"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
BACK = "https://hub.example.com/channels/signed-in/"
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("threads") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def brand(stage):
    """Our account's connector."""
    return Threads("brand", stage.settings, stage.credentials)


@pytest.fixture
def known(brand):
    """The same, as a sign-in left it."""
    return replace(brand, credentials=brand.credentials | {"account": US, "handle": HANDLE})


@pytest.fixture
def words(brand):
    return replace(brand, settings=brand.settings | {"query": "zebra"})


def ago(of):
    return datetime.now(UTC) - of


def answer(post, text="It left this morning.", **facts):
    return Outgoing(text, post.id, KEY, to=Target(post.id, kind=post.kind, author=post.author), **facts)


def everything(connector):
    cursor, batches, more = {}, [], True
    while more:
        batches.append(connector.fetch(cursor))
        cursor, more = batches[-1].cursor, batches[-1].more
    return {each.text: each for batch in batches for each in batch.posts}, batches


def paths(stage):
    return [each.path.removeprefix("/v1.0/") for each in stage.asked]


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_threads_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("threads", recorded) == recorded["understood"]


# Reading --------------------------------------------------------------------------------------------------------------


def test_an_answer_to_our_answer_below_a_post_of_somebody_else_is_found(stage, channel):
    stage.write("Ask @mirabelo", author="ana", kind="mention")
    [asked] = stage.posts.values()
    ours = stage.write("Ask away", ago(MINUTE), kind="reply", answers=asked.id, ours=True)
    stage.write("How much is it?", author="bob", kind="reply", answers=ours.id)
    read_all(channel)
    assert set(told()) == {"Ask @mirabelo", "How much is it?"}


def test_what_we_posted_long_ago_is_not_watched_for_ever(stage, brand):
    stage.roots[ROOT] = ago(20 * DAY)
    stage.write("Below an old post", kind="reply")
    assert everything(brand)[0] == {}
    assert "Below an old post" in everything(replace(brand, settings=brand.settings | {"watch_days": 30}))[0]


def test_a_full_page_is_not_taken_for_the_last_though_no_next_one_is_named(stage, brand, monkeypatch):
    page = stage._page
    monkeypatch.setattr(threads, "PAGE", stage.page)

    def unnamed(asked, items):
        said = page(asked, items)
        said.get("paging", {}).pop("next", None)
        return said

    monkeypatch.setattr(stage, "_page", unnamed)
    for number in range(2 * stage.page):
        stage.write(f"answer {number}", ago(number * SECOND), kind="reply")
    assert len(everything(brand)[0]) == 2 * stage.page


def test_the_answers_that_are_left_for_today_are_told(stage, brand):
    stage.answered = 150
    stage.write("How much?", kind="reply")
    limits = [batch.limits for batch in everything(brand)[1]]
    assert [(each.remaining, each.limit) for each in limits if each] == [(850, 1000)]
    assert len(limits) > 3


def test_another_account_and_other_words_are_read_from_their_own_beginning(stage, brand, words):
    cursor = everything(brand)[1][-1].cursor
    assert brand.fetch(cursor).history is False
    assert words.fetch(cursor).history is True


# Searching ------------------------------------------------------------------------------------------------------------


def test_a_search_without_pages_goes_on_from_the_last_that_it_showed(stage, words, monkeypatch):
    monkeypatch.setattr(threads, "PAGE", 3)
    for number in range(8):
        stage.write(f"zebra {number}", ago(number * MINUTE), kind="reply")
    posts, batches = everything(words)
    assert set(posts) == {f"zebra {number}" for number in range(8)}
    assert not any(batch.gap for batch in batches)


def test_more_posts_of_one_second_than_a_search_shows_are_a_gap(stage, words, monkeypatch):
    monkeypatch.setattr(threads, "PAGE", 3)
    at = ago(MINUTE).replace(microsecond=0)
    for number in range(5):
        stage.write(f"zebra {number}", at, kind="reply")
    stage.write("zebra before", ago(2 * MINUTE), kind="reply")
    posts, batches = everything(words)
    assert "zebra before" in posts
    [gap] = [batch for batch in batches if batch.gap]
    assert gap.gap_until == at


def test_what_searching_uses_up_is_told_before_it_is_saved():
    assert Threads.estimate({}) == ""
    assert "288 of the 2,200 searches" in Threads.estimate({"query": "zebra", "poll_seconds": 300})


def test_a_keyword_channel_needs_to_be_allowed_to_search(stage, words, brand):
    stage.scopes = SCOPES[:-1]
    assert words.check().missing == ("search (threads_keyword_search)",)
    assert brand.check().missing == ()
    stage.trouble = "scope"
    with pytest.raises(MissingScope, match=r"may not search \(threads_keyword_search\)"):
        replace(words, credentials=words.credentials | {"account": US, "handle": HANDLE}).fetch({})


# Answering ------------------------------------------------------------------------------------------------------------


def test_an_answer_is_made_first_and_published_then(stage, brand):
    post = stage.write("How much?", kind="reply")
    stage.asked.clear()
    sent = brand.send(answer(post))
    wrote = [path for path, each in zip(paths(stage), stage.asked, strict=True) if each.method == "POST"]
    assert wrote == ["me/threads", "me/threads_publish"]
    assert sent.url == f"https://www.threads.com/@{HANDLE}/post/{sent.id}"
    assert (stage.published[0].answers, stage.published[0].id) == (post.id, sent.id)


@pytest.mark.parametrize("trouble", ["reset", "down", "html", "truncated", "accepts and hangs up"])
def test_what_fails_before_publishing_was_certainly_not_sent(stage, brand, trouble):
    post = stage.write("How much?", kind="reply")
    stage.ahead = ["", "reset" if trouble == "accepts and hangs up" else trouble]
    with pytest.raises(NotSent):
        brand.send(answer(post))
    assert stage.published == []


def test_a_container_that_is_not_ready_was_not_published(stage, brand):
    stage.ready = False
    with pytest.raises(NotSent, match="not ready"):
        brand.send(answer(stage.write("How much?", kind="reply")))


def test_the_thousandth_answer_of_a_day_is_the_last(stage, brand):
    post = stage.write("How much?", kind="reply")
    stage.answered = 999
    brand.send(answer(post))
    with pytest.raises(QuotaExhausted, match="1,000 answers"):
        brand.send(answer(post, "Once more"))
    assert len(stage.published) == 1 and len(stage.containers) == 0


def test_nothing_goes_out_in_public_that_was_to_be_private(stage, brand):
    post = stage.write("How much?", kind="reply")
    with pytest.raises(NotAllowed):
        brand.send(answer(post, private=True))
    assert stage.containers == {}


def test_our_answer_is_found_among_others_only_where_it_belongs(stage, brand):
    first, second = stage.write("How much?", kind="reply"), stage.write("And where?", kind="reply")
    sent = brand.send(answer(first))
    assert brand.find_sent(answer(first), ago(MINUTE)).id == sent.id
    assert brand.find_sent(answer(second), ago(MINUTE)) is None
    assert brand.find_sent(answer(first), ago(-MINUTE)) is None


def test_only_answers_can_be_hidden(brand):
    with pytest.raises(NotAllowed, match="nothing but answers"):
        brand.hide(Target("1", kind="mention"))


def test_an_emoji_counts_as_many_as_it_has_bytes(brand):
    assert brand.too_long("x" * 496 + "\N{GRINNING FACE}") == ""
    assert brand.too_long("x" * 497 + "\N{GRINNING FACE}") == "It is 1 character too long for Threads, which takes 500."


# What is gone ---------------------------------------------------------------------------------------------------------


def test_nothing_is_called_gone_as_long_as_something_is_not_granted(stage, brand):
    assert brand.lookup(["18009"]) == {"18009": None}
    stage.scopes = SCOPES[:2]
    assert replace(brand).lookup(["18009"]) == {}


# Deliveries -----------------------------------------------------------------------------------------------------------


def delivered(stage, connector, field, value, target=US):
    said = {"app_id": "4711", "target_id": target, "time": 1_790_000_000, "values": {"value": value, "field": field}}
    return list(connector.posts_in(stage.delivering(said).body))


def test_a_mention_is_told_to_the_account_that_was_mentioned_alone(stage, known):
    value = {"id": "1", "text": "Ask @mirabelo", "username": "ana", "timestamp": "2026-09-21T12:00:00+0000"}
    [post] = delivered(stage, known, "mentions", value)
    assert (post.kind, post.author.handle) == ("mention", "ana")
    assert delivered(stage, known, "mentions", value, target="9") == []


def test_an_answer_below_a_post_of_another_account_of_the_app_is_left_to_its_channel(stage, known):
    value = {"id": "1", "text": "How much?", "username": "ana", "timestamp": "2026-09-21T12:00:00+0000"}
    value |= {"replied_to": {"id": ROOT}, "root_post": {"id": ROOT, "owner_id": US, "username": HANDLE}}
    [post] = delivered(stage, known, "replies", value)
    assert (post.kind, post.in_reply_to, post.thread) == ("reply", ROOT, ROOT)
    assert delivered(stage, known, "replies", value | {"root_post": {"id": "2", "username": "another"}}) == []


def test_what_we_deleted_on_threads_itself_is_gone_here(stage, known):
    value = {"id": "1", "username": HANDLE, "timestamp": "2026-09-21T12:00:00+0000", "owner": {"owner_id": US}}
    [post] = delivered(stage, known, "delete", value | {"deleted_at": "2026-09-22T12:00:00+0000"})
    assert (post.id, post.deleted, post.direction) == ("1", True, "out")


def test_what_else_is_delivered_is_passed_over(stage, known):
    assert delivered(stage, known, "publish", {"id": "1", "username": HANDLE}) == []
    for body in (b"", b"[]", b"[null, 7]", b'{"values": 7}', b'{"values": [{"value": 7}]}', b"not JSON"):
        assert list(known.posts_in(body)) == []


# Connecting -----------------------------------------------------------------------------------------------------------


def test_the_way_to_threads_own_page(brand, words):
    at = urlsplit(brand.sign_in(BACK, "state").url)
    asked = {name: values[0] for name, values in parse_qs(at.query).items()}
    assert (at.netloc, at.path, asked["state"]) == ("threads.com", "/oauth/authorize", "state")
    assert set(asked["scope"].split(",")) == set(SCOPES[:-1])
    assert "threads_keyword_search" in words.sign_in(BACK, "state").url


def test_ada_signs_in_and_gets_sixty_days(stage, brand):
    before = replace(brand, settings=brand.settings | {"account": "9"})
    [account] = before.signed_in("good#_", BACK, {})
    assert (account.name, account.settings) == (f"@{HANDLE}", {"account": US})
    assert account.credentials["access_token"] == "canary-lasting" and account.credentials["handle"] == HANDLE
    ends = datetime.fromisoformat(account.credentials["expires_at"]) - datetime.now(UTC)
    assert 59 * DAY < ends < 60 * DAY
    with pytest.raises(NotAuthorized, match="once more"):
        before.signed_in("bad", BACK, {})


def test_a_token_that_ada_entered_is_renewed_in_a_day_for_nobody_says_how_long_it_lasts(channel):
    assert DAY - MINUTE < channel.renew_at - datetime.now(UTC) < DAY + MINUTE
    assert channel.expires_at > channel.renew_at + 11 * DAY
    assert Threads.first_credentials({"app_secret": "s"}) == {"app_secret": "s"}


def test_a_renewed_token_has_sixty_days_again_and_keeps_what_else_was_known(stage, known):
    renewed = known.renew()
    assert renewed["access_token"] in stage.tokens - {"canary-token"}
    assert (renewed["handle"], renewed["app_secret"]) == (HANDLE, known.credentials["app_secret"])
    stage.tokens.clear()
    with pytest.raises(NotAuthorized):
        known.renew()


# What others recorded -------------------------------------------------------------------------------------------------


def recorded(name):
    path = REAL / name
    if not path.exists():
        pytest.skip("REAL_DATA names no folder with recordings of Threads")
    return json.loads(path.read_text())


def test_answers_that_somebody_recorded_are_read_through_the_library():
    said = {"/v1.0/me/threads": [{"data": [recorded("basic-media.json") | {"has_replies": True}]}]}
    said |= {"/v1.0/1234567/conversation": [recorded("basic-list-reply.json")]}
    said |= dict.fromkeys(("/v1.0/me/replies", "/v1.0/me/mentions"), [{"data": []}])
    us = {"access_token": "t", "account": "1", "handle": "threadsapitestuser"}
    with played.playing("threads", said, credentials=us) as it:
        posts = everything(it[0])[0]
    ours = posts.pop("Today Is Monday")
    assert (ours.direction, ours.kind) == ("out", "post")
    assert set(posts) == {"First Reply", "Second Reply", "Third Reply"}
    assert {(each.kind, each.in_reply_to, each.author) for each in posts.values()} == {("reply", "1234567890", None)}
    assert all(isinstance(each, Post) for each in posts.values())


def test_nothing_but_an_object_is_set_aside_in_its_place():
    assert isinstance(threadposts.post_of("x", Us(frozenset())), Unreadable)
