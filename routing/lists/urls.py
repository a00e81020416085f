"""The addresses of what rules name."""

from django.urls import path

from routing.views import lists

urlpatterns = [
    path("routing/lists/", lists.lists, name="lists"),
    path("routing/lists/new/", lists.new_list, name="list-new"),
    path("routing/lists/<slug:slug>/", lists.one_list, name="list"),
    path("routing/lists/<slug:slug>/delete/", lists.delete_list, name="list-delete"),
    path("routing/campaigns/", lists.campaigns, name="campaigns"),
    path("routing/campaigns/new/", lists.new_campaign, name="campaign-new"),
    path("routing/campaigns/<slug:slug>/", lists.one_campaign, name="campaign"),
    path("routing/campaigns/<slug:slug>/delete/", lists.delete_campaign, name="campaign-delete"),
]
