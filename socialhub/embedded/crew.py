"""The processes of one data folder: started one after the other, kept running, and ended together."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

from socialhub.embedded import logs, processes, servers
from socialhub.embedded.errors import CanNotStart
from socialhub.embedded.keeper import Keeper
from socialhub.embedded.places import ROOT, Places

GLANCE = 0.05  # seconds between two looks at all processes
PATIENCE = 120  # seconds for something to be ready
GIVES_UP = 4  # early ends in a row while something is awaited
FAREWELL = 1.4  # seconds for web, worker and beat to end; a request under way gets one of them
LAST_WORDS = 0.8  # seconds for the servers; a sudden end loses nothing, it only makes the next start longer
TRIM_EVERY = 60  # seconds


class Stopped(Exception):
    """Somebody wants it all to end: Ctrl-C, SIGTERM, a closed terminal."""


class Crew:
    """`stopping` is asked at each glance; once it says yes, every wait ends with `Stopped`."""

    def __init__(self, places: Places, environment: dict[str, str], stopping: Callable[[], bool]):
        self.places, self.stopping = places, stopping
        self.environment = environment | {"DATA_DIR": str(places.data), "PYTHONUNBUFFERED": "1"}
        self.keepers: dict[str, Keeper] = {}
        self._lock = -1
        self._trimmed_at = time.monotonic()

    @contextmanager
    def on_board(self) -> Iterator[None]:
        """While this lasts we use the servers; at the end everybody goes."""
        with servers.user(self.places) as self._lock:
            try:
                yield
            finally:
                self._leave()

    def end_orphans(self, *names: str) -> None:
        """A launcher that was killed leaves its children running: they keep the port, and would do everything twice."""
        found = (processes.read_pid(self.places.pid_file(name)) for name in names)
        processes.end([pid for pid in found if pid and self._is_ours(pid)], FAREWELL)

    def _is_ours(self, pid: int) -> bool:
        """A number in a stale pid file may belong to another process by now."""
        same_folder = f"DATA_DIR={self.places.data}" in processes.environment(pid)
        return same_folder and sys.executable in processes.words(pid) and pid != os.getpid()

    def keep_server(self, server: ModuleType) -> None:
        """Start PostgreSQL or Valkey, or adopt the one that runs, and keep it running."""
        self._keep(server.name, lambda: servers.start(server, self.places))

    def keep(self, name: str, *command: str) -> None:
        """Start one of our own programs and keep it running."""
        self._keep(name, lambda: self._start(name, command))

    def _keep(self, name: str, start: Callable[[], int]) -> None:
        logs.trim(self.places.log(name))
        self.keepers[name] = Keeper(name, start, self.places.log(name), self.places.pid_file(name))

    def _start(self, name: str, command: tuple[str, ...]) -> int:
        """It inherits the users' lock: as long as one of them lives, nobody stops the servers."""
        return processes.start(
            (sys.executable, *command), self.places.log(name), ROOT, env=self.environment, pass_fds=[self._lock]
        )

    def do(self, name: str, *command: str) -> None:
        """Run one of our own programs to its end. One that fails stops the start."""
        logs.trim(self.places.log(name))
        pid = self._start(name, command)
        processes.write_pid(self.places.pid_file(name), pid)
        try:
            self.wait_for(lambda: not processes.alive(pid), name, patience=15 * 60)
        finally:
            processes.end([pid], FAREWELL)
            self.places.pid_file(name).unlink(missing_ok=True)
        if processes.result(pid):
            raise CanNotStart(self._refusal(name, "has failed"))

    def wait_for(self, ready: Callable[[], bool], name: str, patience: float = PATIENCE) -> None:
        """Look after everybody until this is ready. Fails when that takes too long, or a process does not start."""
        until = time.monotonic() + patience
        while not ready():
            self._glance()
            for keeper in self.keepers.values():
                if keeper.early_ends >= GIVES_UP:
                    raise CanNotStart(self._refusal(keeper.name, "does not start"))
            if time.monotonic() > until:
                raise CanNotStart(self._refusal(name, f"was not ready after {patience} s"))

    def _refusal(self, name: str, what: str) -> str:
        log = self.places.log(name)
        return f"The {name} process {what}; its log {log} ends with “{logs.last_line(log)}”"

    def watch(self) -> None:
        """Look after everybody until somebody stops us."""
        while True:
            self._glance()

    def _glance(self) -> None:
        if self.stopping():
            raise Stopped
        for keeper in self.keepers.values():
            if told := keeper.tend():
                say(told)
        if time.monotonic() > self._trimmed_at + TRIM_EVERY:
            self._trim()
        time.sleep(GLANCE)

    def _trim(self) -> None:
        self._trimmed_at = time.monotonic()
        for keeper in self.keepers.values():
            logs.trim(keeper.log)

    def _leave(self) -> None:
        """Pages and work first, then the servers; a command that still uses these may finish."""
        ours = [keeper for name, keeper in self.keepers.items() if name not in {"postgres", "valkey"}]
        processes.end([keeper.pid for keeper in ours if keeper.pid], FAREWELL)
        for keeper in ours:
            keeper.pid_file.unlink(missing_ok=True)
        if servers.wanted() and not servers.leave(self._lock, self.places, LAST_WORDS):
            say("Another command still uses the database; PostgreSQL and Valkey stop with it.")


@contextmanager
def alone(places: Places, who: str) -> Iterator[None]:
    """Two launchers on one data folder would fight: the second one is told who is there."""
    with (places.run / "launcher.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CanNotStart(
                f"Social Hub already runs on {places.data} ({file.read().strip()}): use that one, stop it with Ctrl-C, "
                f"or choose another folder and port, such as `make run DATA_DIR=.data-2 PORT=8001`."
            ) from None
        file.truncate(0)
        file.write(who)
        file.flush()
        yield


def say(words: str) -> None:
    """Tell the person at the terminal, if there still is one."""
    with suppress(OSError):
        print(words, flush=True)
