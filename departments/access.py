"""The only door to rights: who may do what in which department. Nothing else asks guardian or looks at groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet, Value
from guardian.models import GroupObjectPermission

from departments.models import ApiToken, Department, User
from departments.roles import PERMISSIONS, Role

#: What each right needs at least.
LEAST = {"view_queue": Role.READER, "work_queue": Role.AGENT, "lead_queue": Role.LEAD}
#: For how many seconds rights of an unchanged epoch are not asked for again.
REMEMBERED = 300


@dataclass(frozen=True)
class Rights:
    """What one person may do, resolved once.

    `roles` are the departments in which they have a role of their own. A coordinator works everywhere that is not
    confidential, an admin reads there (they must try rules on real posts); neither learns what a confidential
    department holds.
    """

    roles: Mapping[UUID, Role]
    coordinator: bool = False
    admin: bool = False
    auditor: bool = False

    @property
    def key(self) -> tuple:
        """The same for whoever may do just the same: what statements that are written once are kept by."""
        return frozenset(self.roles.items()), self.coordinator, self.admin, self.auditor

    @property
    def sees_ordinary(self) -> bool:
        """Reads every conversation that is not confidential, whichever department holds it."""
        return self.coordinator or self.admin

    def role_in(self, department: Department) -> Role | None:
        own = self.roles.get(department.pk)
        if self.coordinator and not department.confidential:
            return Role.LEAD
        if self.admin and not department.confidential:
            return own or Role.READER
        return own

    def at_least(self, role: Role) -> set[UUID]:
        """Departments in which the person has this role of their own."""
        return {department for department, held in self.roles.items() if held >= role}


NOTHING = Rights(roles={})


def rights(user) -> Rights:
    """The person's rights, kept on the user object, so that one request asks once.

    A user who came in with an API token (`user.token`) has what the token allows, and never more than its owner.
    """
    if not user.is_authenticated or not user.is_active:
        return NOTHING
    # `request.user` is a lazy wrapper with a `__dict__` of its own: only its attributes are the person's.
    if not hasattr(user, "known_rights"):
        user.known_rights = _narrowed(_remembered(user), getattr(user, "token", None))
    return user.known_rights


def _remembered(user: User) -> Rights:
    """The person's rights as of their permission epoch, which this process may know already: whatever changes them
    turns the epoch in the same commit. Inside a transaction nothing is remembered, because it may be rolled back."""
    if connection.in_atomic_block:
        return _resolve(user)
    known = cache.get_or_set(f"rights:{user.pk}:{user.permission_epoch}", lambda: _resolve(user), REMEMBERED)
    return known or NOTHING


def _resolve(user: User) -> Rights:
    groups = Group.objects.filter(user=user)
    in_departments = GroupObjectPermission.objects.filter(
        group__in=groups, content_type__app_label="departments", content_type__model="department"
    ).values_list("object_pk", "permission__codename")
    in_house = groups.filter(permissions__codename__isnull=False).values_list(Value(""), "permissions__codename")
    permissions: dict[UUID, set[str]] = {}
    of_house: set[str] = set()
    for department, codename in in_departments.union(in_house):
        held = permissions.setdefault(UUID(department), set()) if department else of_house
        held.add(codename)
    return Rights(
        roles={department: _role(codenames) for department, codenames in permissions.items()},
        coordinator="coordinate" in of_house,
        admin="administer" in of_house,
        auditor="read_audit" in of_house,
    )


def _role(codenames: set[str]) -> Role:
    return max(role for role, needed in PERMISSIONS.items() if codenames.issuperset(needed))


def _narrowed(full: Rights, token: ApiToken | None) -> Rights:
    """A token limited to departments gives no more than these, and no sight of the whole house."""
    if token is None or not (only := set(token.limited_to)):
        return full
    return Rights(roles={department: role for department, role in full.roles.items() if department in only})


def may(user, what: str, department: Department) -> bool:
    """Whether this person may `view_queue`, `work_queue` or `lead_queue` in the department."""
    role = rights(user).role_in(department)
    return role is not None and role >= LEAST[what]


def departments_for(user, what: str = "view_queue") -> QuerySet[Department]:
    """The departments in which this person may do that, in the order of the rail."""
    held = rights(user)
    own = Department.objects.open().filter(pk__in=held.at_least(LEAST[what]))
    if held.coordinator or (held.admin and what == "view_queue"):
        return own | Department.objects.open().filter(confidential=False)
    return own


def people_of(department: Department, what: str = "work_queue") -> QuerySet[User]:
    """The people with a role of their own in this department that lets them do that."""
    names = [f"dept:{department.slug}:{role.word}s" for role in Role if role >= LEAST[what]]
    return User.objects.active().filter(groups__name__in=names).distinct().order_by("name")


def everybody_in(departments: Iterable[Department], *, seen_since: datetime) -> dict[UUID, list[User]]:
    """For each of these departments the people who work in it and were here since then, by name; one query for all."""
    departments = list(departments)
    at_work = [role for role in Role if role >= LEAST["work_queue"]]
    groups = {f"dept:{each.slug}:{role.word}s": each.pk for each in departments for role in at_work}
    held = User.groups.through.objects.filter(group__name__in=groups, user__in=User.objects.active())
    here = held.filter(user__last_seen_at__gte=seen_since).select_related("user", "group").order_by("user__name")
    found: dict[UUID, list[User]] = {each.pk: [] for each in departments}
    for row in here:
        found[groups[row.group.name]].append(row.user)
    return found


def may_appoint(user, department: Department) -> bool:
    """Whether this person may give and take roles in the department: an admin, and whoever leads it."""
    return rights(user).admin or may(user, "lead_queue", department)


def is_community_manager(user) -> bool:
    """An agent of Triage and of at least one more department."""
    works_in = rights(user).at_least(Role.AGENT)
    return len(works_in) > 1 and Department.objects.filter(pk__in=works_in, is_triage=True).exists()
