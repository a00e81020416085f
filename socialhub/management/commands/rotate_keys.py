from django.core.management.base import BaseCommand, CommandError

from connectors import keys


class Command(BaseCommand):
    help = "Bring all credentials under the newest of CREDENTIAL_KEYS, so that older keys can be thrown away."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="only tell what lies under which key")

    def handle(self, *, check: bool, **options):
        found = keys.rotate(dry=check)
        self.stdout.write(f"{found.newest} under the newest key already.")
        if found.older:
            what = "still under an older key" if check else "brought under the newest key"
            self.stdout.write(f"{len(found.older)} {what}: {', '.join(found.older)}.")
        if found.unknown:
            raise CommandError(
                f"{len(found.unknown)} under a key that is not among CREDENTIAL_KEYS: {', '.join(found.unknown)}. "
                "Put that key back behind the newest, or enter these channels’ credentials again."
            )
        if check and found.older:
            raise CommandError("Keep the older keys until rotate_keys has run.")
        self.stdout.write("Older keys can be thrown away.")
