"""What is special to Instagram; what every network keeps is asked in `test_networks.py`."""

import hashlib
import hmac
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.contract import Outgoing, Post, Target, Unreadable
from connectors.dialects import mediaposts
from connectors.errors import MissingScope, NotAllowed, NotAuthorized, Rejected, WindowClosed
from connectors.networks.instagram import Instagram
from tests.connectors import played
from tests.connectors.instagram.stage import HANDLE, MEDIA, SCOPED, SCOPES, US, error, igsid
from tests.connectors.visits import on_stage, open_channel, read_all, told

HERE = Path(__file__).parent
REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "fixtures" / "instagram"
KEY = "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11"
BACK = "https://hub.example.com/channels/signed-in/"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    with on_stage("instagram") as stage:
        yield stage


@pytest.fixture
def channel(stage, house):
    return open_channel(stage)


@pytest.fixture
def brand(stage):
    """Our account's connector."""
    return Instagram("brand", stage.settings, stage.credentials)


@pytest.fixture
def linked(stage):
    """The same account, signed in to through a Facebook Page."""
    return Instagram("brand", stage.settings | {"login": "facebook"}, stage.credentials)


def ago(of):
    return datetime.now(UTC) - of


def answer(post, text="It left this morning.", **facts):
    return Outgoing(text, post.id, KEY, to=Target(post.id, kind=post.kind, author=igsid(post.author)), **facts)


def everything(connector):
    cursor, posts, more = {}, [], True
    while more:
        batch = connector.fetch(cursor)
        posts, cursor, more = [*posts, *batch.posts], batch.cursor, batch.more
    return {each.text: each for each in posts}, cursor


def paths(stage):
    return [each.path.removeprefix("/v26.0/") for each in stage.asked]


@pytest.mark.parametrize("situation", played.situations(HERE))
def test_what_instagram_said_is_understood_as_it_stands_beside_it(situation):
    recorded = json.loads((HERE / f"{situation}.json").read_text())
    assert played.understood("instagram", recorded) == recorded["understood"]


# Reading --------------------------------------------------------------------------------------------------------------


def test_comments_are_asked_for_only_where_their_number_has_changed(stage, channel):
    first = stage.write("Nice wheel")
    read_all(channel)
    read_all(channel)
    stage.asked.clear()
    read_all(channel)
    assert f"{MEDIA}/comments" not in paths(stage)
    stage.write("Is it?", answers=first.id)
    read_all(channel)
    assert f"{MEDIA}/comments" in paths(stage)
    assert set(told()) == {"Nice wheel", "Is it?"}


def test_once_a_day_comments_are_read_whatever_their_number_is(stage, channel):
    stage.write("Nice wheel")
    read_all(channel)
    read_all(channel)
    begun = ago(DAY + MINUTE).isoformat()
    type(channel).objects.update(cursor=channel.cursor | {"since": begun, "swept": begun})
    stage.asked.clear()
    read_all(channel)
    assert f"{MEDIA}/comments" in paths(stage)


def test_a_new_answer_below_an_old_comment_is_found_however_many_there_are(stage, channel):
    old = stage.write("An old question", ago(15 * DAY))
    for number in range(2 * stage.page + 1):
        stage.write(f"answer {number}", ago((30 - number) * timedelta(seconds=1)), answers=old.id)
    read_all(channel)
    assert set(told()) == {f"answer {number}" for number in range(2 * stage.page + 1)}


def test_what_we_posted_long_ago_is_not_watched_for_ever(stage, brand):
    stage.media["18000000000000009"] = ago(40 * DAY)
    stage.below[stage.write("Below an old picture").id] = "18000000000000009"
    assert "Below an old picture" not in everything(brand)[0]
    longer = replace(brand, settings=brand.settings | {"watch_days": 60})
    assert "Below an old picture" in everything(longer)[0]


def test_the_numbers_that_are_remembered_are_those_of_watched_media_alone(stage, brand):
    cursor = everything(brand)[1]
    forgotten = {"counts": {"18000000000000009": [3, ago(400 * DAY).timestamp()]}}
    assert set(brand.fetch(cursor | forgotten).cursor["counts"]) == {MEDIA}


