"""What is done to departments and to the people who work here: one function per verb, atomic, audited, `by=` whom.

`by` is the person, or "system" for the house itself (first run, demo, command line). A verb raises PermissionDenied
when the person may not, and ValidationError when it can not be done as things stand; both carry the sentence to show.
"""

from collections.abc import Callable, Mapping

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify

from departments import roles
from departments.access import may, may_appoint, rights
from departments.audit import record
from departments.models import ApiToken, Department, User
from departments.roles import HouseRole, Role

By = User | str
RESERVED = {"new"}  # addresses of pages beside the departments'

_objections: list[Callable[[Department], str]] = []
_farewells: list[Callable[..., None]] = []


def may_object_to_closing(ask: Callable[[Department], str]) -> Callable[[Department], str]:
    """Have this asked before a department is closed: its sentence stands in the way, an empty one does not. The apps
    above know what a department still holds; this one does not know that they exist."""
    _objections.append(ask)
    return ask


def is_told_of_leaving(act: Callable[..., None]) -> Callable[..., None]:
    """Have `act(person, by=)` called, inside the verb's transaction, when somebody may work in fewer places than
    before: what they had in hand there must not be left with them."""
    _farewells.append(act)
    return act


def _say_farewell(person: User, by: By) -> None:
    for act in _farewells:
        act(person, by=by)


# Departments ------------------------------------------------------------------------------------------------------


@transaction.atomic
def found_department(
    name: str,
    *,
    slug: str = "",
    about: str = "",
    confidential: bool = False,
    hue: str = "d-tr",
    answer_within: int = 240,
    is_triage: bool = False,
    by: By,
) -> Department:
    """A new department at the end of the rail, with the groups that hold its roles."""
    _admin_only(by)
    department = Department(
        name=name,
        slug=slug or slugify(name)[:50],
        about=about,
        confidential=confidential,
        hue=hue,
        answer_within=answer_within,
        is_triage=is_triage,
        position=Department.objects.count() + 1,
    )
    _check(department)
    department.save()
    for role in Role:
        roles.group_of(department, role)
    record("department_founded", department, by=by, department=department, name=department.name)
    roles.turn_epochs_around(department)
    return department


@transaction.atomic
def change_department(department: Department, *, by: By, **changes) -> Department:
    """Give it another `name`, `about`, `hue`, `position`, `answer_within`, or make it `confidential`. Its address
    stays.

    What it holds already stays as visible as it was. To lift confidentiality is for its own lead alone: not even an
    admin may learn what it keeps.
    """
    _admin_only(by)
    if department.confidential and changes.get("confidential") is False and not _leads(by, department):
        raise PermissionDenied(
            f"{department} is confidential. Only an admin who leads it can make it an ordinary department."
        )
    changed = _set(department, {"name", "about", "hue", "position", "answer_within", "confidential"}, changes)
    if changed:
        _check(department)
        department.save(update_fields=changed)
        record(
            "department_changed",
            department,
            by=by,
            department=department,
            name=department.name,
            what=", ".join(changed),
        )
    if "confidential" in changed:
        roles.turn_epochs_around(department)
    return department


@transaction.atomic
def change_hours(department: Department, *, by: By, **changes) -> Department:
    """When its people are there: `time_zone`, `hours`, `holidays` (departments/hours.py). Its lead says so, or an
    admin."""
    if isinstance(by, User) and not (rights(by).admin or may(by, "lead_queue", department)):
        raise PermissionDenied(f"Only an admin or a lead of {department} says when its people are there.")
    if changed := _set(department, {"time_zone", "hours", "holidays"}, changes):
        department.clean_fields(exclude=[each.name for each in Department._meta.fields if each.name not in changed])
        department.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        record("hours_changed", department, by=by, department=department, name=department.name, what=what)
    return department


@transaction.atomic
def close_department(department: Department, *, by: By) -> None:
    """It leaves the rail and gets nothing more; what it did stays readable where it was. Refused while something
    needs it."""
    _admin_only(by)
    if department.is_triage:
        raise ValidationError("Triage stays open: what nobody owns has to lie somewhere.")
    if reasons := [reason for ask in _objections if (reason := ask(department))]:
        raise ValidationError(reasons)
    department.closed_at = timezone.now()
    department.save(update_fields=["closed_at"])
    record("department_closed", department, by=by, department=department, name=department.name)
    roles.turn_epochs_around(department)


# Roles ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def give_role(person: User, department: Department, role: Role, *, by: By) -> None:
    """Make the person reader, agent or lead of the department, whatever they were in it before."""
    _may_appoint(by, person, department)
    if not person.is_active:
        raise ValidationError(f"The account of {person} is closed.")
    if department.closed_at:
        raise ValidationError(f"{department} is closed.")
    if roles.held_by([person])[person.pk].departments.get(department.slug) == role:
        return
    roles.give(person, department, role)
    record("role_given", person, by=by, department=department, role=role.word)
    if role < Role.AGENT:
        _say_farewell(person, by)


@transaction.atomic
def take_role(person: User, department: Department, *, by: By) -> None:
    """The person is nothing in the department any more."""
    _may_appoint(by, person, department)
    if department.slug not in roles.held_by([person])[person.pk].departments:
        return
    roles.take(person, department)
    record("role_taken", person, by=by, department=department)
    _say_farewell(person, by)


@transaction.atomic
def set_roles(person: User, wanted: Mapping[Department, Role | None], *, by: By) -> None:
    """Make the person's roles in these departments what is wanted. Only differences are done and audited."""
    held = roles.held_by([person])[person.pk].departments
    for department, role in wanted.items():
        if held.get(department.slug) == role:
            continue
        if role is None:
            take_role(person, department, by=by)
        else:
            give_role(person, department, role, by=by)


