import logging

from django.apps import AppConfig


class SocialHubConfig(AppConfig):
    name = "socialhub"
    verbose_name = "Social Hub"

    def ready(self):
        # Every process knows the one Celery app, so that a request or a command can wake the worker.
        from socialhub.celery import app

        app.set_default()
        logging.captureWarnings(True)  # what Python warns of is a line of the log as well
