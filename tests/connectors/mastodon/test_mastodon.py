"""What is special to Mastodon and its kin; what every network keeps is asked in `test_networks.py`."""

import json
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from connectors import http, normalise, tokens
from connectors.contract import Outgoing, Post, Target
from connectors.dialects import statuses
from connectors.errors import (
    ConnectorError,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotConnected,
    NotSent,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
)
from connectors.networks.mastodon import MastodonServer
from tests.connectors.visits import on_stage, open_channel, read_all, told, visit

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "mastodon"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("mastodon") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def server(stage):
    """A connector that knows nothing yet."""
    return MastodonServer("brand", stage.settings, stage.credentials)


def ago(minutes):
    return datetime.now(UTC) - minutes * MINUTE


def reply_to(post, text="It left this morning.", **more):
    return Outgoing(text, post.id, KEY, **more)


# Reading --------------------------------------------------------------------------------------------------------------


def test_what_the_accounts_own_policy_holds_back_arrives(stage, channel):
    """A new customer is exactly whom Mastodon filters: nobody follows them yet."""
    stage.withheld.add(stage.write("I am new here").id)
    read_all(channel)
    assert told() == Counter(["I am new here"])


def test_after_the_first_visit_nothing_is_skipped_however_much_came(stage, channel):
    stage.write("first", ago(10))
    read_all(channel)
    said = [stage.write(f"later {number}", ago(1)).text for number in range(4 * stage.page)]
    read_all(channel)
    assert told() == Counter(["first", *said])
    asked = [each.query for each in stage.asked if each.path.endswith("/notifications")]
    assert not any("since_id" in each for each in asked) and "min_id" in asked[-1]


def test_a_number_that_is_filled_later_than_the_next_one_is_found(stage, channel, monkeypatch):
    """Two of the server's workers number what they tell before it can be seen."""
    stage.write("first", ago(10))
    read_all(channel)
    hidden = stage.write("committed late")
    number, told_as = stage.numbers, stage.told_us.pop(stage.numbers)
    stage.write("committed first")
    read_all(channel)
    stage.told_us[number] = told_as
    read_all(channel)
    assert told()[hidden.text] == 1


def test_what_was_there_before_us_is_history_and_older_than_asked_for_is_left(stage, house):
    stage.write("long ago", ago(60 * 24 * 9))
    recent = [stage.write(f"before us {number}", ago(60 * number)).text for number in range(12, 0, -1)]
    channel, seen = open_channel(stage), []
    visit(channel, after_page=lambda batch: seen.append(batch) or True)
    assert told() == Counter(recent)
    first = [batch for batch in seen if batch.posts]
    assert all(batch.history for batch in first) and [batch.progress for batch in first][0] > 0
    stage.write("now")
    seen.clear()
    visit(channel, after_page=lambda batch: seen.append(batch) or True)
    assert [batch.history for batch in seen if any(post.text == "now" for post in batch.posts)] == [False]


def test_somebody_who_answers_on_mastodon_itself_has_answered(stage, channel):
    post = stage.write("Where is my order?", ago(5))
    stage.write("On its way, see https://shop.example/orders/4711/where-it-is-now", ours=True, answers=post.id)
    read_all(channel)
    assert told("out") == Counter(["On its way, see https://shop.example/orders/4711/where-it-is-now"])


def test_another_account_is_read_from_the_beginning(stage, channel):
    stage.write("first", ago(10))
    read_all(channel)
    before = channel.cursor
    channel.settings = channel.settings | {"query": "#bikes"}
    channel.save()
    stage.write("nice #bikes", kind="post")
    read_all(channel)
    assert channel.cursor["of"] != before["of"] and "mentions" not in channel.cursor
    assert told()["nice #bikes"] == 1


def test_a_server_that_ignores_types_tells_of_much_and_only_words_are_read(stage, channel):
    """Older servers of this API list likes and followers whatever is asked for."""
    post = stage.write("Hello", ago(3))
    stage.told_us |= {2_000: (post.id, "favourite"), 2_001: (post.id, "follow")}
    stage.numbers = 3_000
    stage.write("Hello again", ago(2))
    read_all(channel)
    assert told() == Counter(["Hello", "Hello again"]) and not channel.quarantine.exists()


