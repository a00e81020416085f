"""What is special to Bluesky; what every network keeps is asked in `test_networks.py`."""

import json
import os
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from connectors import normalise, tokens
from connectors.contract import Outgoing, Post, Target
from connectors.cursors import Walk
from connectors.dialects import atproto, xrpc
from connectors.errors import (
    ConnectorError,
    MaybeSent,
    Misconfigured,
    NotAllowed,
    NotAuthorized,
    NotConnected,
    NotSent,
    RateLimited,
    Rejected,
)
from connectors.models import Channel
from connectors.networks.bluesky import Bluesky
from inbox.models import Message
from tests.connectors.bluesky.stage import GATE, POST, US, cid
from tests.connectors.visits import on_stage, open_channel, read_all, told, visit

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "bluesky"
#: As https://atproto.com/specs/tid says.
KEY_FORM = re.compile("[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("bluesky") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def account(stage):
    """A connector with a session, as a channel has one after its first visit."""
    connector = Bluesky("brand", stage.settings, stage.credentials)
    return replace(connector, credentials=connector.renew())


def ago(minutes):
    return datetime.now(UTC) - minutes * MINUTE


def reply_to(post, text="It left this morning.", **more):
    return Outgoing(text, post.id, KEY, **more)


def asked_for(stage, method):
    return [each for each in stage.asked if each.path.endswith(method)]


# The session ----------------------------------------------------------------------------------------------------------


def test_a_password_is_exchanged_once_and_not_at_every_visit(stage, channel):
    """An account may sign in 300 times a day: a visit every five minutes would use that up."""
    assert channel.renew_at <= timezone.now(), "it is exchanged before anything is asked"
    for _ in range(4):
        assert visit(channel).outcome == "ok"
    assert (stage.opened, stage.refreshed) == (1, 0)
    assert channel.renew_at > timezone.now() + timedelta(hours=1)


def test_a_session_that_ends_soon_is_renewed_by_itself_and_the_password_stays_at_home(stage, channel):
    visit(channel)
    Channel.objects.update(renew_at=timezone.now())
    channel.refresh_from_db()
    assert visit(channel).outcome == "ok"
    assert (stage.opened, stage.refreshed) == (1, 1)


def test_when_the_session_is_over_the_password_opens_another(stage, channel):
    visit(channel)
    stage.refreshed = 7  # what we hold is good no more, and can not be renewed
    assert visit(channel).outcome == "ok"
    assert stage.opened == 2


def test_a_password_that_is_not_accepted_is_not_tried_every_minute(stage, channel):
    stage.password = "canary-another"
    assert visit(channel).outcome == "failed"
    assert channel.state == "needs_login"
    Channel.objects.update(renew_at=timezone.now() - MINUTE)
    for _ in range(3):
        tokens.renew_all(Channel.objects.to_renew(timezone.now()))
    assert len(asked_for(stage, "createSession")) == 2


def test_signing_in_too_often_is_a_limit_and_no_lost_login(stage, channel):
    stage.trouble = "limited"
    assert visit(channel).outcome == "failed"
    assert (channel.state, channel.next_poll_at > timezone.now() + MINUTE) == ("listening", True)


def test_without_a_password_or_a_handle_nobody_is_asked(stage):
    with pytest.raises(NotConnected):
        Bluesky("brand", stage.settings, {}).fetch({})
    with pytest.raises(Misconfigured, match="a name with a dot"):
        Bluesky("brand", stage.settings | {"handle": "mirabelo"}, stage.credentials).fetch({})
    assert stage.asked == []


def test_with_another_handle_or_server_a_session_is_good_no_more(stage, channel):
    """Else the channel would go on as the account before, or show its session to another server."""
    visit(channel)
    stage.asked.clear()
    channel.settings = channel.settings | {"handle": "other.example"}
    channel.save()
    assert visit(channel).outcome == "failed"
    assert channel.state == "needs_login"
    assert [each.path for each in stage.asked] == ["/xrpc/com.atproto.server.createSession"]
    assert stage.asked[0].json["identifier"] == "other.example"


@pytest.mark.parametrize("claims", [{"iat": 5, "exp": 7205}, {}, {"iat": "x", "exp": 1}, {"iat": 9, "exp": 3}])
def test_how_long_a_session_is_good_it_says_itself_or_an_hour(claims, monkeypatch):
    monkeypatch.setattr(xrpc, "claims", lambda token: claims)
    assert xrpc.lasts("token") == (7_200 if claims.get("exp") == 7205 else 3_600)


def test_a_password_that_wants_a_code_by_mail_is_the_wrong_kind(stage):
    stage.answer = lambda asked: (401, {"error": "AuthFactorTokenRequired", "message": "A sign in code was sent"})
    with pytest.raises(NotAuthorized):
        Bluesky("brand", stage.settings, stage.credentials).check()


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [("", "https://oyster.host.example"), ("https://pds.example", "https://pds.example")],
)
def test_bluesky_says_on_which_of_its_servers_an_account_lies_and_nobody_else_sends_us_away(base_url, asked):
    settings = {"base_url": base_url, "handle": "mirabelo.example"}
    whose = f"mirabelo.example {base_url or 'https://bsky.social'}"
    kept = {"access_token": "canary", "did": US, "pds": "https://oyster.host.example", "of": whose}
    assert Bluesky("brand", settings, kept)._line().server == asked


