"""Channels for programs."""

import json

import pytest
from django.test import Client

from connectors import actions, polling
from connectors.models import Channel, FetchRun
from departments.tokens import make_token
from inbox.intake import take_in
from inbox.models import Message
from tests.connectors.conftest import QUIET

pytestmark = pytest.mark.django_db
CANARY = "canary-4711"


class Program:
    """A program that acts for a person by a token."""

    def __init__(self, person, **limits):
        _, secret = make_token(person, "test", by=person, **limits)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, path, **query):
        return self.client.get(f"/api/v1/channels/{path}", query)

    def post(self, path, body=None):
        return self.client.post(f"/api/v1/channels/{path}", body or {}, content_type="application/json")

    def patch(self, path, body):
        return self.client.patch(f"/api/v1/channels/{path}", body, content_type="application/json")


@pytest.fixture
def channel(house, customer_service):
    return actions.open_channel(
        network="demo", slug="mirabelo", name="Mirabelo", settings=QUIET, credentials={"token": CANARY},
        speakers=[customer_service], by="system",
    )  # fmt: skip


def posts(*numbers, **changes):
    plain = {"kind": "mention", "text": "Hello", "created_at": "2026-11-20T08:00:00Z"}
    return [plain | {"id": str(number)} | changes for number in numbers]


def test_ada_opens_a_channel_and_its_secret_never_comes_out(ada):
    body = {
        "network": "demo", "slug": "mirabelo", "name": "Mirabelo", "settings": {"rate": 1, "poll_seconds": 7},
        "credentials": {"token": CANARY}, "speakers": ["customer-service"],
    }  # fmt: skip
    answer = Program(ada).post("", body)
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert (said["slug"], said["state"], said["poll_seconds"], said["frozen"]) == ("mirabelo", "listening", 7, False)
    assert (said["settings"], said["speakers"], said["health"]) == (
        {"rate": 1, "poll_seconds": 7},
        ["customer-service"],
        "Listening.",
    )
    assert Channel.objects.get().credentials == {"token": CANARY}
    for shown in (answer, Program(ada).get(""), Program(ada).get("mirabelo/")):
        assert CANARY not in shown.content.decode()


def test_every_network_s_settings_know_the_common_ones(ada):
    common = {
        "base_url": "http://127.0.0.1:9/",
        "allow_private_hosts": True,
        "poll_seconds": 5,
        "backfill_days": 1,
        "query": "x",
    }
    for network in ("demo", "import"):
        body = {"network": network, "slug": network, "name": network, "settings": common}
        assert Program(ada).post("", body).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"network": "pigeon"}, "network"),
        ({"slug": "not a slug"}, "slug"),
        ({"slug": "mirabelo"}, "slug"),
        ({"settings": {"rate": -1}}, "settings.rate"),
        ({"settings": {"unknown": 1}}, "settings.unknown"),
        ({"settings": "rate"}, "settings"),
        ({"speakers": ["no-such"]}, "speakers"),
        ({"colour": "red"}, "colour"),
        ({"name": None}, "name"),
    ],
)
def test_what_can_not_be_used_is_named(channel, ada, change, field):
    body = {"network": "demo", "slug": "other", "name": "Other"} | change
    answer = Program(ada).post("", body)
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["fields"]) == [field]
    assert Channel.objects.count() == 1


def test_ada_switches_a_fault_on_and_off(channel, ada):
    assert Program(ada).patch("mirabelo/", {"settings": {"outage": True}}).json()["settings"] == QUIET | {
        "outage": True
    }
    said = Program(ada).patch("mirabelo/", {"settings": {"outage": None}, "name": "M", "monitors": ["pr"]}).json()
    assert (said["settings"], said["name"], said["monitors"], said["speakers"]) == (
        QUIET,
        "M",
        ["pr"],
        ["customer-service"],
    )
    channel.refresh_from_db()
    assert channel.credentials == {"token": CANARY}


def test_who_may_what(channel, ada, cora, carl, pia):
    assert Program(cora).get("mirabelo/").status_code == 200
    assert Program(cora).post("mirabelo/poll/").status_code == 202
    assert Program(cora).post("", {"network": "demo", "slug": "x", "name": "X"}).status_code == 403
    assert Program(cora).patch("mirabelo/", {"name": "X"}).status_code == 403
    mine = Program(carl)
    assert "settings" not in mine.get("mirabelo/").json()
    assert [each["slug"] for each in mine.get("").json()["results"]] == ["mirabelo"]
    for refused in (mine.get("mirabelo/fetch-runs/"), mine.get("mirabelo/quarantine/"), mine.post("mirabelo/poll/")):
        assert refused.status_code == 403
    assert mine.post("mirabelo/posts/", {"posts": posts(1)}).status_code == 403