@pytest.mark.parametrize(
    ("instance", "kinds"), [(("v2",), {"mention", "quote", "status"}), (("v1",), {"mention", "status"})]
)
def test_only_a_server_that_knows_quotes_is_asked_for_them(stage, server, instance, kinds):
    stage.instance = instance
    server.fetch({})
    [asked] = [each for each in stage.asked if each.path.endswith("/notifications")]
    assert set(asked.queries["types[]"]) == kinds and asked.query["include_filtered"] == "true"


def test_one_post_in_a_strange_form_is_set_aside_and_its_neighbours_arrive(stage, channel, monkeypatch):
    good, bad = stage.write("good", ago(3)), stage.write("bad", ago(2))
    as_told = type(stage).told
    broken = {"account": None}
    monkeypatch.setattr(
        type(stage), "told", lambda self, post: as_told(self, post) | (broken if post.id == bad.id else {})
    )
    read_all(channel)
    assert told() == Counter([good.text]) and channel.quarantine.count() == 1


def test_a_search_on_a_server_that_knows_no_offsets_comes_to_an_end(stage, house):
    stage.knows_offsets = False
    for number in range(3 * stage.page):
        stage.write(f"zebra {number}", ago(20 - number))
    words = open_channel(stage, "words", query="zebra")
    read_all(words)
    assert sum(told().values()) == stage.page
    assert words.runs.exclude(gap="").exists() is False, "it lists no more, and we knew nothing before"


def test_where_all_that_was_found_before_is_deleted_nothing_is_missing(stage, house):
    old = stage.write("old #bikes", ago(90))
    channel = open_channel(stage, "tag", query="#bikes")
    read_all(channel)
    stage.delete(old.id)
    stage.write("new #bikes")
    assert [run.gap for run in read_all(channel)] == [""]


@pytest.mark.parametrize(
    ("query", "path"),
    [("#bikes", "/api/v1/timelines/tag/bikes"), ("#bikes cars", "/api/v2/search"), ("bikes", "/api/v2/search")],
)
def test_a_hashtag_is_a_list_and_other_words_are_searched_for(stage, server, query, path):
    replace(server, settings=server.settings | {"query": query}).fetch({})
    assert stage.asked[-1].path == path


def test_any_page_of_the_server_will_do_for_its_address(stage, server):
    stage.write("Hello")
    there = server.settings | {"base_url": f"{stage.web.url}/@mirabelo/"}
    assert [each.text for each in replace(server, settings=there).fetch({}).posts] == ["Hello"]


def test_a_hashtag_post_that_comes_late_from_another_server_is_found_under_its_old_date(stage, house):
    stage.write("first #bikes", ago(90))
    channel = open_channel(stage, "tag", query="#bikes")
    stage.write("newest #bikes", ago(1))
    read_all(channel)
    stage.write("late #bikes", ago(45))
    read_all(channel)
    assert told() == Counter(["first #bikes", "newest #bikes", "late #bikes"])


# What is known of the server ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instance", [("v2", "v1"), ("v1",), ()])
def test_how_long_a_post_may_be_the_server_says_or_nobody(stage, channel, instance):
    stage.instance, stage.longest = instance, 5_000
    read_all(channel)
    longest = (5_000 if instance else 500) - 32
    assert channel.offers.longest_reply == longest
    assert channel.connector().too_long("x" * (longest + 3)).startswith("It is 3 characters too long")
    asked = len([each for each in stage.asked if "instance" in each.path])
    read_all(channel)
    assert len([each for each in stage.asked if "instance" in each.path]) == asked, "once a day is enough"


@pytest.mark.parametrize(
    ("said", "longest"),
    [
        ({"max_toot_chars": 5000, "uri": "https://pleroma.example"}, 5000),
        ({"configuration": {"statuses": {"max_characters": 11_000}}, "domain": "gts.example"}, 11_000),
        ({"configuration": None, "uri": "takahe.example"}, None),
        ({"configuration": {"statuses": {"max_characters": "many"}}}, None),
        ([], None),
    ],
)
def test_pleroma_gotosocial_and_others_say_it_in_their_own_way(said, longest):
    assert statuses.limits(said).get("longest") == longest
    assert statuses.domain(said) in ("pleroma.example", "gts.example", "takahe.example", "")


