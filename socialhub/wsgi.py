"""The way in for WSGI servers. The live stream needs ASGI; pages then ask by themselves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialhub.settings")
application = get_wsgi_application()
