"""Giving out a department's work: who takes what is decided in routing/seating.py, and done here, race-free.

Waiting work is rows: open items without anybody, in departments whose policy is on. A stroke looks for them every two
seconds, so whatever frees capacity (a reply, a resolve, a snooze, somebody who is back) is answered within that time.

The policy's row is the gate: whoever holds it gives out this department's work, and everybody else passes it by, so
nobody waits and nobody chooses by loads that another is just changing. Items and their conversations are locked as far
as they are free; the loads are asked once more by the statement that notes whose turn it was. Most open items a person
is given is therefore what they take on; what people give each other by hand counts, and is never refused.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from departments import hours, rows
from departments.access import people_of
from departments.models import AuditEntry, Department, User
from inbox.actions import Gift, give_many, take_back
from inbox.actions.step import lock_conversation
from inbox.models import Conversation, QueueItem
from routing.models import Assignment, AssignmentPolicy, Capacity, LoadChange
from routing.seating import Choice, Seat, Table, Wanted, base

logger = logging.getLogger(__name__)

#: So many items are given out in one transaction, and so many are looked at in one stroke.
BATCH, MOST = 50, 2_000
#: Whoever was here in this time is present.
PRESENT = timedelta(minutes=5)
#: So many that nothing was done about are looked at in one stroke, of each department.
IDLE = 200


class Overtaken(Exception):
    """Somebody took on more by hand while this was decided: what was decided is not done."""


# Giving out -----------------------------------------------------------------------------------------------------
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
    if policy is None or not _gives_now(policy, now):
        return 0, None
    table = table_of(policy, now, lock=True)
    if table.is_full:
        return 0, None
    items = _claim(policy.department, after)
    chosen = list(_chosen(items, wanted_by(items, policy, table, now), table, now))
    if chosen:
        _store(policy.department, chosen, now)
    last = items[-1] if len(items) == BATCH else None
    return len(chosen), last and _Place(last.sort_at, last.pk)


def _gate(department: UUID) -> AssignmentPolicy | None:
    """The department's policy, locked; None while another gives out its work, or it was switched off."""
    on = AssignmentPolicy.objects.filter(pk=department, on=True).select_related("department")
    return on.select_for_update(skip_locked=True, of=("self",)).first()


def _gives_now(policy: AssignmentPolicy, now: datetime) -> bool:
    return not policy.only_in_hours or hours.is_open(policy.department, now)


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


# What is known of people and items ------------------------------------------------------------------------------
def table_of(policy: AssignmentPolicy, now: datetime, *, lock: bool = False) -> Table:
    """Everybody who may work the department's queue. With `lock` what they hold can not be given anew by others until
    the end of the transaction: first locked, then read."""
    people = list(people_of(policy.department))
    capacities = Capacity.objects.filter(department=policy.department, user__in=people)
    if lock:
        _make_room(policy, people, capacities)
    found = {each.user_id: each for each in capacities.with_held()}
    seats = [_seat(policy, each, found.get(each.pk), now) for each in people]
    return Table(seats, timedelta(minutes=policy.relax_after))


def _make_room(policy: AssignmentPolicy, people: Sequence[User], capacities) -> None:
    there = capacities.order_by("user").select_for_update().values_list("user", flat=True)
    if missing := {each.pk for each in people} - set(there):
        rows.insert(
            Capacity, [{"department_id": policy.department.pk, "user_id": each} for each in missing], unless_there=True
        )


def _seat(policy: AssignmentPolicy, person: User, capacity: Capacity | None, now: datetime) -> Seat:
    if capacity is None:
        return Seat(person, policy.capacity, absent=_absent(policy, person, now))
    return Seat(
        user=person,
        most=policy.capacity if capacity.most is None else capacity.most,
        held=capacity.held,
        languages=frozenset(map(base, capacity.languages)),
        skills=frozenset(capacity.skills),
        last=capacity.last_assigned_at,
        absent=_absent(policy, person, now),
    )


def _absent(policy: AssignmentPolicy, person: User, now: datetime) -> str:
    if person.away_until and person.away_until > now:
        return "Away"
    here = person.last_seen_at and person.last_seen_at >= now - PRESENT
    return "Not here" if policy.only_present and not here else ""


def wanted_by(
    items: Sequence[QueueItem], policy: AssignmentPolicy, table: Table, now: datetime
) -> dict[UUID, Wanted]:
    """What each of these items asks for. A fixed number of queries."""
    befores, tags, passed = _befores(items, policy, now), _tags(items, table), _passed_over(items, policy, now)
    return {
        item.pk: Wanted(
            language=item.language,
            tags=tags.get(item.conversation_id, ()),
            since=item.waiting_since or item.placed_at,
            before=befores.get(_contact(item)),
            passed_over=passed.get(item.pk, ()),
        )
        for item in items
    }


