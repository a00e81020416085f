"""The channels' pages."""

from django.urls import path

from connectors import hooks, views

urlpatterns = [
    path("channels/", views.channels, name="channels"),
    path("channels/new/", views.new, name="channel-new"),
    path("channels/<slug:slug>/", views.channel, name="channel"),
    path("channels/<slug:slug>/edit/", views.edit, name="channel-edit"),
    path("channels/<slug:slug>/connect/", views.connect, name="channel-connect"),
    path("channels/<slug:slug>/replay/", views.replay, name="channel-replay"),
    path("channels/<slug:slug>/secret/", views.make_secret, name="channel-secret"),
    path("channels/<slug:slug>/do/<slug:verb>/", views.verb, name="channel-verb"),
    path("hooks/<slug:slug>/", hooks.hook, name="hook"),
]
