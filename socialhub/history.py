"""How history leaves room for what is live. Nobody waits for what was there before, and a great import would take all
that the processor and the database have; so it rests after each page, and stands behind everybody else."""

import os
import time
from contextlib import suppress

#: The part of the time that work on history takes.
SHARE = 0.6
#: Seconds of rest at most, however long a page took.
LONGEST_REST = 0.5
#: How far a process that only imports stands behind the others, as `nice` counts.
BEHIND = 10


class Pace:
    """Begins with the work. After each page comes a `rest`, outside of any transaction: others would wait for its
    locks. `share` is the part of the time that the work takes."""

    def __init__(self, share: float = SHARE):
        self.share = share
        self.began = time.monotonic()

    def rest(self) -> None:
        worked = time.monotonic() - self.began
        time.sleep(min(LONGEST_REST, worked * (1 - self.share) / self.share))
        self.began = time.monotonic()


def step_back() -> None:
    """This process, which does nothing but import, lets all others go before it."""
    with suppress(OSError):
        os.nice(BEHIND)
