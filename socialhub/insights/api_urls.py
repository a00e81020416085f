"""The figures' addresses below /api/v1/."""

from django.urls import path

from socialhub.insights import api

urlpatterns = [path("reports/overview/", api.Overview.as_view(), name="api-reports-overview")]
