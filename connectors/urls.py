"""The channels' pages."""

from django.urls import path

from connectors import hooks, views

urlpatterns = [
    path("channels/", views.channels, name="channels"),
    path("channels/new/", views.new, name="channel-new"),
    path("channels/estimate/", views.estimate, name="channel-estimate"),
    path("channels/signed-in/", views.signed_in, name="channel-signed-in"),
    path("channels/guide/", views.guide, name="channel-guides"),
    path("channels/guide/<slug:network>/", views.guide, name="channel-guide"),
    path("channels/choose/<str:key>/", views.choose, name="channel-choose"),
    path("channels/<slug:slug>/", views.channel, name="channel"),
    path("channels/<slug:slug>/edit/", views.edit, name="channel-edit"),
    path("channels/<slug:slug>/connect/", views.connect, name="channel-connect"),
    path("channels/<slug:slug>/sign-in/", views.sign_in, name="channel-sign-in"),
    path("channels/<slug:slug>/check/", views.check, name="channel-check"),
    path("channels/<slug:slug>/ledger/", views.ledger, name="channel-ledger"),
    path("channels/<slug:slug>/replay/", views.replay, name="channel-replay"),
    path("channels/<slug:slug>/secret/", views.make_secret, name="channel-secret"),
    path("channels/<slug:slug>/do/<slug:verb>/", views.verb, name="channel-verb"),
    path("hooks/<slug:slug>/", hooks.hook, name="hook"),
]
