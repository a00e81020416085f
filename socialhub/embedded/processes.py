"""Processes of this machine by their number: whether they live, whose they are, how they end."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
GLANCE = 0.02  # seconds between two looks at a process that is to end


_children: dict[int, subprocess.Popen] = {}


def start(command: Sequence[str], log: Path, cwd: Path, **options) -> int:
    """Start a child in a session of its own, so that Ctrl-C does not reach it. Its process id."""
    with log.open("ab") as file:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=cwd, start_new_session=True, **options,
        )  # fmt: skip
    _children[child.pid] = child
    return child.pid


def alive(pid: int) -> bool:
    """Whether this process runs. One that has ended does not, even if nobody took note of its end yet."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def result(pid: int) -> int | None:
    """How a child of ours ended: its exit code, or minus the signal that killed it. None when we can not know."""
    return _children[pid].poll() if pid in _children else None


def words(pid: int) -> list[str]:
    """The command line of a process, empty when it is gone or hidden from us."""
    return _parts(PROC / str(pid) / "cmdline")


def environment(pid: int) -> list[str]:
    """`NAME=value` for each variable that a process was started with, empty when it is hidden from us."""
    return _parts(PROC / str(pid) / "environ")


def _parts(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def working_in(folder: Path) -> list[int]:
    """The living processes whose working folder is this one: how PostgreSQL's are known after their parent's death."""
    found = []
    for entry in PROC.iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder and alive(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def blocks(pid: int, *signs: int) -> bool:
    """Whether a process keeps one of these signals waiting, as it does while it deals with one of that kind."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    blocked = next(int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:"))
    return any(blocked & 1 << (sign - 1) for sign in signs)


def read_pid(path: Path) -> int | None:
    """The number on the first line of a pid file, or None when there is no such file or no number in it."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def write_pid(path: Path, pid: int) -> None:
    """Name a process in its pid file, in one step: who reads it meanwhile sees the old number or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(f"{pid}\n")
    fresh.replace(path)


def send(pid: int, sign: int) -> None:
    """Send a signal; that the process is gone by now is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, sign)


def wait(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until all of these have ended, at most so long. Those that still live then."""
    until = time.monotonic() + seconds
    living = [pid for pid in pids if alive(pid)]
    while living and time.monotonic() < until:
        time.sleep(GLANCE)
        living = [pid for pid in living if alive(pid)]
    return living


def end(pids: Iterable[int], seconds: float, sign: int = signal.SIGTERM) -> None:
    """Ask all of these to end, and end those by force that have not done so in time."""
    pids = list(pids)
    for pid in pids:
        send(pid, sign)
    left = wait(pids, seconds)
    for pid in left:
        send(pid, signal.SIGKILL)
    wait(left, 1)
