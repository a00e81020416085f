"""What the frame around every page draws: the house's name, its places, the departments with their counts."""

from functools import cached_property

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from connectors.models import Channel
from departments.access import NOTHING, Rights, rights
from departments.roles import Role
from inbox.desk import desk_of
from socialhub.models import House

#: Address, name, sign, second key of `g …`, and who has it in the rail.
PLACES = (
    ("inbox", "Inbox", "inbox", "i", lambda held: True),
    ("contacts", "Contacts", "people", "c", lambda held: True),
    ("overview", "Overview", "board", "o", lambda held: held.sees_ordinary or bool(held.at_least(Role.LEAD))),
    ("notices", "Notices", "bell", "n", lambda held: True),
    ("rules", "Routing", "route", "r", lambda held: held.sees_ordinary or bool(held.at_least(Role.LEAD))),
    ("channels", "Channels", "channel", "", lambda held: held.sees_ordinary),
    ("people", "People", "person", "", lambda held: held.admin),
    ("departments", "Departments", "building", "", lambda held: held.admin or bool(held.roles)),
    ("audit", "Audit", "log", "", lambda held: held.auditor or held.admin or held.coordinator),
)

HOUSE_KEPT = 5  # seconds that a process remembers the house's name, and whether its sends are held


def house(request: HttpRequest) -> dict:
    return {"house": HouseOnPage(request)}


class HouseOnPage:
    """Asks for each part when a template first draws it, so that a page without a rail asks nothing."""

    def __init__(self, request: HttpRequest):
        self.request = request
        self.demo = settings.DEMO

    @cached_property
    def name(self) -> str:
        return settings.ORGANISATION or self.row.name

    @cached_property
    def row(self) -> House:
        return cache.get_or_set("house", House.objects.as_it_stands, HOUSE_KEPT)

    @property
    def hold(self) -> House | None:
        """What the banner after a restore tells, for those who can do something about it, and beside the channels."""
        if not self.request.user.is_authenticated or not self.row.sends_held_since:
            return None
        told = self.held.admin or self.held.coordinator or self.request.path.startswith(reverse("channels"))
        return self.row if told else None

    @cached_property
    def held(self) -> Rights:
        return rights(self.request.user)

    @property
    def admin(self) -> bool:
        return self.held.admin

    @cached_property
    def places(self) -> list[dict]:
        if not self.request.user.is_authenticated:
            return []
        return [self._place(*place) for *place, shown in PLACES if shown(self.held)]

    def _place(self, place: str, name: str, icon: str, key: str) -> dict:
        url = reverse(place)
        here = self.request.path.startswith(url)
        return {"name": name, "url": url, "icon": icon, "key": key, "current": here, **self._figures(place)}

    def _figures(self, place: str) -> dict:
        """On the inbox what is open and overdue, over the queues that lie before the person; on notices the unread."""
        if place == "notices":
            return {"count": desk_of(self.request).notices(), "late": None, "counts": "unread"}
        if place != "inbox":
            return {"count": None, "late": None}
        own = desk_of(self.request).own
        counts = desk_of(self.request).counts
        return {
            "count": sum(counts[each.pk]["open"] for each in own),
            "late": sum(counts[each.pk]["late"] for each in own),
            "counts": "open",
        }

    @cached_property
    def departments(self) -> list[dict]:
        """The queues that the person may read; what they may not see leaves no gap."""
        if not self.request.user.is_authenticated:
            return []
        desk = desk_of(self.request)
        return [
            {
                "department": each,
                "open": desk.counts[each.pk]["open"],
                "overdue": desk.counts[each.pk]["late"],
                "url": (url := reverse("queue", args=[each.slug])),
                "current": self.request.path == url,
            }
            for each in desk.departments
        ]

    @cached_property
    def hint(self) -> dict | None:
        """What has still to be done before there is anything to see: by an admin, or by somebody for this person."""
        if self.held == NOTHING:
            return {"sentence": "You have no role in any department yet. An admin or a lead gives you one."}
        if not self.held.admin or Channel.objects.exists():
            return None
        if not desk_of(self.request).all_departments:
            return _hint("There are no departments yet.", "set-up-departments", "Choose departments")
        return _hint("No channel is connected yet, so nothing can arrive.", "set-up-channel", "Connect a channel")


def _hint(sentence: str, place: str, action: str) -> dict:
    return {"sentence": sentence, "url": reverse(place), "action": action}
