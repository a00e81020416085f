"""Make the database what a backup says it was."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from socialhub import restoring
from socialhub.backup import BackupError
from socialhub.management.commands.backup import Megabytes


class Command(BaseCommand):
    help = (
        "Brings a backup back into an empty database, or with --replace in the place of what is there. Stop web, "
        "worker and beat before. Everybody is signed out, and nothing leaves until an admin confirms it on the page or "
        "with `confirm_restore`."
    )
    # An empty database has no tables to check.
    requires_migrations_checks = False

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="let everything go that is in the database now")

    def handle(self, *, file: Path, replace: bool, **options):
        try:
            manifest = restoring.restore(file, replace=replace, progress=Megabytes(self.stderr, "read").told)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The house is what it was on {manifest['made_at'][:16].replace('T', ' at ')} UTC.")
        if sealed := restoring.unreadable_channels():
            self.stdout.write(
                f"The credentials of {', '.join(sealed)} were sealed with other keys: set the CREDENTIAL_KEYS of that "
                f"time, or connect these channels again."
            )
        self.stdout.write(
            "Accounts, roles and API tokens are those of that time too: close again what was closed since.\n"
            "No reply leaves yet. An admin confirms it on the page, or you do: manage.py confirm_restore"
        )
