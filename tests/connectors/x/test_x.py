"""What is special to X; what every network keeps is asked in `test_networks.py`."""

import hmac
import json
import os
import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from connectors import http
from connectors.contract import Outgoing, Post, Target, Unreadable
from connectors.dialects import rebuffs, tweetlists, tweets, weighing
from connectors.errors import (
    DuplicateContent,
    Forged,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    QuotaExhausted,
    RateLimited,
    Rejected,
    ServerFailed,
    Unreachable,
)
from connectors.models import Usage
from connectors.networks.x import X
from tests.connectors import played
from tests.connectors.visits import on_stage, open_channel, read_all, told, visit
from tests.connectors.x.stage import US, id_at

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "x"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("x") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def brand(stage):
    """Our account's connector."""
    return X("brand", stage.settings, stage.credentials)


def with_settings(connector, **settings):
    return replace(connector, settings=connector.settings | settings)


def ago(minutes):
    return datetime.now(UTC) - minutes * MINUTE


def everything(connector):
    """All posts there are to read, and what reading them cost."""
    cursor, posts, used, more = {}, [], 0, True
    while more:
        batch = connector.fetch(cursor)
        connector = replace(connector, known=connector.known | dict(batch.known or {}))
        posts, used, cursor, more = [*posts, *batch.posts], used + batch.used, batch.cursor, batch.more
    return {each.text: each for each in posts}, used, cursor, connector


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_x_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("x", recorded) == recorded["understood"]


# Who may be answered ------------------------------------------------------------------------------------------------


def test_only_whoever_named_or_quoted_us_can_be_answered_and_each_other_post_says_why(stage, brand):
    stage.write("Is @mirabelo any good?")
    stage.quotes.add(stage.write("“Rent, ride, return”, they say at mirabelo").id)
    stage.strangers.add(stage.write("mirabelo, anyone?").id)
    found = everything(with_settings(brand, query="mirabelo"))[0]
    closed = {text: post.reply_closed for text, post in found.items()}
    assert closed["Is @mirabelo any good?"] == closed["“Rent, ride, return”, they say at mirabelo"] == ""
    assert closed["mirabelo, anyone?"].startswith("X lets us answer")
    assert found["mirabelo, anyone?"].kind == "post"
    enterprise = everything(with_settings(brand, query="mirabelo", answers_all=True))[0]
    assert not any(post.reply_closed for post in enterprise.values())


def test_what_x_refuses_is_told_in_its_own_words(stage, brand):
    named, stranger = stage.write("Hello @mirabelo"), stage.write("Hello")
    stage.strangers.add(stranger.id)
    with pytest.raises(NotAllowed, match="you have not been mentioned"):
        brand.send(Outgoing("Hi", stranger.id, KEY))
    brand.send(Outgoing("Hi", named.id, KEY))
    with pytest.raises(DuplicateContent):
        brand.send(Outgoing("Hi", named.id, KEY))
    assert len(stage.published) == 1


@pytest.mark.parametrize("to", [Target("1", kind="dm"), Target("1", visibility="direct")])
def test_what_was_said_in_private_never_gets_an_answer_in_public(stage, brand, to):
    for reply in (Outgoing("Between us", "1", KEY, to=to), Outgoing("Between us", "1", KEY, private=True)):
        with pytest.raises(NotAllowed):
            brand.send(reply)
    assert stage.asked == []


def test_our_answer_is_found_though_x_puts_names_before_it_and_shortens_its_links(stage, brand):
    post = stage.write("Where is my order?")
    sent = brand.send(Outgoing("@ana Look & see: <here>", post.id, KEY))
    assert brand.find_sent(Outgoing("Look & see: <here>", post.id, KEY), ago(1)).id == sent.id
    assert brand.find_sent(Outgoing("Look & see: there", post.id, KEY), ago(1)) is None
    assert brand.find_sent(Outgoing("Look & see: <here>", "4711", KEY), ago(1)) is None


# What it costs ------------------------------------------------------------------------------------------------------


def test_a_post_and_its_author_are_counted_once_a_day_as_x_does(stage, brand):
    for text in ("one", "two"):
        stage.write(text)
    me, author = tweets.USER_READ, tweets.USER_READ
    _, used, cursor, brand = everything(brand)
    assert used == pytest.approx(me + 2 * tweets.POST_READ + author)
    assert brand.fetch(cursor).used == 0, "what is read again within the day is free"
    stage.write("three")
    assert brand.fetch(cursor).used == pytest.approx(tweets.POST_READ)
    yesterday = cursor | {"paid": cursor["paid"] | {"day": "2026-01-01"}}
    assert brand.fetch(yesterday).used == pytest.approx(3 * tweets.POST_READ + author)


