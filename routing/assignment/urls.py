"""The addresses of giving out work."""

from django.urls import path

from routing.views import assigning

urlpatterns = [
    path("departments/<slug:department>/assignment/", assigning.assignment, name="department-assignment"),
    path("departments/<slug:department>/assignment/<uuid:person>/", assigning.capacity, name="department-capacity"),
]