def _contact(item: QueueItem) -> UUID | None:
    return item.conversation.identity and item.conversation.identity.contact_id


def _befores(items: Sequence[QueueItem], policy: AssignmentPolicy, now: datetime) -> dict[UUID | None, UUID]:
    """Contact → who of this department had them last, in this thread or another."""
    contacts = {contact for item in items if (contact := _contact(item))}
    if not (contacts and policy.sticky_days):
        return {}
    talks = Conversation.objects.filter(identity__contact__among=contacts)
    had = QueueItem.objects.filter(
        department=policy.department,
        conversation__in=talks,
        sealed=False,
        assignee__isnull=False,
        last_message_at__gte=now - timedelta(days=policy.sticky_days),
    )
    # The last of each stands.
    return dict(had.order_by("last_message_at").values_list("conversation__identity__contact", "assignee"))


def _tags(items: Sequence[QueueItem], table: Table) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    if any(seat.skills for seat in table.seats):
        tagged = Conversation.tags.through.objects.filter(conversation__in=[item.conversation_id for item in items])
        for conversation, name in tagged.values_list("conversation", "tag__name"):
            found[conversation].add(name)
    return found


def _passed_over(items: Sequence[QueueItem], policy: AssignmentPolicy, now: datetime) -> dict[UUID, set[UUID]]:
    """From whom each item was just taken back: it is not given to them again at once."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    if policy.return_after:
        since = now - timedelta(minutes=policy.return_after)
        taken = Assignment.objects.filter(item__in=[item.pk for item in items], returned_at__gt=since)
        for item, user in taken.values_list("item", "user"):
            found[item].add(user)
    return found


def why_theirs(conversation: Conversation) -> dict[UUID, str]:
    """Item → why the house gave it to whom it lies with, as the end of a sentence. Only of those that still do."""
    running = Assignment.objects.running().filter(item__conversation=conversation, item__assignee=F("user"))
    return dict(running.values_list("item", "because"))


# Taking back ----------------------------------------------------------------------------------------------------
def take_back_idle() -> int:
    """Put back for anybody what was given out and nobody set to work on in time. Returns how many items."""
    returning = AssignmentPolicy.objects.filter(on=True, return_after__gt=0, department__closed_at=None)
    return sum(_take_back_of(each) for each in returning.select_related("department"))


def _take_back_of(policy: AssignmentPolicy) -> int:
    now = timezone.now()
    if not _gives_now(policy, now):
        return 0
    before = now - timedelta(minutes=policy.return_after)
    running = Assignment.objects.running().filter(department=policy.department, at__lte=before).order_by("at")[:IDLE]
    return sum(_end(each, policy, now) for each in running if _minutes(policy, each, now) >= policy.return_after)


def _minutes(policy: AssignmentPolicy, given: Assignment, now: datetime) -> int:
    """For how long they could have worked on it."""
    if policy.only_in_hours:
        return hours.minutes_open_between(policy.department, given.at, now)
    return int((now - given.at).total_seconds() // 60)


@transaction.atomic
def _end(given: Assignment, policy: AssignmentPolicy, now: datetime) -> bool:
    """Look at it once: it is over when they work on it or have it no more; else the item is taken back."""
    item = QueueItem.objects.select_related("department", "assignee").get(pk=given.item_id)
    conversation = lock_conversation(item.conversation_id)
    item = QueueItem.objects.select_related("department", "assignee").select_for_update(of=("self",)).get(pk=item.pk)
    current = Assignment.objects.running().select_for_update().filter(pk=given.pk).first()
    if current is None:
        return False
    theirs = item.assignee_id == given.user_id and item.status == QueueItem.Status.OPEN
    idle = theirs and not _did_something(given, item)
    current.ended_at = now
    current.returned_at = now if idle else None
    current.save(update_fields=["ended_at", "returned_at"])
    if idle:
        item.conversation = conversation
        take_back(item, because=f"nothing was done about it for {_told(policy.return_after)}")
    return idle


def _did_something(given: Assignment, item: QueueItem) -> bool:
    done = AuditEntry.objects.about(item.conversation_id).filter(by=given.user_id, at__gte=given.at)
    return done.exists()


def _told(minutes: int) -> str:
    if minutes % 60:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    return "an hour" if minutes == 60 else f"{minutes // 60} hours"


# Counting -------------------------------------------------------------------------------------------------------
def fold_loads() -> None:
    """Add to the loads what changed them, when much has come together."""
    if LoadChange.objects.order_by()[:50].count() == 50:
        with transaction.atomic():
            LoadChange.objects.all().fold()


def recount_loads() -> int:
    """Hold what is counted to what there is, every night. A difference is a fault: it is put right, and logged."""
    wrong = LoadChange.objects.all().recount()
    for department, user, change in wrong:
        logger.error("The load of %s in %s was wrong by %s and is right again.", user, department, change)
    return len(wrong)