def test_another_account_is_read_from_its_own_beginning(stage, brand):
    cursor = everything(brand)[1]
    assert brand.fetch(cursor | {"of": "somebody else"}).history
    assert not brand.fetch(cursor).history


def test_a_hidden_comment_says_that_it_can_not_be_answered(stage, brand):
    stage.write("Spam", hidden=True)
    assert everything(brand)[0]["Spam"].reply_closed == mediaposts.HIDDEN


def test_only_a_caption_that_names_us_can_be_answered(stage, brand):
    stage.write(f"Thank you @{HANDLE}", kind="mention")
    stage.write("Look at this", kind="mention")
    posts = everything(brand)[0]
    assert posts[f"Thank you @{HANDLE}"].reply_closed == ""
    assert posts["Look at this"].reply_closed == mediaposts.PHOTO


def test_messages_can_be_left_alone(stage, brand):
    stage.write("Between us", kind="dm")
    quiet = replace(brand, settings=brand.settings | {"read_messages": False})
    assert everything(quiet)[0] == {}
    assert "me/conversations" not in paths(stage)
    quiet.connected()
    assert "messages" not in stage.subscribed


def test_what_is_left_of_the_limit_is_told(stage, brand):
    assert brand.fetch({}).limits.remaining == 88


# What is gone ---------------------------------------------------------------------------------------------------------


def test_nothing_is_called_gone_as_long_as_it_is_not_known_what_we_may_see(stage, brand):
    assert brand.lookup(["17900000000009999"]) == {"17900000000009999": None}
    for scope in ("", SCOPES.split()[0]):
        blind = replace(brand, credentials=brand.credentials | {"scope": scope})
        assert blind.lookup(["17900000000009999"]) == {}


def test_a_mention_is_never_called_gone(brand):
    assert brand.lookup(["18000000000000077:17900000000009999", "18000000000000077:"]) == {}


# Answering ------------------------------------------------------------------------------------------------------------


def test_an_answer_to_an_answer_stands_below_the_comment_above_both_and_names_its_person(stage, brand):
    first = stage.write("How much?", author="ana")
    second = stage.write("Yes, how much?", author="bob", answers=first.id)
    sent = brand.send(answer(second, "2,400"))
    [ours] = stage.published
    assert (ours.text, ours.answers, ours.id) == ("@bob 2,400", first.id, sent.id)
    assert brand.find_sent(answer(second, "2,400"), ago(MINUTE)).id == sent.id


def test_a_name_that_would_make_an_answer_too_long_is_left_out(stage, brand):
    first = stage.write("How much?")
    second = stage.write("Yes, how much?", author="bob", answers=first.id)
    brand.send(answer(second, "x" * 2_200))
    assert stage.published[0].text == "x" * 2_200


def test_a_comment_that_was_hidden_meanwhile_is_not_answered(stage, brand):
    post = stage.write("Spam", hidden=True)
    with pytest.raises(NotAllowed, match="hidden"):
        brand.send(answer(post))
    assert stage.published == []


def test_a_message_is_counted_in_bytes(stage, brand):
    post = stage.write("Where is it?", kind="dm")
    with pytest.raises(Rejected, match="2 bytes too long"):
        brand.send(answer(post, "ä" * 501))
    brand.send(answer(post, "ä" * 500))
    assert [each.text for each in stage.published] == ["ä" * 500]


def test_after_a_day_a_message_is_not_answered_any_more(stage, brand):
    post = stage.write("Where is it?", ago(25 * 60 * MINUTE), kind="dm")
    with pytest.raises(WindowClosed, match="24 hours"):
        brand.send(answer(post))


def test_a_comment_is_answered_in_private_once_and_within_a_week(stage, brand):
    post, old = stage.write("How much?"), stage.write("How much is it?", ago(8 * DAY))
    brand.send(answer(post, "2,400", private=True))
    assert [(each.kind, each.text) for each in stage.published] == [("dm", "2,400")]
    with pytest.raises(NotAllowed, match="allows that once"):
        brand.send(answer(post, "2,500", private=True))
    with pytest.raises(WindowClosed, match="7 days"):
        brand.send(answer(old, "2,400", private=True))
    assert brand.find_sent(answer(post, "2,400", private=True), ago(MINUTE)).id == stage.published[0].id


