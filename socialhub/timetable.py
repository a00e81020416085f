"""The timetable: when each of the worker's strokes is rung (socialhub/tasks.py). The process that keeps it (beat) knows
the strokes by name alone and loads nothing of the house, so it stays small."""

import logging.config
import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
# Celery would load the whole of Django for it.
app = Celery("socialhub", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")


def every(seconds: float, work: str) -> dict:
    # A stroke that nobody heard in time is worth nothing: the next one finds the same work.
    return {"task": f"socialhub.{work}", "schedule": seconds, "options": {"expires": max(5, seconds * 3)}}


app.conf.beat_schedule = {
    "fetch": every(1, "fetch"),
    "read": every(1, "read"),
    "route": every(2, "route"),
    "route_history": every(2, "route_history"),
    "assign": every(2, "assign"),
    "send": every(1, "send"),
    "tidy": every(5, "tidy"),
    "back_test": every(2, "back_test"),
    "recheck": every(60, "recheck"),
    "learn": every(60, "learn"),
    "pulse": every(5, "pulse"),
    "recount": {"task": "socialhub.recount", "schedule": crontab(hour="3", minute="20"), "options": {"expires": 3600}},
}


@setup_logging.connect
def _log_as_the_house_does(**named) -> None:
    logging.config.dictConfig(settings.LOGGING)
