"""How well posts of other houses would be routed here before anybody taught it."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from routing import evaluating
from routing.scoring import measuring


class Command(BaseCommand):
    help = (
        "Routes labelled posts (JSON Lines with text, network, label, perhaps alt and lang; labels customer_service pr "
        "marketing hr rnd none) by the starter rules and a model of the shipped seeds, and prints how many it got "
        "right. --train adds labelled posts as if people had corrected them. Nothing is stored."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--train", type=Path, metavar="FILE", help="labelled posts that are learnt from first")
        parser.add_argument("--limit", type=int, metavar="N", help="learn only the first N of them, shuffled")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the shuffle and the training")
        parser.add_argument("--no-rules", action="store_true", help="ask the model alone, no starter rules")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *, file: Path, train: Path | None, limit: int | None, seed: int, **options):
        try:
            rows = evaluating.read(file)
            lessons = evaluating.drawn(evaluating.read(train), limit, seed) if train else []
        except (OSError, evaluating.Unreadable) as error:
            raise CommandError(str(error)) from error
        guesses = evaluating.judge(rows, lessons, seed=seed, rules=not options["no_rules"])
        figures = evaluating.figures(guesses, rows)
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        else:
            self._tell(guesses, rows, figures, len(lessons))

    def _tell(self, guesses, rows, figures, taught: int) -> None:
        by_rule = sum(each.by_rule for each in guesses)
        self.stdout.write(f"{len(rows)} posts; {taught} corrections learnt; {by_rule} placed by starter rules.\n")
        for name, value in figures.items():
            self.stdout.write(f"{name:18} {value:g}")
        self.stdout.write("\nWhere they belong (down) and what was guessed (across):")
        labels = list(evaluating.LABELS)
        width = max(map(len, labels)) + 2
        self.stdout.write(" " * width + "".join(label.rjust(width) for label in labels))
        table = measuring.confusion([each.label for each in guesses], rows, labels)
        for label, counts in zip(labels, table, strict=True):
            self.stdout.write(label.ljust(width) + "".join(str(count).rjust(width) for count in counts))