def test_a_mention_is_answered_where_it_stands_and_not_in_private(stage, brand):
    for id, where in (("1801:1701", ("1801", "1701")), ("1802:", ("1802", ""))):
        brand.send(Outgoing("Thank you", id, KEY, to=Target(id, kind="mention")))
        assert stage.elsewhere_said[where] == "Thank you"
    with pytest.raises(NotAllowed, match="below its own posts"):
        brand.send(Outgoing("Thank you", "1802:", KEY, private=True))
    for act in (brand.hide, brand.remove):
        with pytest.raises(NotAllowed):
            act(Target("1801:1701", kind="mention"))


# Deliveries -----------------------------------------------------------------------------------------------------------


def delivered(stage, connector, *changes, account=US, **entry):
    entry = {"id": account, "time": 1_790_000_000, "changes": list(changes)} | entry
    return list(connector.posts_in(stage.delivering({"object": "instagram", "entry": [entry]}).body))


def test_a_mention_is_delivered_without_its_words_and_they_are_asked_for(stage, brand, linked, monkeypatch):
    where = {"field": "mentions", "value": {"media_id": "1801", "comment_id": "1701"}}
    [blind] = delivered(stage, brand, where)
    assert (blind.id, blind.text, blind.title) == ("1801:1701", "", mediaposts.UNTOLD)

    def one(asked, path):
        if path == "1801":
            return 400, error(100, "Unsupported get request.", 33)
        assert path == US and asked.query["fields"].startswith("mentioned_comment.comment_id(1701)")
        said = {"id": "1701", "text": "Ask @mirabelo", "timestamp": "2026-09-21T12:00:00+0000", "username": "ana"}
        return 200, {"mentioned_comment": said, "id": US}

    monkeypatch.setattr(stage, "_one", one)
    known = replace(linked, credentials=linked.credentials | {"account": US, "handle": HANDLE})
    [told] = delivered(stage, known, where)
    assert (told.id, told.text, told.author.handle, told.thread) == ("1801:1701", "Ask @mirabelo", "ana", "1801:")


def test_a_mention_below_our_own_media_is_the_comment_that_is_delivered_too(stage, brand, monkeypatch):
    monkeypatch.setattr(stage, "_one", lambda asked, path: (200, {"id": path, "owner": {"id": US}}))
    assert delivered(stage, brand, {"field": "mentions", "value": {"media_id": MEDIA, "comment_id": "1701"}}) == []


def test_our_own_comment_is_ours_when_it_is_delivered(stage, brand):
    known = replace(brand, credentials=brand.credentials | {"account": US, "scoped": SCOPED, "handle": HANDLE})
    for who in ({"id": US}, {"id": SCOPED}, {"id": "5", "username": HANDLE}):
        value = {"id": "1701", "text": "2,400", "from": who, "media": {"id": MEDIA}, "parent_id": "1700"}
        [post] = delivered(stage, known, {"field": "comments", "value": value})
        assert (post.direction, post.author, post.in_reply_to) == ("out", None, "1700")


def test_a_mention_that_can_not_be_asked_for_now_is_asked_for_later(stage, brand):
    stage.trouble = "down"
    with pytest.raises(Exception, match="503"):
        delivered(stage, brand, {"field": "mentions", "value": {"media_id": "1801"}})


def test_a_comment_on_a_live_video_takes_no_public_answer(stage, brand):
    value = {"id": "1701", "text": "Hello", "from": {"id": "5", "username": "ana"}, "media": {"id": MEDIA}}
    [post] = delivered(stage, brand, {"field": "live_comments", "value": value})
    assert (post.text, post.reply_closed) == ("Hello", mediaposts.LIVE)


def test_what_is_about_another_account_of_the_app_is_left_to_its_channel(stage, brand):
    change = {"field": "comments", "value": {"id": "1701", "text": "Hello", "media": {"id": MEDIA}}}
    known = replace(brand, credentials=brand.credentials | {"account": US, "scoped": SCOPED, "handle": HANDLE})
    assert delivered(stage, known, change, account="17841499999999999") == []
    assert len(delivered(stage, known, change)) == 1


