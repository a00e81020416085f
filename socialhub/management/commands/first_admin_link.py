from django.core.management.base import BaseCommand

from socialhub import first_run


class Command(BaseCommand):
    help = "Print a one-time link for the first admin; nothing when there is an admin already."

    def handle(self, **options):
        if link := first_run.make_link():
            self.stdout.write(link)
