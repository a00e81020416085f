"""Every address of the house. A test walks this table: each route states who may use it."""

from django.urls import include, path
from django.views.generic import RedirectView

from inbox.urls import patterns as inbox_pages
from routing.explaining import explain
from socialhub import live, outside, signs, views

handler403 = views.not_allowed
handler404 = views.not_found
handler500 = views.broken

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="inbox", http_method_names=["get", "head"]), name="home"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("welcome/<str:token>/", views.first_admin, name="first-admin"),
    path("set-up/departments/", views.set_up_departments, name="set-up-departments"),
    path("set-up/channel/", views.set_up_channel, name="set-up-channel"),
    path("restored/", views.restored, name="restored"),
    path("outside/", outside.outside, name="outside"),
    path("outside/<int:number>/", outside.thread, name="outside-thread"),
    path("live/", live.stream, name="live"),
    path("healthz", signs.healthz, name="healthz"),
    path("metrics", signs.metrics, name="metrics"),
    path("", include("departments.urls")),
    path("", include(inbox_pages(explain))),
    path("", include("connectors.urls")),
    path("", include("routing.assignment.urls")),
    path("", include("routing.learning.urls")),
    path("", include("routing.health.urls")),
    path("", include("routing.lists.urls")),
    path("", include("routing.urls")),
    path("", include("socialhub.insights.urls")),
    path("api/v1/", include("socialhub.api_urls")),
]
