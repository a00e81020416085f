"""What is special to Facebook Pages; what every network keeps is asked in `test_networks.py`."""

import hmac
import json
import os
import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import actions as channels
from connectors import deliveries, http
from connectors.contract import Outgoing, Post, Target, Unreadable
from connectors.dialects import graph, refusals
from connectors.errors import (
    ConnectorError,
    DuplicateContent,
    Forged,
    MakesNoSense,
    MaybeSent,
    Misconfigured,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    RateLimited,
    Rejected,
    WindowClosed,
)
from connectors.networks.facebook import Facebook
from tests.connectors import played
from tests.connectors.facebook.stage import APP, OURS, PAGE, SCOPES, error
from tests.connectors.test_strange_answers import STRANGE, changed, places
from tests.connectors.visits import on_stage, open_channel, read_all, told

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "facebook"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
BACK = "https://hub.example.com/channels/signed-in/"
V = f"/{graph.VERSION}"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("facebook") as stage:
        yield stage


@pytest.fixture
def brand(stage):
    """Our Page's connector."""
    return Facebook("brand", stage.settings, stage.credentials)


def ago(of):
    return datetime.now(UTC) - of


def answer(post, text="It left this morning.", **facts):
    return Outgoing(text, post.id, KEY, to=Target(post.id, kind=post.kind, author=post.author), **facts)


def everything(connector):
    cursor, posts, more = {}, [], True
    while more:
        batch = connector.fetch(cursor)
        posts, cursor, more = [*posts, *batch.posts], batch.cursor, batch.more
    return posts, cursor


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_facebook_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("facebook", recorded) == recorded["understood"]


# Reading --------------------------------------------------------------------------------------------------------------


def test_a_comment_of_today_below_a_post_of_last_month_is_found_and_the_post_is_none(stage, brand):
    stage.write("Still to be had?")
    [found] = everything(brand)[0]
    assert (found.text, found.thread) == ("Still to be had?", f"{PAGE}_{OURS}")
    quick = replace(brand, settings=brand.settings | {"watch_days": 1, "backfill_days": 1})
    assert [each.text for each in everything(quick)[0]] == ["Still to be had?"]


def test_a_comment_that_takes_no_answer_says_so(stage, brand):
    stage.closed.add(stage.write("Closed").id)
    stage.write("Open")
    said = {each.text: each.reply_closed for each in everything(brand)[0]}
    assert said == {"Closed": "Facebook takes no answer to this comment.", "Open": ""}


def test_a_message_says_until_when_it_can_be_answered(stage, brand):
    at = ago(3 * MINUTE).replace(microsecond=0)
    stage.write("Where is my bike?", at, kind="dm", visibility="direct")
    [message] = everything(brand)[0]
    assert (message.reply_until, message.thread) == (at + DAY, "dm:ana")


def test_a_talk_with_more_messages_than_facebook_tells_is_a_gap(stage, house):
    channel = open_channel(stage)
    read_all(channel)
    for number in range(23):
        stage.write(f"line {number}", ago((60 - number) * timedelta(seconds=1)), kind="dm")
    runs = read_all(channel)
    assert sum(told().values()) == 20
    assert [run.gap.split(",")[0] for run in runs if run.gap] == ["A talk has had more messages than the newest 20"]


def test_when_facebook_fails_because_it_is_too_much_it_is_asked_for_less(stage, brand):
    stage.write("Hello")
    stage.ahead = ["down"]
    assert [each.text for each in everything(brand)[0]] == ["Hello"]
    limits = [each.query["limit"] for each in stage.asked if each.path.endswith("/feed")]
    assert limits == ["25", "5"]


def test_no_link_with_our_token_in_it_is_kept(stage, brand):
    for number in range(12):
        stage.write(f"post {number}", ago(number * MINUTE), kind="post")
    cursor = brand.fetch({}).cursor
    assert set(cursor["walk"]["steps"][0]["place"]) == {"until", "__paging_token"}
    assert "canary" not in json.dumps(cursor)
    assert len(everything(brand)[0]) == 12


def test_the_page_is_asked_for_once_where_it_was_not_told(stage, brand):
    nameless = replace(brand, settings={name: each for name, each in brand.settings.items() if name != "page"})
    known = nameless.fetch({}).known
    assert known["page"] == PAGE
    stage.asked.clear()
    assert replace(nameless, known=known).fetch({}).known is None
    assert not any(each.path.endswith("/me") for each in stage.asked)


