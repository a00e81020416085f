"""Whatever a network puts into one field of its answer, a page is read: each post is understood or set aside in its
place, and nothing but our own errors comes out."""

import copy
import json
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors import http, registry
from connectors.contract import Outgoing, Post, Unreadable
from connectors.errors import ConnectorError

HERE = Path(__file__).parent
NETWORKS = ("reddit", "x", "youtube")
STRANGE = (None, True, 0, -1, 10**400, 1.5, "", "x", "\0", "\ud800", "9" * 400, [1], [[]], [None], [{}], {}, {"a": []})
US = {"user_id": "2244994945", "handle": "mirabelo", "channel_id": "UCmirabelo", "name": "mirabelo"}
WHO = {"access_token": "t"} | US
CASES = [(network, path.stem) for network in NETWORKS for path in sorted((HERE / network).glob("*.json"))]


def places(said, way=()):
    """Every place in this JSON, as the way to it."""
    yield way
    inside = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    for name, each in inside:
        yield from places(each, (*way, name))


def changed(said, way, value):
    """The same with something else in this place, or with nothing."""
    if not way:
        return value
    said = copy.deepcopy(said)
    inside = said
    for name in way[:-1]:
        inside = inside[name]
    if value == "gone" and isinstance(inside, dict):
        del inside[way[-1]]
    else:
        inside[way[-1]] = value
    return said


@pytest.fixture
def says(monkeypatch):
    """`says({path: JSON})`: each path is answered so; what is not named with an empty object."""

    def say(answers):
        def exchange(url, **asked):
            body = json.dumps(answers.get(urlsplit(url).path, {})).encode()
            return http.Answer(200, http.httpx.Headers({"content-type": "application/json"}), body, url)

        monkeypatch.setattr(http, "exchange", exchange)

    return say


@pytest.mark.parametrize(("network", "situation"), CASES)
def test_one_strange_field_spoils_one_post_at_most_and_never_raises_anything_of_the_librarys(network, situation, says):
    recorded = json.loads((HERE / network / f"{situation}.json").read_text())
    settings = {"backfill_days": 36_500} | recorded.get("settings", {})
    connector = registry.connector_class(network)("brand", settings, WHO)
    chance, read = random.Random(f"{network} {situation}"), 0
    pages = {path: answers[0] for path, answers in recorded["said"].items()}
    for path, page in pages.items():
        ways = list(places(page))
        for way in chance.sample(ways, min(len(ways), 120)):
            strange = changed(page, way, chance.choice((*STRANGE, "gone")))
            says(pages | {path: strange})
            try:
                batch = connector.fetch({})
            except ConnectorError:
                continue
            assert all(isinstance(each, Post | Unreadable) for each in batch.posts), way
            json.dumps(batch.cursor)
            read += len(batch.posts)
    assert read > 100


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("answer", STRANGE, ids=range(len(STRANGE)))
def test_whatever_is_said_to_an_answer_of_ours_only_our_own_errors_come_out(network, answer, says):
    connector = registry.connector_class(network)("brand", {}, WHO)
    paths = ["/2/tweets", f"/2/users/{US['user_id']}/tweets", "/youtube/v3/comments"]
    paths += ["/api/comment", "/user/mirabelo/comments", "/api/info"]
    wraps = (answer, {"data": answer}, {"json": answer}, {"json": {"data": answer}}, {"id": "1", "snippet": answer})
    for said in (*wraps, {"items": answer}, {"data": {"id": answer}}, {"json": {"errors": answer}}, {"data": [answer]}):
        says(dict.fromkeys(paths, said))
        for attempt in (
            lambda: connector.send(Outgoing("Hello", "1", "k")),
            lambda: connector.find_sent(Outgoing("Hello", "1", "k"), http.datetime.now(http.UTC)),
            lambda: connector.lookup(["1"]),
        ):
            try:
                attempt()
            except ConnectorError:
                continue


#: An event of the X Activity API.
EVENT = json.loads((HERE / "x" / "account.json").read_text())["said"]["/2/users/2244994945/mentions"][0]


def test_whatever_stands_in_a_delivery_of_x_is_understood_passed_over_or_set_aside():
    x, chance = registry.connector_class("x")("brand", {}, WHO), random.Random(7)
    data = {"event_uuid": "1", "filter": {"user_id": WHO["user_id"]}, "event_type": "post.mention.create"}
    event = {"data": data | {"payload": EVENT["data"][0], "includes": EVENT["includes"]}}
    for kind in ("post.mention.create", "post.delete"):
        event["data"]["event_type"] = kind
        for way in places(event):
            for value in chance.sample((*STRANGE, "gone"), 4):
                body = json.dumps(changed(event, way, value)).encode()
                assert all(isinstance(each, Post | Unreadable) for each in x.posts_in(body)), way
