"""`make bench`: every figure beside its floor, at each scale; a table for people and bench.json in the data folder.

`SCALES=10k,100k` chooses the scales, `ONLY=name,name` the figures, `ROUNDS=5` how often each is measured. The houses
that are measured lie in `bench/` of the data folder and are kept for the next time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from socialhub.embedded import places
from socialhub.embedded.places import ROOT, Places
from tests.bench.figures import ALIVE, KINDS, Figure, table, write
from tests.launcher.house import environment

#: The house at work, and how many posts are imported meanwhile.
WHOLE = "live50000"


def main() -> None:
    data = places.find()
    data.make()
    figures = []
    for scale in scales():
        for figure in measured(data, scale):
            figures.append(figure)
            print(f"{figure.name}: {figure.value:,.2f}", file=sys.stderr, flush=True)
    print(table(figures))
    write(figures, data.data / "bench.json")
    sys.exit(0 if figures else 1)


def scales() -> list[str]:
    """The houses to measure; the last one is a whole house at work."""
    named = os.environ.get("SCALES", "10k,100k").split(",")
    if not chosen():
        return [*named, WHOLE]
    quiet, whole = set(chosen()) - set(ALIVE), set(chosen()) & set(ALIVE)
    return [*(named if quiet else []), *([WHOLE] if whole else [])]


def chosen() -> list[str]:
    """The figures that were asked for by name; none for all of them."""
    return os.environ.get("ONLY", "").replace(",", " ").split()


def measured(data: Places, scale: str) -> Iterator[Figure]:
    """The figures of one scale, from a process of its own: its settings are those of another house."""
    folder = data.data / "bench" / scale
    if unknown := set(chosen()) - set(KINDS):
        sys.exit(f"There is no figure {', '.join(sorted(unknown))}; there are: {', '.join(KINDS)}.")
    command = [sys.executable, "-m", "tests.bench.scale", scale, "--rounds", os.environ.get("ROUNDS", "5")]
    if chosen():
        command += ["--only", *chosen()]
    given = environment(folder, DEMO=0, LOG_LEVEL="WARNING", DJANGO_SETTINGS_MODULE="socialhub.settings")
    with subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if line.startswith("{"):
                yield Figure(**json.loads(line))
    if child.returncode:
        sys.exit(f"The scale {scale} could not be measured.")


if __name__ == "__main__":
    main()
