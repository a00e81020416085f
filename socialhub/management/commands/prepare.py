"""Bring this installation up to date before it is served."""

import hashlib
import logging
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from routing.learning import refit
from routing.learning.due import due
from routing.models import RoutingModel
from socialhub import database, demo, first_run

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Applies migrations, collects the static files when one has changed, and on the first run loads the demo "
        "organisation (DEMO=1) or offers a link for the first admin (DEMO=0). Running it again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--news", help="a file for what the first visitor has to know, instead of standard output")
        parser.add_argument("--static", action="store_true", help="collect the static files and do nothing else")

    def handle(self, *, news, static, **options):
        if static:
            collect_static()
        else:
            self.bring_up_to_date(news)

    def bring_up_to_date(self, news: str | None) -> None:
        reach_database()
        check_database()
        migrate()
        collect_static()
        told = welcome_to_demo() if settings.DEMO else welcome_to_empty_house()
        self.train_first_model()
        if news:
            Path(news).write_text(told)
        else:
            self.stdout.write(told)

    def train_first_model(self) -> None:
        """From the seed posts alone, once there are departments. Without one rules place as they do; the worker tries
        again."""
        if not settings.LEARNED_ROUTING or RoutingModel.objects.exists() or not (why := due()):
            return
        self.stdout.write("Training the first model from the seed posts; this takes a few seconds.")
        self.stdout.flush()
        try:
            refit(why)
        except Exception:
            logger.exception("The first model could not be trained; the worker tries again.")


def reach_database() -> None:
    """Our own database answers by now; one of the operator's may not."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        why = str(error).splitlines()[0]
        raise CommandError(f"The database does not answer ({why}): check DATABASE_URL.") from None


def check_database() -> None:
    """What stands in the way of serving on this database, before anything is made in it."""
    if wrong := list(database.complaints()):
        raise CommandError(" ".join(wrong))


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
            digest.update(f"{path}\0{stat.st_size}\0{int(stat.st_mtime)}\n".encode())
    return digest.hexdigest()


def welcome_to_demo() -> str:
    """Load the demo organisation into an empty house. Who can sign in."""
    users = get_user_model().objects
    if not users.exists():
        with transaction.atomic():
            demo.load()
    there = set(users.filter(is_active=True).values_list("username", flat=True))
    lines = [f"  {person.username:<6} {person.role}" for person in demo.PEOPLE if person.username in there]
    if not lines:
        return "People of your own are here already, so the demo organisation was not loaded."
    return "\n".join([f"Sign in with the password “{demo.PASSWORD}” as", "", *lines])


def welcome_to_empty_house() -> str:
    """The way in for the first admin, as long as there is none."""
    link = first_run.make_link()
    return f"The first admin comes in by this link, once, within a day:\n\n  {link}" if link else ""