def test_pia_gets_the_same_answer_for_a_hidden_channel_and_for_none(channel, pia):
    program = Program(pia)
    assert program.get("").json()["results"] == []
    for path in ("", "fetch-runs/", "quarantine/"):
        hidden, none = program.get(f"mirabelo/{path}"), program.get(f"none/{path}")
        assert hidden.status_code == none.status_code == 404
        assert hidden.json() == none.json()
    for path in ("poll/", "posts/"):
        assert program.post(f"mirabelo/{path}").status_code == program.post(f"none/{path}").status_code == 404


def test_a_token_does_no_more_than_its_scopes(channel, ada):
    pusher = Program(ada, scopes=["posts"])
    assert pusher.post("mirabelo/posts/", {"posts": posts(1)}).status_code == 200
    assert pusher.get("mirabelo/").status_code == 403
    assert pusher.patch("mirabelo/", {"name": "X"}).status_code == 403
    assert Program(ada, scopes=["read"]).post("mirabelo/posts/", {"posts": posts(2)}).status_code == 403


def test_posts_that_are_pushed_reach_the_inbox_once_and_bad_ones_say_why(channel, ada):
    program = Program(ada)
    mixed = [*posts(1, 2), "nonsense", *posts(3, text="nul \x00"), *posts(4, text="pssst \ud800"), *posts(5)]
    answer = program.post("mirabelo/posts/", json.dumps({"posts": mixed}))
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["taken_in"], said["duplicates"]) == (3, 0)
    assert [each["index"] for each in said["quarantined"]] == [2, 3, 4]
    assert "NUL" in said["quarantined"][1]["reason"]
    assert Message.objects.count() == 3
    again = program.post("mirabelo/posts/", {"posts": posts(1, 2, 5)}).json()
    assert again == {"taken_in": 0, "duplicates": 3, "quarantined": []}
    runs = program.get("mirabelo/fetch-runs/").json()["results"]
    assert [(each["read"], each["taken_in"], each["duplicates"], each["quarantined"]) for each in runs] == [
        (3, 0, 3, 0),
        (6, 3, 0, 3),
    ]
    aside = program.get("mirabelo/quarantine/").json()["results"]
    assert len(aside) == 3
    assert not any("pssst" in str(each) or "raw" in each for each in aside)


@pytest.mark.parametrize("body", [{}, {"posts": {}}, {"posts": posts(*range(501))}, {"posts": [], "more": 1}, []])
def test_what_is_no_list_of_up_to_500_posts_is_refused_whole(channel, ada, body):
    assert Program(ada).post("mirabelo/posts/", json.dumps(body)).status_code == 400
    assert not FetchRun.objects.exists()


def test_a_paused_channel_takes_nothing_in(channel, ada):
    actions.pause(channel, by=ada)
    assert Program(ada).post("mirabelo/posts/", {"posts": posts(1)}).status_code == 409
    assert Program(ada).post("mirabelo/poll/").status_code == 409


def test_nobody_can_push_over_a_post_of_another_channel(channel, ada):
    other = actions.open_channel(network="import", slug="files", name="Files", by=ada)
    Program(ada).post("mirabelo/posts/", {"posts": posts(1)})
    Program(ada).post("files/posts/", {"posts": posts(1, text="Other", global_id="demo:1")})
    assert sorted(Message.objects.values_list("channel__slug", "text")) == [("files", "Other"), ("mirabelo", "Hello")]
    assert other.runs.get().taken_in == 1


def test_the_ledger_turns_its_pages_with_the_shape_that_programs_rely_on(channel, ada):
    for _ in range(3):
        polling.poll(channel, take_in)
    answer = Program(ada).get("mirabelo/fetch-runs/", limit=2).json()
    assert len(answer["results"]) == 2
    relied_on = {"id", "started", "finished", "outcome", "read", "taken_in", "duplicates", "quarantined", "gap"}
    assert relied_on <= set(answer["results"][0])
    assert len(Program(ada).client.get(answer["next"]).json()["results"]) == 1
