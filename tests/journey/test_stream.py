"""Real posts that nobody here wrote, as many as a busy morning brings: all read, none lost, none twice, all routed."""

import gzip
import json
import os
from itertools import islice
from pathlib import Path

import pytest
from django.core.management import call_command

from inbox.models import Access, Message, QueueItem
from routing import starter
from routing.models import Decision
from socialhub import pipeline

pytestmark = pytest.mark.django_db

REAL = Path(os.environ.get("REAL_DATA", "/nowhere")) / "stream.jsonl.gz"
MANY = 3_000


@pytest.fixture
def morning(house, tmp_path):
    """The first posts of the stream, in a file of their own."""
    if not REAL.exists():
        pytest.skip("REAL_DATA names no folder with stream.jsonl.gz")
    starter.found(by="system")
    file = tmp_path / "morning.jsonl.gz"
    with gzip.open(REAL, "rb") as stream, gzip.open(file, "wb", compresslevel=1) as kept:
        kept.writelines(islice(stream, MANY))
    return file


def bring_in(file, capsys) -> dict:
    call_command("import_posts", str(file), "--channel", "stream", "--create")
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_morning_of_real_posts_goes_in_once_and_every_one_is_routed_once(morning, capsys):
    assert bring_in(morning, capsys) == {"read": MANY, "taken_in": MANY, "duplicates": 0, "quarantined": 0}
    with gzip.open(morning, "rt") as stream:
        sent = {each["id"]: each["text"] for each in map(json.loads, stream)}
    kept = dict(Message.objects.values_list("external_id", "text"))
    assert kept.keys() == sent.keys()
    assert [key for key, text in kept.items() if text != _as_kept(sent[key])] == []

    assert pipeline.route() == MANY
    assert pipeline.route() == 0
    assert Decision.objects.count() == Decision.objects.values("message").distinct().count() == MANY
    conversations = set(Message.objects.values_list("conversation", flat=True))
    assert set(QueueItem.objects.filter(lead=True).values_list("conversation", flat=True)) == conversations
    assert set(Access.objects.values_list("conversation", flat=True)) == conversations
    assert Decision.objects.exclude(source="none").count() > MANY / 20, "the starter rules know hardly any of them"

    assert bring_in(morning, capsys) == {"read": MANY, "taken_in": 0, "duplicates": MANY, "quarantined": 0}
    assert Message.objects.count() == MANY and pipeline.route() == 0


def _as_kept(text: str) -> str:
    """What normalising may change of a text: composed signs, line ends, and what no screen shows."""
    from connectors.normalise import post_from

    return post_from({"id": "x", "kind": "mention", "created_at": "2026-01-01T00:00:00Z", "text": text}).text
