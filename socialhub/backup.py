"""A backup is one file: what PostgreSQL's own pg_dump says, and beside it what one must know before restoring it.

The file is a zip without compression of its own (the dump is compressed) with `manifest.json` and `database.dump`. The
counts in the manifest are those of the dump's own snapshot. Keys are not in it: credentials of channels in a backup can
not be read without CREDENTIAL_KEYS, which are kept apart.
"""

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from psycopg2.sql import SQL, Identifier

from socialhub import VERSION
from socialhub.embedded import programs
from socialhub.embedded.errors import CanNotStart

FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
CHUNK = 1024 * 1024
#: How a word of Django's connection options is called in the environment of PostgreSQL's programs.
OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


class BackupError(Exception):
    """The message is the sentence that a person reads."""


# Making one -------------------------------------------------------------------------------------------------------


def make(file: Path, progress: Callable[[int], None] = lambda size: None) -> dict[str, Any]:
    """Write a backup of the whole database, of one moment, while everything goes on. What its manifest says.

    It stands under its name only when it is whole; a file that is there already is never written over.
    Raises BackupError.
    """
    if file.exists():
        raise BackupError(f"{file} is there already; a backup never replaces one.")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("xb") as stream:
            os.chmod(part, 0o600)  # everything that people wrote is in it
            manifest = _write(stream, progress)
            os.fsync(stream.fileno())
        _put_in_place(part, file)
    except FileExistsError:
        raise BackupError(f"{part} is there: another backup is being made, or one was cut off. Remove it.") from None
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BackupError(f"{file} can not be written ({error.strerror}).") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return manifest


def _put_in_place(part: Path, file: Path) -> None:
    """In one step, and never over a file that has come there meanwhile."""
    if file.exists():
        part.unlink()
        raise BackupError(f"{file} is there already; a backup never replaces one.")
    part.rename(file)


def _write(stream, progress: Callable[[int], None]) -> dict[str, Any]:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as bag, _one_moment() as snapshot:
        manifest = _manifest()
        with bag.open(DUMP, "w", force_zip64=True) as into:
            _dump(into, snapshot, progress)
        bag.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return manifest


@contextmanager
def _one_moment() -> Iterator[str]:
    """A snapshot that pg_dump can share, so that what we count is what it writes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def _manifest() -> dict[str, Any]:
    if not is_ours():
        raise BackupError("This database holds no Social Hub, so there is nothing to back up.")
    return {
        "format": FORMAT,
        "made_at": timezone.now().isoformat(),
        "version": VERSION,
        "postgres": connection.pg_version,
        "migrations": applied(),
        "counts": {name: count(name) for name in tables()},
        "without": "CREDENTIAL_KEYS, SECRET_KEY: keep them apart; credentials of channels can not be read without.",
    }


def _dump(into, snapshot: str, progress: Callable[[int], None]) -> None:
    command = [program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--no-comments",
               f"--snapshot={snapshot}"]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=False
    ) as dump:
        written = 0
        while piece := dump.stdout.read(CHUNK):
            into.write(piece)
            written += len(piece)
            progress(written)
        said = dump.stderr.read().decode(errors="replace")
    if dump.returncode:
        raise BackupError(f"The database can not be written down; pg_dump says: {last_word(said)}")


# Reading one ------------------------------------------------------------------------------------------------------


def read(file: Path) -> dict[str, Any]:
    """What a backup's manifest says, once the whole file was read and is unbroken. Raises BackupError."""
    try:
        with zipfile.ZipFile(file) as bag:
            manifest = json.loads(bag.read(MANIFEST))
            broken = bag.testzip()
    except FileNotFoundError:
        raise BackupError(f"There is no file {file}.") from None
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BackupError(f"{file} is no backup of Social Hub, or not a whole one ({type(error).__name__}).") from None
    if broken or manifest.get("format") != FORMAT:
        raise BackupError(f"{file} is broken, or of a kind that this version does not know.")
    return manifest


def unknown_migrations(manifest: dict[str, Any]) -> list[str]:
    """What the backup's database had learned that this version of the code does not know: it is newer than we."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    return [name for name in manifest["migrations"] if name not in known]


@contextmanager
def script(file: Path) -> Iterator[Iterator[bytes]]:
    """The SQL that makes what the dump holds, piece by piece. Raises BackupError when it ends early."""
    command = [program("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file=-"]
    with (
        zipfile.ZipFile(file) as bag,
        bag.open(DUMP) as dump,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as told,
    ):
        feeder = _feed(dump, told.stdin)
        yield iter(lambda: told.stdout.read(CHUNK), b"")
        feeder.join()
        said = told.stderr.read().decode(errors="replace")
    if told.returncode:
        raise BackupError(f"The backup can not be read; pg_restore says: {last_word(said)}")


def _feed(dump, into):
    """A pipe holds little: one thread fills it while the other empties the next."""

    def fill() -> None:
        try:
            with into:
                shutil.copyfileobj(dump, into, CHUNK)
        except BrokenPipeError:
            pass  # the reader says why

    thread = Thread(target=fill)
    thread.start()
    return thread


# The database and PostgreSQL's programs ---------------------------------------------------------------------------


def is_ours() -> bool:
    """Whether the database holds a Social Hub."""
    return "socialhub_house" in connection.introspection.table_names()


def applied() -> list[str]:
    """Every migration that the database has seen, as `app.name`."""
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def tables() -> list[str]:
    """The tables whose rows are counted: all that are ours, or a library's, in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return sorted(name for (name,) in cursor.fetchall())


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
        return cursor.fetchone()[0]


def environment() -> dict[str, str]:
    """How PostgreSQL's programs reach the database; a password never stands on a command line."""
    given = connection.settings_dict
    words = {
        "PGDATABASE": given["NAME"], "PGUSER": given["USER"], "PGPASSWORD": given["PASSWORD"],
        "PGHOST": given["HOST"], "PGPORT": str(given["PORT"] or ""), "PGAPPNAME": "social-hub backup",
    } | {OPTIONS[name]: str(value) for name, value in given["OPTIONS"].items() if name in OPTIONS}  # fmt: skip
    return {"PATH": os.environ.get("PATH", ""), "TZ": "UTC"} | {name: word for name, word in words.items() if word}


def program(name: str) -> str:
    """One of PostgreSQL's programs that fits the server: of the same major version, else a newer one."""
    wanted = connection.pg_version // 10000
    fitting = sorted((major, path) for path in _programs(name) if (major := _major(path)) >= wanted)
    if not fitting:
        raise BackupError(f"The server is PostgreSQL {wanted}: install its {name} (postgresql-client-{wanted}).")
    return fitting[0][1]


def _programs(name: str) -> Iterator[str]:
    with suppress(CanNotStart, OSError):  # without the wheels, those of the system do
        yield str(programs.postgres(settings.PLACES, name))
    if found := shutil.which(name):
        yield found
    yield from map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))


def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def last_word(said: str) -> str:
    """The last line of what a program said, without what it quotes of rows."""
    lines = [line for line in said.splitlines() if line.strip() and not re.search(r"DETAIL|CONTEXT|HINT", line)]
    return lines[-1][:300] if lines else "nothing"
