import json

from django.core.management.base import BaseCommand

from routing.rules import schema


class Command(BaseCommand):
    help = "Write the form of a list of rules as JSON Schema on standard output."
    requires_system_checks: list[str] = []

    def handle(self, **options):
        self.stdout.write(json.dumps(schema(), indent=1, ensure_ascii=False))
