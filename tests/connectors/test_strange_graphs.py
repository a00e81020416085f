"""Whatever Instagram or Threads puts into one field of an answer: as `test_strange_answers.py`, for networks whose look
takes many steps."""

import json
import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors import http, registry
from connectors.contract import Outgoing, Post, Target, Unreadable
from connectors.errors import ConnectorError
from tests.connectors.test_strange_answers import STRANGE, changed, places
from tests.connectors.visits import on_stage

HERE = Path(__file__).parent
WHO = {"access_token": "t", "app_secret": "s", "account": "17841400000000001", "handle": "mirabelo", "scope": "a b"}
#: Which part of a look reads what stands in a recording, and of which post.
STEPS = {
    ("instagram", "comments", "/v26.0/17841400000000001/media"): ("media", ""),
    ("instagram", "comments", "/v26.0/18000000000000001/comments"): ("comments", "18000000000000001"),
    ("instagram", "comments", "/v26.0/17841400000000001/tags"): ("tags", ""),
    ("instagram", "comments", "/v26.0/me/conversations"): ("messages", ""),
    ("threads", "account", "/v1.0/me/threads"): ("posts", ""),
    ("threads", "account", "/v1.0/18100000000000001/conversation"): ("conversation", "18100000000000001"),
    ("threads", "account", "/v1.0/me/mentions"): ("mentions", ""),
    ("threads", "keyword", "/v1.0/keyword_search"): ("found", ""),
}
BOTH = pytest.mark.parametrize("network", ["instagram", "threads"])


@pytest.fixture
def says(monkeypatch):
    """`says(JSON)`: whatever is asked is answered so."""

    def say(said):
        headers = http.httpx.Headers({"content-type": "application/json"})
        answer = http.Answer(200, headers, json.dumps(said).encode(), "")
        monkeypatch.setattr(http, "exchange", lambda url, **asked: answer)

    return say


def brand(network, **settings):
    return registry.connector_class(network)("brand", {"app_id": "4711"} | settings, WHO)


@pytest.mark.parametrize("where", STEPS, ids=lambda where: where[2])
def test_one_strange_field_spoils_one_post_at_most_and_nothing_of_the_librarys_comes_out(where, says):
    network, situation, path = where
    recorded = json.loads((HERE / network / f"{situation}.json").read_text())
    connector, page = brand(network, **recorded.get("settings", {})), recorded["said"][path][0]
    part, of = STEPS[where]
    step = {"part": part, "of": of, "place": {}, "deep": 0}
    cursor = {"walk": {"since": "1990-01-01T00:00:00+00:00", "steps": [step], "sweeps": False, "done": 0}}
    cursor["of"] = "17841400000000001" + ("" if network == "instagram" else f" {connector.query}")
    chance, read = random.Random(path), 0
    for way, value in ((way, value) for way in places(page) for value in chance.sample((*STRANGE, "gone"), 4)):
        says(changed(page, way, value))
        try:
            batch = connector.fetch(cursor)
        except ConnectorError:
            continue
        assert all(isinstance(each, Post | Unreadable) for each in batch.posts), way
        json.dumps(batch.cursor)
        read += len(batch.posts)
    assert read > 20


@BOTH
def test_whatever_stands_in_a_delivery_is_understood_passed_over_or_put_aside(network, says):
    with on_stage(network) as stage:
        delivered = json.loads(stage.deliver(*(stage.write("Hello", kind=kind) for kind in stage.kinds)).body)
    connector, chance = brand(network), random.Random(7)
    says({"error": {"code": 100, "message": "Tried accessing nonexisting field"}})
    for way in places(delivered):
        for value in chance.sample((*STRANGE, "gone"), 6):
            found = connector.posts_in(json.dumps(changed(delivered, way, value)).encode())
            assert all(isinstance(each, Post | Unreadable) for each in found), (way, value)


@BOTH
@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_whatever_is_said_to_what_we_do_only_our_own_errors_come_out(network, value, says):
    connector = brand(network)
    reply = Outgoing("Hello", "1", "k", to=Target("1", "comment"))
    replies = [
        reply,
        replace(reply, in_reply_to="aWdf", to=None),
        replace(reply, in_reply_to="1:2"),
        replace(reply, private=True),
    ]
    names = (
        "data",
        "id",
        "error",
        "paging",
        "parent_id",
        "from",
        "message_id",
        "access_token",
        "mentioned_media",
        "hidden",
    )
    wraps = [value, *({name: value} for name in names), {"data": [value]}, {"data": {"scopes": value}}]
    wraps += [
        {"error": {"code": 100, "message": value, "error_subcode": value}},
        {"access_token": "t", "expires_in": value},
    ]
    wraps += [{"data": [{"reply_quota_usage": value, "reply_config": value, "subscribed_fields": value}], "id": "1"}]
    wraps += [{"id": "1", "username": value, "user_id": value}, {"access_token": "t", "permissions": value, "id": "1"}]
    for said in wraps:
        says(said)
        attempts = [lambda each=each: connector.send(each) for each in replies]
        attempts += [lambda each=each: connector.find_sent(each, datetime.now(UTC)) for each in replies]
        attempts += [lambda: replace(connector).lookup(["1", "aWdf", "1:2"]), lambda: replace(connector).check()]
        attempts += [lambda: connector.hide(Target("1")), lambda: connector.remove(Target("1")), connector.connected]
        attempts += [lambda: connector.signed_in("good", "https://hub.example.com/", {}), connector.renew]
        for attempt in attempts:
            with suppress(ConnectorError):
                attempt()
