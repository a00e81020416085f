"""Write the whole database into one file."""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from socialhub import backup


class Command(BaseCommand):
    help = (
        "Writes the database as it is at this moment into a file of its own, while everything goes on. CREDENTIAL_KEYS "
        "and SECRET_KEY are not in it: keep them apart from it. An existing file is never replaced."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options):
        try:
            manifest = backup.make(file, Megabytes(self.stderr, "written").told)
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        rows = sum(manifest["counts"].values())
        self.stdout.write(f"{file}: {rows} rows in {len(manifest['counts'])} tables, {file.stat().st_size} bytes.")
        self.stdout.write("Not in it: CREDENTIAL_KEYS and SECRET_KEY. Keep them in another place.")


class Megabytes:
    """A line that moves while a person watches; silence otherwise."""

    def __init__(self, stream, done: str):
        self.stream, self.done, self.shown = stream, done, -1

    def told(self, size: int) -> None:
        if sys.stderr.isatty() and size >> 20 != self.shown:
            self.shown = size >> 20
            self.stream.write(f"\r{self.shown} MB {self.done}", ending="")
