"""What is done to lists of people and to campaigns: a function per verb, atomic, audited, `by=` whom.

A coordinator or admin does it. A verb raises PermissionDenied when the person may not, ValidationError when it can not
be done. What changes here counts for the next message at once, and no decision that was made is another for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from departments.access import rights
from departments.audit import record, sentences
from departments.models import User
from routing.lists import reading
from routing.models import AuthorList, Campaign, RuleSetVersion
from routing.saying import listed, quoted

By = User | str
Named = AuthorList | Campaign

sentences(
    list_founded="{by} made the list “{name}” of {many}",
    list_changed="{by} changed {what} of the list “{name}”, which holds {many} now",
    list_deleted="{by} deleted the list “{name}” of {many}",
    campaign_founded="{by} made the campaign “{name}”",
    campaign_changed="{by} changed {what} of the campaign “{name}”",
    campaign_deleted="{by} deleted the campaign “{name}”",
)


def may_keep(user) -> bool:
    """Whoever changes the house's rules keeps what they name."""
    return rights(user).coordinator or rights(user).admin


# Lists ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def found_list(name: str, *, handles: Iterable[str] = (), slug: str = "", by: By) -> AuthorList:
    """A new list of people, told by their handles or ids, one each."""
    _check(by)
    found = AuthorList(name=_name(name), slug=_slug(AuthorList, name, slug), handles=_at("handles", handles))
    found.save(force_insert=True)
    record("list_founded", found, by=by, name=found.name, many=_many(found))
    return found


@transaction.atomic
def change_list(found: AuthorList, *, name: str, handles: Iterable[str], by: By) -> AuthorList:
    """Give it another name or other people. Its short name stays, because rules name it."""
    _check(by)
    if what := _set(found, name=_name(name), handles=_at("handles", handles)):
        record("list_changed", found, by=by, name=found.name, what=what, many=_many(found))
    return found


@transaction.atomic
def delete_list(found: AuthorList, *, by: By) -> None:
    """Refused while a rule that is asked names it."""
    _check(by)
    _unused(found)
    record("list_deleted", found, by=by, name=found.name, many=_many(found))
    found.delete()


def _many(found: AuthorList) -> str:
    return "1 person" if len(found.handles) == 1 else f"{len(found.handles):,} people"


# Campaigns --------------------------------------------------------------------------------------------------------
@transaction.atomic
def found_campaign(name: str, *, slug: str = "", by: By, **said: Any) -> Campaign:
    """A new campaign: `hashtags`, `links`, `begins_at`, `ends_at`."""
    _check(by)
    found = Campaign(name=_name(name), slug=_slug(Campaign, name, slug), **_said(**said))
    found.save(force_insert=True)
    record("campaign_founded", found, by=by, name=found.name)
    return found


@transaction.atomic
def change_campaign(found: Campaign, *, name: str, by: By, **said: Any) -> Campaign:
    """Give it another name, other hashtags or links, another time."""
    _check(by)
    if what := _set(found, name=_name(name), **_said(**said)):
        record("campaign_changed", found, by=by, name=found.name, what=what)
    return found


@transaction.atomic
def delete_campaign(found: Campaign, *, by: By) -> None:
    """Refused while a rule that is asked names it."""
    _check(by)
    _unused(found)
    record("campaign_deleted", found, by=by, name=found.name)
    found.delete()


def _said(
    *,
    hashtags: Iterable[str] = (),
    links: Iterable[str] = (),
    begins_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> dict[str, Any]:
    if begins_at and ends_at and ends_at <= begins_at:
        raise ValidationError({"ends_at": "It ends before it begins."})
    said = {"hashtags": _at("hashtags", hashtags), "links": _at("links", links)}
    if not (said["hashtags"] or said["links"]):
        raise ValidationError({"hashtags": "A campaign is told by a hashtag or a link; give one at least."})
    return said | {"begins_at": begins_at, "ends_at": ends_at}


# Used by ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Use:
    """A rule that names it, in a version that is asked."""

    uid: str
    name: str
    version: RuleSetVersion


def uses_of(kind: type[Named]) -> dict[str, list[Use]]:
    """Of every list, or campaign, the rules that name it: short name → uses. Live versions and those in the shadow
    count."""
    asked = RuleSetVersion.objects.filter(state__in=["live", "shadow"]).select_related("rule_set__department")
    found: dict[str, list[Use]] = {}
    for version in asked.order_by("state", "rule_set__department__position"):
        for rule in version.rules:
            for slug in sorted(set(_named(rule.get("when"), _FIELDS[kind]))):
                found.setdefault(slug, []).append(Use(rule["uid"], rule["name"], version))
    return found


#: The question of a rule that names it.
_FIELDS: Mapping[type[Named], str] = {AuthorList: "author_list", Campaign: "campaign"}


def _named(part: Any, field: str) -> Iterator[str]:
    """The short names that this part of a condition names, as it is stored."""
    if isinstance(part, list):
        for each in part:
            yield from _named(each, field)
    elif isinstance(part, dict) and part.get("field") == field:
        value = part.get("value")
        yield from [value] if isinstance(value, str) else value or ()
    elif isinstance(part, dict) and "field" not in part:
        yield from _named(list(part.values()), field)


def _unused(found: Named) -> None:
    if used := uses_of(type(found)).get(found.slug):
        rules = listed(dict.fromkeys(quoted(use.name for use in used)), "and", most=5)
        raise ValidationError(f"{rules} {'names' if len(used) == 1 else 'name'} it. Change the rules first.")


# What they share --------------------------------------------------------------------------------------------------
def _check(by: By) -> None:
    if isinstance(by, User) and not may_keep(by):
        raise PermissionDenied("Only a coordinator or admin changes lists and campaigns.")


def _name(name: str) -> str:
    if not (read := " ".join(name.split())):
        raise ValidationError({"name": "Give it a name."})
    return read[:80]


def _slug(kind: type[Named], name: str, slug: str) -> str:
    return reading.short_name(name, slug, list(kind.objects.values_list("slug", flat=True)))


def _at(field: str, given: Iterable[str]) -> list[str]:
    """What was given for this field as it is kept; what can not be read is told at the field."""
    try:
        return getattr(reading, field)(given)
    except ValidationError as wrong:
        raise ValidationError({field: wrong.messages}) from None


def _set(found: Named, **said: Any) -> str:
    """Set what differs, and say in words what that was."""
    changed = [name for name, value in said.items() if getattr(found, name) != value]
    for name in changed:
        setattr(found, name, said[name])
    if changed:
        found.save(update_fields=changed)
    return listed((_WORDS[name] for name in changed), "and")


_WORDS = {
    "name": "the name",
    "handles": "the people",
    "hashtags": "the hashtags",
    "links": "the links",
    "begins_at": "the beginning",
    "ends_at": "the end",
}
