"""Deliveries: signed by somebody we know, kept before they are read, and never twice; and replies on their way back."""

import base64
import json
import random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.urls import reverse
from standardwebhooks.webhooks import Webhook as Sender

from connectors import actions, deliveries, signing
from connectors.contract import Outgoing
from connectors.errors import Forged, MaybeSent, NotSent, RateLimited, Rejected
from connectors.models import Channel, Delivery, FetchRun, QuarantinedPost

pytestmark = pytest.mark.django_db
SECRET, OTHER = signing.new_secret(), signing.new_secret()


def post(id="1", **said):
    return {"id": id, "kind": "mention", "text": "Where is my order?", "created_at": "2026-11-20T10:00:00Z"} | said


@pytest.fixture
def channel(house):
    return actions.open_channel(
        network="webhook", slug="forum", name="Forum", credentials={"secret": f"{SECRET} {OTHER}"}, by="system"
    )


@pytest.fixture
def deliver(client, channel):
    """Deliver as a program would that was written with the specification's own library."""

    def deliver(said, *, id="msg_1", at=None, secret=SECRET, to="forum", kind="application/json", **headers):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        at = at or datetime.now(UTC)
        signature = Sender(secret).sign(id, at, body.decode("utf-8", "replace"))
        signed = {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        return client.post(f"/hooks/{to}/", body, content_type=kind, headers=signed | headers)

    return deliver


def refused(answer):
    return answer.status_code == 401 and not Delivery.objects.exists()


# At the door ----------------------------------------------------------------------------------------------------


def test_a_good_delivery_repeated_a_hundred_times_is_one_message(deliver, inbox):
    answers = [deliver(post()).json()["status"] for _ in range(100)]
    assert answers == ["kept", *["known"] * 99]
    deliveries.read_waiting(inbox)
    assert [deliver(post()).json()["status"] for _ in range(3)] == ["known"] * 3
    deliveries.read_waiting(inbox)
    assert inbox.texts == ["Where is my order?"]
    assert deliver(post(), id="msg_2").status_code == 200, "the same post under another id is known by its own id"
    deliveries.read_waiting(inbox)
    assert len(inbox.texts) == 1


def test_not_one_of_a_thousand_forgeries_by_a_single_bit_is_taken(channel):
    body, chance = json.dumps(post()).encode(), random.Random(7)
    good = signing.sign(SECRET, body, id="msg_1", at=datetime.now(UTC))
    assert signing.verify(good, body, [OTHER, SECRET]).id == "msg_1"
    for _ in range(1000):
        parts = {**{name: value.encode() for name, value in good.items()}, "body": body}
        name = chance.choice(list(parts))
        at = chance.randrange(len(parts[name]) * 8)
        flipped = bytearray(parts[name])
        flipped[at // 8] ^= 1 << at % 8
        parts[name] = bytes(flipped)
        headers = {each: parts[each].decode("latin-1") for each in good}
        with pytest.raises(Forged):
            signing.verify(headers, parts["body"], [OTHER, SECRET])


def test_signed_bytes_can_not_be_cut_otherwise(channel):
    """The signature covers `id.time.body` as one text, so an id with a dot in it is never taken: what it signs could
    be told as a shorter id with an earlier time and another body."""
    now = datetime.now(UTC)
    signed = signing.sign(SECRET, b"{}", id=f"evt.{int(now.timestamp()) - 1}", at=now)
    with pytest.raises(Forged, match="id"):
        signing.verify(signed, b"{}", [SECRET])


@pytest.mark.parametrize("minutes", [-60, -6, 6, 60])
def test_one_from_another_time_changes_nothing(deliver, minutes):
    assert refused(deliver(post(), at=datetime.now(UTC) + timedelta(minutes=minutes)))


def test_a_stranger_learns_nothing_from_the_door(deliver, client, channel, demo):
    unsigned = client.post("/hooks/forum/", post(), content_type="application/json")
    forged = deliver(post(), secret=signing.new_secret())
    elsewhere = deliver(post(), to="nothing-here")
    polled = deliver(post(), to=demo.slug)
    assert {each.content for each in (unsigned, forged, elsewhere, polled)} == {unsigned.content}
    assert all(map(refused, (unsigned, forged, elsewhere, polled)))
    actions.connect_again(channel, credentials={}, by="system")
    assert refused(deliver(post())), "without a secret nothing is accepted"


def test_a_secret_is_handed_over_without_a_gap(deliver, channel, client, ada):
    assert deliver(post(), id="a").status_code == deliver(post(), id="b", secret=OTHER).status_code == 200
    client.force_login(ada)
    page = client.post(reverse("channel-secret", args=["forum"])).content.decode()
    made = channel_secrets()[0]
    assert made in page
    assert made not in client.get(reverse("channel", args=["forum"])).content.decode()
    assert deliver(post(), id="c", secret=made).status_code == deliver(post(), id="d").status_code == 200
    client.post(reverse("channel-secret", args=["forum"]), {"retire": "1"})
    assert channel_secrets() == [made]
    assert deliver(post(), id="e", secret=made).status_code == 200
    assert deliver(post(), id="f").status_code == 401
    both = f"{Sender(OTHER).sign('g', datetime.now(UTC), '[]')} {Sender(made).sign('g', datetime.now(UTC), '[]')}"
    assert deliver([], id="g", **{"webhook-signature": both}).status_code == 200, "a sender may sign with both"


def channel_secrets():
    return Channel.objects.get(slug="forum").credentials["secret"].split()


def test_the_example_on_the_page_delivers_as_it_stands(channel, client, inbox, ada, monkeypatch):
    client.force_login(ada)
    page = client.get(reverse("channel", args=["forum"])).content.decode()
    example = unescape(page.split("<pre")[1].split("<code>")[1].split("</code>")[0])

    def over_the_wire(request):
        assert request.full_url == "http://testserver/hooks/forum/"
        return client.post("/hooks/forum/", request.data, request.headers["Content-type"], headers=request.headers)

    monkeypatch.setattr("urllib.request.urlopen", over_the_wire)
    exec(example.replace("whsec_…", SECRET), {})
    assert deliveries.read_waiting(inbox) == 1
    assert inbox.texts == ["Do you ship to Malta?"]


def test_a_secret_that_is_none_is_refused_and_not_repeated(channel):
    with pytest.raises(ValidationError) as wrong:
        actions.connect_again(channel, credentials={"secret": "hunter2hunter2"}, by="system")
    assert "hunter2" not in str(wrong.value)


def test_too_much_and_what_is_not_json_is_told_so(deliver, client):
    assert deliver(b"x" * (deliveries.LARGEST + 1)).status_code == 413
    assert deliver(post(), kind="text/plain").status_code == 415
    assert client.put("/hooks/forum/").status_code == 405
    assert client.get("/hooks/forum/").status_code == 403
    assert not Delivery.objects.exists()


# Reading --------------------------------------------------------------------------------------------------------


def event(**said):
    return {"specversion": "1.0", "id": "e1", "source": "/forum", "type": "post.created"} | said


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (post(), "application/json"),
        ([post()], "application/json"),
        ({"posts": [post()]}, "application/json"),
        (event(data=post()), "application/cloudevents+json"),
        (event(data={"posts": [post()]}), "application/cloudevents+json"),
        (event(data_base64=base64.b64encode(json.dumps(post()).encode()).decode()), "application/cloudevents+json"),
        ([event(data=post())], "application/cloudevents-batch+json"),
    ],
)
def test_a_post_is_found_in_whatever_it_is_wrapped(deliver, inbox, said, kind):
    assert deliver(said, kind=kind).status_code == 200
    deliveries.read_waiting(inbox)
    assert inbox.texts == ["Where is my order?"]


