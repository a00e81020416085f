"""`python -m tests.own_servers [PYTEST ARGUMENTS]`: the suite against PostgreSQL and Redis as an operator has them.

Both are the system's own programs (apt installs them for root when they are missing), started in a folder of their own
on ports of this machine, with a password, for a user who is no superuser; the suite finds them by DATABASE_URL and
REDIS_URL.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socialhub.embedded import processes, programs
from tests.launcher.house import eventually, free_port

PACKAGES = ("postgresql", "redis-server")
POSTGRES = Path("/usr/lib/postgresql")
#: What a power cut would take does not matter to tests.
CARELESS = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def main(arguments: list[str]) -> int:
    install()
    with tempfile.TemporaryDirectory(prefix="own-servers-") as folder:
        given = Path(folder)
        given.chmod(0o755)
        with postgres(given / "postgres") as database, redis(given / "redis") as bell:
            return suite(arguments, os.environ | {"DATABASE_URL": database, "REDIS_URL": bell})


def suite(arguments: list[str], environ: dict[str, str]) -> int:
    """Both parts of `make test`, or what was asked for."""
    parts = [arguments] if arguments else [
        ["-n", "2", "--dist", "loadgroup", "--ignore=tests/browser"], ["-n", "2", "tests/browser"],
    ]  # fmt: skip
    return max(subprocess.run([sys.executable, "-m", "pytest", *part], env=environ).returncode for part in parts)


def install() -> None:
    """From the system's packages, if need be. Whoever may not do that is told what to do."""
    if newest_postgres() and shutil.which("redis-server"):
        return
    if os.geteuid() != 0:
        sys.exit(f"This needs {' and '.join(PACKAGES)} of your system: apt install {' '.join(PACKAGES)}")
    quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": sys.stderr, "check": True}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], **quiet)


def newest_postgres() -> Path | None:
    found = sorted(POSTGRES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a server with one empty database, of a user who may make others and is no superuser."""
    programs.give(folder)
    tools, port, word = newest_postgres(), free_port(), secrets.token_urlsafe(12)
    quiet = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin"}, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([tools / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8", "--no-sync"], **quiet, **programs.identity())  # fmt: skip
    # From the socket in the folder everybody is believed; from a port a password is asked for.
    (folder / "data/pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    command = [tools / "postgres", "-D", folder / "data", "-p", str(port), "-c", "listen_addresses=127.0.0.1",
               "-c", f"unix_socket_directories={folder}", "-c", "max_connections=200", *CARELESS]  # fmt: skip

    def ask(*words: str) -> int:
        asked = [tools / "psql", "-h", folder, "-p", str(port), "-U", "postgres", "-qc", *words]
        return subprocess.run(asked, capture_output=True, check=False).returncode

    with kept(command, folder / "log"):
        eventually(lambda: ask("SELECT 1") == 0, 60)
        assert ask(f"CREATE ROLE hub LOGIN CREATEDB PASSWORD '{word}'") == 0
        assert ask("CREATE DATABASE hub OWNER hub") == 0
        yield f"postgres://hub:{word}@127.0.0.1:{port}/hub"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    programs.give(folder)
    port, word = free_port(), secrets.token_urlsafe(12)
    options = {"bind": "127.0.0.1", "port": port, "requirepass": word, "save": "", "appendonly": "no", "dir": folder}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    ping = ["redis-cli", "--no-auth-warning", "-p", str(port), "-a", word, "ping"]
    with kept(["redis-server", *words], folder / "log"):
        eventually(lambda: b"PONG" in subprocess.run(ping, capture_output=True, check=False).stdout, 30)
        yield f"redis://:{word}@127.0.0.1:{port}/0"


@contextmanager
def kept(command: list, log: Path) -> Iterator[None]:
    """A server that runs inside this block, whatever ends it."""
    pid = processes.start(command, log, Path("/"), env={"PATH": "/usr/bin:/bin", "TZ": "UTC"}, **programs.identity())
    try:
        yield
    finally:
        processes.end([pid], 10, 2)  # SIGINT: at once, without waiting for anybody


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
