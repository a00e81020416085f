"""The bell's rope: Celery wakes the worker, and carries nothing that could be lost. `timetable.py` says when."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
app = Celery("socialhub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _log_as_the_house_does(**named) -> None:
    """Celery would set up loggers of its own, whose lines tell arguments and messages; Django has set up ours."""
