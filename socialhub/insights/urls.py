"""The pages of figures."""

from django.urls import path

from socialhub.insights import views

urlpatterns = [
    path("overview/", views.overview, name="overview"),
    path("overview/<slug:metric>/", views.rows, name="overview-rows"),
]
