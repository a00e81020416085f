"""Files of posts: lines and tables, plain and packed, whole and broken."""

import gzip
import json

import pytest

from connectors.contract import Post, Unreadable
from connectors.networks import imported

POST = {"id": "1", "kind": "mention", "text": "Zoë said “hi”", "created_at": "2026-11-20T08:00:00Z"}


def lines(*posts):
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in posts)


def read(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return list(imported.read_file(tmp_path / name))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", ["posts.jsonl", "posts.jsonl.gz"])
def test_lines_are_read_packed_or_not_whatever_the_name_says(tmp_path, pack, name):
    found = read(tmp_path, name, pack(b"\xef\xbb\xbf" + lines(POST, b"", b"   ", POST | {"id": "2"}) + b"\r\n"))
    assert [each.id for each in found] == ["1", "2"]


def test_a_broken_line_harms_no_other(tmp_path):
    found = read(tmp_path, "posts.jsonl", lines(POST, b"{oops", b"\xff\xfe", b"\x00", POST | {"id": "2"}))
    assert [type(each) for each in found] == [Post, Unreadable, Unreadable, Unreadable, Post]


def test_a_line_without_end_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(imported, "LONGEST_LINE", 1000)
    huge = json.dumps(POST | {"text": "x" * 5000}).encode()
    found = read(tmp_path, "posts.jsonl", lines(POST, huge, POST | {"id": "2"}))
    assert [type(each) for each in found] == [Post, Unreadable, Post]
    assert "longer than 1,000 bytes" in found[1].reason


def test_a_table_is_read_by_its_head(tmp_path):
    table = (
        "\ufeffid,kind,text,created_at,rating,deleted,author.id,author_handle,author.followers,nonsense\n"
        '1,review,"two\nlines, one comma",2026-11-20T08:00:00Z,4,,7,ana,1200,x\n'
        "2,mention,,2026-11-20T08:00:00Z,,true,,,,\n"
    )
    one, two = read(tmp_path, "posts.csv", table.encode())
    assert (one.text, one.rating, one.author.handle, one.author.followers) == ("two\nlines, one comma", 4, "ana", 1200)
    assert (two.text, two.deleted, two.author) == ("", True, None)


def test_rows_that_are_too_short_wrong_or_hold_nul_say_why(tmp_path):
    rows = (
        b"id,kind,text,created_at,rating",
        b"1,mention",
        b"2,mention,x,2026-11-20,many",
        b"3,mention,a\x00b,2026-11-20,",
    )
    table = b"\n".join((*rows, b"4,mention,ok,2026-11-20,"))
    found = read(tmp_path, "posts.csv.gz", gzip.compress(table))
    assert [type(each) for each in found] == [Unreadable] * 3 + [Post]
    assert [each.reason.split("”")[0] for each in found[:3]] == ["There is no “text", "“rating", "“text"]


def test_a_file_that_was_cut_off_gives_what_was_whole_and_then_says_so(tmp_path):
    whole = gzip.compress(lines(*[POST | {"id": str(number)} for number in range(5000)]))
    (tmp_path / "posts.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(EOFError):
        for each in imported.read_file(tmp_path / "posts.jsonl.gz"):
            found.append(each)
    assert len(found) > 100