def test_a_cloud_event_told_by_headers_is_a_post_too(deliver, inbox):
    headers = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/forum", "ce-type": "post.created"}
    assert deliver(post(), **headers).status_code == 200
    deliveries.read_waiting(inbox)
    assert inbox.texts == ["Where is my order?"]


def test_what_can_not_be_read_is_laid_aside_and_its_neighbours_arrive(deliver, inbox):
    deliver([post("1"), {"id": "2"}, "nonsense", post("3")], id="a")
    deliver(b"no json at all", id="b")
    deliver(post("4"), id="c")
    assert deliveries.read_waiting(inbox) == 3
    assert [each.id for each in inbox.posts] == ["1", "3", "4"]
    assert QuarantinedPost.objects.count() == 3
    run = FetchRun.objects.get()
    assert (run.via, run.read, run.taken_in, run.quarantined) == ("push", 6, 3, 3)
    assert deliveries.read_waiting(inbox) == 0


def test_a_crash_while_reading_leaves_it_waiting(deliver, inbox):
    deliver(post())
    inbox.fails = RuntimeError("the database is away")
    with pytest.raises(RuntimeError):
        deliveries.read_waiting(inbox)
    assert not inbox.posts and Delivery.objects.waiting().count() == 1
    inbox.fails = None
    assert deliveries.read_waiting(inbox) == 0, "somebody may still be reading it"
    Delivery.objects.update(leased_until=None)
    assert deliveries.read_waiting(inbox) == 1 and len(inbox.posts) == 1


def test_a_channel_whose_key_is_lost_holds_up_no_other(deliver, inbox, channel, settings):
    deliver(post("1"))
    actions.open_channel(network="webhook", slug="shop", name="Shop", credentials={"secret": SECRET}, by="system")
    deliver(post("2"), to="shop")
    lost = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    kept = Channel.objects.get(slug="forum").sealed
    Channel.objects.filter(slug="forum").update(sealed=lost)
    deliveries.read_waiting(inbox)
    assert [each.id for each in inbox.posts] == ["2"]
    assert "put that key back" in Delivery.objects.set_aside().get().reason
    Channel.objects.filter(slug="forum").update(sealed=kept)
    actions.read_again(channel, by="system")
    deliveries.read_waiting(inbox)
    assert [each.id for each in inbox.posts] == ["2", "1"]


