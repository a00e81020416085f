"""The bundles of rights: reader ⊂ agent ⊂ lead of a department; coordinator, admin and auditor of the house.

Rights are guardian permissions on Department rows, given to groups and never to people, so that a person's rights are
their groups. Whatever changes them goes through here, because it also turns the person's permission epoch.
"""

import enum

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import F
from guardian.shortcuts import assign_perm

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


def house_group(role: HouseRole) -> Group:
    group, is_new = Group.objects.get_or_create(name=f"house:{role.value}s")
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
    """What was known of this person's rights is void from this commit on."""
    User.objects.filter(pk=user.pk).update(permission_epoch=F("permission_epoch") + 1)
    user.__dict__.pop("known_rights", None)
