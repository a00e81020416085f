"""What programs ask all day long: a queue, a conversation, what was said in it. Each is said once here, for the two
doors at which it is asked: the API's views (inbox/api.py), and the hatch, which hands it out without a walk through the
house (socialhub/hatch.py).

An answer has a mark, its `ETag`, by which it is known again. It is made from the rows that the answer is made from, so
it is right however changes came about and in whatever order they were committed; and because these rows are what the
asker may see, it tells of nothing else.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.utils.urls import replace_query_param

from departments import statements
from departments.access import may, rights
from departments.models import Department, User
from departments.prepared import Form, mark_of
from inbox import paging, shapes
from inbox.models import Conversation, Message, QueueItem
from inbox.paging import NEWEST, URGENT, Cursor, Order, cut, merged

Status = QueueItem.Status
#: How `?status=` is understood; without it, everything that is not resolved.
LIVE = (Status.OPEN, Status.PENDING, Status.SNOOZED)
OLDEST = Order("created_at")
PAGE, LARGEST_PAGE = 50, 200
#: On what an answer depends besides its address.
VARY = "Authorization, Cookie"
#: What stands in a statement that is kept, in place of where a page begins, and of whose conversation it is.
_FROM = Cursor(datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_ONE = UUID(int=1)


@dataclass(frozen=True)
class Selection:
    """Rows that an answer is made from. `key` names everything that the statement depends on, `given` what is poured
    into it (departments/statements.py)."""

    key: Hashable
    columns: tuple[str, ...]
    write: Callable[[], QuerySet]
    given: Mapping = field(default_factory=dict)

    def rows(self) -> tuple[list[dict], str]:
        """The rows, and their marks."""
        found = statements.rows(self.key, self.write, self.given, Form.MARKED)
        mark = mark_of([row[-1] for row in found]) or ""
        return [dict(zip(self.columns, row, strict=False)) for row in found], mark

    def mark(self) -> str:
        """The same mark, made where the rows lie."""
        found = statements.rows(self.key, self.write, self.given, Form.MARK)
        return (found and found[0][0]) or ""


@dataclass(frozen=True)
class Answer:
    body: dict
    mark: str


@dataclass(frozen=True)
class Read:
    """An answer that is not made yet: of which selections, and how. `draw` has nothing but their rows, neither clock
    nor database: what it took from elsewhere, the mark would not tell. `address` is where it was asked. Unless it may
    be empty, nothing is there when nothing is found."""

    address: str
    selections: tuple[Selection, ...]
    draw: Callable[..., dict]
    may_be_empty: bool = False

    def answer(self) -> Answer | None:
        rows, marks = zip(*(each.rows() for each in self.selections), strict=True)
        return Answer(self.draw(*rows), self._whole(marks)) if rows[0] or self.may_be_empty else None

    def mark(self) -> str | None:
        """The mark that the answer would have now."""
        marks = [each.mark() for each in self.selections]
        return self._whole(marks) if marks[0] or self.may_be_empty else None

    def _whole(self, marks) -> str:
        whole = sha256("\n".join((_drawing(), self.address, *marks)).encode())
        return f'W/"{whole.hexdigest()[:32]}"'


@cache
def _drawing() -> str:
    """How answers are drawn in this release: another one may draw the same rows otherwise."""
    drawn_by = (Path(module.__file__).read_bytes() for module in (shapes, paging))
    return sha256(b"".join((*drawn_by, Path(__file__).read_bytes()))).hexdigest()


# The reads ------------------------------------------------------------------------------------------------------------
def queue(user: User, address: str, query: Mapping[str, str], *, department: str) -> Read | None:
    """`GET queues/{department}/items/`. None when there is no such queue for this person; ValidationError for a status
    or an order that there is not."""
    found = _readable(user, department)
    if found is None:
        return None
    statuses, order = _statuses(query), _order(query)

    def sources() -> list[QuerySet]:
        items = QueueItem.objects.in_queue(found, user)
        return [items.filter(status=each) for each in statuses]

    key = ("queue items", rights(user).key, found.pk, statuses)
    return _pages(key, shapes.COLUMNS, sources, shapes.item, order, address, query, may_be_empty=True)


def conversation(user: User, address: str, query: Mapping[str, str], *, pk: UUID) -> Read:
    """`GET conversations/{id}/`: the conversation, and every department's share of it."""
    seen = Selection(
        ("conversation", rights(user).key),
        shapes.CONVERSATION_COLUMNS,
        lambda: shapes.conversation_rows(Conversation.objects.visible_to(user).filter(pk=_ONE)),
        {_ONE: pk},
    )
    items = Selection(
        "items of a conversation", shapes.COLUMNS, lambda: shapes.item_rows(QueueItem.objects.of(_ONE)), {_ONE: pk}
    )
    return Read(address, (seen, items), lambda found, shares: shapes.conversation(found[0], shares))


