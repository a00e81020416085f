"""Servers and settings of the tests: loaded by pytest before anything else (`-p tests.servers` in pyproject.toml).

Only the process that was started by a person does this; the processes that it shares its work with inherit what it set.
Its servers do not wait for the disk and keep their data folder for the next run. Two runs at the same time get two.
"""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from socialhub.embedded import places, servers

CONTROLS = "PYTEST_XDIST_WORKER" not in os.environ
# What a person may have set for `make run` has no say here, but for servers of their own.
LEFT_OUT = (
    "HOSTS", "HTTPS", "DEBUG", "ORGANISATION", "CREDENTIAL_KEYS", "CREDENTIAL_KEYS_FILE", "SECRET_KEY_FILE",
    "WORKER_THREADS", "PORT", "METRICS_TOKEN", "METRICS_TOKEN_FILE", "LOG_FORMAT",
)  # fmt: skip
_open = ExitStack()


def _own_folder() -> Path:
    """The first data folder for tests that no other run holds."""
    base = places.find({}).data
    for number in range(1, 100):
        folder = base.with_name(f"{base.name}-test") / str(number)
        places.Places(folder).make()
        lock = _open.enter_context((folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return folder
    raise RuntimeError("A hundred test runs at once")


if CONTROLS:
    for name in LEFT_OUT:
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(_own_folder()),
        "DEMO": "0",
        "SECRET_KEY": "a key for tests only",
        "LOG_LEVEL": "WARNING",
        # A test that wants a model asks for one: to train it, and to load what reads texts, takes seconds.
        "LEARNED_ROUTING": "off",
        # Playwright's loop runs in the main thread, where Django would refuse to talk to the database.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    if CONTROLS and not session.config.option.collectonly:
        _open.enter_context(servers.running(places.find(), careless=True))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if CONTROLS:
        _open.close()
