import os

from django.core.management.base import BaseCommand

from socialhub.options import OPTIONS, read


class Command(BaseCommand):
    help = "Print every setting with its value and a sentence. Of a secret it is said whether it is given."

    def handle(self, **options):
        values = read(os.environ)
        for option in OPTIONS:
            value = self._shown(option, values[option.name])
            self.stdout.write(f"{option.name:18} {value:28} {option.sentence}")

    def _shown(self, option, value) -> str:
        if option.secret:
            return "(given)" if value else "(not given)"
        if isinstance(value, bool):
            return str(int(value))
        return ",".join(value) if isinstance(value, list) else str(value)
