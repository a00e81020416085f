"""The bell's strokes. A task has no arguments and no logic: it looks for whatever waits (socialhub.pipeline)."""

import threading
from collections import defaultdict
from functools import wraps

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from socialhub import pipeline
from socialhub.models import Pulse

_busy: dict[str, threading.Lock] = defaultdict(threading.Lock)


def stroke(name: str):
    """A task of that name. While one of its kind is at work in this process, another stroke is left out: the one at work
    finds what waits."""

    def wrap(function):
        @shared_task(name=f"socialhub.{name}", ignore_result=True)
        @wraps(function)
        def task():
            if not _busy[name].acquire(blocking=False):
                return
            try:
                close_old_connections()
                function()
            finally:
                close_old_connections()
                _busy[name].release()

        return task

    return wrap


@stroke("fetch")
def fetch():
    pipeline.fetch()


@stroke("route")
def route():
    pipeline.route()


@stroke("send")
def send():
    pipeline.send()


@stroke("tidy")
def tidy():
    pipeline.tidy()


@stroke("pulse")
def pulse():
    """That timetable and worker live: beat rang, and the worker heard it."""
    Pulse.objects.update_or_create(name="worker", defaults={"at": timezone.now()})