def test_what_facebook_still_lets_us_ask_is_told(stage, brand):
    stage.used = {"call_count": 40, "total_time": 65, "total_cputime": 12}
    assert brand.fetch({}).limits.remaining == 35


def test_a_part_that_is_not_wanted_is_not_asked_for(stage, brand):
    shy = replace(brand, settings=brand.settings | {"read_messages": False, "read_reviews": False})
    everything(shy)
    assert {each.path.rpartition("/")[2] for each in stage.asked} == {"feed", "tagged"}


def test_what_may_not_be_read_is_told_in_the_admins_words(stage, brand):
    stage.trouble = "scope"
    with pytest.raises(MissingScope, match="may not read comments, visitors’ posts and reviews"):
        brand.fetch({})


# What is gone, and what is hidden from us -----------------------------------------------------------------------------


def test_facebook_is_believed_that_a_comment_is_gone_only_with_all_that_it_takes_to_see_it(stage, brand):
    gone = stage.write("Never mind")
    stage.delete(gone.id)
    assert brand.lookup([gone.id]) == {gone.id: None}
    stage.scopes = SCOPES[:-1]
    assert replace(brand).lookup([gone.id]) == {}
    appless = {name: each for name, each in brand.settings.items() if name != "app_id"}
    assert replace(brand, settings=appless).lookup([gone.id]) == {}


def test_a_tag_on_a_page_that_we_can_not_see_is_not_called_gone(stage, brand):
    tag = stage.write("Look at @mirabelo", kind="mention")
    stage.delete(tag.id)
    assert brand.lookup([tag.id]) == {}


def test_reviews_stand_nowhere_but_in_their_list(stage, brand):
    assert brand.lookup([stage.write("Fine", kind="review").id]) == {}


def test_what_is_deleted_twice_is_deleted_once(stage, brand):
    post = stage.write("Spam")
    brand.remove(Target(post.id, "comment"))
    brand.remove(Target(post.id, "comment"))
    assert stage.posts == {}
    stage.scopes = SCOPES[:-1]
    with pytest.raises(Rejected, match="not there any more"):
        replace(brand).remove(Target(post.id, "comment"))


# Writing --------------------------------------------------------------------------------------------------------------


def test_an_answer_to_an_answer_stands_beside_it_and_is_found_there(stage, brand):
    top = stage.write("Where is my bike?")
    inner = stage.write("Mine too", answers=top.id)
    began = ago(timedelta(seconds=2))
    sent = brand.send(answer(inner))
    assert brand.find_sent(answer(inner), began).id == sent.id
    assert brand.find_sent(answer(inner, "Something else"), began) is None
    assert brand.find_sent(answer(inner), ago(-MINUTE)) is None, "it was said before"


def test_the_same_words_below_another_comment_are_not_taken_for_ours(stage, brand):
    one, other = stage.write("Where is my bike?"), stage.write("And mine?")
    brand.send(answer(one))
    assert brand.find_sent(answer(other), ago(MINUTE)) is None
    post = stage.write("Your shop was closed", kind="post")
    below = stage.write("It was", answers=post.id)
    brand.send(answer(below))
    assert brand.find_sent(answer(post), ago(MINUTE)) is None
    sent = brand.send(answer(post))
    assert brand.find_sent(answer(post), ago(MINUTE)).id == sent.id


def test_a_private_answer_goes_to_who_wrote_a_comment_or_a_post_and_to_nobody_else(stage, brand):
    for kind in ("comment", "post"):
        post = stage.write("Where is my bike?", kind=kind)
        began = ago(timedelta(seconds=2))
        sent = brand.send(answer(post, f"About your {kind}", private=True))
        assert brand.find_sent(answer(post, f"About your {kind}", private=True), began).id == sent.id
    for kind in ("review", "mention"):
        with pytest.raises(NotAllowed, match="in private only comments and posts"):
            brand.send(answer(stage.write("Hm", kind=kind), private=True))
    assert {each.visibility for each in stage.published} == {"direct"}


