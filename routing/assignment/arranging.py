"""How a department gives out its work, as its lead sets it: verbs, and what the page about it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from departments import hours
from departments.access import may, people_of, rights
from departments.audit import record, sentences
from departments.models import Department, User
from inbox.models import QueueItem
from routing.assignment.knowing import table_of, wanted_by
from routing.assignment.seating import Choice, Seat, Table
from routing.models import AssignmentPolicy, Capacity

sentences(
    assignment_changed="{by} changed how {department} gives out work: {what}",
    capacity_changed="{by} set what {person} takes on in {department}",
)

SETTINGS = ("on", "capacity", "sticky_days", "only_present", "only_in_hours", "relax_after", "return_after")
OF_A_PERSON = ("most", "languages", "skills")
_COLUMNS = [field.name for field in Capacity._meta.fields]


def may_arrange(user: User, department: Department) -> bool:
    """Its lead, the coordinator, and an admin where it is not confidential: how much lies there is shown here."""
    return may(user, "lead_queue", department) or (rights(user).admin and not department.confidential)


def policy_of(department: Department) -> AssignmentPolicy:
    """As it is, or as it would begin: switched off."""
    found = AssignmentPolicy.objects.filter(department=department).first() or AssignmentPolicy(department=department)
    found.department = department
    return found


@transaction.atomic
def arrange(department: Department, *, by: User, **changes) -> AssignmentPolicy:
    """Change how the department gives out work (`SETTINGS`). What lies with people already stays with them."""
    _check(by, department)
    AssignmentPolicy.objects.get_or_create(department=department)
    policy = AssignmentPolicy.objects.select_for_update().get(department=department)
    changed = [name for name in SETTINGS if name in changes and getattr(policy, name) != changes[name]]
    for name in changed:
        setattr(policy, name, changes[name])
    if changed:
        policy.full_clean()
        policy.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        record("assignment_changed", department, by=by, department=department, what=what)
    return policy


@transaction.atomic
def set_capacity(
    department: Department, person: User, *, most: int | None, languages: Sequence[str], skills: Sequence[str], by: User
) -> Capacity:
    """What this person takes on here: how many open items (None: as the department says), in which languages (none:
    any), with which skills (tags of conversations)."""
    _check(by, department)
    if not people_of(department).filter(pk=person.pk).exists():
        raise ValidationError(f"{person} does not work in {department}.")
    Capacity.objects.get_or_create(department=department, user=person)
    capacity = Capacity.objects.select_for_update(of=("self",)).get(department=department, user=person)
    capacity.most, capacity.languages, capacity.skills = most, _words(languages, str.lower), _words(skills)
    capacity.clean_fields(exclude=[name for name in _COLUMNS if name not in OF_A_PERSON])
    capacity.save(update_fields=OF_A_PERSON)
    record("capacity_changed", person, by=by, department=department)
    return capacity


def _check(by: User, department: Department) -> None:
    if not may_arrange(by, department):
        raise PermissionDenied(f"Only a lead of {department} arranges how it gives out work.")


def _words(given: Sequence[str], make=str) -> list[str]:
    return list(dict.fromkeys(make(word.strip()) for word in given if word.strip()))


# What the page shows --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Line:
    """One person in the table."""

    seat: Seat
    capacity: Capacity

    @property
    def percent(self) -> int:
        return min(100, round(100 * self.seat.held / self.seat.most)) if self.seat.most else 100 * bool(self.seat.held)

    @property
    def is_over(self) -> bool:
        return self.seat.held > self.seat.most


@dataclass(frozen=True)
class Next:
    """The next item that waits, who would get it, and why; without a choice, why nobody."""

    item: QueueItem
    choice: Choice | None
    why_nobody: str


@dataclass(frozen=True)
class Arrangement:
    """A department's people and what would happen next."""

    policy: AssignmentPolicy
    lines: Sequence[Line]
    is_open: bool
    upcoming: Next | None


def arrangement_of(department: Department, user: User) -> Arrangement:
    """As it is now. Of what waits only what this person may see is shown. A fixed number of queries."""
    policy, now = policy_of(department), timezone.now()
    table = table_of(policy, now)
    known = {each.user_id: each for each in Capacity.objects.filter(department=department)}
    lines = [Line(seat, known.get(seat.user_id) or Capacity(user=seat.user)) for seat in table.seats]
    open_now = hours.is_open(department, now)
    return Arrangement(policy, lines, open_now, _upcoming(policy, table, user, open_now, now))


def _upcoming(policy: AssignmentPolicy, table: Table, user: User, open_now: bool, now: datetime) -> Next | None:
    seen = QueueItem.objects.in_queue(policy.department, user).for_somebody(policy.department)
    item = seen.select_related("conversation__identity").urgent_first().first()
    if item is None:
        return None
    if policy.only_in_hours and not open_now:
        return Next(item, None, f"{policy.department} is closed now")
    choice = table.choose(wanted_by([item], policy, table, now)[item.pk], now)
    return Next(item, choice, "" if choice else _nobody(table))


def _nobody(table: Table) -> str:
    if not table.seats:
        return "nobody works here"
    if table.is_full:
        return "nobody who is here has room"
    return "nobody who is free speaks its language and has the skills it asks for"


def shape(found: Arrangement) -> Mapping:
    """For programs."""
    policy, upcoming = found.policy, found.upcoming
    return {name: getattr(policy, name) for name in SETTINGS} | {
        "people": [_person(each) for each in found.lines],
        "next": upcoming
        and {
            "item": upcoming.item.pk,
            "to": upcoming.choice.seat.user.username if upcoming.choice else None,
            "because": upcoming.choice.because if upcoming.choice else upcoming.why_nobody,
        },
    }


def _person(line: Line) -> Mapping:
    return {
        "username": line.seat.user.username,
        "name": str(line.seat.user),
        "load": line.seat.held,
        "takes": line.seat.most,
        "why_not": line.seat.why_not,
        **{name: getattr(line.capacity, name) for name in OF_A_PERSON},
    }
