from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from socialhub import demo


class Command(BaseCommand):
    help = "Load the demo organisation: departments, people, channels, rules. What stands already is left alone."

    def handle(self, **options):
        if not settings.DEMO:
            raise CommandError("DEMO is 0: the demo's people have a known password and belong in demo mode alone.")
        demo.load()
        for person in demo.PEOPLE:
            self.stderr.write(f"{person.username:8} {demo.PASSWORD}  {person.name}, {person.role}")
