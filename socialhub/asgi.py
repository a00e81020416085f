"""The way in for uvicorn, which serves the pages and the live stream from one process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
django.setup(set_prefix=False)

from socialhub.serving import Pages, keep_lines  # noqa: E402  (the framework has to be set up first)

keep_lines()
application = Pages()