@transaction.atomic
def give_house_role(person: User, role: HouseRole, *, by: By) -> None:
    """Make the person coordinator, admin or auditor."""
    _admin_only(by)
    if not person.is_active:
        raise ValidationError(f"The account of {person} is closed.")
    if role in roles.held_by([person])[person.pk].house:
        return
    roles.give_house(person, role)
    record("house_role_given", person, by=by, role=role.value)


@transaction.atomic
def take_house_role(person: User, role: HouseRole, *, by: By) -> None:
    """End the person's role in the house. The last admin stays."""
    _admin_only(by)
    if role not in roles.held_by([person])[person.pk].house:
        return
    if role is HouseRole.ADMIN:
        _another_admin_than(person)
    roles.take_house(person, role)
    record("house_role_taken", person, by=by, role=role.value)
    _say_farewell(person, by)


# People -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(username: str, *, name: str = "", email: str = "", password: str = "", by: By) -> User:
    """A new account. Without a password nobody can sign in to it until a link to choose one was used
    (`departments.links`)."""
    _admin_only(by)
    person = User(username=username.strip().lower(), name=name.strip(), email=User.objects.normalize_email(email))
    if password:
        _strong(password, person)
    person.set_password(password or None)
    person.full_clean()
    person.save(force_insert=True)
    record("person_invited", person, by=by)
    return person


@transaction.atomic
def allow_new_password(person: User, *, by: By) -> User:
    """Have the person choose a password by a link, because they have none yet or forgot it. Sessions they have stay.

    Who holds such a link can sign in as that person, so for people of confidential departments it takes a lead of
    theirs.
    """
    _admin_only(by)
    if not person.is_active:
        raise ValidationError(f"The account of {person} is closed.")
    if isinstance(by, User) and person.has_usable_password() and (kept := _confidential_to(by, person)):
        raise PermissionDenied(
            f"{person} works in {kept}, which is confidential: only an admin who leads it can do this."
        )
    record("password_allowed", person, by=by)
    return person


@transaction.atomic
def deactivate(person: User, *, by: By) -> None:
    """Close the account: every session, token and open page of the person ends with this commit, and what they had in
    hand is for anybody again. Roles are kept."""
    _admin_only(by)
    if not person.is_active:
        return
    _another_admin_than(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    ApiToken.objects.filter(user=person, revoked_at=None).update(revoked_at=timezone.now())
    end_sessions(person)
    record("person_deactivated", person, by=by)
    _say_farewell(person, by)


@transaction.atomic
def reactivate(person: User, *, by: By) -> None:
    """Open the account again, with the roles it had. Old sessions and tokens stay dead."""
    _admin_only(by)
    if person.is_active:
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    end_sessions(person)
    record("person_reactivated", person, by=by)


def end_sessions(person: User) -> None:
    """All of the person's sessions end, on every device."""
    User.objects.filter(pk=person.pk).update(sign_in_epoch=F("sign_in_epoch") + 1)
    person.refresh_from_db(fields=["sign_in_epoch"])
    roles.turn_epoch(person)


@transaction.atomic
def change_self(*, by: User, **changes) -> User:
    """People's own settings: `name`, `time_zone`, `theme`, `shortcuts`, `away_until`."""
    changed = _set(by, {"name", "time_zone", "theme", "shortcuts", "away_until"}, changes)
    if changed:
        by.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in changed])
        by.save(update_fields=changed)
        record("self_changed", by, by=by, what=", ".join(changed))
    return by


# What stands before a verb ----------------------------------------------------------------------------------------


def _admin_only(by: By) -> None:
    if isinstance(by, User) and not rights(by).admin:
        raise PermissionDenied("Only an admin can do this.")


def _leads(by: By, department: Department) -> bool:
    return not isinstance(by, User) or may(by, "lead_queue", department)


def _may_appoint(by: By, person: User, department: Department) -> None:
    if not isinstance(by, User):
        return
    if not may_appoint(by, department):
        raise PermissionDenied(f"Only an admin or a lead of {department} gives and takes roles there.")
    if department.confidential and by == person and not _leads(by, department):
        raise PermissionDenied(f"{department} is confidential: nobody gives themselves a role in it.")


def _another_admin_than(person: User) -> None:
    """Refuse when nobody could configure the house without this person; two at once wait for each other here."""
    Group.objects.select_for_update().filter(name=roles.house_group_name(HouseRole.ADMIN)).first()
    admins = User.objects.admins()
    if admins.filter(pk=person.pk).exists() and not admins.exclude(pk=person.pk).exists():
        raise ValidationError(f"{person} is the last admin. Make somebody else an admin first.")


def _confidential_to(by: User, person: User) -> Department | None:
    """A confidential department of the person's that `by` does not lead."""
    slugs = roles.held_by([person])[person.pk].departments
    theirs = Department.objects.filter(slug__in=slugs, confidential=True)
    return next((each for each in theirs if not may(by, "lead_queue", each)), None)


def _strong(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise ValidationError({"password": weak.messages}) from None


def _check(department: Department) -> None:
    if not department.slug:
        raise ValidationError({"slug": "Choose a short name of Latin letters for its address."})
    if department.slug in RESERVED:
        raise ValidationError({"slug": f"“{department.slug}” is an address of the house itself; choose another."})
    department.full_clean()


def _set(thing, allowed: set[str], changes: Mapping) -> list[str]:
    """Set what differs, and say which that was."""
    if unknown := set(changes) - allowed:
        raise TypeError(f"not to be changed here: {', '.join(sorted(unknown))}")
    changed = [name for name, value in changes.items() if getattr(thing, name) != value]
    for name in changed:
        setattr(thing, name, changes[name])
    return changed
