"""Keeps a process running: notices its end, starts it again, and waits longer each time that it ends at once."""

import time
from collections.abc import Callable
from pathlib import Path

from socialhub.embedded import processes
from socialhub.embedded.errors import CanNotStart

PAUSES = (0, 0.2, 0.5, 1, 1, 2, 5, 10, 30)  # seconds before a start, after so many early ends in a row
EARLY = 10  # seconds of life before an end that the process made itself
AT_ONCE = 0.5  # seconds before an end by a signal: later than that somebody killed it, and it may start at once


class Keeper:
    """One process that shall run. `start` starts it and gives its process id."""

    def __init__(self, name: str, start: Callable[[], int], log: Path, pid_file: Path):
        self.name, self.log, self.pid_file = name, log, pid_file
        self.pid = self.early_ends = 0
        self._start, self._again_at = start, 0.0
        self.tend()

    def tend(self) -> str:
        """Start the process if it does not run and its time has come. The sentence to tell about it, if any."""
        if self.pid and processes.alive(self.pid):
            return ""
        if self.pid:
            return self._ended(processes.result(self.pid))
        return self._begin() if time.monotonic() >= self._again_at else ""

    def _begin(self) -> str:
        """A start that fails is tried again like one that ends early: a minute later the disk may have room."""
        self._started = time.monotonic()
        try:
            self.pid = self._start()
            processes.write_pid(self.pid_file, self.pid)
        except (OSError, CanNotStart) as error:
            return self._later(True, f"could not be started ({error})")
        return ""

    def _ended(self, result: int | None) -> str:
        """Only what ends by itself is told to wait: who was killed did nothing wrong."""
        lived = time.monotonic() - self._started
        if result is not None and result >= 0:
            return self._later(lived < EARLY, f"has ended by itself (exit code {result})")
        return self._later(lived < AT_ONCE, "was killed")

    def _later(self, early: bool, what: str) -> str:
        self.early_ends = self.early_ends + 1 if early else 0
        pause = PAUSES[min(self.early_ends, len(PAUSES) - 1)]
        self.pid, self._again_at = 0, time.monotonic() + pause
        when = f"in {pause} s" if pause > 1 else "now"
        return f"The {self.name} process {what} and is started again {when}; its log is {self.log}."
