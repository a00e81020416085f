"""The addresses of what rules name, below /api/v1/."""

from django.urls import path

from routing.lists import api

urlpatterns = [
    path("author-lists/", api.Lists.as_view(), name="api-author-lists"),
    path("author-lists/<slug:slug>/", api.OneList.as_view(), name="api-author-list"),
    path("campaigns/", api.Campaigns.as_view(), name="api-campaigns"),
    path("campaigns/<slug:slug>/", api.OneCampaign.as_view(), name="api-campaign"),
]
