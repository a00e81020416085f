from django.core.management.base import BaseCommand, CommandError

from departments.models import User
from departments.tokens import make_token


class Command(BaseCommand):
    help = "Print a new API token for this person, with every scope, good for a year. It is not shown again."

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, username, **options):
        person = User.objects.active().filter(username=username).first()
        if person is None:
            raise CommandError(f"Nobody with an open account is called “{username}”.")
        _, secret = make_token(person, "made on the command line", by="system")
        self.stdout.write(secret)