def messages(user: User, address: str, query: Mapping[str, str], *, pk: UUID, exists=False) -> Read:
    """`GET conversations/{id}/messages/`, oldest first. `exists`: the caller knows that this person sees the
    conversation, and a page without messages is one all the same."""
    key = ("messages", rights(user).key)

    def sources() -> list[QuerySet]:
        return [Message.objects.visible_to(user).filter(conversation=_ONE)]

    given, columns = {_ONE: pk}, shapes.MESSAGE_COLUMNS
    return _pages(key, columns, sources, shapes.message, OLDEST, address, query, given=given, may_be_empty=exists)


def _pages(key, columns, sources, shape, order, address, query, *, given: Mapping = {}, may_be_empty=False) -> Read:
    """One page of rows by key, with the ways on and back."""
    cursor, size = _cursor(query, order), _size(query)
    place = Cursor(_FROM.value, _FROM.pk, cursor.back) if cursor else None
    at = {_FROM.value: cursor.value, _FROM.pk: cursor.pk} if cursor else {}

    def draw(rows: list[dict]) -> dict:
        found = cut(rows, order, cursor=cursor, size=size)
        ways = {name: _link(address, to) for name, to in (("next", found.next), ("previous", found.previous))}
        return ways | {"results": [shape(row) for row in found.rows]}

    def write() -> QuerySet:
        reads = [_as_values(each, columns) for each in sources()]
        return merged(reads, order, cursor=place, size=size)

    return Read(address, (Selection((*key, order, place, size), columns, write, {**given, **at}),), draw, may_be_empty)


def _as_values(rows: QuerySet, columns: tuple[str, ...]) -> QuerySet:
    return shapes.message_rows(rows) if columns is shapes.MESSAGE_COLUMNS else shapes.item_rows(rows)


def _link(address: str, cursor: Cursor | None) -> str | None:
    return replace_query_param(address, "cursor", str(cursor)) if cursor else None


# What was asked -------------------------------------------------------------------------------------------------------
def _readable(user: User, slug: str) -> Department | None:
    """The department of this name, if this person may read its queue."""
    departments = statements.objects("open departments", Department.objects.open)
    return next((each for each in departments if each.slug == slug and may(user, "view_queue", each)), None)


def _statuses(query: Mapping[str, str]) -> tuple[str, ...]:
    wanted = query.get("status", "")
    if wanted and wanted not in Status.values:
        raise ValidationError({"status": [f"Choose one of: {', '.join(Status.values)}."]})
    return (wanted,) if wanted else LIVE


def _order(query: Mapping[str, str]) -> Order:
    wanted = query.get("sort", "urgent")
    if wanted not in ("urgent", "newest"):
        raise ValidationError({"sort": ["Choose one of: urgent, newest."]})
    return NEWEST if wanted == "newest" else URGENT


def _cursor(query: Mapping[str, str], order: Order) -> Cursor | None:
    """Where the page begins; a place of another list is none."""
    found = paging.read(query.get("cursor", ""), order)
    return found if found and isinstance(found.pk, UUID) else None


def _size(query: Mapping[str, str]) -> int:
    wanted = query.get("limit", "")
    return min(int(wanted), LARGEST_PAGE) or PAGE if re.fullmatch("[0-9]{1,9}", wanted) else PAGE
