"""Giving out a department's work: who takes what is decided in seating.py, and done here, race-free.

Waiting work is rows: open items without anybody, in departments whose policy is on. A stroke looks for them every two
seconds, so whatever frees capacity (a reply, a resolve, a snooze, somebody who is back) is answered within that time.

The policy's row is the gate: whoever holds it gives out this department's work, and everybody else passes it by, so
nobody waits and nobody chooses by loads that another is just changing. Items and their conversations are locked as far
as they are free; the loads are asked once more by the statement that notes whose turn it was. Most open items a person
is given is therefore what they take on; what people give each other by hand counts, and is never refused.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from departments import rows
from departments.models import Department
from inbox.actions import Gift, give_many
from inbox.models import QueueItem
from routing.assignment.knowing import gives_now, table_of, wanted_by
from routing.assignment.seating import Choice, Seat, Table, Wanted
from routing.models import Assignment, AssignmentPolicy

logger = logging.getLogger(__name__)

#: So many items are given out in one transaction, and so many are looked at in one stroke.
BATCH, MOST = 50, 2_000


class Overtaken(Exception):
    """Somebody took on more by hand while this was decided: what was decided is not done."""


def assign_waiting() -> int:
    """Give out what waits in every department that has it done by the house. Returns how many items. Safe to call from
    many processes at once."""
    giving = AssignmentPolicy.objects.filter(on=True, department__closed_at=None)
    return sum(_give_out(each) for each in giving.values_list("department", flat=True))


@dataclass(frozen=True)
class _Place:
    """How far down the queue a round came."""

    sort_at: datetime
    pk: UUID


def _give_out(department: UUID) -> int:
    """From the most urgent on, round by round, until nothing waits or nobody is free."""
    given, place = 0, None
    for _ in range(MOST // BATCH):
        try:
            done, place = _round(department, place)
        except Overtaken:
            logger.info("What people of %s hold changed meanwhile; the next stroke looks again.", department)
            break
        given += done
        if place is None:
            break
    return given


@transaction.atomic
def _round(department: UUID, after: _Place | None) -> tuple[int, _Place | None]:
    """Give out the next few. How many, and where to go on; None when this stroke is done here."""
    policy, now = _gate(department), timezone.now()
    if policy is None or not gives_now(policy, now):
        return 0, None
    table = table_of(policy, now, lock=True)
    if table.is_full:
        return 0, None
    items = _claim(policy.department, after)
    chosen = list(_chosen(items, wanted_by(items, policy, table, now), table, now))
    if chosen:
        _store(policy.department, chosen, now)
    if len(items) < BATCH:
        return len(chosen), None
    return len(chosen), _Place(items[-1].sort_at, items[-1].pk)


def _gate(department: UUID) -> AssignmentPolicy | None:
    """The department's policy, locked; None while another gives out its work, or it was switched off."""
    on = AssignmentPolicy.objects.filter(pk=department, on=True).select_related("department")
    return on.select_for_update(skip_locked=True, of=("self",)).first()


def _claim(department: Department, after: _Place | None) -> list[QueueItem]:
    """The next items that wait for somebody, locked with their conversations; what others hold is passed over."""
    waiting = QueueItem.objects.for_somebody(department).select_related("conversation__identity").urgent_first()
    if after:
        waiting = waiting.filter(Q(sort_at__gt=after.sort_at) | Q(sort_at=after.sort_at, pk__gt=after.pk))
    free = waiting.select_for_update(skip_locked=True, no_key=True, of=("self", "conversation"))
    return list(free[:BATCH])


def _chosen(
    items: Sequence[QueueItem], wanted: Mapping[UUID, Wanted], table: Table, now: datetime
) -> Iterator[tuple[QueueItem, Choice]]:
    """Each item with who gets it; the loads follow, so that the next choice knows of it."""
    for number, item in enumerate(items):
        if choice := table.choose(wanted[item.pk], now):
            choice.seat.take(now + timedelta(microseconds=number))
            yield item, choice


def _store(department: Department, chosen: Sequence[tuple[QueueItem, Choice]], now: datetime) -> None:
    _note_turns(department, [choice.seat for _, choice in chosen])
    give_many([Gift(item, choice.seat.user, choice.because) for item, choice in chosen], department)
    Assignment.objects.running().filter(item__among=[item.pk for item, _ in chosen]).update(ended_at=now)
    given = [
        {"item_id": item.pk, "user_id": choice.seat.user_id, "because": choice.because[:200]} for item, choice in chosen
    ]
    rows.insert(Assignment, given, same={"department_id": department.pk, "at": now})


#: Whose turn it was, as far as it does not make anybody hold more than they take on.
_TURNS = """
    UPDATE routing_capacity SET last_assigned_at = given.last
    FROM json_to_recordset(%s) AS given(user_id uuid, last timestamptz, more integer, most integer)
    WHERE department_id = %s AND routing_capacity.user_id = given.user_id
    AND given.more + load + coalesce((
        SELECT sum(change) FROM routing_loadchange
        WHERE department_id = routing_capacity.department_id AND user_id = routing_capacity.user_id
    ), 0) <= given.most
"""


def _note_turns(department: Department, given: Sequence[Seat]) -> None:
    more = Counter(seat.user_id for seat in given)
    seats = {seat.user_id: seat for seat in given}.values()
    turns = [
        {"user_id": seat.user_id, "last": seat.last, "more": more[seat.user_id], "most": seat.most} for seat in seats
    ]
    with connection.cursor() as cursor:
        cursor.execute(_TURNS, [rows.as_json(turns), department.pk])
        if cursor.rowcount != len(seats):
            raise Overtaken
