"""Bring posts in from a file."""

import csv
import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from connectors import actions, normalise, polling
from connectors.contract import Post, Unreadable
from connectors.models import Channel, FetchRun
from inbox.intake import take_in

BATCH = 500
#: Of one line of a file; what is longer is no post, and reading it whole could fill the memory.
LONGEST_LINE = 16 * 1024 * 1024


class Command(BaseCommand):
    help = (
        "Takes in posts from a file, plain or .gz: JSON Lines (one post a line) or CSV (a header row with the same names; "
        "author_id, author_handle, author_name, author_followers for the author). What can not be read goes to the "
        "channel's quarantine with the reason. Taking in the same file again adds nothing. The last line of the output is "
        'JSON: {"read", "taken_in", "duplicates", "quarantined"}.'
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--channel", required=True, metavar="SLUG", help="the channel that the posts belong to")
        parser.add_argument("--create", action="store_true", help="open that channel when there is none")
        parser.add_argument(
            "--history", action="store_true", help="keep and route the posts, but start no clock and tell nobody"
        )

    def handle(self, *, file: Path, channel: str, create: bool, history: bool, **options):
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        target = the_channel(channel, create)
        progress = Progress(self.stderr)
        try:
            run, _ = polling.receive(
                target,
                posts_in(file),
                take_in,
                via=FetchRun.Via.FILE,
                history=history,
                batch=BATCH,
                progress=progress.told,
            )
        except (OSError, EOFError) as error:
            raise CommandError(f"{file} can not be read to its end ({error}). What was read before is kept.") from error
        progress.end(run)
        self.stdout.write(
            json.dumps(
                {
                    "read": run.read,
                    "taken_in": run.taken_in,
                    "duplicates": run.duplicates + run.changed,
                    "quarantined": run.quarantined,
                }
            )
        )


def the_channel(slug: str, create: bool) -> Channel:
    existing = Channel.objects.filter(slug=slug).first()
    if existing:
        return existing
    if not create:
        known = ", ".join(Channel.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no channel “{slug}” (there are: {known}). Add --create to open it.")
    return actions.open_channel(network="import", slug=slug, name=slug.replace("-", " ").capitalize(), by="system")


def posts_in(file: Path) -> Iterator[Post | Unreadable]:
    """Each post of the file, or what it was and why it could not be read."""
    opened = gzip.open if file.suffix == ".gz" else open
    kind = Path(file.stem).suffix if file.suffix == ".gz" else file.suffix
    with opened(file, "rb") as stream:
        yield from _rows(stream) if kind.lower() == ".csv" else _lines(stream)


def _lines(stream) -> Iterator[Post | Unreadable]:
    while line := stream.readline(LONGEST_LINE):
        if line.strip():
            yield normalise.post_from_line(line)


def _rows(stream) -> Iterator[Post | Unreadable]:
    csv.field_size_limit(LONGEST_LINE)
    # A NUL byte would end the reading of the whole file; surrogateescape keeps what is not UTF-8 for the quarantine.
    lines = (line.decode("utf-8-sig", "surrogateescape").replace("\0", "\\u0000") for line in stream)
    for row in csv.DictReader(lines):
        yield normalise.post_from(_unflat(row))


def _unflat(row: dict) -> dict:
    """A row of a table as the post that it means: empty cells are absent, the author's columns one author."""
    told = {key: value for key, value in row.items() if key and value not in (None, "")}
    author = {key[7:]: told.pop(key) for key in list(told) if key.startswith("author_")}
    if author and "author" not in told:
        told["author"] = author | {"handle": author.get("handle", author.get("id"))}
    for holder, key in ((told, "rating"), (told.get("author", {}), "followers")):
        if isinstance(holder, dict) and str(holder.get(key, "")).isdigit():
            holder[key] = int(holder[key])
    for key in ("deleted", "verified"):
        if str(told.get(key, "")).lower() in ("true", "false"):
            told[key] = told[key].lower() == "true"
    return told


class Progress:
    """A line that moves while a person watches; silence otherwise."""

    def __init__(self, stream):
        self.stream = stream
        self.started = self.last = time.monotonic()
        self.shown = sys.stderr.isatty()

    def told(self, run: FetchRun) -> None:
        if self.shown and time.monotonic() - self.last > 0.5:
            self.last = time.monotonic()
            self._say(run, "\r")

    def end(self, run: FetchRun) -> None:
        if self.shown:
            self._say(run, "\n")

    def _say(self, run: FetchRun, ending: str) -> None:
        rate = run.read / max(0.001, time.monotonic() - self.started)
        line = f"{run.read} read, {run.taken_in} new, {run.quarantined} in quarantine, {rate:.0f} a second"
        self.stream.write(f"\r{line}", ending=ending if ending == "\n" else "")
