"""What one person has before them: the queues they may read and how much lies in each. Asked once in a request, by the
page and the rail together."""

from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from departments import statements
from departments.access import may, rights
from departments.models import Department
from inbox.models import Notice, QueueCount, QueueItem
from inbox.paging import NEWEST, URGENT
from inbox.querysets import MANY

ORDERS = {"urgent": URGENT, "newest": NEWEST}
TABS = {"mine": "Mine", "unassigned": "Unassigned", "all": "All", "waiting": "Waiting for others"}
NOTHING_TAB = {"nothing": "Probably nothing"}
COUNTED = ("open", "unassigned", "waiting", "nothing", "late")


class Desk:
    """One person's queues and counts, read when first asked for."""

    def __init__(self, user):
        self.user = user

    @cached_property
    def all_departments(self) -> dict:
        """Every open department by id: that it exists is no secret."""
        return {each.pk: each for each in statements.objects("open departments", Department.objects.open)}

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
    def counts(self) -> dict[UUID, dict[str, int]]:
        """{department: {"open", "unassigned", "waiting", "nothing", "late"}}, the last no further than `MANY`."""
        queues = self.departments
        key = ("counts", rights(self.user).key, tuple((each.pk, each.confidential) for each in queues))
        rows = statements.rows(key, lambda: QueueCount.objects.of_queues(self.user, queues))
        found = {row[0]: dict(zip(COUNTED, row[1:], strict=True)) for row in rows}
        return {each.pk: found.get(each.pk) or dict.fromkeys(COUNTED, 0) for each in queues}

    def mine(self, queue: Department | None = None) -> int:
        """How many open items are this person's, in one queue or everywhere, counted no further than `MANY`."""
        key = ("mine", self.user.pk, rights(self.user).key, queue and queue.pk)
        return len(statements.rows(key, lambda: self._mine(queue)[:MANY]))

    def _mine(self, queue: Department | None) -> QuerySet:
        seen = QueueItem.objects.visible_to(self.user).mine(self.user).order_by().values_list("pk")
        return seen.filter(department=queue) if queue else seen

    def notices(self) -> int:
        """How many notices this person has not read, counted no further than `MANY`."""
        key = ("notices", self.user.pk, rights(self.user).key)
        return len(statements.rows(key, self._unread))

    def _unread(self) -> QuerySet:
        return Notice.objects.visible_to(self.user).unread().order_by().values_list("pk")[:MANY]

    def department(self, slug: str) -> Department | None:
        """The readable department of this name, or None: one that is hidden is as one that is not there."""
        return next((each for each in self.departments if each.slug == slug), None)


def desk_of(request) -> Desk:
    """The desk of the person who asks, made once in a request."""
    if not hasattr(request, "desk"):
        request.desk = Desk(request.user)
    return request.desk
