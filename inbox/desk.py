"""What one person has before them: the queues they may read and how much lies in each. Asked once in a request, by the
page and the rail together."""

from functools import cached_property

from django.db.models import Count, QuerySet, Value

from departments.access import may, rights
from departments.models import Department
from inbox.models import QueueCount, QueueItem
from inbox.paging import NEWEST, URGENT

ORDERS = {"urgent": URGENT, "newest": NEWEST}
TABS = {"mine": "Mine", "unassigned": "Unassigned", "all": "All", "waiting": "Waiting for others"}
NOTHING_TAB = {"nothing": "Probably nothing"}


class Desk:
    """One person's queues and counts, read when first asked for."""

    def __init__(self, user):
        self.user = user

    @cached_property
    def all_departments(self) -> dict:
        """Every open department by id: that it exists is no secret."""
        return {each.pk: each for each in Department.objects.open()}

    @cached_property
    def departments(self) -> list[Department]:
        """Those whose queue this person may read, in the order of the rail."""
        return [each for each in self.all_departments.values() if may(self.user, "view_queue", each)]

    @cached_property
    def own(self) -> list[Department]:
        """What lies before them when they open the inbox: the queues in which they have a role of their own; for a
        coordinator, or somebody without any, all that they read."""
        held = rights(self.user)
        own = [each for each in self.departments if each.pk in held.roles]
        return self.departments if held.coordinator or not own else own

    @cached_property
    def counts(self) -> dict:
        return QueueCount.objects.of_queues(self.user, self.departments)

    @cached_property
    def pressing(self) -> dict[str, dict]:
        """{"late": {department: number}, "mine": {…}}: open items that are overdue, and those that are this person's,
        as far as they see them. One read, whose halves walk an index each."""
        seen = QueueItem.objects.visible_to(self.user).order_by()
        halves = [
            selected.values_list(Value(what), "department").annotate(Count("pk"))
            for what, selected in (("late", seen.overdue()), ("mine", seen.mine(self.user)))
        ]
        found: dict[str, dict] = {"late": {}, "mine": {}}
        for what, department, number in halves[0].union(halves[1], all=True):
            found[what][department] = number
        return found

    def department(self, slug: str) -> Department | None:
        """The readable department of this name, or None: one that is hidden is as one that is not there."""
        return next((each for each in self.departments if each.slug == slug), None)


def desk_of(request) -> Desk:
    """The desk of the person who asks, made once in a request."""
    if not hasattr(request, "desk"):
        request.desk = Desk(request.user)
    return request.desk


def select(items: QuerySet[QueueItem], tab: str, user) -> QuerySet[QueueItem]:
    """The items of one tab."""
    ways = {
        "mine": lambda: items.mine(user),
        "unassigned": items.unassigned,
        "waiting": items.waiting_for_others,
        "nothing": items.probably_nothing,
    }
    return ways.get(tab, items.open)()


def sources(user, departments: list[Department], tab: str) -> list[QuerySet[QueueItem]]:
    """What to read for a page of these queues: one selection for each, so that each is one short walk along its
    index."""
    if tab == "mine" and len(departments) > 1:
        return [select(QueueItem.objects.visible_to(user), tab, user)]
    return [select(QueueItem.objects.in_queue(each, user), tab, user) for each in departments]


def dress(items: list[QueueItem], departments: dict) -> list[QueueItem]:
    """Give each row its department, where it is handed to, and the other departments on its conversation (one
    query)."""
    others: dict = {}
    live = QueueItem.objects.filter(conversation__in={each.conversation_id for each in items}, sealed=False)
    pairs = live.exclude(status=QueueItem.Status.RESOLVED).order_by("-lead", "placed_at")
    for conversation, department in pairs.values_list("conversation_id", "department_id"):
        others.setdefault(conversation, []).append(department)
    for item in items:
        item.department = departments.get(item.department_id) or item.department
        if item.handed_to_id:
            item.handed_to = departments.get(item.handed_to_id) or item.handed_to
        rest = [each for each in others.get(item.conversation_id, ()) if each != item.department_id]
        item.others = [{"department": departments[each]} for each in rest if each in departments]
    return items
