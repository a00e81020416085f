"""Bring this installation up to date before it is served."""

import hashlib
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

PEOPLE = {
    "mia": "community manager",
    "carl": "customer service agent",
    "carla": "customer service lead",
    "pia": "PR lead",
    "mara": "marketing lead",
    "hana": "HR lead",
    "ravi": "R&D lead",
    "cora": "coordinator",
    "ada": "admin",
}


class Command(BaseCommand):
    help = (
        "Applies migrations, collects the static files when one has changed, and on the first run loads the demo "
        "organisation (DEMO=1) or offers a link for the first admin (DEMO=0). Running it again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--news", help="a file for what the first visitor has to know, instead of standard output")

    def handle(self, *, news, **options):
        migrate()
        collect_static()
        told = demo() if settings.DEMO else first_admin()
        if news:
            Path(news).write_text(told)
        else:
            self.stdout.write(told)


def migrate() -> None:
    """Apply what is not applied yet. Looking first saves a second of every start."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1)


def collect_static() -> None:
    """Collect, name and compress the static files again when one of them has changed."""
    mark = settings.PLACES.data / "static.mark"
    now = _static_digest()
    if not mark.exists() or mark.read_text() != now:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        mark.write_text(now)


def _static_digest() -> str:
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def demo() -> str:
    """Load the demo organisation into an empty house. Who can sign in."""
    users = get_user_model().objects
    if not users.exists():
        call_command("demo")
    there = set(users.filter(username__in=PEOPLE, is_active=True).values_list("username", flat=True))
    if not there:
        return "People of your own are here already, so the demo organisation was not loaded.\n"
    lines = "\n".join(f"  {name:<6} {role}" for name, role in PEOPLE.items() if name in there)
    return f"Sign in with the password “social-hub” as\n\n{lines}\n"


def first_admin() -> str:
    """The way in for the first admin, as long as there is none."""
    out = StringIO()
    call_command("first_admin_link", stdout=out)
    return out.getvalue()
