"""The channels' addresses below /api/v1/. Where pushed posts go is handed in: the inbox stands above."""

from django.urls import path

from connectors import api
from connectors.contract import TakeIn


def patterns(take_in: TakeIn) -> list:
    return [
        path("channels/", api.Channels.as_view(), name="api-channels"),
        path("channels/<slug:slug>/", api.OneChannel.as_view(), name="api-channel"),
        path("channels/<slug:slug>/posts/", api.Posts.as_view(take_in=take_in), name="api-channel-posts"),
        path("channels/<slug:slug>/poll/", api.Poll.as_view(), name="api-channel-poll"),
        path("channels/<slug:slug>/check/", api.Check.as_view(), name="api-channel-check"),
        path("channels/<slug:slug>/fetch-runs/", api.Runs.as_view(), name="api-channel-fetch-runs"),
        path("channels/<slug:slug>/quarantine/", api.Quarantine.as_view(), name="api-channel-quarantine"),
    ]