def test_an_inbox_that_breaks_on_one_channel_takes_in_the_others(deliver, inbox, channel):
    deliver(post("1"))
    actions.open_channel(network="webhook", slug="shop", name="Shop", credentials={"secret": SECRET}, by="system")
    deliver(post("2"), to="shop")

    def breaks_for_the_forum(channel, posts, *, history=False):
        if channel.slug == "forum":
            raise RuntimeError
        return inbox(channel, posts, history=history)

    with pytest.raises(RuntimeError):
        deliveries.read_waiting(breaks_for_the_forum)
    assert [each.id for each in inbox.posts] == ["2"]
    assert Delivery.objects.waiting().get().key == "msg_1"


def test_what_is_wrapped_wide_is_unwrapped_in_no_time(channel):
    """A list before a list was copied for each of its members: a megabyte of them held the reader for two minutes."""
    wide = [[[]]] * 100_000 + [post("1")]
    began = time.process_time()
    assert [each.id for each in channel.connector().posts_in(json.dumps(wide).encode())] == ["1"]
    assert time.process_time() - began < 3


def test_one_that_kills_its_reader_is_set_aside_and_takes_no_other_with_it(deliver, inbox, client, ada):
    deliver(post("poisonous"), id="a")
    deliver(post("2"), id="b")
    for _ in range(deliveries.MOST_ATTEMPTS):  # each time the worker dies in the middle
        Delivery.objects.filter(key="a").waiting(datetime.now(UTC)).claim(until=datetime.now(UTC), most=1)
    assert deliveries.read_waiting(inbox) == 1 and [each.id for each in inbox.posts] == ["2"]
    deliveries.read_waiting(inbox)
    assert Delivery.objects.get(key="a").set_aside_at
    client.force_login(ada)
    page = client.get(reverse("channel", args=["forum"])).content.decode()
    assert "never came to its end" in page and "Where is my order" not in page
    client.post(reverse("channel-replay", args=["forum"]), {"deliveries": "1"})
    assert deliveries.read_waiting(inbox) == 1 and len(inbox.posts) == 2


def test_what_comes_to_a_paused_channel_waits(deliver, inbox, channel):
    actions.pause(channel, by="system")
    assert deliver(post()).status_code == 200
    assert deliveries.read_waiting(inbox) == 0
    actions.resume(channel, by="system")
    assert deliveries.read_waiting(inbox) == 1


def test_read_deliveries_are_forgotten_after_a_week(deliver, inbox):
    deliver(post())
    deliveries.read_waiting(inbox)
    assert deliveries.tidy(datetime.now(UTC) + timedelta(days=6)) == 0
    assert deliveries.tidy(datetime.now(UTC) + timedelta(days=8)) == 1


# The way back ---------------------------------------------------------------------------------------------------

REPLY = Outgoing(text="We look into it.", in_reply_to="42", client_key="key-1")


class Forum(BaseHTTPRequestHandler):
    """The other side: takes what is signed, and answers what the test laid down."""

    def log_message(self, *said):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Sender(SECRET).verify(body.decode(), dict(self.headers))
        self.server.taken.append(json.loads(body))
        self._answer(*self.server.answer)

    def do_GET(self):
        known = [each for each in self.server.taken if self.path.endswith(f"client_key={each['id']}")]
        self._answer(*((200, {"id": "r1"}) if known else (404, {})))

    def _answer(self, status, said):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def a_forum():
    server = HTTPServer(("127.0.0.1", 0), Forum)
    server.taken, server.answer = [], (201, {"id": "r1", "url": "https://forum.example/r1"})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def forum(channel):
    with a_forum() as server:
        url = f"http://127.0.0.1:{server.server_port}/replies?room=1"
        actions.change_channel(channel, settings={"reply_url": url, "allow_private_hosts": True}, by="system")
        server.way = Channel.objects.get(slug="forum").connector()
        yield server


def test_a_reply_goes_back_signed_and_can_be_found_again(forum):
    assert forum.way.find_sent(REPLY, datetime.now(UTC)) is None
    sent = forum.way.send(REPLY)
    assert (sent.id, sent.url) == ("r1", "https://forum.example/r1")
    assert forum.taken == [{"type": "reply", "id": "key-1", "text": "We look into it.", "in_reply_to": "42"}]
    assert forum.way.find_sent(REPLY, datetime.now(UTC)).id == "r1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((422, {}), Rejected),
        ((302, {}), Rejected),
        ((429, {}), RateLimited),
        ((500, {}), MaybeSent),
        ((200, b"<html>"), MaybeSent),
        ((200, {"ok": True}), MaybeSent),
    ],
)
def test_what_became_of_a_reply_is_never_guessed(forum, answer, error):
    forum.answer = answer
    with pytest.raises(error):
        forum.way.send(REPLY)


def test_a_reply_that_nobody_takes_has_not_left(forum):
    forum.shutdown()
    forum.server_close()
    with pytest.raises(NotSent):
        forum.way.send(REPLY)


def test_a_channel_without_a_way_back_only_listens(channel):
    assert not channel.offers.replies
    actions.change_channel(channel, settings={"reply_url": "https://forum.example/replies"}, by="system")
    assert Channel.objects.get(slug="forum").offers.replies