def test_a_token_that_is_the_name_of_a_file_is_not_taken_for_that_file(stage, server, tmp_path):
    """The library would send the first line of any file on this machine to the server."""
    secret = tmp_path / "secret"
    secret.write_text("first line of a file")
    with pytest.raises(NotAuthorized):
        replace(server, credentials={"access_token": str(secret)}).check()
    assert {each.headers.get("authorization") for each in stage.asked} == {f"Bearer {secret}"}


def test_without_a_token_nobody_is_asked(stage, server):
    with pytest.raises(NotConnected):
        replace(server, credentials={}).fetch({})
    assert stage.asked == []


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "error"), [(400, NotAuthorized), (403, NotAuthorized)])
def test_a_refusal_is_held_against_the_token_only_when_the_account_is_refused_too(stage, server, status, error):
    """Takahē answers 400 to a token that it does not know."""
    stage.answer = lambda asked: (status, {"error": "invalid"})
    with pytest.raises(error):
        server.fetch({})


def test_a_refusal_of_one_thing_is_not_held_against_the_token(stage, server):
    known = server.fetch({}).known
    answer = stage.answer
    stage.answer = lambda asked: (403, {"error": "no"}) if "notifications" in asked.path else answer(asked)
    with pytest.raises(MissingScope):
        replace(server, known=known).fetch({})
    post = stage.write("Hello")
    stage.answer = lambda asked: (403, {"error": "no"}) if asked.method == "POST" else answer(asked)
    with pytest.raises(NotAllowed, match="The server says: no."):
        server.send(reply_to(post))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
def test_a_server_that_repeats_our_token_in_a_refusal_is_not_quoted_with_it(stage, server, status):
    post = stage.write("Hello")
    answer, refused = stage.answer, (status, {"error": "no such token canary-token"})
    for hears in ("GET", "POST"):
        stage.answer = lambda asked, hears=hears: refused if asked.method == hears else answer(asked)
        with pytest.raises(ConnectorError) as told:
            server.send(reply_to(post))
        assert "canary" not in f"{told.value!r} {told.value.detail}"


def test_gotosocial_names_the_end_of_a_limit_in_seconds(stage, server):
    soon = int(datetime.now(UTC).timestamp()) + 60
    stage.answer = lambda asked: (429, {"error": "slow"}, {"X-RateLimit-Reset": str(soon)})
    with pytest.raises(RateLimited) as limited:
        server.fetch({})
    assert limited.value.until.timestamp() == soon


def test_a_limit_that_can_not_be_read_leaves_a_reply_in_doubt_not_lost(stage, server):
    """The library stumbles over such a header after the server has taken the reply."""
    post, answer = stage.write("Hello"), stage.answer

    def with_nonsense(asked):
        status, said, headers = answer(asked)
        return status, said, headers | {"X-RateLimit-Reset": "tomorrow"} if asked.method == "POST" else headers

    stage.answer = with_nonsense
    with pytest.raises(MaybeSent):
        server.send(reply_to(post))
    stage.answer = answer
    assert server.find_sent(reply_to(post), ago(1)).id == stage.published[0].id


# Writing --------------------------------------------------------------------------------------------------------------


def test_a_reply_names_whom_it_answers_keeps_the_warning_and_carries_our_key(stage, server):
    post = stage.write("About the accident")
    stage.spoilers[post.id] = "accident"
    sent = server.send(reply_to(post))
    [asked] = [each for each in stage.asked if each.method == "POST"]
    assert asked.form["status"] == "@ana@far.example It left this morning."
    assert (asked.form["spoiler_text"], asked.headers["idempotency-key"]) == ("accident", KEY)
    assert sent.global_id == stage.told(stage.posts[sent.id])["uri"]


def test_a_name_that_stands_in_the_text_is_not_put_before_it_again():
    ana = {"acct": "ana@far.example"}
    assert statuses.addressed("Hello @Ana@far.example, it left.", ana) == "Hello @Ana@far.example, it left."
    assert statuses.addressed("Hello @ana@far.example.org", ana) == "@ana@far.example Hello @ana@far.example.org"
    assert statuses.addressed("mail@ana@far.example", ana).startswith("@ana@far.example ")