def test_whoever_owns_the_app_pays_a_fifth_for_mentions_and_authors_may_be_left_out(stage, brand):
    stage.write("one")
    _, used, _, _ = everything(with_settings(brand, owns_app=True, counts_authors=False))
    assert used == pytest.approx(tweets.USER_READ + tweets.OWNED_READ)


def test_an_answer_costs_little_and_one_with_a_link_much(stage, brand):
    post = stage.write("Where is my order?")
    used = [brand.send(Outgoing(text, post.id, KEY)).used for text in ("Soon", "See mirabelo.com")]
    assert used == [0.010, 0.200]


def test_a_channel_stops_when_its_budget_for_the_month_is_spent_and_goes_on_when_it_is_raised(stage, house):
    channel = open_channel(stage, budget=0.02)
    stage.write("one")
    read_all(channel)
    assert Usage.objects.get().used == pytest.approx(0.025)
    stage.write("two")
    asked = len(stage.asked)
    run = visit(channel)
    assert run.outcome == "failed" and channel.trouble == "BudgetSpent" and len(stage.asked) == asked
    channel.settings["budget"] = 1
    channel.save()
    read_all(channel)
    assert told() == {"one": 1, "two": 1}


def test_a_budget_that_was_not_asked_for_is_there_all_the_same(stage):
    assert "US$ 20 a month" in X.estimate({}) and "US$ 0.015" in X.estimate({})
    assert "US$ 0.011" in X.estimate({"owns_app": True})
    assert "US$ 45.00 a month" in X.estimate({"query": "zebra"})


def test_the_cap_of_a_month_ends_with_the_month(stage, brand):
    capped = {"title": "UsageCapExceeded", "period": "Monthly", "type": "https://api.x.com/2/problems/usage-capped"}
    stage.answer = lambda asked: (429, capped, {"x-rate-limit-remaining": "3999", "x-rate-limit-reset": "1"})
    with pytest.raises(QuotaExhausted) as spent:
        brand.fetch({})
    assert spent.value.until.day == 1 and timedelta() < spent.value.until - datetime.now(UTC) <= timedelta(days=31)


# How far back it goes -----------------------------------------------------------------------------------------------


def test_more_mentions_than_x_shows_are_a_gap_that_says_from_when_to_when(stage, channel, monkeypatch):
    monkeypatch.setitem(tweetlists.MOST_PAGES, "mentions", 2)
    stage.write("before", ago(300))
    read_all(channel)
    for number in range(20):
        stage.write(f"flood {number}", ago(100 - number))
    stage.deepest = 2 * stage.page
    runs = read_all(channel)
    [gap] = [run for run in runs if run.gap]
    assert abs(gap.gap_since - ago(300)) < MINUTE and abs(gap.gap_until - ago(90)) < MINUTE
    assert len(told()) == 11


def test_a_search_that_was_silent_for_longer_than_x_searches_back_is_a_gap(stage, house):
    channel = open_channel(stage, query="zebra", backfill_days=5)
    stage.write("first zebra", ago(1))
    read_all(channel)
    walk = channel.cursor["found"]["walk"]
    before = (datetime.now(UTC) - 9 * DAY).isoformat()
    channel.cursor["found"]["walk"] = walk | {"begun": before, "anchor": before, "seen": {"1": before}}
    channel.save()
    stage.write("last zebra")
    [run] = read_all(channel)
    assert run.outcome == "ok", run.detail
    assert abs(run.gap_since - datetime.fromisoformat(before)) < MINUTE
    assert told() == {"first zebra": 1, "last zebra": 1}


def test_a_walk_whose_next_page_x_does_not_know_any_more_begins_again_and_loses_nothing(stage, brand):
    for number in range(8):
        stage.write(f"post {number}", ago(number + 1))
    first = brand.fetch({})
    brand = replace(brand, known=dict(first.known))
    answer = stage.answer

    def forgetful(asked):
        if asked.query.get("pagination_token"):
            return 400, {"title": "Invalid Request", "type": "https://api.x.com/2/problems/invalid-request"}
        return answer(asked)

    stage.answer = forgetful
    begun = brand.fetch(first.cursor)
    assert begun.more and not begun.posts
    stage.answer, stage.page = answer, 100
    again = brand.fetch(begun.cursor)
    assert {each.text for each in (*first.posts, *again.posts)} == {f"post {number}" for number in range(8)}


def test_answers_in_our_threads_that_do_not_name_us_are_read_where_that_is_wanted(stage, brand):
    ours = stage.write("We have new bikes", ago(20), kind="mention", ours=True)
    aside = stage.write("I have had one for a year", ago(10), kind="reply", answers=ours.id)
    stage.strangers.add(aside.id)
    assert aside.text not in everything(brand)[0]
    found = everything(with_settings(brand, threads=True))[0]
    assert found[aside.text].thread == found[ours.text].id == ours.id
    assert found[aside.text].reply_closed and found[ours.text].direction == "out"


