"""The house's addresses, with the inbox's API below the prefix that programs know."""

from django.urls import include, path

from socialhub import urls
from socialhub.urls import handler403, handler404, handler500

__all__ = ["handler403", "handler404", "handler500", "urlpatterns"]
urlpatterns = [path("api/v1/", include("inbox.api_urls")), *urls.urlpatterns]
