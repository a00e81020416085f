"""The addresses of giving out work, below /api/v1/."""

from django.urls import path

from routing.assignment import api

urlpatterns = [path("departments/<slug:slug>/assignment/", api.OneAssignment.as_view(), name="api-assignment")]