@pytest.mark.parametrize(
    ("circles", "narrowest"),
    [
        (("public", "public"), "public"),
        (("public", "unlisted"), "unlisted"),
        (("private", "public"), "private"),
        (("public", "followers"), "private"),
        (("direct", "public"), "direct"),
        (("public", "direct"), "direct"),
        (("public", "public", "direct"), "direct"),
        (("some new word", "public"), "direct"),
        (("limited", "public"), "direct"),
        ((), "direct"),
    ],
)
def test_a_reply_is_never_seen_by_more_people_than_what_it_answers(circles, narrowest):
    assert statuses.narrowest(*circles) == narrowest


@pytest.mark.parametrize("now", ["public", "direct"])
def test_what_was_private_when_it_was_read_stays_private_whatever_the_server_says_now(stage, server, now):
    post = stage.write("Between us", kind="dm", visibility=now)
    server.send(reply_to(post, to=Target(post.id, "dm", "direct")))
    assert [each.visibility for each in stage.published] == ["direct"]


def test_a_reply_that_is_too_long_with_the_name_before_it_is_refused_before_it_leaves(stage, server):
    post = stage.write("Hello", author="a" * 40)
    with pytest.raises(Rejected, match="10 characters too long"):
        server.send(reply_to(post, "x" * 468))
    assert stage.published == []


def test_what_is_answered_and_gone_is_answered_no_more(stage, server):
    post = stage.write("Hello")
    stage.delete(post.id)
    with pytest.raises(Rejected, match="not there any more"):
        server.send(reply_to(post))
    with pytest.raises(NotSent):
        stage.trouble = "down"
        server.send(reply_to(post))


@pytest.mark.parametrize(
    "text",
    [
        "It left this morning.",
        "Two lines\nand a\n\nparagraph",
        'A < B & C > "D"',
        "See https://shop.example/orders/4711/where-it-is-now-and-how-long-it-takes for more",
        "  blanks   everywhere ",
        "Thanks @mia@far.example and @ben",
    ],
)
def test_a_reply_is_found_again_however_the_server_writes_it(stage, server, text):
    post, other = stage.write("Hello"), stage.write("Hello")
    for number in range(2 * stage.page):
        stage.write(f"ours {number}", ours=True, answers=other.id)
    sent = server.send(reply_to(post, text))
    for number in range(2 * stage.page):
        stage.write(f"ours, later {number}", ours=True, answers=other.id)
    assert server.find_sent(reply_to(post, text), ago(1)).id == sent.id
    assert server.find_sent(reply_to(other, text), ago(1)) is None
    assert server.find_sent(reply_to(post, text + "!"), ago(1)) is None


def test_what_we_said_before_is_not_taken_for_the_reply_that_is_looked_for(stage, server):
    post = stage.write("Hello", ago(90))
    stage.write("Thanks", ago(60), ours=True, answers=post.id)
    assert server.find_sent(reply_to(post, "Thanks"), ago(1)) is None
    sent = server.send(reply_to(post, "Thanks"))
    assert server.find_sent(reply_to(post, "Thanks"), ago(1)).id == sent.id


def test_what_a_server_does_not_list_with_our_posts_is_found_below_what_it_answers(stage, server):
    """Not every server lists what was said to one person alone."""
    post = stage.write("Between us", kind="dm", visibility="direct")
    stage.lists_direct = False
    sent = server.send(reply_to(post))
    assert server.find_sent(reply_to(post), ago(1)).id == sent.id
    stage.delete(sent.id)
    assert server.find_sent(reply_to(post), ago(1)) is None
    stage.delete(post.id)
    assert server.find_sent(reply_to(post), ago(1)) is None


def test_a_server_that_heeds_our_key_keeps_one_post_and_one_that_does_not_is_not_relied_on(stage, server):
    post = stage.write("Hello")
    one, two = server.send(reply_to(post)), server.send(reply_to(post))
    assert one.id == two.id and len(stage.published) == 1
    assert not MastodonServer.capabilities.native_idempotency


def test_only_our_own_posts_are_deleted(stage, server):
    post = stage.write("Hello")
    with pytest.raises(NotAllowed):
        server.remove(Target(post.id))
    ours = server.send(reply_to(post))
    server.remove(Target(ours.id))
    server.remove(Target(ours.id))  # twice is once
    assert stage.published == []