@pytest.mark.parametrize("endpoint", ["http://10.0.0.1", "javascript:alert(1)", None, 7])
def test_a_server_that_is_none_of_the_web_is_not_believed(endpoint):
    assert xrpc.home_of({"didDoc": {"service": [{"id": "#atproto_pds", "serviceEndpoint": endpoint}]}}) == ""


def test_trying_the_connection_warns_of_the_accounts_own_password(stage, account, monkeypatch):
    assert account.check().sentence == "Connected as @mirabelo.example."
    monkeypatch.setattr(xrpc, "claims", lambda token: {"scope": "com.atproto.access"})
    assert "an app password can do less harm" in account.check().sentence


# Reading --------------------------------------------------------------------------------------------------------------


def test_likes_and_followers_are_nobodys_words(stage, channel):
    stage.reasons[stage.write("liked", ago(2)).id] = "like"
    stage.write("said", ago(1))
    read_all(channel)
    assert told() == Counter(["said"])


def test_more_posts_of_one_moment_than_a_page_holds_are_all_read(stage, channel):
    at = ago(1).replace(microsecond=123_000)
    stage.write("before", ago(3))
    said = [stage.write(f"at once {number}", at).text for number in range(stage.page - 1)]
    said += [stage.write("a little earlier", at - timedelta(milliseconds=1)).text, stage.write("and again", at).text]
    read_all(channel)
    assert told() == Counter(["before", *said])


def test_what_is_deleted_leaves_a_tombstone_and_what_is_only_hidden_from_us_stays(stage, channel):
    gone, hidden, there = (stage.write(each, ago(3)) for each in ("gone", "hidden", "there"))
    read_all(channel)
    stage.delete(gone.id)
    stage.hidden_from_us.add(hidden.id)
    read_all(channel)
    assert {each.text for each in Message.objects.filter(deleted_at=None)} == {"hidden", "there"}
    assert Message.objects.exclude(deleted_at=None).get().external_id == gone.id
    assert channel.connector().lookup([gone.id, hidden.id, there.id]).keys() == {gone.id, there.id}


def test_where_all_that_we_knew_was_deleted_nothing_is_missing(stage, channel):
    old = stage.write("old", ago(10))
    read_all(channel)
    stage.delete(old.id)
    stage.write("new")
    assert [run.gap for run in read_all(channel)] == [""]
    assert told() == Counter(["new"])


def test_a_walk_that_finds_no_end_says_what_it_left_out(stage, channel, monkeypatch):
    stage.write("first", ago(30))
    read_all(channel)
    monkeypatch.setattr("connectors.networks.bluesky.Walk", partial(Walk, deepest=2))
    for number in range(4 * stage.page):
        stage.write(f"many {number}", ago(10) + number * timedelta(seconds=1))
    [gap] = [run for run in read_all(channel) if run.gap]
    assert gap.gap_since < gap.gap_until and "may be missing" in gap.gap
    assert sum(told().values()) == 2 * stage.page, "the last of a page is read again, for what has its very time"


def test_somebody_who_answers_on_bluesky_itself_has_answered(stage, channel):
    post = stage.write("Where is my order?", ago(5))
    stage.write("On its way", ago(4), ours=True, author="mirabelo", answers=post.id)
    read_all(channel)
    assert told("out") == Counter(["On its way"])


def test_what_an_author_does_not_let_us_answer_says_so(stage, channel):
    stage.gated.add(stage.write("Only friends may answer").id)
    read_all(channel)
    assert Message.objects.get().reply_closed == atproto.CLOSED


