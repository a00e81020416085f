"""Every address of the API. What an app must not know of those above it is handed in here."""

from importlib.util import find_spec

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from connectors.api_urls import patterns as channels
from inbox.intake import take_in

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api"),
    path("", include("inbox.api_urls")),
    path("", include(channels(take_in))),
    path("", include("routing.assignment.api_urls")),
    path("", include("routing.learning.api_urls")),
    path("", include("routing.lists.api_urls")),
    path("", include("routing.versions_api_urls")),
    path("", include("socialhub.insights.api_urls")),
]
if find_spec("routing.api_urls"):
    urlpatterns.append(path("", include("routing.api_urls")))
