"""From an empty house to one that works: a link for the first admin, the departments, and then the first channel."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from departments import actions, presets
from departments.audit import record
from departments.models import Department, User
from departments.roles import HouseRole
from departments.tokens import digest
from routing import starter
from socialhub.models import House

LIFE = timedelta(hours=24)


@transaction.atomic
def make_link() -> str:
    """A fresh link with which the first admin comes in, for one use within 24 hours; "" when the house has an admin.

    The one before it is void: of several that were printed, the last one works.
    """
    if User.objects.admins().exists():
        return ""
    token = secrets.token_urlsafe(32)
    house = House.objects.the()
    house.first_admin_sha256, house.first_admin_until = digest(token), timezone.now() + LIFE
    house.save()
    return _address() + reverse("first-admin", args=[token])


def opens(token: str, house: House) -> bool:
    """Whether this token is the one that was given out last, still alive and not used."""
    alive = house.first_admin_until is not None and house.first_admin_until > timezone.now()
    same = secrets.compare_digest(digest(token), house.first_admin_sha256 or "-")
    return alive and same and not User.objects.admins().exists()


@transaction.atomic
def create_first_admin(
    token: str, *, organisation: str, username: str, name: str, password: str, email: str = ""
) -> User:
    """The first admin, and the house's name. Of two at once one is let in. Raises ValidationError for a void token."""
    house = House.objects.the()
    house = House.objects.select_for_update().get(pk=house.pk)
    if not opens(token, house):
        raise ValidationError("This link was used already, or is older than a day.")
    person = actions.invite(username, name=name, email=email, password=password, by="system")
    actions.give_house_role(person, HouseRole.ADMIN, by="system")
    house.name, house.first_admin_sha256, house.first_admin_until = organisation, "", None
    house.save()
    record("house_opened", person, by=person)
    transaction.on_commit(lambda: cache.delete("house"))
    return person


@transaction.atomic
def choose_departments(
    names: Mapping[str, str], own: Iterable[str] = (), *, coordinate: bool = False, by: User
) -> list[Department]:
    """Found these presets (slug to name) and Triage, without which nothing works, and departments of one's own, with
    the starter rules that fit them; `coordinate` makes the admin coordinator as well, since somebody has to place
    what nobody owns."""
    chosen = [preset for preset in presets.PRESETS if preset.slug in names or preset.is_triage]
    founded = [presets.found(preset, name=names.get(preset.slug, ""), by=by) for preset in chosen]
    standing = set(Department.objects.values_list("name", flat=True))
    founded += [actions.found_department(name, by=by) for name in own if name not in standing]
    if coordinate:
        actions.give_house_role(by, HouseRole.COORDINATOR, by=by)
    starter.found(by=by)
    return founded


def _address() -> str:
    host = settings.HOSTS[0]
    return f"https://{host}" if settings.HTTPS else f"http://{host}:{settings.PORT}"
