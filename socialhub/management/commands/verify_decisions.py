import json as notation
import sys

from django.core.management.base import BaseCommand

from routing.verifying import Verified, verify


class Command(BaseCommand):
    help = (
        "Work out every stored decision again and compare: from the message’s text, the facts that it kept, the rules "
        "and the model that ran. Erased and edited messages are left out and counted. Ends with 1 when one differs."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, help="only decisions of the last days")
        parser.add_argument("--limit", type=int, help="only so many, the newest ones")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")

    def handle(self, *, days, limit, json: bool, **options):
        found = verify(days=days, limit=limit)
        self.stdout.write(_as_json(found) if json else _in_words(found))
        if found.different:
            sys.exit(1)


def _as_json(found: Verified) -> str:
    return notation.dumps(found.as_json(), ensure_ascii=False)


def _in_words(found: Verified) -> str:
    many = found.counts
    told = [
        f"{many['decisions']:,} decisions: {many['same']:,} worked out the same, {many['different']:,} otherwise.",
        f"Not compared: {many['erased']:,} of erased messages, {many['revised']:,} of texts edited since, "
        f"{many['failed']:,} where routing had failed, {many['by_people']:,} by people.",
    ]
    for each in found.different:
        what = "; ".join(f"{name} {kept} → {again}" for name, (kept, again) in each["what"].items())
        told.append(f"decision {each['decision']}, message {each['message']}: {what}")
    return "\n".join(told)
