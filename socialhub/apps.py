import gc
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
        gc.freeze()  # what is there now stays: the collector does not go through it again and again while posts come in
