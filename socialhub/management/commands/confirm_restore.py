from django.core.management.base import BaseCommand

from socialhub import restoring
from socialhub.models import House


class Command(BaseCommand):
    help = "After a restore: let replies leave again. Those that were on their way in the backup are looked for first."

    def handle(self, **options):
        if not House.objects.holds_sends():
            self.stdout.write("Nothing is held.")
            return
        doubted = restoring.confirm(by="system")
        self.stdout.write(f"Replies leave again. {doubted} of the backup are looked for on their networks first.")
