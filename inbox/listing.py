"""The rows of a list: all that one shows in one statement, read as values, and put together with the departments that
it names. A page of fifty is asked for whenever a queue rings, so it is kept cheap."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from departments import statements
from departments.access import rights
from departments.models import Department, User
from inbox.desk import Desk
from inbox.models import QueueItem
from inbox.paging import Cursor, Order, Page, cut, merged

SIZE = 50
#: What stands in a statement that is written once, in place of where a page begins.
_FROM = Cursor(datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
READ = (
    "id", "conversation", "department", "handed_to", "status", "unread", "due_at", "snoozed_until", "sort_at",
    "last_message_at", "why", "preview", "network", "kind", "author_name", "author_handle", "followers", "language",
    "mood", "rating", "priority", "assignee", "assignee__username", "assignee__name",
)  # fmt: skip


class Listed(NamedTuple):
    """A queue item as a list shows it: what is read of it (`READ`), then the departments that it names."""

    id: UUID
    conversation_id: UUID
    department_id: UUID
    handed_to_id: UUID | None
    status: str
    unread: bool
    due_at: datetime | None
    snoozed_until: datetime | None
    sort_at: datetime
    last_message_at: datetime
    why: str
    preview: str
    network: str
    kind: str
    author_name: str
    author_handle: str
    followers: int | None
    language: str
    mood: int | None
    rating: int | None
    priority: int
    assignee_id: UUID | None
    assignee_username: str | None
    assignee_name: str | None
    department: Department
    handed_to: Department | None
    #: The other departments on the conversation.
    others: list[Department]

    @property
    def pk(self) -> UUID:
        return self.id

    @property
    def assignee(self) -> User | None:
        return _colleague(self.assignee_id, self.assignee_username, self.assignee_name) if self.assignee_id else None


def listed(desk: Desk, queues: list[Department], tab: str, order: Order, cursor: Cursor | None) -> Page:
    """A page of this tab of these queues."""
    if not queues:
        return Page([])
    user, place, given = desk.user, None, {}
    if cursor:
        place = Cursor(_FROM.value, _FROM.pk, cursor.back)
        given = {_FROM.value: cursor.value, _FROM.pk: cursor.pk}
    whose = user.pk if tab == "mine" else None
    key = ("listed", whose, rights(user).key, tuple(each.pk for each in queues), tab, order, place, SIZE)
    rows = statements.rows(key, lambda: merged(_reads(user, queues, tab), order, cursor=place, size=SIZE), given)
    return cut([_put(row, desk.all_departments) for row in rows], order, cursor=cursor, size=SIZE)


def one(desk: Desk, pk: UUID) -> Listed | None:
    """This item, as lists show it; None for what is not seen, and what is resolved."""
    live = QueueItem.objects.visible_to(desk.user).exclude(status=QueueItem.Status.RESOLVED)
    row = _read(live.filter(pk=pk)).first()
    return _put(row, desk.all_departments) if row else None


def _reads(user, queues: list[Department], tab: str) -> list[QuerySet]:
    """One selection for each queue, so that each is one short walk along its index."""
    if tab == "mine" and len(queues) > 1:
        return [_read(select(QueueItem.objects.visible_to(user), tab, user))]
    return [_read(select(QueueItem.objects.in_queue(each, user), tab, user)) for each in queues]


def select(items: QuerySet[QueueItem], tab: str, user) -> QuerySet[QueueItem]:
    """The items of one tab."""
    ways = {
        "mine": lambda: items.mine(user),
        "unassigned": items.unassigned,
        "waiting": items.waiting_for_others,
        "nothing": items.probably_nothing,
    }
    return ways.get(tab, items.open)()


def _read(items: QuerySet[QueueItem]) -> QuerySet:
    live = QueueItem.objects.filter(conversation=OuterRef("conversation"), sealed=False)
    live = live.exclude(status=QueueItem.Status.RESOLVED).order_by("-lead", "placed_at")
    return items.values_list(*READ, ArraySubquery(live.values("department")))


def _put(row: tuple, departments: Mapping[UUID, Department]) -> Listed:
    """A row as it was read, with the departments that it names, as far as these are open."""
    *read, holders = row
    own, handed_to = row[2], row[3]
    others = [departments[each] for each in holders if each != own and each in departments]
    return Listed(*read, _named(own, departments), _named(handed_to, departments) if handed_to else None, others)


def _named(pk: UUID, departments: Mapping[UUID, Department]) -> Department:
    return departments.get(pk) or Department.objects.get(pk=pk)


@lru_cache(maxsize=512)
def _colleague(pk: UUID, username: str, name: str) -> User:
    """What a list shows of a colleague."""
    return User(pk=pk, username=username, name=name)
