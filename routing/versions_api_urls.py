"""The addresses of what is done with versions of rules, below /api/v1/."""

from django.urls import path

from routing import versions_api as api

VERSION = "rule-sets/<uuid:pk>/versions/<int:number>"
urlpatterns = [
    path(f"{VERSION}/backtest/", api.AskBackTest.as_view(), name="api-backtest"),
    path(f"{VERSION}/shadow/", api.Shadow.as_view(), name="api-shadow"),
    path(f"{VERSION}/compare/", api.Compare.as_view(), name="api-compare"),
    path(f"{VERSION}/yaml/", api.Export.as_view(), name="api-export"),
    path("rule-sets/<uuid:pk>/versions/yaml/", api.Import.as_view(), name="api-import"),
    path("back-tests/", api.BackTests.as_view(), name="api-back-tests"),
    path("back-tests/<uuid:pk>/", api.OneBackTest.as_view(), name="api-back-test"),
    path("back-tests/<uuid:pk>/cancel/", api.CancelBackTest.as_view(), name="api-back-test-cancel"),
]
