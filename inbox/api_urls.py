"""The inbox's addresses below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from inbox import api


class UuidRouter(SimpleRouter):
    """Ids outside are UUIDs: what is none leads nowhere, like an id that is not there."""

    def get_lookup_regex(self, viewset, lookup_prefix=""):
        return f"(?P<{lookup_prefix}pk>[0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}})"


router = UuidRouter()
router.register("departments", api.Departments, basename="api-department")
router.register("queue-items", api.QueueItems, basename="api-queue-item")
router.register("conversations", api.Conversations, basename="api-conversation")
router.register("replies", api.Replies, basename="api-reply")
router.register("contacts", api.Contacts, basename="api-contact")
router.register("search", api.Search, basename="api-search")

urlpatterns = [
    path("queues/<slug:department>/items/", api.Queues.as_view({"get": "list"}), name="api-queue-items"),
    *router.urls,
]
