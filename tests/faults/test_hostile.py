"""What no network should send and some do, by every way in: it is laid aside with its reason on the channel's page, or
shown safely; and the good posts beside it all arrive."""

import csv
import gzip
import json
from html import unescape
from html.parser import HTMLParser

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from connectors import actions, normalise
from connectors.models import QuarantinedPost
from departments.tokens import make_token
from inbox.models import Conversation, Message
from socialhub import pipeline

GOOD = {"kind": "mention", "text": "Where is my parcel?", "created_at": "2026-11-20T08:00:00Z"}
SCRIPT = "<script>alert('canary-4711')</script>"
TURNED = "canary-4711 \u202eexe.gnp\u202c \u2067gniht\u2069"


def post(number, **changes):
    author = {"id": f"a{number}", "handle": f"ana{number}", "name": f"Ana {number}"}
    return GOOD | {"id": f"p{number}", "author": author} | changes


#: Name → the line as bytes, and the reason that Ada reads.
BROKEN = {
    "cut off": (b'{"id": "1", "kind": "mention", "te', "The line is not JSON."),
    "not UTF-8": (b'{"id": "caf\xe9"}', "The line is not UTF-8 text."),
    "nothing in it": (b"{}", "There is no “id”, no “kind”, no “text”, no “created_at”."),
    "no id": (json.dumps(GOOD).encode(), "There is no “id”."),
    "a key twice, the last one counts": (
        json.dumps(post(801)).encode()[:-1] + b', "id": ""}',
        "“id” is empty.",
    ),
    "NUL": (json.dumps(post(802, text="a\0b")).encode(), "“text” holds a NUL character."),
    "half a character": (json.dumps(post(803, text="\ud800")).encode(), "half a character (a lone surrogate)"),
    "a megabyte": (json.dumps(post(804, text="x" * 1_000_000)).encode(), "“text” has 1,000,000 characters"),
    "year 0": (json.dumps(post(805, created_at="0000-01-01T00:00:00Z")).encode(), "“created_at” is not a time"),
    "very deep": (b"[" * 200_000 + b"]" * 200_000, "The line is not JSON."),
    "deep inside a post": (
        json.dumps(post(806)).encode()[:-1] + b', "media": ' + b"[" * 300 + b"]" * 300 + b"}",
        "“media” has to be a list of JSON objects.",
    ),
    "a number of 5,000 digits": (json.dumps(post(807)).encode()[:-1] + b', "rating": ' + b"9" * 5000 + b"}", "JSON"),
    "a large number": (json.dumps(post(808)).encode()[:-1] + b', "rating": 1e999}', "“rating”"),
    "not a number": (json.dumps(post(809)).encode()[:-1] + b', "rating": NaN}', "“rating”"),
    "stars by the billion": (json.dumps(post(810, rating=10**30)).encode(), "“rating”"),
    "a script for a reason": (json.dumps(post(811, kind=SCRIPT)).encode(), "“kind” has to be one of"),
}
#: What is a post all the same, and has to be shown.
STRANGE = [
    post(901, text=SCRIPT, title=SCRIPT, author={"id": "s", "handle": SCRIPT, "name": SCRIPT}),
    post(902, text=TURNED, title=TURNED, author={"id": "t", "handle": TURNED, "name": TURNED}),
    post(903, text=f'" onmouseover="alert(1)" {SCRIPT}', url="javascript:alert('canary-4711')"),
    post(904, text="{{ 7|add:7 }} {% now 'Y' %} canary-4711"),
    post(905, text="canary-4711 " + "\u200b\ufeff\u2028" * 100 + "🏴‍☠️" * 200),
]
NEIGHBOURS = [post(number) for number in range(1, 21)]


@pytest.fixture
def channel(house, customer_service):
    return actions.open_channel(network="import", slug="files", name="Files", speakers=[customer_service], by="system")


def run(capsys, path):
    call_command("import_posts", str(path), "--channel", "files")
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def push(person, body):
    _, secret = make_token(person, "test", by=person)
    address = "/api/v1/channels/files/posts/"
    return Client(headers={"Authorization": f"Bearer {secret}"}).post(address, body, content_type="application/json")


