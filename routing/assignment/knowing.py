"""What choosing has to know: a department's people with what they hold, and what items ask for."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from departments import hours, rows
from departments.access import people_of
from departments.models import User
from inbox.models import Conversation, QueueItem
from routing.assignment.seating import Seat, Table, Wanted, base
from routing.models import Assignment, AssignmentPolicy, Capacity

#: Whoever was here in this time is present.
PRESENT = timedelta(minutes=5)


def gives_now(policy: AssignmentPolicy, now: datetime) -> bool:
    """Whether the department's people are there, where that is asked."""
    return not policy.only_in_hours or hours.is_open(policy.department, now)


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


def wanted_by(items: Sequence[QueueItem], policy: AssignmentPolicy, table: Table, now: datetime) -> dict[UUID, Wanted]:
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
    identity = item.conversation.identity
    return identity.contact_id if identity else None


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
