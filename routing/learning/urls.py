"""The addresses of what people teach."""

from django.urls import path

from routing.views import quality

urlpatterns = [
    path("routing/quality/", quality.quality, name="quality"),
    path("routing/quality/threshold/", quality.threshold, name="quality-threshold"),
    path("routing/quality/models/<int:model>/live/", quality.model_live, name="model-live"),
    path("routing/quality/back/", quality.model_back, name="model-back"),
    path("inbox/c/<uuid:conversation>/confirm-routing/", quality.confirm_routing, name="conversation-confirm"),
    path("departments/<slug:department>/examples/", quality.department_examples, name="department-examples"),
    path(
        "departments/<slug:department>/examples/<int:example>/remove/",
        quality.remove_example,
        name="department-example-remove",
    ),
]
