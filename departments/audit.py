"""What was done, by whom, to what: one row per act, with a sentence per verb. Rows are never changed or deleted.

Rows hold ids and small words, no text of people outside or colleagues, so that erasing a person and keeping the audit
do not fight. A verb without a sentence is refused, so that the audit page can always speak.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model

from departments import rows
from departments.models import AuditEntry, Department, User

PERSON = User._meta.label_lower

_SENTENCES: dict[str, str] = {}


def sentences(**templates: str) -> None:
    """Register an app's verbs: `item_taken="{by} took it for {department}"`. Places are the entry's facts, `by`,
    `department`."""
    _SENTENCES.update(templates)


def verbs() -> list[str]:
    """Every verb that has a sentence."""
    return sorted(_SENTENCES)


def entry(
    verb: str,
    target: Model | tuple[type[Model], UUID | str],
    *,
    by: User | str,
    department: Department | None = None,
    conversation_id: UUID | str | None = None,
    **facts,
) -> dict[str, Any]:
    """An entry as a row that is not stored yet; verbs that do many things at once store theirs in one batch (`keep`).

    `target` is what it was done to, or its model and id. `by` is the person, or the word for what acted without one:
    `system`, `rule`. Raises KeyError when the verb has no sentence.
    """
    _SENTENCES[verb]
    person = by if isinstance(by, User) else None
    model, pk = target if isinstance(target, tuple) else (target, target.pk)
    return {
        "by_id": person and person.pk,
        "agent": "" if person else str(by),
        "verb": verb,
        "target_type": model._meta.label_lower,
        "target_id": str(pk),
        "department_id": department and department.pk,
        "conversation_id": conversation_id,
        "facts": facts,
    }


def keep(entries: Sequence[Mapping[str, Any]]) -> None:
    rows.insert(AuditEntry, entries)


def record(verb: str, target, *, by: User | str, **rest) -> AuditEntry:
    """Store one entry, inside the transaction of what it tells of. Arguments as `entry`."""
    one = AuditEntry(**entry(verb, target, by=by, **rest))
    one.save(force_insert=True)
    return one


def sentence(one: AuditEntry, people: Mapping[str, str] | None = None) -> str:
    """The entry in words, as it stands on the audit page and in a conversation's timeline.

    `people` are the names of those whom entries are about (`names_of`); a page of entries asks for them once.
    """
    template = _SENTENCES.get(one.verb, "{by}: " + one.verb.replace("_", " "))
    facts = {key: value for key, value in one.facts.items() if isinstance(value, (str, int, float))}
    names = {"by": who(one), "department": one.department.name if one.department else "", **facts}
    if one.target_type == PERSON:
        known = names_of([one]) if people is None else people
        names["person"] = known.get(one.target_id, "somebody")
    return template.format_map(_Gaps(names))


def names_of(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The names of the people whom these entries are about, by their id. Entries hold the id alone."""
    about = {one.target_id for one in entries if one.target_type == PERSON}
    return {str(person.pk): str(person) for person in User.objects.filter(pk__in=about)}


def who(one: AuditEntry) -> str:
    if one.by:
        return str(one.by)
    if one.agent == "rule":
        return f"The rule “{one.facts.get('rule', '')}”"
    return "Social Hub"


class _Gaps(dict):
    """An old entry may lack a fact that its sentence learned to use later."""

    def __missing__(self, key):
        return "…"


sentences(
    department_founded="{by} founded {name}",
    department_changed="{by} changed {what} of {name}",
    hours_changed="{by} changed when {name} is there: {what}",
    department_closed="{by} closed {name}",
    role_given="{by} made {person} {role} of {department}",
    role_taken="{by} ended {person}’s role in {department}",
    house_role_given="{by} made {person} {role} of the house",
    house_role_taken="{by} ended {person}’s role as {role} of the house",
    person_invited="{by} created the account of {person}",
    person_deactivated="{by} closed the account of {person}",
    person_reactivated="{by} opened the account of {person} again",
    password_allowed="{by} made a link with which {person} can choose a password",
    password_chosen="{by} chose a new password",
    self_changed="{by} changed their own settings: {what}",
    token_made="{by} made the API token “{name}”",
    token_revoked="{by} revoked the API token “{name}”",
    signed_in="{by} signed in",
    house_opened="{by} became the first admin of the house",
    house_named="{by} gave the house its name",
)
