"""Pages by key: the next page begins after the last row shown, whatever was added above it meanwhile, and is read from
the index at any depth. A cursor is opaque to its bearer; one that makes no sense is the first page."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet


@dataclass(frozen=True)
class Order:
    """Rows by one field, and by id among equals. `kind` says how the field's value is written in a cursor."""

    field: str
    descending: bool = False
    kind: type = datetime

    @property
    def fields(self) -> tuple[str, str]:
        return (f"-{self.field}", "-pk") if self.descending else (self.field, "pk")

    def turned(self) -> "Order":
        return replace(self, descending=not self.descending)

    def beyond(self, value: Any, pk: Any) -> Q:
        """Rows after this place. The first part is what the index can use, the second passes over equals."""
        way = "lt" if self.descending else "gt"
        return Q(**{f"{self.field}__{way}e": value}) & (Q(**{f"{self.field}__{way}": value}) | Q(**{f"pk__{way}": pk}))


#: The two orders of a queue.
URGENT = Order("sort_at")
NEWEST = Order("last_message_at", descending=True)


@dataclass(frozen=True)
class Cursor:
    value: Any
    pk: Any
    back: bool = False

    def __str__(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, datetime) else str(self.value)
        return base64.urlsafe_b64encode(f"{'<' if self.back else '>'}{self.pk}|{value}".encode()).decode().rstrip("=")


def read(text: str, order: Order) -> Cursor | None:
    """The cursor in an address, or None when there is none or it makes no sense."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        pk, _, value = plain[1:].partition("|")
        if plain[:1] not in ("<", ">") or "\0" in value:
            return None
        return Cursor(_value(value, order.kind), _key(pk), back=plain[0] == "<")
    except (ValueError, binascii.Error, OverflowError):
        return None


def _value(text: str, kind: type) -> Any:
    if kind is not datetime:
        return kind(text)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at


def _key(text: str) -> UUID | int:
    return int(text) if text.isdecimal() and len(text) < 19 else UUID(text)


@dataclass(frozen=True)
class Page:
    rows: list
    next: Cursor | None = None
    previous: Cursor | None = None


def page(sources: Sequence[QuerySet], order: Order, *, cursor: Cursor | None = None, size: int = 50) -> Page:
    """One page of several selections merged."""
    rows = list(merged(sources, order, cursor=cursor, size=size)) if sources else []
    return cut(rows, order, cursor=cursor, size=size)


def merged(sources: Sequence[QuerySet], order: Order, *, cursor: Cursor | None = None, size: int = 50) -> QuerySet:
    """The rows of a page, and one more if there are more. Each selection is read on its own up to its limit, from its
    own index, and the few rows are merged: one query, and as quick for ten queues as for one."""
    way = order.turned() if cursor and cursor.back else order
    reads = [source.filter(way.beyond(cursor.value, cursor.pk)) if cursor else source for source in sources]
    reads = [each.order_by(*way.fields)[: size + 1] for each in reads]
    if len(reads) == 1:
        return reads[0]
    return reads[0].union(*reads[1:], all=True).order_by(*way.fields)[: size + 1]


def cut(rows: list, order: Order, *, cursor: Cursor | None = None, size: int = 50) -> Page:
    """The page out of the rows of `merged`, with the ways on and back."""
    back = cursor is not None and cursor.back
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows.reverse()
    if not rows:
        return Page([])
    last, first = _place(rows[-1], order), _place(rows[0], order)
    return Page(
        rows,
        next=Cursor(*last) if more or back else None,
        previous=Cursor(*first, back=True) if (more if back else cursor) else None,
    )


def _place(row: Any, order: Order) -> tuple[Any, Any]:
    if isinstance(row, dict):
        return row[order.field], row["id"]
    return getattr(row, order.field), row.pk
