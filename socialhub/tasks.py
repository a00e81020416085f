"""The bell's strokes. A task has no arguments and no logic: it looks for whatever waits (socialhub.pipeline)."""

import threading
from functools import wraps

from celery import shared_task, signals
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from inbox import outbox
from socialhub import pipeline, trainer
from socialhub.models import Pulse
from socialhub.rounds import Rounds

rounds = Rounds(settings.WORKER_THREADS)
signals.worker_shutting_down.connect(rounds.end)
signals.worker_shutdown.connect(rounds.wait)
signals.worker_shutdown.connect(trainer.stop)


def stroke(name: str, at_once: int = 1):
    """A task of that name. While `at_once` of its kind are at work in this process, another stroke is left out: those
    at work find what waits."""
    free = threading.BoundedSemaphore(at_once)

    def wrap(function):
        @shared_task(name=f"socialhub.{name}", ignore_result=True)
        @wraps(function)
        def task():
            if not free.acquire(blocking=False):
                return
            try:
                close_old_connections()
                function()
            finally:
                close_old_connections()
                free.release()

        return task

    return wrap


@stroke("fetch")
def fetch():
    rounds.ring()
    pipeline.replay()


@stroke("read")
def read():
    pipeline.read()


@stroke("route")
def route():
    pipeline.route_live()


# While history is routed, a stroke for it is left out; one for a live post must not be.
@stroke("route_history")
def route_history():
    pipeline.route()


@stroke("assign")
def assign():
    pipeline.assign()


@stroke("send", at_once=outbox.HANDS)
def send():
    pipeline.send()


@stroke("back_test")
def back_test():
    pipeline.back_test()


@stroke("recheck")
def recheck():
    pipeline.recheck()


@stroke("tidy")
def tidy():
    pipeline.tidy()


@stroke("learn")
def learn():
    pipeline.learn()


@stroke("recount")
def recount():
    pipeline.recount()


@stroke("pulse")
def pulse():
    """That timetable and worker live: beat rang, and the worker heard it."""
    Pulse.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
