"""People before batches: what nobody waits for steps back, so that whoever opens a page does not queue behind it."""

import os
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db.backends.signals import connection_created

#: Of the kernel's twenty steps. The worker brings posts and replies; a file may wait for both.
WORKER, FILE = 5, 10


def step_back(steps: int) -> None:
    """Let this process, and what our own PostgreSQL does for it, leave the first turn to others. It lasts as long as
    the process: only root could take it back."""
    os.nice(steps)
    if not settings.DATABASE_URL:
        connection_created.connect(partial(_backend_steps_back, steps), weak=False)


def _backend_steps_back(steps: int, connection, **_) -> None:
    """Each connection has a process of its own beside the server; when it is not ours to slow down, it stays."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, connection.connection.get_backend_pid(), steps)
