"""How right the classifier's guesses are, beside how fast: on real posts, where REAL_DATA names a folder with
`routing_dev.jsonl`. Cold is what ships, on all of them. Taught has learnt the others as corrections and is asked about
accounts and houses that it has not seen, three times; the mean counts, the detail says the spread."""

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, pstdev

from tests.bench.figures import Figure

FIGURES = {"": "accuracy", "_alt": "accuracy_with_alt", "_coverage": "coverage_at_90"}
NAMES = tuple(f"quality_{state}{end}" for state in ("cold", "taught") for end in FIGURES)
ROUNDS, ASKED, TAUGHT = 3, 180, 500
_FIRST = re.compile(r"@\w+")


def measure(wanted: set[str]) -> Iterator[Figure]:
    """All of them where there are real posts; none where there are none."""
    from routing import evaluating

    file = Path(os.environ.get("REAL_DATA", "")) / "routing_dev.jsonl"
    if not os.environ.get("REAL_DATA") or not file.exists():
        return
    rows = evaluating.read(file)
    cold = [_figures([], rows)]
    yield from _told("cold", cold, wanted)
    if any(name.startswith("quality_taught") for name in wanted):
        parts = [_parted(rows, seed) for seed in range(ROUNDS)]
        yield from _told("taught", [_figures(taught[:TAUGHT], asked) for taught, asked in parts], wanted)


def _figures(taught: list, asked: list) -> dict[str, float]:
    from routing import evaluating
    from routing.scoring.said import Example

    lessons = [Example(row.said, row.label) for row in taught]
    return evaluating.figures(evaluating.judge(asked, lessons), asked)


def _parted(rows: list, seed: int) -> tuple[list, list]:
    """What is taught and what is asked: no account that is spoken to stands on both sides."""
    groups: dict[str, list] = {}
    for number, row in enumerate(rows):
        found = _FIRST.search(row.said.text)
        groups.setdefault(found[0].lower() if found and found[0] != "@user" else str(number), []).append(row)
    shuffled = random.Random(seed).sample(sorted(groups), len(groups))
    asked: list = []
    while len(asked) < ASKED:
        asked += groups.pop(shuffled.pop())
    taught = [row for each in shuffled for row in groups[each]]
    return random.Random(seed).sample(taught, len(taught)), asked


def _told(state: str, found: list[dict[str, float]], wanted: set[str]) -> Iterator[Figure]:
    for end, key in FIGURES.items():
        values = [100 * each[key] for each in found]
        if (name := f"quality_{state}{end}") in wanted:
            detail = f"{found[0]['n']} posts" + (f", {len(values)} times, ± {pstdev(values):.1f}" if values[1:] else "")
            yield Figure(name, mean(values), None, detail)
