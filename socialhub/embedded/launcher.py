"""`make run`: everything that Social Hub needs, started in order, kept running, and stopped together.

The launcher itself knows nothing of Django but the settings, so that it is up at once and can say what is wrong.
"""

import ctypes
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from types import ModuleType

from socialhub.embedded import processes, servers
from socialhub.embedded.crew import Crew, Stopped, alone, say
from socialhub.embedded.errors import CanNotStart

PROGRAMS = ("web", "worker", "beat")
told_to_stop = below_make = False


def main() -> None:
    """Run until somebody stops it. A start that can not be says why in one sentence, and ends with exit code 2."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    _end_with_make()
    with suppress(Stopped):
        try:
            _run(_settings())
        except CanNotStart as error:
            print(error, file=sys.stderr)
            sys.exit(2)


def _stop(sign: int, frame) -> None:
    global told_to_stop
    told_to_stop = True


def _end_with_make() -> None:
    """When `make` is killed it can not tell us, and we would be left behind: let the kernel tell us."""
    global below_make
    below_make = "MAKELEVEL" in os.environ and not _make_waits()
    if below_make:
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def stopping() -> bool:
    """Whether it is to end. Ctrl-C at a terminal reaches us; an interrupt that was sent to `make` alone does not."""
    return told_to_stop or (below_make and _make_waits())


def _make_waits() -> bool:
    """`make` keeps such a signal blocked while it deals with it, which is: waits for us to end."""
    return processes.blocks(os.getppid(), signal.SIGINT, signal.SIGHUP)


def _settings() -> ModuleType:
    """The settings, or the sentence that says which of them is wrong."""
    try:
        from django.core.exceptions import ImproperlyConfigured

        try:
            from socialhub import settings
        except ImproperlyConfigured as error:
            raise CanNotStart(str(error)) from None
    except ImportError as error:
        raise CanNotStart(f"The installation is not complete ({error}): remove .venv and run `make run`.") from None
    return settings


def _run(settings: ModuleType) -> None:
    servers.make_folders(settings.PLACES)
    address = f"http://127.0.0.1:{settings.PORT}/"
    crew = Crew(settings.PLACES, dict(os.environ), stopping)
    with alone(settings.PLACES, f"process {os.getpid()}, {address}"), crew.on_board():
        say(f"Social Hub starts on the data in {settings.PLACES.data}")
        crew.end_orphans("prepare", *PROGRAMS)
        check_port(settings.PORT)
        start_servers(crew)
        news = prepare(crew)
        start_programs(crew, settings)
        say(f"\nSocial Hub is at {address} (Ctrl-C stops it)\n{news}\n")
        crew.watch()


def check_port(port: int) -> None:
    """Whether the pages can be served at this port, said before anything is started."""
    try:
        _try_port(port)
    except PermissionError:
        raise CanNotStart(f"Port {port} is for root only: choose another, such as `make run PORT=8000`.") from None
    except OSError:
        raise CanNotStart(
            f"Port {port} is taken by another program: choose another, such as `make run PORT={_free_port(port)}`."
        ) from None


def _try_port(port: int) -> None:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen()


def _free_port(after: int) -> int:
    for port in range(after + 1, 65536):
        with suppress(OSError):
            _try_port(port)
            return port
    return 8000


def start_servers(crew: Crew) -> None:
    """Both at the same time, then wait for both."""
    for server in servers.wanted():
        crew.keep_server(server)
    for server in servers.wanted():
        crew.wait_for(lambda server=server: server.answers(crew.places), server.name)


def prepare(crew: Crew) -> str:
    """Bring the database and the static files up to date. What there is to tell the first visitor."""
    news = crew.places.run / "news"
    crew.do("prepare", "manage.py", "prepare", "--news", str(news))
    told = news.read_text()
    news.unlink()
    return told


def start_programs(crew: Crew, settings: ModuleType) -> None:
    """The web process, the worker and the worker's clock, until pages are served."""
    clock = crew.places.run / "beat-schedule"
    for torn in crew.places.run.glob(f"{clock.name}*"):  # by a kill, perhaps; nothing stands in it that would be missed
        torn.unlink()
    celery = ("-m", "celery", "--quiet", "-A")
    crew.keep(
        "web", "-m", "uvicorn", "socialhub.asgi:application", "--host", "127.0.0.1", "--port", str(settings.PORT),
        # Lines are kept for longer than browsers and proxies do: a request never meets one that is just being closed.
        "--timeout-graceful-shutdown", "1", "--timeout-keep-alive", "75", "--lifespan", "off",
        "--no-access-log", "--no-proxy-headers", "--no-server-header",
    )  # fmt: skip
    crew.keep(
        "worker", *celery, "socialhub", "worker", "-P", "threads", "--loglevel", "INFO",
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip
    crew.keep("beat", *celery, "socialhub.timetable", "beat", "-s", str(clock), "--pidfile", "", "--loglevel", "INFO")
    crew.wait_for(lambda: answers(settings.PORT), "web")


def answers(port: int) -> bool:
    """Whether the web process answers at all; that worker and beat are not up yet is no reason to wait."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=0.5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
