"""The bundles of rights: reader ⊂ agent ⊂ lead of a department; coordinator, admin and auditor of the house.

Rights are guardian permissions on Department rows, given to groups and never to people, so that a person's rights are
their groups. Whatever changes them goes through here, because it also turns the person's permission epoch.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import F
from guardian.shortcuts import assign_perm

from departments import bell
from departments.models import Department, User


class Role(enum.IntEnum):
    READER = 1
    AGENT = 2
    LEAD = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class HouseRole(enum.StrEnum):
    COORDINATOR = "coordinator"
    ADMIN = "admin"
    AUDITOR = "auditor"


#: What each role may do in its department; a higher role holds all of the lower ones'.
PERMISSIONS = {
    Role.READER: ("view_queue",),
    Role.AGENT: ("view_queue", "work_queue"),
    Role.LEAD: ("view_queue", "work_queue", "lead_queue"),
}
HOUSE_PERMISSION = {
    HouseRole.COORDINATOR: "coordinate",
    HouseRole.ADMIN: "administer",
    HouseRole.AUDITOR: "read_audit",
}


def group_name(department: Department, role: Role) -> str:
    return f"dept:{department.slug}:{role.word}s"


def group_of(department: Department, role: Role) -> Group:
    """The group that holds this role in this department; made, with its permissions, when it is not there yet."""
    group, is_new = Group.objects.get_or_create(name=group_name(department, role))
    if is_new:
        for permission in PERMISSIONS[role]:
            assign_perm(f"departments.{permission}", group, department)
    return group


def house_group_name(role: HouseRole) -> str:
    return f"house:{role.value}s"


def house_group(role: HouseRole) -> Group:
    group, is_new = Group.objects.get_or_create(name=house_group_name(role))
    if is_new:
        group.permissions.add(
            Permission.objects.get(content_type__app_label="departments", codename=HOUSE_PERMISSION[role])
        )
    return group


@transaction.atomic
def give(user: User, department: Department, role: Role) -> None:
    """Make this person exactly that in the department, whatever they were in it before."""
    take(user, department)
    user.groups.add(group_of(department, role))
    turn_epoch(user)


@transaction.atomic
def take(user: User, department: Department) -> None:
    """The person is nothing in this department any more."""
    user.groups.remove(*user.groups.filter(name__startswith=f"dept:{department.slug}:"))
    turn_epoch(user)


@transaction.atomic
def give_house(user: User, role: HouseRole) -> None:
    user.groups.add(house_group(role))
    turn_epoch(user)


@transaction.atomic
def take_house(user: User, role: HouseRole) -> None:
    user.groups.remove(house_group(role))
    turn_epoch(user)


def turn_epoch(user: User) -> None:
    """What was known of this person's rights is void from this commit on, and their open pages hear of it."""
    User.objects.filter(pk=user.pk).update(permission_epoch=F("permission_epoch") + 1)
    if hasattr(user, "known_rights"):
        del user.known_rights
    bell.ring_person(user.pk)


def turn_epochs_around(department: Department) -> None:
    """Void what is known of the rights of everybody whose sight this department's own settings change."""
    of_department = [group_name(department, role) for role in Role]
    of_house = [house_group_name(role) for role in HouseRole]
    for person in User.objects.filter(groups__name__in=of_department + of_house).distinct():
        turn_epoch(person)


@dataclass
class Held:
    """The roles of one person, as a page about people shows them."""

    departments: dict[str, Role] = field(default_factory=dict)
    house: set[HouseRole] = field(default_factory=set)


def held_by(people: Iterable[User]) -> dict[UUID, Held]:
    """The roles of each of these people, departments by their slug; one query for all."""
    found = {person.pk: Held() for person in people}
    for person, name in User.groups.through.objects.filter(user__in=found).values_list("user", "group__name"):
        match name.split(":"):
            case ["dept", slug, word]:
                found[person].departments[slug] = Role[word.removesuffix("s").upper()]
            case ["house", word]:
                found[person].house.add(HouseRole(word.removesuffix("s")))
    return found
