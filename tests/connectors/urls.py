"""The house with the channels' API, its posts going into the real inbox."""

from django.urls import include, path

from connectors.api_urls import patterns
from inbox.intake import take_in
from socialhub import urls

handler404 = urls.handler404
urlpatterns = [path("api/v1/", include(patterns(take_in))), *urls.urlpatterns]