def test_more_than_a_hundred_posts_are_looked_up_in_several_questions(stage, brand):
    post = stage.write("Still here")
    gone = [id_at(ago(60), number) for number in range(150)]
    found = brand.lookup([*gone, post.id])
    assert len(found) == 151 and found[post.id].text == "Still here" and found[gone[0]] is None
    assert len([each for each in stage.asked if each.path == "/2/tweets"]) == 2


# Connecting ---------------------------------------------------------------------------------------------------------


def test_with_keys_of_the_older_kind_each_request_is_signed(stage, brand):
    keys = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    signs = replace(brand, credentials={name: f"canary-{name}" for name in keys})
    stage.access_level = "read"
    checked = signs.check()
    header = stage.asked[-1].headers["authorization"]
    assert header.startswith("OAuth ") and "oauth_signature=" in header and "canary-consumer_secret" not in header
    assert any("may only read" in each for each in checked.missing)


def test_what_was_not_granted_is_named_in_the_words_of_an_admin(stage, brand):
    granted = replace(brand, credentials=brand.credentials | {"scope": "tweet.read users.read offline.access"})
    checked = granted.check()
    assert checked.account == "@mirabelo"
    assert [each.partition(" (")[0] for each in checked.missing] == [
        "answer and delete our own posts",
        "hide answers below our posts",
    ]


def test_after_signing_in_nobody_asks_x_again_who_we_are(stage, brand):
    [account] = brand.signed_in("good", "https://hub.example/channels/signed-in/", {"verifier": "v"})
    signed_in = replace(brand, credentials=account.credentials)
    stage.asked.clear()
    signed_in.fetch({})
    replace(signed_in, credentials=signed_in.renew()).fetch({})
    assert [each.path for each in stage.asked if each.path.endswith("/me")] == []


# Deliveries ---------------------------------------------------------------------------------------------------------


def event(kind, payload):
    said = {"event_uuid": "1", "filter": {"user_id": US}, "event_type": kind, "payload": payload}
    return json.dumps({"data": said})


def test_events_are_read_and_those_that_hold_no_post_are_passed_over(brand):
    said = {"id": id_at(ago(1)), "text": "quoting", "author_id": "9", "created_at": ago(1).isoformat()}
    [quote] = brand.posts_in(event("post.quote.create", said).encode())
    assert (quote.kind, quote.reply_closed, quote.direction) == ("mention", "", "in")
    [ours] = brand.posts_in(event("post.create", said | {"author_id": US}).encode())
    assert ours.direction == "out"
    [gone] = brand.posts_in(event("post.delete", {"id": said["id"], "author_id": US}).encode())
    assert gone.deleted and gone.id == said["id"]
    for kind in ("oauth.revoke", "dm.received", "chat.received", "unheard.of"):
        assert list(brand.posts_in(event(kind, {"user_id": US}).encode())) == []
    assert isinstance(next(iter(brand.posts_in(b"<html>"))), Unreadable)
    assert isinstance(next(iter(brand.posts_in(event("post.create", {"id": 7}).encode()))), Unreadable)
    assert list(brand.posts_in(b'{"for_user_id": "1", "tweet_create_events": []}')) == []


def test_the_question_and_the_signature_are_made_with_the_secret_of_the_api_key(brand):
    def signed(text):
        return "sha256=" + b64encode(hmac.new(b"canary-consumer-secret", text, "sha256").digest()).decode()

    assert json.loads(brand.handshake({"crc_token": "raven", "nonce": "1"})) == {"response_token": signed(b"raven")}
    body = '{"data": "Grüße \\u00e9"}'.encode()
    assert brand.verify({"X-Twitter-Webhooks-Signature": signed(body)}, body)
    without = replace(brand, credentials={})
    with pytest.raises(Forged):
        without.verify({"x-twitter-webhooks-signature": "sha256="}, body)
    with pytest.raises(Forged):
        without.handshake({"crc_token": "a"})


# Lengths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("Á", 1),
        ("日" * 140, 280),
        ("\N{WHITE SMILING FACE}", 2),
        ("\N{WAVING HAND SIGN}\U0001f3fd" * 10, 20),
        ("1\N{COMBINING ENCLOSING KEYCAP}\U0001f1e9\U0001f1ea", 4),
        ("a — b … “c”", 12),
        ("see example.com, please", 35),
        ("詳しくはexample.comまで", 8 + 23 + 4),
        ("ana@example.com", 15),
        ("v1.2 or Dr.Who", 14),
        ("(https://en.wikipedia.org/wiki/Bike_(toy))", 25),
        ("https://example.com/日本", 27),
        ("http://nowhere.invalidtld", 25),
        ("line\r\nbreak", 10),
    ],
)
def test_a_text_weighs_what_x_says_it_does(text, length):
    assert weighing.length(text) == length