def test_a_post_that_does_not_come_with_others_is_asked_for_by_itself(stage, server):
    one, two, gone = (stage.write(each) for each in ("one", "two", "gone"))
    stage.unlisted.add(two.id)
    stage.delete(gone.id)
    found = server.lookup([one.id, two.id, gone.id])
    assert [found[each.id] and found[each.id].text for each in (one, two, gone)] == ["one", "two", None]


def test_a_page_that_says_404_before_the_server_deletes_nothing_and_leaves_a_reply_waiting(stage, server, monkeypatch):
    """A server that is being moved, behind somebody else's door: nobody who knows the post has said that it is gone."""
    post = stage.write("Where is my bike?")
    known = replace(server, known=server.fetch({}).known)
    monkeypatch.setattr(stage, "answer", lambda asked: (404, b"<h1>Not Found</h1>", {"Content-Type": "text/html"}))
    with pytest.raises(NotThere):
        known.lookup([post.id])
    with pytest.raises(NotSent):
        known.send(reply_to(post))


# Connecting -----------------------------------------------------------------------------------------------------------


def test_signing_in_makes_us_known_sends_the_browser_there_and_brings_an_account(stage):
    server = MastodonServer("brand", stage.settings)
    back = "https://hub.example/channels/signed-in/"
    way = server.sign_in(back, "the-state")
    asked = {name: one for name, [one] in parse_qs(urlsplit(way.url).query).items()}
    assert way.url.startswith(f"{stage.web.url}/oauth/authorize?")
    assert (asked["state"], asked["redirect_uri"], asked["response_type"]) == ("the-state", back, "code")
    assert "write:statuses" in asked["scope"] and "client_secret" not in way.url
    server = replace(server, credentials=way.credentials)
    [account] = server.signed_in("good", back, {})
    assert account.name == "@mirabelo@mastodon.example"
    assert account.credentials["access_token"] == "canary-token"
    with pytest.raises(NotAuthorized, match="not accepted"):
        server.signed_in("used before", back, {})


def test_on_a_server_whose_tokens_end_they_are_renewed_ahead(stage):
    """Pleroma and Akkoma say when; Mastodon’s own do not end."""
    server = MastodonServer("brand", stage.settings, {"client_id": "client", "client_secret": "canary"})
    [account] = server.signed_in("good", "https://hub.example/", {})
    assert tokens.life(account.credentials) == (None, None)
    stage.ends = {"expires_in": 7_200, "refresh_token": "canary-refresh"}
    [account] = server.signed_in("good", "https://hub.example/", {})
    ends, renews = tokens.life(account.credentials)
    assert renews < ends < datetime.now(UTC) + timedelta(hours=3)
    renewed = replace(server, credentials=account.credentials).renew()
    assert renewed["access_token"] != account.credentials["access_token"] and renewed["client_id"] == "client"
    assert renewed["refresh_token"] == "canary-refresh"
    with pytest.raises(NotAuthorized):
        server.renew()


def test_a_server_that_grants_less_than_was_asked_for_is_told_apart(stage):
    server = MastodonServer("brand", stage.settings, {"client_id": "client", "client_secret": "canary"})
    answer = stage.answer

    def less(asked):
        status, said, *headers = answer(asked)
        return (status, said | {"scope": "read:accounts"}) if asked.path == "/oauth/token" else (status, said, *headers)

    stage.answer = less
    with pytest.raises(MissingScope):
        server.signed_in("good", "https://hub.example/", {})


def test_trying_the_connection_says_who_we_are_and_what_is_missing(stage, server):
    checked = server.check()
    assert checked.sentence == "Connected as @mirabelo@mastodon.example; a post may have 500 characters there."
    assert checked.missing == () and "read" in checked.granted
    answer = stage.answer
    stage.answer = lambda asked: (200, {"scopes": ["read"]}) if "/apps/verify" in asked.path else answer(asked)
    assert server.check().missing == (
        "write and delete posts (write:statuses)",
        "like posts (write:favourites)",
    )


def test_a_server_in_trouble_is_not_taken_for_a_refusal(stage, server):
    stage.trouble = "down"
    with pytest.raises(ServerFailed):
        server.check()


# What servers say, and what we understood: side by side ---------------------------------------------------------------