def test_who_wrote_is_known_by_an_id_that_stays_and_with_followers(stage, account):
    stage.write("Hello", ago(1))
    [post] = account.fetch({}).posts
    assert (post.author.id, post.author.handle, post.author.followers) == ("did:plc:ana", "@ana.example", 120)
    assert post.url == f"https://bsky.app/profile/did:plc:ana/post/{post.id.rpartition('/')[2]}"


def test_nobodys_badge_is_cleared(stage, channel):
    stage.write("Hello")
    read_all(channel)
    assert not asked_for(stage, "updateSeen")


@pytest.mark.parametrize("wrote", ["1900-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday", None, 5])
def test_a_time_that_can_not_be_is_not_believed(wrote):
    view = {"indexedAt": "2026-11-20T11:00:00.000Z", "record": {"createdAt": wrote}}
    assert atproto.listed_at(view) == NOW - timedelta(hours=1)


def test_a_link_that_was_cut_for_the_eye_is_read_as_it_leads():
    text = "🚲 see shop.example/orders/47… and shop.example"
    start = len("🚲 see ".encode())
    link = {"index": {"byteStart": start, "byteEnd": start + len("shop.example/orders/47…".encode())}}
    link["features"] = [{"$type": "app.bsky.richtext.facet#link", "uri": "https://shop.example/orders/4711"}]
    assert atproto.whole(text, [link]) == "🚲 see https://shop.example/orders/4711 and shop.example"
    assert atproto.whole(text, None) == text


def test_words_that_can_not_be_searched_for_have_to_be_corrected(stage, house):
    channel = open_channel(stage, "words", query='"')
    stage.answer = _refusing(stage.answer, "searchPosts", {"error": "BadQueryString", "message": "Unbalanced quotes"})
    assert visit(channel).outcome == "failed"
    assert (channel.state, "Unbalanced quotes" in channel.state_reason) == ("broken", True)


def _refusing(answer, method, said):
    return lambda asked: (400, said) if asked.path.endswith(method) else answer(asked)


# Writing --------------------------------------------------------------------------------------------------------------


def test_a_reply_has_a_key_of_its_own_so_that_writing_it_again_is_writing_it_once(stage, account):
    post = stage.write("Hello")
    one, two = account.send(reply_to(post)), account.send(reply_to(post))
    assert one == two and one.id == f"at://{US}/{POST}/{atproto.key_of(KEY)}"
    assert len(stage.published) == 1 and len(asked_for(stage, "putRecord")) == 1


def test_a_reply_whose_line_broke_is_found_by_its_key_even_when_its_text_stands_there_twice(stage, account):
    post, other = stage.write("Hello"), stage.write("Hello")
    account.send(replace(reply_to(other), client_key="another"))
    stage.trouble = "accepts and hangs up"
    with pytest.raises(MaybeSent):
        account.send(reply_to(post))
    stage.trouble = ""
    assert account.find_sent(reply_to(post), ago(1)).id.endswith(atproto.key_of(KEY))
    assert account.find_sent(replace(reply_to(post), client_key="a third"), ago(1)) is None


def test_keys_are_those_of_the_protocol_differ_and_never_lie_ahead():
    assert atproto.key_of(KEY) == atproto.key_of(KEY) != atproto.key_of(KEY + "x")
    keys = [atproto.key_of(f"reply {number}") for number in range(2_000)]
    assert len(set(keys)) == 2_000
    earliest, now = (atproto.written(int(at.timestamp() * 1e6) << 10) for at in (datetime(2023, 7, 1, tzinfo=UTC), NOW))
    assert all(KEY_FORM.fullmatch(each) and earliest <= each < now for each in keys)
    assert sorted(map(atproto.written, range(5_000))) == [*map(atproto.written, range(5_000))]


def test_a_reply_names_what_it_answers_and_where_the_thread_began(stage, account):
    first = stage.write("First")
    second = stage.write("Second", kind="reply", answers=first.id)
    account.send(reply_to(second))
    [asked] = asked_for(stage, "putRecord")
    named = asked.json["record"]["reply"]
    assert named["parent"] == {"uri": second.id, "cid": cid(stage.posts[second.id])}
    assert named["root"] == {"uri": first.id, "cid": cid(stage.posts[first.id])}