def test_an_answer_that_was_given_on_instagram_itself_is_ours(stage, brand):
    message = {"mid": "aWdfOQ", "text": "Hello from the app", "is_echo": True}
    said = {"sender": {"id": US}, "recipient": {"id": "5001"}, "timestamp": 1_790_000_000_000, "message": message}
    [post] = delivered(stage, brand, messaging=[said])
    assert (post.direction, post.thread, post.visibility) == ("out", "dm:5001", "direct")


def test_people_reading_liking_and_taking_back(stage, brand):
    side = {"sender": {"id": "5001"}, "recipient": {"id": US}, "timestamp": 1_790_000_000_000}
    said = [side | {"read": {"mid": "aWdfOQ"}}, side | {"message": {"mid": "aWdfOA", "is_deleted": True}}]
    [gone] = delivered(stage, brand, messaging=said)
    assert (gone.id, gone.deleted) == ("aWdfOA", True)


# Connecting -----------------------------------------------------------------------------------------------------------


def test_the_test_says_who_we_are_and_what_is_missing(stage, brand):
    found = brand.check()
    assert (found.account, found.missing) == (f"@{HANDLE}", (found.missing[0],))
    assert "deliver comments, live_comments, mentions, messages" in found.missing[0]
    brand.connected()
    assert brand.check().missing == ()
    less = replace(brand, credentials=brand.credentials | {"scope": " ".join(SCOPES.split()[:2])})
    assert less.check().missing == ("read and answer messages (instagram_business_manage_messages)",)


def test_what_is_not_allowed_is_named_in_the_admins_words(stage, brand):
    stage.trouble = "scope"
    with pytest.raises(MissingScope, match="read, answer, hide and remove comments"):
        brand.connected()


def test_the_way_to_instagrams_own_page(brand):
    at = urlsplit(brand.sign_in(BACK, "state").url)
    asked = {name: values[0] for name, values in parse_qs(at.query).items()}
    assert (at.netloc, at.path) == ("www.instagram.com", "/oauth/authorize")
    assert asked["scope"].split(",") == SCOPES.split() and asked["redirect_uri"] == BACK
    assert (asked["client_id"], asked["state"]) == ("4711", "state")


def test_ada_signs_in_with_instagram_and_gets_sixty_days(stage, brand):
    before = replace(brand, settings=brand.settings | {"account": "17841499999999999"})
    [account] = before.signed_in("good#_", BACK, {})
    assert (account.name, account.settings) == (f"@{HANDLE}", {"account": US})
    assert account.credentials["access_token"] == "canary-lasting" and account.credentials["scope"] == SCOPES
    ends = datetime.fromisoformat(account.credentials["expires_at"]) - datetime.now(UTC)
    assert 59 * DAY < ends < 60 * DAY
    with pytest.raises(NotAuthorized, match="once more"):
        before.signed_in("bad", BACK, {})


def test_a_token_of_instagram_that_ada_entered_is_renewed_in_a_day_and_one_of_a_page_never():
    assert "expires_at" in Instagram.first_credentials({"access_token": "IGAAtoken"})
    assert Instagram.first_credentials({"access_token": "EAAtoken"}) == {"access_token": "EAAtoken"}


def test_a_token_that_is_too_old_needs_a_person(stage, brand):
    stage.tokens.clear()
    with pytest.raises(NotAuthorized):
        brand.renew()


# Through a Facebook Page ----------------------------------------------------------------------------------------------


