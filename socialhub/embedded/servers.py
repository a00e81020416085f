"""PostgreSQL and Valkey of one data folder: found when they run, started when they do not, stopped by who leaves last.

Whoever uses them holds a shared lock on `run/users.lock` for as long as it lives; the web, worker and beat processes
inherit it from the launcher. Who leaves tries to hold the lock alone, and only who succeeds stops the servers: so two
commands never stop each other's server, and a command that was killed leaves nothing behind that the next does not end.
"""

import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from socialhub.embedded import logs, postgres, processes, programs, valkey
from socialhub.embedded.errors import CanNotStart
from socialhub.embedded.places import Places, is_closed

PATIENCE = 90  # seconds for a server to answer: after a crash it may have a long log to replay
TRIES = 5  # right after a kill the old server's processes may still be about to end
# Commands that look at files only. All others get the servers.
WITHOUT_SERVERS = {
    "help", "version", "--version", "check", "collectstatic", "compilemessages", "diffsettings",
    "evaluate_routing", "findstatic",
    "makemessages", "options", "spectacular", "startapp", "startproject",
}  # fmt: skip


def wanted(environ=os.environ) -> list[ModuleType]:
    """The servers that are ours to run: those for which no address of another one is given."""
    addresses = {postgres: "DATABASE_URL", valkey: "REDIS_URL"}
    return [server for server, name in addresses.items() if not (environ.get(name) or environ.get(f"{name}_FILE"))]


@contextmanager
def for_command(arguments: Sequence[str], places: Places) -> Iterator[None]:
    """The servers that this `manage.py` command needs, for as long as it runs."""
    if not wanted() or not _needs_servers(arguments):
        yield
        return
    with running(places):
        # `dbshell` asks for psql, a backup for pg_dump: those that fit our server, if the system has none.
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{programs.postgres(places, 'psql').parent}"
        yield


def _needs_servers(arguments: Sequence[str]) -> bool:
    if len(arguments) < 2 or {"--help", "-h"} & set(arguments):
        return False
    return arguments[1] not in WITHOUT_SERVERS or "--database" in arguments


@contextmanager
def running(places: Places, careless: bool = False) -> Iterator[int]:
    """The servers run inside this block. Gives the descriptor of the users' lock, for children that use them too.

    They are stopped at its end, also when a signal ends the process, unless somebody else still uses them.
    With `careless` they do not wait for the disk: for tests.
    """
    make_folders(places)
    with _signals_raise(), user(places) as lock:
        try:
            for server in wanted():
                start(server, places, careless)
            for server in wanted():
                wait_for(server, places, careless)
            yield lock
        finally:
            leave(lock, places)


def make_folders(places: Places) -> None:
    """Make the data folder and what lies in it, and refuse one that the servers' user can not reach."""
    try:
        places.make()
        places.logs.mkdir(exist_ok=True)
        if os.geteuid() == 0 and wanted():
            _open_to_nobody(places.data)
        programs.give(places.run)
        if places.sockets != places.run:
            _take(places.sockets)
    except OSError as error:
        raise places.refusal(error.strerror) from None


def _open_to_nobody(data: Path) -> None:
    data.chmod(data.stat().st_mode | 0o011)
    if is_closed(data):
        raise CanNotStart(
            f"The data folder {data} lies where only its owner may go, and as root the servers run as “nobody”: "
            f"choose another with DATA_DIR, such as /var/lib/social-hub."
        )


def _take(folder: Path) -> None:
    """The folder for sockets in /tmp, which somebody else must not have made before us."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid not in {os.geteuid(), programs.owner()}:
        raise CanNotStart(f"Somebody else has made {folder}: remove it, or choose a shorter DATA_DIR.")
    programs.give(folder)


@contextmanager
def user(places: Places) -> Iterator[int]:
    """Count as a user of the servers. Waits while the one who left last is stopping them."""
    with (places.run / "users.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file.fileno()


def start(server: ModuleType, places: Places, careless: bool = False) -> int:
    """Start this server if it does not run, without waiting until it answers. Its process id."""
    with (places.run / "start.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        pid = server.pid(places) or _spawn(server, places, careless)
        processes.write_pid(places.pid_file(server.name), pid)
    return pid


def _spawn(server: ModuleType, places: Places, careless: bool) -> int:
    server.prepare(places)
    # Nothing of our own environment, where secrets may lie, but what tells whose server this is.
    environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "DATA_DIR": str(places.data)}
    command = server.command(places, careless)
    return processes.start(command, places.log(server.name), Path("/"), env=environment, **programs.identity())


def wait_for(server: ModuleType, places: Places, careless: bool = False) -> None:
    """Wait until the server answers, starting it again when it ends meanwhile."""
    until, tries = time.monotonic() + PATIENCE, 1
    while not server.answers(places):
        if server.pid(places) is None:
            tries += 1
            if tries > TRIES:
                raise CanNotStart(_refusal(server, places))
            time.sleep(0.2)
            start(server, places, careless)
        if time.monotonic() > until:
            raise CanNotStart(_refusal(server, places))
        time.sleep(processes.GLANCE)


def _refusal(server: ModuleType, places: Places) -> str:
    log = places.log(server.name)
    return f"{server.title} does not start; its log {log} ends with “{logs.last_line(log)}”"


def leave(lock: int, places: Places, seconds: float = 30) -> bool:
    """Stop the servers, unless somebody else still uses them. Whether they were stopped."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with _signals_wait():
        stop(places, seconds)
    return True


def stop(places: Places, seconds: float) -> None:
    """Stop both servers: friendly, then at once, then by force."""
    found = {server: pid for server in reversed(wanted()) if (pid := server.pid(places))}
    for server, pid in found.items():
        processes.send(pid, server.farewell[0])
    for pid in processes.wait(found.values(), seconds):
        processes.end([pid], 0.3, signal.SIGQUIT)
    for server in found:
        places.pid_file(server.name).unlink(missing_ok=True)


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let a polite end be one: without this, SIGTERM would end the process before it could stop its servers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {sign: signal.signal(sign, _exit) for sign in (signal.SIGTERM, signal.SIGHUP) if _is_default(sign)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _is_default(sign: int) -> bool:
    return signal.getsignal(sign) is signal.SIG_DFL


def _exit(sign: int, frame) -> None:
    sys.exit(128 + sign)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """A second Ctrl-C must not leave a server half stopped."""
    both = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, both)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