def test_links_names_and_tags_are_marked_by_bytes(stage, account):
    text = "✨ example mentioning @ana.example to share the URL 👨‍❤️‍👨 https://en.wikipedia.org/wiki/CBOR. #bikes"
    account.send(reply_to(stage.write("Hello"), text))
    marked = asked_for(stage, "putRecord")[0].json["record"]["facets"]
    said = {each["features"][0]["$type"].partition("#")[2]: each for each in marked}
    index = {kind: (each["index"]["byteStart"], each["index"]["byteEnd"]) for kind, each in said.items()}
    # The first two as in the documents of Bluesky, “Mentions and links”, with a shorter name.
    assert index == {"mention": (23, 35), "link": (74, 108), "tag": (110, 116)}
    assert said["mention"]["features"][0]["did"] == "did:plc:ana"
    assert said["link"]["features"][0]["uri"] == "https://en.wikipedia.org/wiki/CBOR"
    assert said["tag"]["features"][0]["tag"] == "bikes"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("see (https://a.example/x).", ["https://a.example/x"]),
        ("https://a.example/x_(y)", ["https://a.example/x_(y)"]),
        ("HTTPS://A.EXAMPLE, and mail@ana.example", ["HTTPS://A.EXAMPLE"]),
        ("@nobody.example and @ana", []),
        ("(@ana.example)", ["@ana.example"]),
        ("@ana.example.", ["@ana.example"]),
        ("#1 #ok #größe #ｅ-bike a#no", ["#ok", "#größe", "#ｅ-bike"]),
        ("#" + "x" * 65, []),
        ("nothing", []),
    ],
)
def test_what_is_marked_and_what_stays_text(text, marked):
    found = atproto.facets(text, lambda name: "did:plc:ana" if name == "ana.example" else "")
    assert [text.encode()[each["index"]["byteStart"] : each["index"]["byteEnd"]].decode() for each in found] == marked


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_a_server_that_repeats_our_session_or_password_is_not_quoted_with_it(stage, account, status):
    post, secrets = stage.write("Hello"), f"{stage.access} {stage.password}"
    stage.answer = lambda asked: (status, {"error": "Odd", "message": f"bad {secrets}"})
    for ask in (lambda: account.send(reply_to(post)), lambda: account.fetch({}), account.renew):
        with pytest.raises(ConnectorError) as told:
            ask()
        assert stage.access not in repr(told.value) and "bad" in told.value.detail


def test_whom_we_may_not_answer_and_what_is_gone_is_not_answered(stage, account):
    gated, gone = stage.write("Only friends"), stage.write("gone")
    stage.gated.add(gated.id)
    stage.delete(gone.id)
    with pytest.raises(NotAllowed):
        account.send(reply_to(gated))
    with pytest.raises(Rejected, match="not there any more"):
        account.send(reply_to(gone))
    assert asked_for(stage, "putRecord") == []


def test_nothing_private_goes_out_in_public(stage, account):
    post = stage.write("Hello")
    for reply in (reply_to(post, private=True), reply_to(post, to=Target(post.id, "dm", "direct"))):
        with pytest.raises(NotAllowed):
            account.send(reply)
    assert stage.asked[-1].path.endswith("createSession")


def test_a_network_that_finds_it_too_long_says_so(stage, account):
    with pytest.raises(Rejected, match="must not be longer"):
        account.send(reply_to(stage.write("Hello"), "x" * 301))


def test_a_session_that_can_not_be_opened_leaves_a_reply_unsent(stage):
    account = Bluesky("brand", stage.settings, stage.credentials)
    post, stage.trouble = stage.write("Hello"), "down"
    with pytest.raises(NotSent):
        account.send(reply_to(post))
    stage.trouble = "limited"
    with pytest.raises(RateLimited):
        account.send(reply_to(post))


def test_hiding_leaves_alone_who_may_answer_and_reaches_our_own_threads_only(stage, account):
    one, two = (stage.write(each, kind="reply") for each in ("one", "two"))
    for post in (one, two):
        account.hide(Target(post.id))
    gate = f"at://{US}/{GATE}/{atproto.written(1 << 20)}"
    stage.records[gate]["allow"] = [{"$type": f"{GATE}#mentionRule"}]
    account.hide(Target(one.id), hidden=False)
    assert stage.records[gate]["hiddenReplies"] == [two.id] and len(stage.records[gate]["allow"]) == 1
    with pytest.raises(NotAllowed, match="in our own threads"):
        account.hide(Target(stage.write("a mention").id))


def test_what_somebody_changed_at_the_same_moment_is_not_written_over(stage, account):
    one, two = (stage.write(each, kind="reply") for each in ("one", "two"))
    account.hide(Target(one.id))
    answer = stage.answer

    def meanwhile(asked):
        if asked.path.endswith("putRecord"):
            stage.records[next(iter(stage.records))]["allow"] = []
        return answer(asked)

    stage.answer = meanwhile
    with pytest.raises(NotSent):
        account.hide(Target(two.id))
    stage.answer = answer
    account.hide(Target(two.id))
    assert [post.hidden for post in stage.posts.values()] == [True, True]