SITUATIONS = sorted(path.stem for path in HERE.glob("*.json"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_server_said_is_understood_as_it_stands_beside_it(stage, server, situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    stage.answer = _saying(recorded["said"], stage.answer)
    found, known = [], {}
    cursor, more = {}, True
    server = replace(server, settings=server.settings | {"backfill_days": 36_500} | recorded.get("settings", {}))
    while more:
        batch = replace(server, known=known).fetch(cursor)
        cursor, more, known = batch.cursor, batch.more, known | dict(batch.known or {})
        found += [
            normalise.as_json(each) if isinstance(each, Post) else {"unreadable": each.reason} for each in batch.posts
        ]
    assert found == recorded["understood"]


def _saying(said, otherwise):
    """Answer these paths as recorded, once each; lists are empty afterwards."""
    left = {path: [*pages] for path, pages in said.items()}

    def answer(asked):
        if asked.path in left:
            return 200, left[asked.path].pop(0) if left[asked.path] else []
        return otherwise(asked)

    return answer


# Recordings of real servers -------------------------------------------------------------------------------------------


def recorded():
    """The exchanges in every recording that is there: (file, method, path with query, status, headers, body)."""
    for file in sorted(REAL.rglob("*.yaml")):
        for each in yaml.load(file.read_text(), Loader=yaml.CSafeLoader)["interactions"]:
            headers = {name.lower(): value[0] for name, value in each["response"]["headers"].items()}
            body = each["response"]["body"]["string"]
            body = body.encode() if isinstance(body, str) else body
            uri = urlsplit(each["request"]["uri"])
            yield (
                file.stem,
                each["request"]["method"],
                uri.path,
                uri.query,
                each["response"]["status"]["code"],
                headers,
                body,
            )


@pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/mastodon")
def test_what_real_servers_said_is_read_by_the_real_library(server, monkeypatch):
    """Every list of notifications and posts in the recordings goes through Mastodon.py and comes out as posts."""
    posts, kinds, seen = [], Counter(), 0
    me = {"id": "117020565966271181", "domain": "mastodon.social"}
    for _, method, path, _, status, headers, body in recorded():
        if method != "GET" or status != 200 or not _is_list_of_posts(path):
            continue
        headers = {name: value for name, value in headers.items() if name not in ("content-encoding", "content-length")}
        answer = http.Answer(200, http.httpx.Headers(headers), body, "https://mastodon.social" + path)
        monkeypatch.setattr(http, "exchange", lambda *asked, answer=answer, **more: answer)
        said = json.loads(body)
        page, _ = _list_for(server, path)._page()
        listed = said["statuses"] if isinstance(said, dict) else said
        seen += sum(
            each.get("status") is not None and each["type"] in statuses.TOLD if "type" in each else 1 for each in listed
        )
        read = statuses.posts_in(page, me)
        posts += read
        kinds.update(each.kind for each in read if isinstance(each, Post))
    assert len(posts) == seen > 100
    assert all(isinstance(each, Post) for each in posts), [each for each in posts if not isinstance(each, Post)][:1]
    assert kinds["dm"] and kinds["post"] and kinds["mention"], kinds
    assert {each.direction for each in posts} == {"in", "out"}
    assert all(each.author and "@" in each.author.id and each.global_id.startswith("http") for each in posts)
    assert not any("<p>" in each.text or "</" in each.text for each in posts)


def _is_list_of_posts(path):
    return path in ("/api/v1/notifications", "/api/v2/search") or path.endswith("/statuses") or "/timelines/" in path


def _list_for(server, path):
    way = server._server
    if path.endswith("/notifications"):
        return way.notifications()
    if path.endswith("/search"):
        return way.found("words")
    return way.tagged("hoot") if "/timelines/" in path else way.statuses_of("1")


@pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/mastodon")
def test_real_posts_one_by_one_and_as_they_were_edited(server):
    read = [
        statuses.as_post(json.loads(body), {"id": "0", "domain": "mastodon.social"})
        for _, method, path, _, status, _, body in recorded()
        if method in ("GET", "POST", "PUT") and status == 200 and _is_one_post(path)
    ]
    read = [each for each in read if isinstance(each, Post)]
    assert len(read) > 30
    assert any(each.edited_at for each in read) and any(each.media for each in read)


def _is_one_post(path):
    parts = path.strip("/").split("/")
    return parts[:3] == ["api", "v1", "statuses"] and len(parts) in (3, 4)
