"""One scale in a process of its own, on a data folder of its own: fill the house unless it is full, measure, print each
figure as a line of JSON."""

import argparse
import dataclasses
import json
import os
import shutil
import sys

import django
from django.db import connection

from socialhub.embedded import places, postgres, servers

SIZES = {"10k": 10_000, "100k": 100_000}


def main() -> None:
    """`python -m tests.bench.scale 10k --rounds 5 [--only name …]` with DATA_DIR set."""
    asked = argparse.ArgumentParser()
    asked.add_argument("scale")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--only", nargs="*", default=[])
    given = asked.parse_args()
    here = places.find()
    if given.scale.startswith("live"):
        alive(here, given)
        return
    with servers.running(here):
        django.setup()
        from tests.bench import quality

        prepare(here, size_of(given.scale))
        for figure in measured(here, postgres.pid(here), given.rounds, size_of(given.scale), set(given.only)):
            name = figure.name if figure.name in quality.NAMES else f"{figure.name}_{given.scale}"
            named = dataclasses.asdict(figure) | {"name": name}
            print(json.dumps(named), flush=True)


def alive(here: places.Places, given: argparse.Namespace) -> None:
    """The figures of a whole house at work, in a house that is filled anew for them."""
    from tests.bench import figures, live, whole

    shutil.rmtree(here.data, ignore_errors=True)
    many = int(given.scale.removeprefix("live"))
    with servers.running(here):
        django.setup()
        prepare(here, min(many, SIZES["10k"]))
        guests = whole.make_guests(min(live.DESKS, many))
        connection.close()
    for figure in live.measure(here.data, guests, many, set(given.only) or set(figures.ALIVE)):
        print(json.dumps(dataclasses.asdict(figure)), flush=True)
    shutil.rmtree(here.data, ignore_errors=True)


def size_of(scale: str) -> int:
    """`10k` is ten thousand; any number is itself."""
    return SIZES.get(scale) or int(scale)


def prepare(here: places.Places, many: int) -> None:
    """Bring the house to the schema of today and fill it, unless it is just that."""
    from django.core.management import call_command

    from tests.bench import filling

    mark = here.data / "filled"
    call_command("prepare", news=os.devnull)
    if filling.is_filled(mark, many):
        return
    print(f"Filling a house with {many} items", file=sys.stderr, flush=True)
    call_command("flush", interactive=False, verbosity=0)
    filling.fill(many)
    filling.note_filled(mark, many)


def measured(here: places.Places, server: int, rounds: int, many: int, only: set[str]):
    """The figures that are asked for; without a name all of them."""
    from tests.bench import copying, deciding, figures, matching, pages, quality, reading, taking, trying

    wanted = only or set(figures.KINDS)
    posts = min(2_000, many)
    if wanted & set(pages.NAMES):
        yield from pages.measure(here, server, rounds, wanted)
    if wanted & set(pages.SEARCHES):
        yield from pages.measure_search(here, server, rounds, wanted)
    if wanted & set(deciding.SIZES):
        yield from deciding.measure(rounds, posts, wanted)
    if wanted & set(matching.NAMES):
        yield from matching.measure(rounds, posts, wanted)
    if wanted & set(taking.NAMES):
        with copying.copied(here):
            yield from taking.measure(server, rounds, posts, wanted)
    if wanted & set(reading.NAMES):
        with copying.copied(here):
            yield from reading.measure(server, rounds, posts, wanted)
    # How right guesses are does not depend on how much a house holds.
    if wanted & set(quality.NAMES) and many <= SIZES["10k"]:
        yield from quality.measure(wanted)
    if trying.NAME in wanted:
        with copying.copied(here):
            yield from trying.measure(many)


if __name__ == "__main__":
    main()