def page_of(client):
    answer = client.get(reverse("channel", kwargs={"slug": "files"}))
    assert answer.status_code == 200
    return answer.content.decode()


def mixed(lines):
    """Each bad line has good neighbours on both sides."""
    good = [json.dumps(each).encode() for each in NEIGHBOURS]
    bad = [*lines, *[b""] * (len(good) - len(lines))]
    return b"\n".join(line for pair in zip(good, bad, strict=True) for line in pair)


def arrived():
    return set(Message.objects.values_list("external_id", flat=True)) >= {each["id"] for each in NEIGHBOURS}


# What can not be used -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_a_broken_line_costs_nobody_else_and_ada_reads_why(channel, ada, client_of, capsys, tmp_path, packed):
    content = mixed([line for line, _ in BROKEN.values()])
    path = tmp_path / ("posts.jsonl.gz" if packed else "posts.jsonl")
    path.write_bytes(gzip.compress(content) if packed else content)
    assert run(capsys, path) == {"read": 36, "taken_in": 20, "duplicates": 0, "quarantined": 16}
    assert arrived()
    shown = page_of(client_of(ada))
    text = unescape(shown)
    assert [name for name, (_, reason) in BROKEN.items() if reason not in text] == []
    assert "16 posts could not be read or kept" in text
    assert "canary-4711" not in shown


def test_a_broken_table_costs_nobody_else_and_ada_reads_why(channel, ada, client_of, capsys, tmp_path):
    path = tmp_path / "posts.csv"
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "kind", "text", "created_at", "author_id", "author_handle", "rating"])
        for each in NEIGHBOURS:
            rows.writerow([*(each[key] for key in ("id", "kind", "text", "created_at")), each["id"], "ana", ""])
        rows.writerow(["", "mention", "no id", GOOD["created_at"], "1", "ana", ""])
        rows.writerow(["b1", "mention", "x" * 1_000_000, GOOD["created_at"], "1", "ana", ""])
        rows.writerow(["b2", "mention", "year 0", "0000-01-01", "1", "ana", ""])
        rows.writerow(["b3", "review", "stars", GOOD["created_at"], "1", "ana", "9" * 400])
        rows.writerow(["b4", "mention", "\ud800", GOOD["created_at"], "1", "ana", ""])
        rows.writerow(["b5", "mention"])
        rows.writerow(["ok", "mention", SCRIPT, GOOD["created_at"], "2", "bo", "", "one cell", "too many"])
    assert run(capsys, path) == {"read": 27, "taken_in": 21, "duplicates": 0, "quarantined": 6}
    assert arrived()
    text = unescape(page_of(client_of(ada)))
    for reason in (
        "There is no “id”.",
        "1,000,000 characters",
        "is not a time",
        "“rating”",
        "lone surrogate",
        "no “text”",
    ):
        assert reason in text, reason


def test_what_is_pushed_broken_is_told_to_the_program_and_to_ada(channel, ada, client_of):
    readable = [line for line, _ in BROKEN.values() if _is_json(line)]
    body = b'{"posts": [' + b",".join([*readable, *(json.dumps(each).encode() for each in NEIGHBOURS)]) + b"]}"
    answer = push(ada, body)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["taken_in"] == 20 and arrived()
    assert [each["index"] for each in said["quarantined"]] == list(range(len(readable)))
    text = unescape(page_of(client_of(ada)))
    assert [each["reason"] for each in said["quarantined"] if each["reason"] not in text] == []


def _is_json(line):
    """What can stand in the body of a push at all, which is JSON as a whole or refused as a whole."""
    try:
        return json.loads(line, parse_constant=float) is not None and b"NaN" not in line and b"e999" not in line
    except (ValueError, RecursionError):
        return False


@pytest.mark.parametrize(
    "body",
    [
        b'{"posts": [',
        b'{"posts": [{"id": "caf\xe9"}]}',
        b'{"posts": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"posts": [' + b"9" * 5000 + b"]}",
        b'{"posts": [{"rating": NaN}]}',
        b"\0",
    ],
    ids=["cut off", "not UTF-8", "very deep", "a number of 5,000 digits", "not a number", "NUL"],
)
def test_a_body_that_is_no_json_is_refused_whole(channel, ada, body):
    answer = push(ada, body)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"].startswith("application/problem+json") and answer.json()["title"]
    assert not Message.objects.exists() and not QuarantinedPost.objects.exists()


