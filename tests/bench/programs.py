"""The processes that are measured, and the browser that asks them."""

import http.client
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from socialhub.embedded import processes
from socialhub.embedded.places import ROOT, Places
from tests.launcher.house import free_port

#: As the launcher starts its web process, but that a line stays open while others have their turn.
UVICORN = (
    "--host", "127.0.0.1", "--lifespan", "off", "--no-access-log", "--no-proxy-headers", "--no-server-header",
    "--timeout-keep-alive", "600",
)  # fmt: skip
PATIENCE = 30


class Served:
    """An application that answers on a port of its own, and a line to it that is kept open."""

    def __init__(self, pid: int, port: int):
        self.pid, self.port = pid, port
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, headers: dict[str, str], expect: int = 200) -> http.client.HTTPResponse:
        """Ask for a page and read it; fails when the answer is another than expected."""
        self.line.request("GET", path, headers=headers)
        answer = self.line.getresponse()
        answer.body = answer.read()
        assert answer.status == expect, (path, answer.status, answer.body[:300])
        return answer


@contextmanager
def served(application: str, name: str, places: Places) -> Iterator[Served]:
    """This application under uvicorn, until the end of the block."""
    port = free_port()
    environment = {
        **os.environ, "BENCH_DATABASE": str(places.sockets), "PORT": str(port), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = (sys.executable, "-m", "uvicorn", application, "--port", str(port), *UVICORN)
    pid = processes.start(command, places.log(name), ROOT, env=environment)
    try:
        yield _answering(Served(pid, port), places.log(name))
    finally:
        processes.end([pid], 3)


def _answering(there: Served, log) -> Served:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and processes.alive(there.pid):
        try:
            there.line.connect()
            return there
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"It does not answer; its log is {log}")
