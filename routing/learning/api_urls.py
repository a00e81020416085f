"""The addresses of what people teach, below /api/v1/."""

from django.urls import path

from routing.learning import api

urlpatterns = [
    path("routing/quality/", api.QualityView.as_view(), name="api-routing-quality"),
    path("routing/models/", api.Models.as_view(), name="api-routing-models"),
    path("routing/models/<int:model>/activate/", api.Activate.as_view(), name="api-routing-model-activate"),
    path("conversations/<uuid:pk>/confirm-routing/", api.Confirm.as_view(), name="api-conversation-confirm-routing"),
]