# What is a post all the same ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Where the strange words stand on a page. A window's title has no inside that they could turn round."""

    VOID = set("area base br col embed hr img input link meta source track wbr".split())

    def __init__(self, html):
        super().__init__()
        self.open, self.wrong, self.found = [], [], 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        strange = [name for name in named if name.startswith("on")]
        strange += [name for name in ("href", "src") if "script:" in (named.get(name) or "")]
        if strange:
            self.wrong.append((tag, strange))
        if tag not in self.VOID:
            self.open.append((tag, named))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            continue

    def handle_data(self, data):
        if "canary-4711" not in data:
            return
        self.found += 1
        if any(tag in ("script", "style") for tag, _ in self.open):
            self.wrong.append(("script", data))
        isolated = any(tag in ("bdi", "title") or named.get("dir") == "auto" for tag, named in self.open)
        if "\u202e" in data and not isolated:
            self.wrong.append(([tag for tag, _ in self.open], data))


@pytest.fixture
def strange(channel, ada):
    """All of them lie in Triage, for nobody has made a rule."""
    answer = push(ada, json.dumps({"posts": STRANGE}))
    assert answer.json() == {"taken_in": len(STRANGE), "duplicates": 0, "quarantined": []}
    while pipeline.route():
        pass
    return {each.external_id: each.conversation for each in Message.objects.select_related("conversation")}


def addresses(conversation: Conversation):
    yield conversation.get_absolute_url()
    yield reverse("queue", kwargs={"department": "triage"})
    yield reverse("search") + "?q=canary"
    yield reverse("contacts")
    yield reverse("contact", kwargs={"contact": conversation.identity.contact_id})


@pytest.mark.parametrize("whole", [True, False], ids=["page", "piece"])
def test_strange_words_are_shown_as_words(strange, cora, client_of, whole):
    client, seen = client_of(cora), 0
    for each in STRANGE:
        for address in addresses(strange[each["id"]]):
            answer = client.get(address, headers={} if whole else {"HX-Request": "true"})
            assert answer.status_code == 200, address
            html = answer.content.decode()
            assert SCRIPT not in html, address
            page = Page(html)
            assert page.wrong == [], address
            seen += page.found
    assert seen > 20


def test_what_they_wrote_is_read_as_they_wrote_it(strange, cora, client_of):
    client = client_of(cora)
    for each in STRANGE:
        shown = client.get(strange[each["id"]].get_absolute_url()).content.decode()
        assert escape(each["text"]) in shown
        (message,) = client.get(reverse_api(strange[each["id"]])).json()["results"]
        assert message["text"] == each["text"]
        assert not message["url"].startswith("javascript")


def reverse_api(conversation):
    return f"/api/v1/conversations/{conversation.pk}/messages/"


# Mended ---------------------------------------------------------------------------------------------------------


def test_what_is_tried_again_after_the_cause_is_mended_arrives_once(channel, ada, client_of, monkeypatch):
    long = post(1, text="long " * 30_000)
    assert push(ada, json.dumps({"posts": [long, post(2)]})).json()["taken_in"] == 1
    again = reverse("channel-replay", kwargs={"slug": "files"})

    def try_again():
        client_of(ada).post(again)
        pipeline.fetch()

    try_again()
    waiting = QuarantinedPost.objects.waiting().get()
    assert waiting.attempts == 1 and "150,000 characters" in unescape(page_of(client_of(ada)))
    monkeypatch.setattr(normalise, "LONGEST_TEXT", 200_000)
    try_again()
    try_again()
    assert push(ada, json.dumps({"posts": [long]})).json() == {"taken_in": 0, "duplicates": 1, "quarantined": []}
    assert sorted(Message.objects.values_list("external_id", flat=True)) == ["p1", "p2"]
    assert "could not be read or kept" not in page_of(client_of(ada))
