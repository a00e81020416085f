"""`import_posts`: posts from a file into the inbox."""

import gzip
import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from connectors.models import Channel, FetchRun, QuarantinedPost
from inbox.models import Message

POST = {"kind": "mention", "text": "Where is my parcel?", "created_at": "2026-11-20T08:00:00Z"}


def run(capsys, file, *options):
    call_command("import_posts", str(file), "--channel", "files", *options)
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


@pytest.fixture
def file(house, tmp_path):
    posts = [
        json.dumps(POST | {"id": str(number), "author": {"id": str(number), "handle": "a"}}) for number in range(1200)
    ]
    broken = ["{oops", json.dumps(POST), json.dumps(POST | {"id": "nul", "text": "\0"}), "caf\udcc3("]
    path = tmp_path / "posts.jsonl"
    path.write_bytes("\n".join([*posts, *broken, ""]).encode("utf-8", "surrogateescape"))
    return path


def test_a_file_goes_in_once_and_what_is_broken_is_laid_aside(file, capsys):
    assert run(capsys, file, "--create") == {"read": 1204, "taken_in": 1200, "duplicates": 0, "quarantined": 4}
    assert run(capsys, file) == {"read": 1204, "taken_in": 0, "duplicates": 1200, "quarantined": 4}
    assert Message.objects.count() == 1200
    reasons = set(QuarantinedPost.objects.values_list("reason", flat=True))
    assert reasons == {
        "The line is not JSON.",
        "There is no “id”.",
        "“text” holds a NUL character.",
        "The line is not UTF-8 text.",
    }
    assert list(FetchRun.objects.values_list("via", "outcome")) == [("file", "ok"), ("file", "ok")]


def test_the_channel_is_opened_only_when_that_was_asked(file, capsys):
    with pytest.raises(CommandError, match="no channel “files”.*--create"):
        run(capsys, file)
    assert not Channel.objects.exists()
    run(capsys, file, "--create")
    assert (Channel.objects.get().network, Channel.objects.get().next_poll_at) == ("import", None)


def test_a_file_that_is_not_there_or_was_cut_off_is_one_sentence(file, capsys, tmp_path):
    with pytest.raises(CommandError, match="There is no file"):
        run(capsys, tmp_path / "none.jsonl")
    cut = tmp_path / "cut.jsonl.gz"
    packed = gzip.compress(file.read_bytes())
    cut.write_bytes(packed[: len(packed) - 200])
    with pytest.raises(CommandError, match="can not be read to its end.*kept"):
        run(capsys, cut, "--create")
    assert FetchRun.objects.get().outcome == "failed"
    assert Message.objects.count() > 0


@pytest.mark.skipif("REAL_DATA" not in os.environ, reason="REAL_DATA is not set: no real posts here")
def test_all_real_posts_go_in_and_a_second_time_none(house, capsys):
    file = Path(os.environ["REAL_DATA"]) / "stream.jsonl.gz"
    first = run(capsys, file, "--create", "--history")
    assert (first["read"], first["taken_in"] + first["duplicates"], first["quarantined"]) == (35379, 35379, 0)
    again = run(capsys, file)
    assert (again["read"], again["taken_in"], again["duplicates"]) == (35379, 0, 35379)
    assert Message.objects.count() == first["taken_in"]