def test_ada_signs_in_through_a_page_and_chooses_its_account(stage, linked, monkeypatch):
    assert urlsplit(linked.sign_in(BACK, "state").url).netloc == "www.facebook.com"
    proofs = []

    def at_facebook(asked):
        proofs.append(asked.query.get("appsecret_proof") or asked.form.get("appsecret_proof"))
        match asked.method, asked.path.removeprefix("/v26.0/"):
            case "POST", "oauth/access_token":
                token = "long" if asked.form.get("fb_exchange_token") == "brief" else "brief"
                return 200, {"access_token": token, "token_type": "bearer"}
            case "GET", "me/accounts":
                assert asked.headers["authorization"] == "Bearer long"
                pages = [{"id": "1", "name": "Shop", "access_token": "page", "instagram_business_account": {"id": US}}]
                return 200, {"data": [*pages, {"id": "2", "name": "No account", "access_token": "other"}]}
            case "POST", "debug_token":
                return 200, {"data": {"is_valid": True, "scopes": [], "data_access_expires_at": 1_900_000_000}}
            case "GET", "me":
                account = {"instagram_business_account": {"id": US, "username": HANDLE}, "id": "1"}
                return (200, account) if asked.headers["authorization"] == "Bearer page" else (400, error(190, "no"))
        raise AssertionError(asked.path)

    monkeypatch.setattr(stage, "answer", at_facebook)
    [account] = linked.signed_in("good", BACK, {})
    assert (account.name, account.settings["account"]) == (f"@{HANDLE}", US)
    assert account.credentials["access_token"] == "page" and account.credentials["renewable"] == "no"
    expected = hmac.new(stage.secrets[0].encode(), b"page", hashlib.sha256).hexdigest()
    assert proofs[-1] == expected
    with pytest.raises(NotAuthorized, match="sign in again"):
        linked.renew()


# What others recorded -------------------------------------------------------------------------------------------------


def recorded(name):
    path = REAL / name
    if not path.exists():
        pytest.skip("REAL_DATA names no folder with recordings of Instagram")
    return json.loads(path.read_text())


def test_comments_that_somebody_recorded_are_read_through_the_library():
    pages = [recorded("graph/comments_p1.json"), recorded("graph/comments_p2.json")]
    media = {"data": [{"id": "17846368219941692", "timestamp": "2020-06-01T00:00:00+0000", "comments_count": 4}]}
    said = {"/v26.0/1/media": [media], "/v26.0/17846368219941692/comments": pages}
    said |= {"/v26.0/1/tags": [recorded("graph/tagged_medias.json")], "/v26.0/me/conversations": [{"data": []}]}
    with played.playing(
        "instagram", said, credentials={"access_token": "t", "account": "1", "handle": "ikroskun"}
    ) as it:
        posts = list(everything(it[0])[0].values())
    wanted = {each["text"] for page in pages for each in page["data"]}
    assert wanted <= {each.text for each in posts}
    assert all(isinstance(each, Post) for each in posts)
    tagged = [each for each in posts if each.kind == "mention"]
    assert [each.text for each in tagged if not each.reply_closed] == ["Cute.. #cute #loveyou  @ikroskun"]
    assert any(each.kind == "mention" and each.reply_closed for each in posts)


@pytest.mark.parametrize("name", ["comment_fields.json", "replies.json", "../webhooks/comment.json"])
def test_single_comments_that_somebody_recorded_are_understood(name):
    said = recorded(f"graph/{name}")
    us = Instagram("brand", {}, {"access_token": "t", "account": "1"})._us
    for raw in said.get("data", [said]):
        found = list(mediaposts.with_answers(raw, us, "9"))
        assert [each.text for each in found][0] == raw["text"]
        assert all(isinstance(each, Post) for each in found)


def test_deliveries_that_somebody_recorded_are_read():
    brand = Instagram("brand", {}, {"access_token": "t"})
    found = {}
    for name in ("comments", "livecomments", "story_insights"):
        body = json.dumps(recorded(f"webhooks/wh-{name}.json")).encode()
        found[name] = list(brand.posts_in(body))
    body = json.dumps(recorded("webhooks/messaging-seen.json")).encode()
    assert list(brand.posts_in(body)) == []
    assert [each.text for each in found["comments"]] == ["This is an example."]
    assert found["livecomments"][0].reply_closed == mediaposts.LIVE
    assert found["story_insights"] == []


def test_nothing_but_an_object_is_set_aside_in_its_place(brand):
    for each in (mediaposts.comment("x", brand._us, ""), mediaposts.medium([], brand._us)):
        assert isinstance(each, Unreadable)