@pytest.mark.parametrize("to", [None, Target("m_1", kind="dm"), Target("m_1", visibility="direct", author="ana")])
def test_what_was_said_in_private_never_gets_an_answer_in_public(stage, brand, to):
    message = stage.write("Between us", kind="dm", visibility="direct")
    brand.send(Outgoing("Only for you", message.id, KEY, to=replace(to, id=message.id) if to else None))
    assert [(each.text, each.visibility) for each in stage.published] == [("Only for you", "direct")]


def test_a_message_of_nobody_whom_we_know_is_not_answered_at_all(stage, brand):
    message = stage.write("Between us", kind="dm", author="")
    with pytest.raises(NotAllowed, match="does not say who wrote"):
        brand.send(Outgoing("Only for you", message.id, KEY))
    with pytest.raises(Rejected, match="not there any more"):
        brand.send(Outgoing("Only for you", "m_404", KEY))
    assert stage.published == []


def test_a_message_is_shorter_than_a_comment(stage, brand):
    comment, message = stage.write("Hello"), stage.write("Hello", kind="dm")
    brand.send(answer(comment, "x" * 8_000))
    for reply in (answer(message, "x" * 2_001), answer(comment, "x" * 2_001, private=True)):
        with pytest.raises(Rejected, match="1 characters too long .* 2,000"):
            brand.send(reply)
    assert len(stage.published) == 1


@pytest.mark.parametrize(
    ("code", "subcode", "kind", "sentence"),
    [
        (10, 2018278, WindowClosed, "more than 24 hours"),
        (10, 2018108, NotAllowed, "takes no messages"),
        (551, 1545041, NotAllowed, "takes no messages"),
        (10, 1893063, NotAllowed, "does not let this Page send"),
        (10900, 0, NotAllowed, "answered privately before"),
        (10903, 0, NotAllowed, "does not allow a private answer"),
        (506, 0, DuplicateContent, "the same as one before"),
        (368, 0, NotAllowed, "breach of its rules"),
        (190, 460, NotAuthorized, "changed their password"),
        (200, 0, MissingScope, "pages_manage_engagement"),
        (613, 0, RateLimited, "asks us to wait"),
        (100, 33, Rejected, "not there any more"),
        (100, 0, Rejected, "canary"),
        (1, 0, MaybeSent, "answered 400"),
        (2, 0, MaybeSent, "answered 400"),
    ],
)
def test_a_refusal_is_told_as_what_it_is_and_doubted_only_where_it_says_nothing(
    stage, brand, code, subcode, kind, sentence
):
    post = stage.write("Hello")
    stage.refuses = 400, error(code, "(#1) Requires pages_manage_engagement permission, not a canary", subcode)
    if code == 100:
        stage.refuses = 400, error(code, "The parameter canary is wrong", subcode)
    with pytest.raises(kind, match=sentence) as refused:
        brand.send(answer(post))
    assert type(refused.value) is kind and stage.published == []


def test_nothing_that_is_not_there_to_be_liked_or_hidden_is_tried(stage, brand):
    for attempt, target in (
        (brand.like, Target("m_1", "dm")),
        (brand.remove, Target("m_1", "dm")),
        (brand.hide, Target(f"{PAGE}_1", "post")),
    ):
        with pytest.raises(NotAllowed):
            attempt(target)
    assert stage.asked == []


# Deliveries -----------------------------------------------------------------------------------------------------------


def a_change(field="feed", at=1_764_000_000, page=PAGE, **value):
    entry = {"id": page, "time": at, "changes": [{"field": field, "value": value}]}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


COMMENTED = {"item": "comment", "comment_id": "900_1", "post_id": f"{PAGE}_900", "parent_id": f"{PAGE}_900"}
COMMENTED |= {"from": {"id": "6001", "name": "Ana"}, "created_time": 1_763_990_000, "message": "Hello"}


def test_one_delivery_may_hold_much_and_each_of_it_is_what_it_is(stage, brand):
    comment, message = stage.write("Hello"), stage.write("Between us", kind="dm", visibility="direct")
    review, tag = stage.write("Fine", kind="review"), stage.write("Look", kind="mention")
    found = list(brand.posts_in(stage.deliver(comment, message, review, tag).body))
    assert [each.kind for each in found] == ["comment", "dm", "review", "mention"]
    assert [each.author.id for each in found] == ["ana"] * 4
    assert found[0].in_reply_to == found[0].thread == f"{PAGE}_{OURS}"
    assert found[2].title == "Recommends the Page"
    read = {each.global_id for each in everything(brand)[0]}
    assert {each.global_id for each in found} == read, "read and delivered they are the same"