@pytest.mark.parametrize("piece", ["a.", "あ.", "http://", "a.com/(", "@a ", "\u200d\N{MAN}", "a-", "http://a."])
def test_no_text_takes_long_to_weigh(piece):
    began = time.monotonic()
    assert weighing.length((piece * 50_000)[:100_000]) > weighing.LONGEST
    weighing.length((piece * 4_000)[: weighing.MOST_PARSED])
    assert time.monotonic() - began < 1


# What X really said -------------------------------------------------------------------------------------------------


def cassette(name):
    """The recorded answers of X, as they came: status and headers, the body unpacked as our way out does it."""
    for each in yaml.safe_load((REAL / f"test_client_{name}.yaml").read_text())["interactions"]:
        said = each["response"]
        body = said["body"]["string"]
        headers = {key: value[0] for key, value in said["headers"].items()}
        body = body if isinstance(body, bytes) else body.encode()
        packed = http.httpx.Headers(headers).get("content-encoding", "")
        yield said["status"]["code"], headers, b"".join(http._PACKED[packed](iter([body])))


@pytest.fixture
def x_said(monkeypatch):
    """`x_said("get_me")`: the next requests are answered as X answered these."""
    left = []

    def exchange(url, **asked):
        status, headers, body = left.pop(0)
        return http.Answer(status, http.httpx.Headers(headers), body, url)

    monkeypatch.setattr(http, "exchange", exchange)
    return lambda *names: left.extend(each for name in names for each in cassette(name))


needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/x")


@needs_real_data
@pytest.mark.parametrize(("recording", "query"), [("get_users_mentions", ""), ("search_recent_tweets", "Tweepy")])
def test_real_pages_are_read_through_the_real_library(x_said, recording, query):
    x_said("get_me", recording, *([] if query else ["get_users_tweets"]))
    brand = X("brand", {"query": query, "backfill_days": 36_500}, {"access_token": "token"})
    batch = brand.fetch({})
    assert len(batch.posts) >= 9 and all(isinstance(each, Post) and each.text for each in batch.posts)
    assert len({each.global_id for each in batch.posts}) == len(batch.posts)
    assert batch.limits.remaining and batch.known["handle"]
    # These recordings were asked for without fields: an id is all that tells their time.
    assert all(2010 < each.created_at.year <= 2026 for each in batch.posts)
    closed = {each.kind: bool(each.reply_closed) for each in batch.posts}
    assert closed["post"] if query else not closed["mention"], "what stands among mentions is for us"


@needs_real_data
def test_real_answers_to_look_ups_and_writes_are_understood(x_said):
    brand = X("brand", {}, {"access_token": "token", "user_id": "1", "handle": "brand"})
    x_said("get_tweets")
    found = brand.lookup(["1293593516040269825", "1293595870563381249"])
    assert [bool(each) for each in found.values()] == [True, True]
    x_said("create_and_delete_tweet")
    sent = brand.send(Outgoing("Hello", "1293593516040269825", KEY))
    assert sent.id == "1456012973835788293" and sent.url == f"https://x.com/brand/status/{sent.id}"
    brand.remove(Target(sent.id))
    x_said("hide_and_unhide_reply")
    brand.hide(Target("1344794616005066752"))
    brand.hide(Target("1344794616005066752"), hidden=False)


@needs_real_data
def test_the_refusals_in_the_official_collection_are_told_as_what_they_are():
    examples = json.loads((REAL / "Twitter API v2.postman_collection.json").read_text())
    refusals = {said["code"]: said.get("body") or "" for said in _responses(examples) if said.get("code", 200) >= 400}
    assert len(refusals) >= 5
    kinds = {401: NotAuthorized, 403: MissingScope, 429: RateLimited, 500: ServerFailed}
    for code, body in refusals.items():
        answer = http.Answer(code, http.httpx.Headers(), body.encode(), "https://api.x.com/2/tweets")
        assert isinstance(rebuffs.of_reading(Exception(), answer), kinds.get(code, Unreachable))
        certainly = (Rejected, NotAuthorized, RateLimited)
        assert isinstance(rebuffs.of_writing(Exception(), answer), certainly if code < 500 else MaybeSent)


def _responses(item):
    yield from item.get("response") or ()
    for each in item.get("item") or ():
        yield from _responses(each)
