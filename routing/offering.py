"""What the form of a rule may offer to pick: networks, languages, lists, campaigns, people. Field → (value, words)."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.apps import apps
from django.conf.locale import LANG_INFO

from connectors.contract import KINDS
from connectors.models import Channel
from departments.access import people_of
from departments.models import Department, User
from routing.deciding import TRIAGE
from routing.questions import MOODS, Trait
from routing.rows import Offers
from routing.saying import NETWORKS, kind_name, network_name

VISIBILITIES = ("public", "unlisted", "private", "direct")
_ARTICLES = ("a ", "an ")


def offers(user: User) -> Offers:
    """The answers that each question may offer to this person."""
    return {
        "network": [(code, _bare(network_name(code))) for code in NETWORKS],
        "kind": [(kind, _bare(kind_name(kind))) for kind in sorted(KINDS)],
        "visibility": [(each, each.capitalize()) for each in VISIBILITIES],
        "trait": [(word, words[0].removeprefix("it ").removeprefix("its ")) for word, words in Trait.KNOWN.items()],
        "lang": [(code, info["name"]) for code, info in LANG_INFO.items() if "name" in info],
        "channel": list(Channel.objects.visible_to(user).order_by("name").values_list("slug", "name")),
        "author_list": _named("AuthorList"),
        "mood": [(word, word.replace("_", " ").capitalize()) for word in MOODS],
        "campaign": _named("Campaign"),
        **_departments(),
    }


def _bare(words: str) -> str:
    bare = next((words.removeprefix(each) for each in _ARTICLES if words.startswith(each)), words)
    return bare[:1].upper() + bare[1:]


def _named(model: str) -> list[tuple[str, str]]:
    return list(apps.get_model("routing", model).objects.values_list("slug", "name"))


def _departments() -> dict[str, Any]:
    named = list(Department.objects.open().values_list("slug", "name"))
    return {"hours": named, "label": [*(each for each in named if each[0] != TRIAGE), ("none", "Nobody’s")]}


def people(department: Department | None) -> Iterable[User]:
    """Whom a rule may name: who works in the department, or for the house's rules anybody who works anywhere."""
    if department is not None:
        return people_of(department)
    return User.objects.active().exclude(groups=None).order_by("name").distinct()


@cache
def zones() -> list[str]:
    """Every time zone that a place is named after."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))
