"""The way in for uvicorn, which serves the pages and the live stream from one process."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
application = get_asgi_application()
