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
from tests.bench.figures import Figure, table, write
from tests.launcher.house import environment


def main() -> None:
    data = places.find()
    data.make()
    figures = []
    for scale in os.environ.get("SCALES", "10k,100k").split(","):
        for figure in measured(data, scale):
            figures.append(figure)
            print(f"{figure.name}: {figure.value:,.2f}", file=sys.stderr, flush=True)
    print(table(figures))
    write(figures, data.data / "bench.json")
    sys.exit(0 if figures else 1)


def measured(data: Places, scale: str) -> Iterator[Figure]:
    """The figures of one scale, from a process of its own: its settings are those of another house."""
    folder = data.data / "bench" / scale
    command = [sys.executable, "-m", "tests.bench.scale", scale, "--rounds", os.environ.get("ROUNDS", "5")]
    if only := os.environ.get("ONLY", "").replace(",", " ").split():
        command += ["--only", *only]
    given = environment(folder, DEMO=0, LOG_LEVEL="WARNING", DJANGO_SETTINGS_MODULE="socialhub.settings")
    with subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if line.startswith("{"):
                yield Figure(**json.loads(line))
    if child.returncode:
        sys.exit(f"The scale {scale} could not be measured.")


if __name__ == "__main__":
    main()
