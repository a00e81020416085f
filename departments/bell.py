"""The bell: tells open pages that a queue changed, and the worker that work waits. It carries no content, and losing it
loses nothing: pages ask again by themselves, and the worker's tick finds whatever waits."""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction

CHANNEL = "changed"
PAUSE = 30  # seconds of silence after a failure, so that a broken broker costs no request more than once

logger = logging.getLogger(__name__)
_hand = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")
_quiet_until = 0.0
_client: redis.Redis | None = None
_lock = threading.Lock()


def ring(*departments: UUID) -> None:
    """After the commit, tell those who look at these departments' queues that something in them changed."""
    if departments:
        transaction.on_commit(lambda: _later(_publish, [f"queue:{each}" for each in departments]))


def ring_about(kind: str) -> None:
    """After the commit, tell open pages that something else of the house changed: `channels`, `rules`."""
    transaction.on_commit(lambda: _later(_publish, [kind]))


def gone(conversation_id: UUID) -> None:
    """After the commit, open pages that show this conversation ask again whether they still may."""
    transaction.on_commit(lambda: _later(_publish, [f"gone:{conversation_id}"]))


def ring_person(user_id: UUID) -> None:
    """After the commit, tell this person's own streams that their rights changed."""
    transaction.on_commit(lambda: _later(_publish, [f"person:{user_id}"]))


def wake(work: str) -> None:
    """After the commit, let the worker look for work of this kind at once: `fetch`, `read`, `route` or `send`."""
    transaction.on_commit(lambda: _later(_wake, work))


def client() -> redis.Redis:
    """The one connection pool of this process to the bell's server."""
    global _client
    with _lock:
        if _client is None:
            _client = redis.Redis.from_url(settings.BELL_URL, socket_timeout=2, socket_connect_timeout=1)
    return _client


def _publish(names: Iterable[str]) -> None:
    pipe = client().pipeline(transaction=False)
    for name in names:
        pipe.publish(CHANNEL, name)
    pipe.execute()


def _wake(work: str) -> None:
    current_app.send_task(f"socialhub.{work}", expires=30, retry=False)


def _later(act, argument) -> None:
    """Never in the request's own time: a broker that does not answer must not keep a person waiting."""
    if time.monotonic() >= _quiet_until:
        _hand.submit(_try, act, argument)


def _try(act, argument) -> None:
    global _quiet_until
    if time.monotonic() < _quiet_until:  # what was waiting when the bell broke
        return
    try:
        act(argument)
    except Exception:
        _quiet_until = time.monotonic() + PAUSE
        logger.warning("The bell can not be rung; pages and worker find changes by themselves.")
