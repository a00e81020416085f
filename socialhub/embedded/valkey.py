"""Our own Valkey, the bell's server: one unix socket, no port. What it loses is found again by the worker's tick."""

import re
import signal
import socket

from socialhub.embedded import processes, programs
from socialhub.embedded.places import Places

name = "valkey"
title = "Valkey"
farewell = (signal.SIGTERM,)


def pid(places: Places) -> int | None:
    """The living server of this data folder, whoever started it."""
    found = processes.read_pid(places.pid_file(name))
    return found if found and _is_ours(found, places) else _told_pid(places)


def _is_ours(number: int, places: Places) -> bool:
    """It writes its socket into its own command line, so this holds before and after."""
    words = " ".join(processes.words(number))
    return processes.alive(number) and "valkey-server" in words and str(places.valkey_socket) in words


def _told_pid(places: Places) -> int | None:
    """A second server would silently take the socket over, so ask who is there even without a pid file."""
    told = re.search(rb"process_id:(\d+)", _ask(places, b"INFO server\r\n"))
    return int(told[1]) if told else None


def command(places: Places, careless: bool) -> list[str]:
    """The command line of the server."""
    options = {
        "port": 0,
        "unixsocket": places.valkey_socket,
        "unixsocketperm": 700,
        "dir": places.valkey,
        # It keeps nothing on the disk: nothing in it would be missed, and on a full disk it would refuse to ring.
        "appendonly": "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    words = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
    return [str(programs.valkey(places)), *words]


def prepare(places: Places) -> None:
    """Make the folder that the server works in."""
    programs.give(places.valkey)


def answers(places: Places) -> bool:
    """Whether the server has read what it kept and takes commands."""
    return _ask(places, b"PING\r\n").startswith(b"+PONG")


def _ask(places: Places, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(places.valkey_socket))
            client.sendall(line)
            return client.recv(65536)
        except OSError:
            return b""
