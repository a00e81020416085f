"""Bring posts in from a file."""

import json
import sys
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from connectors import actions, polling
from connectors.models import Channel, FetchRun
from connectors.networks import imported
from inbox.intake import take_in
from socialhub.history import Pace, step_back

BATCH = 1000


class Command(BaseCommand):
    help = (
        "Takes in posts from a file, plain or .gz: JSON Lines (one post a line) or CSV (a header row with the same "
        "names; author_id, author_handle, author_name, author_followers for the author). What can not be read goes to "
        "the channel's quarantine with the reason. Taking in the same file again adds nothing. The last line of the "
        'output is JSON: {"read", "taken_in", "duplicates", "quarantined"}.'
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
        progress = Progress(self.stderr, Pace() if history else None)
        if history and self._called_from_command_line:
            step_back()
        try:
            run, _ = polling.receive(
                target,
                imported.read_file(file),
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


class Progress:
    """A line that moves while a person watches; silence otherwise. With a pace, a rest after each page."""

    def __init__(self, stream, pace: Pace | None = None):
        self.stream, self.pace = stream, pace
        self.started = self.last = time.monotonic()
        self.shown = sys.stderr.isatty()

    def told(self, run: FetchRun) -> None:
        if self.shown and time.monotonic() - self.last > 0.5:
            self.last = time.monotonic()
            self._say(run, "\r")
        if self.pace:
            self.pace.rest()

    def end(self, run: FetchRun) -> None:
        if self.shown:
            self._say(run, "\n")

    def _say(self, run: FetchRun, ending: str) -> None:
        rate = run.read / max(0.001, time.monotonic() - self.started)
        line = f"{run.read} read, {run.taken_in} new, {run.quarantined} in quarantine, {rate:.0f} a second"
        self.stream.write(f"\r{line}", ending=ending if ending == "\n" else "")
