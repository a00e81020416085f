"""What a rule asks for beyond a place in a queue: a person, spam, a snooze, an approval, that somebody is told. Each is
told in the timeline as the rule's act; where no rule asks for any of it, nothing here is called."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format

from departments.audit import entry
from departments.models import User
from departments.roles import Held, Role, held_by
from inbox.actions.telling import leave
from inbox.models import Conversation, QueueItem

Status = QueueItem.Status


class Order(NamedTuple):
    """What a rule asks for: `assign` (a user name), `spam`, `snooze` (until when), `approval`, `notify` (a user
    name)."""

    act: str
    rule: str
    value: Any = None


@dataclass
class Ordered:
    """Orders for the share that leads, stored already or about to be; `set` is what they set in its row."""

    item: Any
    orders: Sequence[Order]
    is_new: bool
    history: bool
    now: datetime
    set: dict[str, Any]

    @property
    def talk(self) -> str:
        return str(self.item.conversation_id)

    def is_set(self, name: str) -> bool:
        return bool(self.set.get(name) or getattr(self.item, name, None))

    def told(self, verb: str, order: Order, **facts) -> dict:
        return entry(
            verb,
            (QueueItem, self.item.pk),
            by="rule",
            department=self.item.department,
            conversation_id=self.talk,
            rule=order.rule,
            **facts,
        )


@dataclass(frozen=True)
class Named:
    """Somebody whom a rule names, and the departments (slugs) in which they may work."""

    user: User
    works_in: frozenset[str]


People = Mapping[str, Named]


def carry_out(given: Sequence[Ordered]) -> list[dict]:
    """Let each order have its way with its item; what the timeline tells of it. All people are asked for at once."""
    people = _people(order.value for each in given for order in each.orders if order.act == "assign")
    lines = (_ACTS[order.act](each, order, people) for each in given for order in each.orders if order.act in _ACTS)
    return [line for line in lines if line]


def _people(names: Iterable[str]) -> People:
    wanted = {*names}
    found = list(User.objects.active().filter(username__in=wanted)) if wanted else []
    held = held_by(found) if found else {}
    return {each.username: Named(each, frozenset(_works_in(held[each.pk]))) for each in found}


def _works_in(held: Held) -> Iterable[str]:
    return (slug for slug, role in held.departments.items() if role >= Role.AGENT)


# One function for each order: the line of the timeline, or None when there was nothing to do --------------------------
def _assign(it: Ordered, order: Order, people: People) -> dict | None:
    """To the person whom the rule names, if they work there and are not away. Rules are written by people, so one may
    give more than somebody takes on. The first that names somebody for it stands."""
    named = people.get(order.value)
    if named is None or it.is_set("assignee_id") or it.item.department.slug not in named.works_in:
        return None
    if named.user.away_until and named.user.away_until > it.now:
        return None
    it.set["assignee_id"] = named.user.pk
    return it.told("item_assigned", order, person=str(named.user))


def _spam(it: Ordered, order: Order, people: People) -> dict | None:
    """Resolved at once; a person can reopen it. What lies with somebody already is theirs to judge."""
    if not it.is_new or it.set.get("status") == Status.RESOLVED:
        return None
    spam = QueueItem.Resolution.SPAM
    it.set |= {"status": Status.RESOLVED, "resolution": spam, "resolved_at": it.now}
    it.set |= {"snoozed_until": None, "unread": False}
    return it.told("item_resolved", order, resolution=spam.label.lower())


def _snooze(it: Ordered, order: Order, people: People) -> dict | None:
    if not it.is_new or "status" in it.set:
        return None
    it.set |= {"status": Status.SNOOZED, "snoozed_until": order.value}
    return it.told("item_snoozed", order, until=date_format(timezone.localtime(order.value), "j F, H:i"))


def _approval(it: Ordered, order: Order, people: People) -> dict | None:
    if it.is_set("needs_approval"):
        return None
    it.set["needs_approval"] = True
    return it.told("approval_wanted", order)


_ACTS: Mapping[str, Callable[[Ordered, Order, People], dict | None]] = {
    "assign": _assign,
    "spam": _spam,
    "snooze": _snooze,
    "approval": _approval,
}


# Telling people -------------------------------------------------------------------------------------------------------
def notify(given: Iterable[Ordered]) -> list[dict]:
    """Leave a notice for those whom rules name, once their items are stored: one for each conversation and person, and
    only for who sees it. What came as history tells nobody. What the timeline tells of it."""
    wanted: dict[tuple[str, str], tuple[Ordered, Order]] = {}
    for each in given:
        for order in each.orders:
            if order.act == "notify" and not each.history:
                wanted.setdefault((order.value, each.talk), (each, order))
    told = [(user, *wanted[user.username, talk]) for user, talk in _who_see(wanted)]
    leave((user, each.talk, f"The rule “{order.rule}” fitted") for user, each, order in told)
    return [each.told("person_told", order, person=str(user)) for user, each, order in told]


def _who_see(wanted: Iterable[tuple[str, str]]) -> list[tuple[User, str]]:
    talks: dict[str, list[str]] = {}
    for name, talk in wanted:
        talks.setdefault(name, []).append(talk)
    found = []
    for user in User.objects.active().filter(username__in=talks) if talks else ():
        seen = Conversation.objects.visible_to(user).filter(pk__among=talks[user.username])
        found += [(user, str(pk)) for pk in seen.values_list("pk", flat=True)]
    return found
