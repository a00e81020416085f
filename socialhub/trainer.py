"""Has models trained, each in a process of its own: what trains takes memory that a process never gives back."""

import logging
import os
import subprocess
import sys
import threading
import time

from django.conf import settings

from routing.learning import harvest
from routing.learning.due import due

#: Seconds until training is begun again, whatever came of it the last time.
PAUSE = 600

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_process: subprocess.Popen | None = None
_begun = float("-inf")


def learn() -> None:
    """Read what people taught, and have a model trained when it is time. Returns at once."""
    harvest()
    with _lock:
        if settings.LEARNED_ROUTING and not _is_at_it() and time.monotonic() > _begun + PAUSE and (why := due()):
            _begin(why)


def stop(**signal) -> None:
    """A training that is under way ends with the worker; it is begun again some time later."""
    with _lock:
        if _process and _process.poll() is None:
            _process.terminate()


def _is_at_it() -> bool:
    """Whether the last training still goes on; what became of it is told once."""
    global _process
    if _process is None:
        return False
    if (code := _process.poll()) is None:
        return True
    if code:
        logger.error("No model could be trained: the process ended with %s.", code)
    _process = None
    return False


def _begin(why: str) -> None:
    global _process, _begun
    _begun = time.monotonic()
    logger.info("A model is trained: %s.", why)
    command = [sys.executable, str(settings.ROOT / "manage.py"), "train_routing", "--why", why]
    # With several threads the encoder is many times slower, and the worker wants the other processor.
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    _process = subprocess.Popen(command, env=os.environ | alone, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
