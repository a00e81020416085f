"""A whole Social Hub of its own, started as `make run` starts it."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from socialhub.embedded import processes
from socialhub.embedded.places import ROOT, Places

PROCESSES = ("postgres", "valkey", "web", "worker", "beat")


def own_folder(name: str) -> Path:
    """An empty folder below that of this test run, which the servers' user can reach."""
    folder = Path(os.environ["DATA_DIR"]) / f"{name}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def environment(folder: Path, **more: object) -> dict[str, str]:
    """What a person's terminal would hand on, without servers of their own."""
    left_out = {"DATABASE_URL", "REDIS_URL", "DEMO", "SECRET_KEY", "LOG_LEVEL", "MAKELEVEL"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"DATA_DIR": str(folder)} | {name: str(value) for name, value in more.items()}


def run(*words: str, folder: Path, **more: object) -> subprocess.CompletedProcess:
    """Run one of our programs to its end."""
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment(folder, **more), capture_output=True, text=True, timeout=60, check=False
    )


def eventually(true, seconds: float) -> float:
    """Wait until this is true; how long it took. Fails when it takes longer."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + seconds, f"still not so after {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


class House:
    """One data folder with its launcher."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.places = Places(folder)
        self.launcher: subprocess.Popen | None = None
        self.said: list[str] = []

    def start(self, below_make: bool = False) -> None:
        """Start the launcher, and wait until it tells the address."""
        command = [sys.executable, "-m", "socialhub.embedded"]
        if below_make:
            makefile = self.folder / "Makefile"
            makefile.write_text(f"run:\n\t@exec {shlex.join(command)}\n")
            command = ["make", "-f", str(makefile)]
        self.said = []
        self.launcher = subprocess.Popen(
            command,
            cwd=ROOT, env=environment(self.folder, PORT=self.port),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        for line in self.launcher.stdout:
            self.said.append(line.strip())
            if "Ctrl-C stops it" in line:
                return
        raise AssertionError(f"The launcher has ended: {self.said}")

    def read_on(self, until: str) -> None:
        for line in self.launcher.stdout:
            self.said.append(line.strip())
            if until in line:
                return

    def runs(self) -> bool:
        return self.launcher is not None and self.launcher.poll() is None

    def pid(self, name: str) -> int | None:
        return processes.read_pid(self.places.pid_file(name))

    def pids(self) -> dict[str, int | None]:
        return {name: self.pid(name) for name in PROCESSES}

    def health(self) -> int:
        """The status of `/healthz`, 0 when nobody answers."""
        try:
            return urllib.request.urlopen(self.address("/healthz"), timeout=5).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def is_well(self) -> bool:
        return self.health() == 200

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def sign_in(self, username: str) -> urllib.request.OpenerDirector:
        """A browser of a kind, in which this person of the demo is signed in."""
        cookies = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        browser.open(self.address("/sign-in/"), timeout=10)
        token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
        form = {"username": username, "password": "social-hub", "csrfmiddlewaretoken": token}
        browser.open(self.address("/sign-in/"), urlencode(form).encode(), timeout=20)
        return browser

    def stop(self, sign: int = signal.SIGINT) -> float:
        """Stop the launcher by a signal; how long it took."""
        began = time.monotonic()
        self.launcher.send_signal(sign)
        self.launcher.communicate(timeout=20)
        return time.monotonic() - began

    def left_behind(self) -> list[str]:
        """The command lines of living processes that belong to this data folder."""
        ours = (pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if processes.alive(pid))
        mark = f"DATA_DIR={self.folder}"
        return [" ".join(processes.words(pid)) for pid in ours if mark in processes.environment(pid)]

    def clear_away(self) -> None:
        if self.runs():
            self.stop()
        for pid in self.pids().values():
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
