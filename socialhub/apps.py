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
        # What is there now stays: the collector need not go through it again and again while posts come in. Nor need it
        # look for circles after every few hundred new things: a page of posts makes ten thousand that are in none.
        gc.freeze()
        gc.set_threshold(20_000)