def test_an_edit_says_when_it_was_and_a_deletion_says_nothing_more(brand):
    [edited] = brand.posts_in(a_change(**COMMENTED, verb="edited"))
    assert (edited.text, edited.edited_at.timestamp()) == ("Hello", 1_764_000_000)
    [gone] = brand.posts_in(a_change(**COMMENTED, verb="remove"))
    assert (gone.deleted, gone.text, gone.author, gone.id) == (True, "", None, edited.id)


def test_what_we_do_on_facebook_itself_comes_back_as_ours(stage, brand):
    said = stage.write("Between us", kind="dm", visibility="direct")
    stage.to[said.id] = "ana"
    echo = replace(said, ours=True)
    [ours] = brand.posts_in(stage.deliver(echo).body)
    assert (ours.direction, ours.author, ours.thread) == ("out", None, "dm:ana")
    [ours] = brand.posts_in(a_change(**COMMENTED | {"from": {"id": PAGE}}, verb="add"))
    assert (ours.direction, ours.author) == ("out", None)


@pytest.mark.parametrize(
    "what",
    [
        {"verb": "hide"},
        {"verb": "add", "item": "reaction"},
        {"verb": "add", "item": "like"},
        {"verb": "add", "published": 0},
        {"verb": "add", "message": ""},
        {"verb": "add", "page": "555"},
        {"verb": "add", "field": "leadgen"},
        {"verb": ["add"]},
    ],
)
def test_what_brings_no_post_is_passed_over(brand, what):
    assert list(brand.posts_in(a_change(**COMMENTED | what))) == []


def test_a_comment_below_a_review_stands_with_it(brand):
    below = COMMENTED | {"post_id": "6003_7001", "parent_id": "6003_7001", "open_graph_story_id": "7001"}
    [comment] = brand.posts_in(a_change("ratings", **below, verb="add"))
    assert (comment.thread, comment.in_reply_to) == ("7001", "7001")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[1]", b'{"object": "page", "entry": [{"changes": 1}, 2]}'])
def test_nothing_that_is_signed_breaks_the_reading_of_it(brand, body):
    assert list(brand.posts_in(body)) == []


