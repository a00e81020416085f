"""Posts from files, and posts that other programs push: a network that is never asked and never answered.

A file holds one post a line (JSON Lines), or a table with a head (CSV), either of them plain or packed with gzip.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from connectors.contract import KINDS, Batch, Capabilities, Checked, Connector, Post, Unreadable
from connectors.normalise import LONGEST_LINE, post_from, post_from_line


@dataclass(frozen=True)
class Imported(Connector):
    network = "import"
    name = "Import"
    capabilities = Capabilities(
        reads=KINDS,
        polls=False,
        edits=True,
        deletions=True,
        missing={
            "hooks": "cannot: programs push posts with a token instead (POST channels/…/posts/)",
            **dict.fromkeys(
                ("searches", "replies", "private_replies", "likes", "hides", "removes", "removes_of_others"),
                "cannot: there is nobody to ask or to answer",
            ),
            "lookups": "cannot: there is nobody to ask or to answer",
            "signs_in": "cannot: there is nobody to ask or to answer",
            "native_idempotency": "cannot: there is nobody to ask or to answer",
        },
    )
    heeds = frozenset()

    def fetch(self, cursor) -> Batch:
        return Batch((), dict(cursor))

    def check(self) -> Checked:
        return Checked("Posts come from files and through the API; there is nothing to connect to.")


def read_file(path: Path | str) -> Iterator[Post | Unreadable]:
    """Every post of the file in turn. A row that can not be read comes out as Unreadable; only a file that can not be
    read at all raises, OSError (also for a broken gzip) or EOFError (for one that was cut off)."""
    path = Path(path)
    is_table = path.name.removesuffix(".gz").casefold().endswith(".csv")
    with path.open("rb") as plain, _unpacked(plain) as stream:
        yield from _rows(stream) if is_table else _lines(stream)


def _unpacked(plain: Any) -> Any:
    """What a file is its first bytes tell, not its name."""
    return gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == b"\x1f\x8b" else plain


def _lines(stream: BinaryIO) -> Iterator[Post | Unreadable]:
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            yield Unreadable(
                line[:1000], f"The line is longer than {LONGEST_LINE:,} bytes; only its beginning is kept."
            )
            while (line := stream.readline(LONGEST_LINE)) and not line.endswith(b"\n"):
                continue
        elif stripped := line.strip().removeprefix(b"\xef\xbb\xbf"):
            yield post_from_line(stripped)


def _rows(stream: BinaryIO) -> Iterator[Post | Unreadable]:
    """Columns are named as in JSON, those of the author `author.id`, `author.handle` … or `author_id` …"""
    csv.field_size_limit(LONGEST_LINE)
    rows = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline=""))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unreadable(f"row {rows.line_num}", f"The row is not CSV: {error}.")
        else:
            yield post_from(_from_table(row))


def _from_table(row: dict[str | None, Any]) -> dict[str, Any]:
    """A row of text as the JSON that it means: empty is absent, numbers are numbers."""
    said: dict[str, Any] = {}
    author: dict[str, Any] = {}
    for column, cell in row.items():
        if column is None or cell is None or (cell == "" and column != "text"):
            continue
        name = column.strip()
        if name.startswith(("author.", "author_")):
            author[name[7:]] = _cell(name[7:], cell)
        else:
            said[name] = _cell(name, cell)
    return said | ({"author": author} if author else {})


def _cell(name: str, cell: str) -> Any:
    if name in ("rating", "followers"):
        return int(cell) if cell.strip().isdecimal() and len(cell) < 20 else cell
    if name in ("deleted", "verified"):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            cell.casefold(), cell
        )
    return cell
