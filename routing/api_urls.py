"""The addresses of rules and decisions below /api/v1/."""

from django.urls import path

from routing import api

urlpatterns = [
    path("rule-sets/", api.RuleSets.as_view(), name="api-rule-sets"),
    path("rule-sets/schema/", api.Schema.as_view(), name="api-rules-schema"),
    path("rule-sets/<uuid:pk>/", api.OneRuleSet.as_view(), name="api-rule-set"),
    path("rule-sets/<uuid:pk>/versions/", api.Versions.as_view(), name="api-versions"),
    path("rule-sets/<uuid:pk>/versions/<int:number>/", api.OneVersion.as_view(), name="api-version"),
    path("rule-sets/<uuid:pk>/versions/<int:number>/publish/", api.Publish.as_view(), name="api-publish"),
    path("routing/preview/", api.Preview.as_view(), name="api-preview"),
    path("conversations/<uuid:pk>/decisions/", api.Decisions.as_view(), name="api-decisions"),
]
