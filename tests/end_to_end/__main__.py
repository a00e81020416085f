"""`make end-to-end [ONLY=bluesky]`: the whole product with networks that nobody here wrote.

What happens is told on standard error; the last line is the report as JSON. What could not be played is skipped with
its reason, which is no failure.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.end_to_end.acts import ACTS
from tests.end_to_end.told import Skipped


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.end_to_end", description=__doc__)
    asked.add_argument("--only", default="", help=f"one of {', '.join(ACTS)}")
    only = asked.parse_args().only
    report = {name: play(name) for name in ACTS if only in ("", name)}
    print(json.dumps(report))
    return int(any(each["outcome"] == "failed" for each in report.values()))


def play(name: str) -> dict[str, object]:
    """One act in a folder of its own, which is kept when it fails."""
    folder, began = Path(tempfile.mkdtemp(prefix=f"social-hub-{name}-")), time.monotonic()
    folder.chmod(0o711)

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {name}: {words}", file=sys.stderr, flush=True)

    def ended(outcome: str, **more: str) -> dict[str, object]:
        return {"outcome": outcome, "seconds": round(time.monotonic() - began, 1), **more}

    try:
        ACTS[name](folder, say)
    except Skipped as reason:
        say(f"Skipped: {reason}.")
        shutil.rmtree(folder, ignore_errors=True)
        return ended("skipped", why=str(reason))
    except Exception as error:
        traceback.print_exc()
        say(f"Failed; data and logs are kept in {folder}")
        return ended("failed", why=f"{type(error).__name__}: {error}"[:300])
    shutil.rmtree(folder, ignore_errors=True)
    return ended("passed")


if __name__ == "__main__":
    sys.exit(main())
