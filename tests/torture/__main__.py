"""`make torture POSTS=20000 FAULTS=100 SEED=1`: progress on standard error, the report as JSON in the last line."""

import argparse
import json
import sys

from tests.torture.run import Plan, torture


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    asked.add_argument("--posts", type=int, default=2000)
    asked.add_argument("--faults", type=int, default=40)
    asked.add_argument("--seed", type=int, default=1, help="the same faults in the same order")
    asked.add_argument("--gap", type=float, default=4.0, help="seconds between two faults")
    asked.add_argument("--patient", action="store_true", help="wait out the looks of thirteen minutes")
    told = asked.parse_args()
    report = torture(Plan(told.posts, told.faults, told.seed, told.gap, patient=told.patient))
    print(json.dumps(report))
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