def test_without_a_secret_nobody_is_believed(stage, brand):
    delivered = stage.deliver(stage.write("Hello"))
    bare = replace(brand, credentials={"access_token": "canary-token"})
    unsigned = {"x-hub-signature-256": f"sha256={hmac.new(b'', delivered.body, 'sha256').hexdigest()}"}
    for headers in (delivered.headers, unsigned):
        with pytest.raises(Forged):
            bare.verify(headers, delivered.body)
    with pytest.raises(Forged):
        bare.handshake({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"})


# Connecting -----------------------------------------------------------------------------------------------------------


def test_connecting_has_facebook_deliver_and_a_check_says_all_is_well(stage, brand):
    brand.connected()
    assert stage.subscribed >= {"feed", "mention", "ratings", "messages", "message_echoes"}
    checked = brand.check()
    assert (checked.sentence, checked.account, checked.missing) == ("Connected as Mirabelo.", "Mirabelo", ())
    assert "read and answer messages" in checked.granted
    assert 88 * DAY < checked.ends - datetime.now(UTC) < 90 * DAY


def test_a_check_says_in_the_admins_words_what_is_missing(stage, brand):
    stage.scopes = tuple(each for each in SCOPES if each != "pages_manage_engagement")
    stage.subscribed = {"feed", "mention", "ratings"}
    missing = brand.check().missing
    assert missing[0] == "answer, like, hide and remove comments (pages_manage_engagement)"
    assert missing[1].startswith("have Facebook deliver messages, message_echoes")
    shy = replace(brand, settings=brand.settings | {"read_messages": False})
    assert len(shy.check().missing) == 1


def test_a_check_without_the_apps_secrets_says_what_it_can_not_know(stage, brand):
    stage.proves, stage.subscribed = False, {"feed", "mention", "ratings"}
    bare = replace(brand, credentials={"access_token": "canary-token"})
    checked = replace(bare, settings=bare.settings | {"read_messages": False}).check()
    assert (checked.granted, checked.missing, checked.ends) == ((), (), None)
    assert checked.sentence == (
        "Connected as Mirabelo. What was granted, Facebook did not say. "
        "Deliveries are refused until app secret and verify token are entered."
    )


def test_a_page_that_delivers_to_others_alone_does_not_deliver_to_us(stage, brand):
    brand.connected()
    stage.app = "9999"
    assert brand.check().missing[0].startswith("have Facebook deliver feed, mention, ratings, messages")
    anybodys = replace(brand, settings={name: each for name, each in brand.settings.items() if name != "app_id"})
    assert anybodys.check().missing == ()
    stage.app, stage.tells_fields = APP, False
    assert brand.check().missing == (), "it delivers, and does not say what"


def test_a_token_of_another_page_or_person_is_refused(stage, brand):
    other = replace(brand, settings=brand.settings | {"page": "999"})
    with pytest.raises(Misconfigured, match="not that of this Page"):
        other.check()
    stage.tokens.clear()
    with pytest.raises(NotAuthorized):
        brand.check()


def test_the_browser_is_sent_to_facebook_with_what_has_to_be_granted(brand):
    asked = urlsplit(brand.sign_in(BACK, "state-1").url)
    params = {name: each[0] for name, each in parse_qs(asked.query).items()}
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"https://www.facebook.com/{graph.VERSION}/dialog/oauth"
    assert (params["client_id"], params["redirect_uri"], params["state"]) == (APP, BACK, "state-1")
    assert params["scope"].split(",") == list(SCOPES) and "canary" not in asked.query
    business = replace(brand, settings=brand.settings | {"login_configuration": "77"})
    params = parse_qs(urlsplit(business.sign_in(BACK, "state-1").url).query)
    assert params["config_id"] == ["77"] and "scope" not in params
    with pytest.raises(Misconfigured, match="App ID and app secret"):
        replace(brand, credentials={}).sign_in(BACK, "state-1")


def test_each_page_of_who_signed_in_can_be_chosen_and_has_a_token_of_its_own(stage, brand):
    stage.pages = {PAGE: "Mirabelo", "4712": "Mirabelo Aarhus"}
    fresh = replace(brand, credentials={"app_secret": " ".join(stage.secrets)})
    accounts = fresh.signed_in("good", BACK, {})
    assert [(each.name, each.settings["page"]) for each in accounts] == [
        ("Mirabelo", PAGE),
        ("Mirabelo Aarhus", "4712"),
    ]
    assert [each.credentials["access_token"] for each in accounts] == ["canary-page-4711", "canary-page-4712"]
    assert {each.credentials["renewable"] for each in accounts} == {"no"}, "somebody has to sign in again in 90 days"
    assert not any("canary" in f"{each.path}{each.query}" for each in stage.asked)
    assert replace(fresh, credentials=fresh.credentials | dict(accounts[0].credentials)).check().account == "Mirabelo"


def test_a_code_that_was_used_or_no_page_at_all_is_told(stage, brand):
    with pytest.raises(NotAuthorized, match="begin it once more"):
        brand.signed_in("used", BACK, {})
    stage.pages = {}
    with pytest.raises(NotAuthorized, match="No Page was granted"):
        brand.signed_in("good", BACK, {})


# Strange answers ------------------------------------------------------------------------------------------------------

PARTS = {f"{PAGE}/feed": "feed", f"{PAGE}/tagged": "tagged", f"{PAGE}/ratings": "reviews"}
PARTS |= {f"{PAGE}_{OURS}/comments": "comments", "me/conversations": "messages"}


@pytest.fixture
def says(monkeypatch):
    """`says(JSON)`: whatever is asked is answered so."""

    def say(said):
        answer = http.Answer(
            200, http.httpx.Headers({"content-type": "application/json"}), json.dumps(said).encode(), ""
        )
        monkeypatch.setattr(http, "exchange", lambda url, **asked: answer)

    return say


@pytest.mark.parametrize("path", PARTS)
def test_one_strange_field_of_a_page_spoils_no_other_post_and_nothing_of_the_librarys_comes_out(brand, says, path):
    page, chance, read = json.loads((HERE / "page.json").read_text())["said"][f"{V}/{path}"][0], random.Random(path), 0
    step = {"part": PARTS[path], "of": f"{PAGE}_{OURS}" * (PARTS[path] == "comments"), "place": {}, "deep": 0}
    cursor = {"walk": {"since": "1990-01-01T00:00:00+00:00", "steps": [step], "sweeps": False, "done": 0}}
    for way, value in ((way, value) for way in places(page) for value in chance.sample(STRANGE, 4)):
        says(changed(page, way, value))
        try:
            batch = brand.fetch(cursor)
        except ConnectorError:
            continue
        assert all(isinstance(each, Post | Unreadable) for each in batch.posts), way
        json.dumps(batch.cursor)
        read += len(batch.posts)
    assert read > 10


def test_whatever_stands_in_a_delivery_is_understood_passed_over_or_put_aside(stage, brand):
    posts = [stage.write("Hello", kind=kind) for kind in stage.kinds]
    said, chance = json.loads(stage.deliver(*posts).body), random.Random(7)
    for way in places(said):
        for value in chance.sample(STRANGE, 6):
            found = brand.posts_in(json.dumps(changed(said, way, value)).encode())
            assert all(isinstance(each, Post | Unreadable) for each in found), way


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_whatever_is_said_to_what_we_do_only_our_own_errors_come_out(brand, says, value):
    reply = Outgoing("Hello", "900_1", KEY, to=Target("900_1", "comment"))
    message = replace(reply, in_reply_to="m_1", to=None)
    wraps = [
        {name: value} for name in ("data", "id", "error", "paging", "parent", "from", "message_id", "access_token")
    ]
    wraps += [
        {"error": {"code": 100, "message": value, "error_subcode": value}},
        {"data": [value]},
        {"id": PAGE, "name": value},
    ]
    wraps += [{"data": [{"id": APP, "subscribed_fields": value, "access_token": value}]}, {"data": {"scopes": value}}]
    for said in (value, *wraps):
        says(said)
        for attempt in (
            lambda: [brand.send(each) for each in (reply, message)],
            lambda: brand.find_sent(reply, ago(MINUTE)),
            lambda: brand.find_sent(message, ago(MINUTE)),
            lambda: replace(brand).lookup(["900_1", "m_1", f"{PAGE}_1"]),
            lambda: [act(Target("900_1")) for act in (brand.like, brand.hide, replace(brand).remove)],
            lambda: replace(brand).check(),
            lambda: brand.connected(),
            lambda: brand.signed_in("good", BACK, {}),
        ):
            with suppress(ConnectorError):
                attempt()


# What others recorded -------------------------------------------------------------------------------------------------

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="REAL_DATA names no folder with fixtures/facebook")
SILENT = ("like", "reaction", "hide", "unhide", "mute", "block", "unblock", "event", "album")


def real(name, folder="graph"):
    return json.loads((REAL / folder / f"{name}.json").read_text())


def a_page(id, said):
    return played.playing("facebook", {f"{V}/{path}": answers for path, answers in said.items()}, settings={"page": id})


@needs_real_data
def test_real_pages_of_a_feed_are_read_through_the_real_library():
    pages, empty = [real("feeds_default_fields_p1"), real("feeds_default_fields_p2")], [{"data": []}]
    said = {"19292868552/feed": pages, "me/conversations": empty}
    said |= {f"19292868552/{edge}": empty for edge in ("tagged", "ratings")}
    with a_page("19292868552", said) as (page, web):
        cursor, posts = {}, []
        for _ in pages:
            batch = page.fetch(cursor)
            posts, cursor = [*posts, *batch.posts], json.loads(json.dumps(batch.cursor))
    assert len({each.global_id for each in posts if each.text and each.url}) == 10
    assert "&after=after" in web.asked[1][1] and "access_token" not in web.asked[1][1]
    assert graph.following(real("feed_fields_p1")) == {"until": "1624385168", "__paging_token": "__paging_token"}


@needs_real_data
def test_real_comments_posts_and_messages_are_understood_and_one_without_an_id_is_put_aside():
    comment, message, sent = real("comment"), real("message"), real("create_resp")
    post = real("single_post_data_fields")
    said = {each["id"]: [each] for each in (comment, message, post)} | {f"{comment['id']}/comments": [sent]}
    with a_page("2121008874780932", said) as (page, _):
        found = page.lookup([comment["id"], message["id"], post["id"]])
        assert found[comment["id"]].author.name == "Kun Liu" == found[message["id"]].author.name
        assert found[message["id"]].media[0].type == "image" and found[post["id"]].text == post["message"]
        taken = page.send(Outgoing("Thanks", comment["id"], KEY))
        assert (taken.id, taken.url) == (sent["id"], sent["permalink_url"])


@needs_real_data
def test_real_comments_that_came_with_a_post_and_real_reviews_are_read():
    names = ("open-graph-rating-example", "open-graph-rating-simple", "opengraphrating-recommendation")
    reviews, post = [real(each, "webhooks") for each in names], real("post-with-comment", "webhooks")
    said = {"1/feed": [{"data": [post]}], "1/ratings": [{"data": reviews}]}
    said |= {edge: [{"data": []}] for edge in ("1/tagged", "me/conversations")}
    with a_page("1", said) as (page, _):
        found = everything(page)[0]
    [unsaid] = [each for each in found if isinstance(each, Unreadable)]
    assert "created_at" in unsaid.reason, "the post came without its time"
    [comment] = [each for each in found if isinstance(each, Post) and each.kind == "comment"]
    assert (comment.text, comment.thread) == ("grandioses grau", post["id"])
    assert [each.rating for each in found if isinstance(each, Post) and each.kind == "review"] == [5, 4, 5]


@needs_real_data
def test_real_refusals_are_told_as_what_they_are():
    said = [real("error_data"), real("error")]
    kinds = [type(refusals.reading(graph.facebook.GraphAPIError(each), None)) for each in said]
    assert kinds == [MissingScope, MakesNoSense]


@needs_real_data
def test_each_recorded_delivery_is_read_or_passed_over_for_a_reason(brand):
    page = replace(brand, settings={})
    for file in sorted((REAL / "webhooks").glob("*.json")):
        body, name = file.read_bytes(), file.stem
        signature = hmac.new(b"canary-old-secret", body, "sha256").hexdigest()
        assert page.verify({"x-hub-signature-256": f"sha256={signature}"}, body)
        found, words = list(page.posts_in(body)), name.split("-")
        assert not any(isinstance(each, Unreadable) for each in found), name
        if name.startswith(("messaging-message-", "standby-message-")):
            assert [each.kind for each in found] == ["dm"], name
        elif not name.startswith(("feed-", "mention-", "ratings-")) or set(words) & set(SILENT):
            assert found == [], name
        elif "remove" in words:
            assert [each.deleted for each in found] == [True], name
        elif name not in ("mention-post-add", "ratings-comment-add-25", "feed-got"):
            [post] = found
            assert (post.text or post.media) and bool(post.edited_at) == bool({"edited", "edit"} & set(words)), name


# One app, several Pages -------------------------------------------------------------------------------------------


@pytest.fixture
def two_pages(stage, house):
    """The channels of two Pages of one app; Meta knows the address of the first alone. A third channel has an app of
    its own."""
    first = open_channel(stage)
    second = open_channel(stage, "shop", page="900000000000002")
    other = stage.credentials | {"app_secret": "canary-of-another-app"}
    apart = {"network": "facebook", "slug": "apart", "name": "Apart"}
    third = channels.open_channel(
        **apart, settings=stage.settings | {"page": "900000000000002"}, credentials=other, by="system"
    )
    return first, second, third


def about_another_page(stage) -> bytes:
    post = stage.write("Is the shop open", kind="comment")
    return stage.deliver(post).body.replace(f'"id": "{PAGE}"'.encode(), b'"id": "900000000000002"')


def test_what_is_about_another_page_of_the_app_goes_on_to_its_channel(stage, two_pages, inbox):
    first, second, third = two_pages
    body = about_another_page(stage)
    headers = {"x-hub-signature-256": f"sha256={hmac.new(stage.secrets[0].encode(), body, 'sha256').hexdigest()}"}
    assert deliveries.receive(first.slug, headers, body)
    deliveries.read_waiting(inbox)
    assert inbox.texts == ["Is the shop open"]
    assert second.runs.get(via="push").taken_in == 1
    assert first.runs.get(via="push").read == 0 and not third.runs.filter(via="push").exists()


def test_a_channel_that_is_paused_is_told_nothing(stage, two_pages, inbox):
    first, second, _ = two_pages
    channels.pause(second, by="system")
    body = about_another_page(stage)
    headers = {"x-hub-signature-256": f"sha256={hmac.new(stage.secrets[0].encode(), body, 'sha256').hexdigest()}"}
    deliveries.receive(first.slug, headers, body)
    deliveries.read_waiting(inbox)
    assert inbox.texts == []