def test_only_our_own_posts_are_deleted(stage, account):
    post = stage.write("Hello")
    with pytest.raises(NotAllowed):
        account.remove(Target(post.id))
    ours = account.send(reply_to(post))
    account.remove(Target(ours.id))
    account.remove(Target(ours.id))
    assert stage.published == [] and post.id in stage.posts


# What servers say, and what we understood: side by side ---------------------------------------------------------------

SITUATIONS = sorted(path.stem for path in HERE.glob("*.json"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_server_said_is_understood_as_it_stands_beside_it(stage, account, situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    otherwise = stage.answer
    said = {name: [*pages] for name, pages in recorded["said"].items()}

    def answer(asked):
        pages = said.get(asked.path.removeprefix("/xrpc/"), [])
        return (200, pages.pop(0)) if pages else otherwise(asked)

    stage.answer = answer
    account = replace(account, settings=account.settings | {"backfill_days": 36_500} | recorded.get("settings", {}))
    batch = account.fetch({})
    found = [normalise.as_json(each) if isinstance(each, Post) else {"unreadable": each.reason} for each in batch.posts]
    assert found == recorded["understood"]


# What nobody here wrote -----------------------------------------------------------------------------------------------

real = pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/bluesky")


def lines(name):
    """The examples in one of the protocol's own lists."""
    file = REAL / "interop" / f"{name}.txt"
    return [line for line in file.read_text().split("\n") if line.strip() and not line.startswith("#")]


@real
def test_our_keys_names_addresses_and_times_are_those_of_the_protocol():
    assert all(map(KEY_FORM.fullmatch, lines("tid_syntax_valid")))
    assert not any(map(KEY_FORM.fullmatch, lines("tid_syntax_invalid")))
    assert all(map(atproto.is_handle, lines("handle_syntax_valid")))
    assert not any(map(atproto.is_handle, lines("handle_syntax_invalid")))
    # Without a record, or with a handle in place of an id, an address names no post.
    records = [each for each in lines("aturi_syntax_valid") if each.count("/") == 4 and each.startswith("at://did:")]
    assert len(records) > 10 and all(map(atproto.parts_of, records))
    assert not any(map(atproto.parts_of, (each for each in lines("aturi_syntax_invalid") if not _is_only_long(each))))
    assert all(map(atproto.moment, lines("datetime_syntax_valid")))
    assert not any(map(atproto.moment, lines("datetime_parse_invalid")))


def _is_only_long(address):
    """We do not measure what the network measures anyway."""
    return len(address) > 512


def snapshots():
    """Every list of notifications, feed items and posts that a real AppView gave, as JSON."""
    for file in sorted((REAL / "snapshots").glob("*.snap")):
        for text in re.findall(r"^exports\[`[^`]*`\] = `\n(.*?)\n`;$", file.read_text(), re.DOTALL | re.MULTILINE):
            said = json.loads(re.sub(r",(\s*[}\]])", r"\1", text.replace("\\\\", "\\")))
            named = ("posts", "feed", "notifications")
            lists = [said.get(each) for each in named] if isinstance(said, dict) else [said]
            yield from (each for listed in lists for each in listed or ())


@real
def test_what_a_real_appview_said_is_understood():
    kinds, read = Counter(), []
    for each in snapshots():
        view = each.get("post", each)
        if view.get("record", {}).get("$type") != POST:
            continue
        reason = each.get("reason") if isinstance(each.get("reason"), str) else ""
        post = atproto.as_post(view, "user(9)", {}, reason=reason)
        assert isinstance(post, Post), (post.reason, view)
        kinds[post.kind] += 1
        read.append(post)
    assert len(read) > 70 and {"mention", "reply", "post"} <= kinds.keys(), kinds
    assert any(each.media for each in read) and any(each.author.name != each.author.handle for each in read)


@real
def test_real_records_are_understood_whatever_else_stands_in_them():
    for name in ("extended_post_record", "custom_record", "feed_record", "extended_like_record"):
        said = json.loads((REAL / f"{name}.json").read_text())
        view = {**said, "record": said.get("value"), "author": {"did": "did:plc:x", "handle": "x.example"}}
        post = atproto.as_post(view | {"indexedAt": "2026-11-20T11:00:00Z"}, US, {})
        assert isinstance(post, Post) == ("text" in said["value"]), name
