"""The addresses of the health of rules."""

from django.urls import path

from routing.views import health

urlpatterns = [
    path("routing/health/", health.health, name="rules-health"),
    path("routing/suggestions/", health.suggestion, name="rules-suggestion"),
    path("routing/<uuid:rule_set>/health/", health.mend, name="rules-mend"),
]
