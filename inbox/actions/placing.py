"""Putting conversations into queues: what the router does for many at once, and a person for one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from departments import bell, rows
from departments.access import may, rights
from departments.audit import entry
from departments.audit import keep as keep_entries
from departments.models import Department, User
from inbox import clocks
from inbox.actions.ordering import Order, Ordered, carry_out, notify
from inbox.actions.step import finish, locked, remember, ring_all, snapshot
from inbox.errors import Refused
from inbox.models import Access, Clock, Conversation, Message, QueueItem, Tag
from inbox.row import SHOWN, shown, sort
from inbox.waiting import Talk, Waiting, lock_talks


@dataclass(frozen=True)
class Placement:
    """Where one message's conversation goes. `because` is a sentence's end (“the text contains …”), `why` the few words
    that stand in the list, `rule` the name of what decided. `department` None leaves the lead where it is: the message
    continues a conversation; `joins` and `priority` still count. `orders` are what else rules ask for."""

    message: Message | Waiting
    department: Department | None
    joins: Sequence[Department] = ()
    because: str = ""
    why: str = ""
    rule: str = ""
    priority: int = 0
    probably_nothing: bool = False
    tags: Sequence[str] = ()
    language: str = ""
    # -1 angry, 0 even, 1 glad; None where nobody can tell.
    mood: int | None = None
    orders: Sequence[Order] = ()


@dataclass(slots=True)
class _NewItem:
    """A share that is about to be stored, by the columns in which new ones differ; `more` are those that only a rule's
    order sets."""

    pk: str
    conversation_id: str
    department: Department
    lead: bool
    priority: int
    probably_nothing: bool
    confidential: bool
    why: str
    preview: str
    kind: str
    network: str
    author_name: str
    author_handle: str
    followers: int | None
    language: str
    rating: int | None
    last_message_at: datetime
    placed_at: datetime
    sort_at: datetime
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    mood: int | None = None
    more: dict[str, Any] | None = None

    @property
    def department_id(self) -> UUID:
        return self.department.pk

    def row(self) -> dict[str, Any]:
        return dict(zip(_NEW, _values_of(self), strict=True))


#: The columns in which new items differ; in all others they are alike.
_NEW = ("id", "conversation_id", "department_id", *_NewItem.__slots__[3:-1])
_values_of = attrgetter("pk", *_NEW[1:])
#: What orders may set, as it is without any.
_ORDERED = {
    "status": QueueItem.Status.OPEN,
    "resolution": "",
    "resolved_at": None,
    "snoozed_until": None,
    "unread": True,
    "assignee_id": None,
    "needs_approval": False,
}


@dataclass
class _Batch:
    """What one `place_many` writes, gathered so that each table is written once."""

    items: list[_NewItem] = field(default_factory=list)
    audit: list[dict] = field(default_factory=list)
    changed: dict = field(default_factory=dict)
    talks: dict[str, Talk] = field(default_factory=dict)
    queues: dict[str, UUID] = field(default_factory=dict)
    # What rules ordered, and what that sets in items that lay there before.
    ordered: list[Ordered] = field(default_factory=list)
    more: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    now: datetime = field(default_factory=timezone.now)

    def change(self, item: QueueItem | _NewItem) -> None:
        """An item that lay there before is stored anew; one of this batch is stored for the first time anyway."""
        if isinstance(item, QueueItem):
            self.changed[item.pk] = item
        self.queues[item.department.slug] = item.department_id


def place(conversation: Conversation, department: Department, *, message: Message, **rest) -> None:
    """Give this department its share of the conversation. Twice is once: a department never has two."""
    place_many([Placement(message=message, department=department, **rest)])


@transaction.atomic
def place_many(placements: Iterable[Placement]) -> None:
    """Carry out what the router decided, in one transaction and a fixed number of statements.

    A confidential department among those named takes the conversation alone: nobody else is let in by a rule. A
    conversation that lies with somebody already keeps its lead; only the departments that join are added.
    Needs `message.channel` and `message.identity` loaded. What it sets in the conversation of a `Waiting` message holds
    if the transaction does.
    """
    placements = list(placements)
    batch = _Batch(talks=_talks(placements))
    lying = _lying(batch.talks)
    for placement in placements:
        talk = batch.talks[str(placement.message.conversation_id)]
        _place_one(batch, placement, talk, lying[talk.id])
    _write(batch)
    _tag(placements)


def _talks(placements: Iterable[Placement]) -> dict[str, Talk]:
    """Their conversations, locked, by their ids as text: to make the ids' own class, and to hash it, thousands of times
    takes longer than to place. What waited for the router brings its conversation along."""
    messages = [each.message for each in placements]
    held = {each.conversation_id: each.talk for each in messages if isinstance(each, Waiting)}
    others = {str(each.conversation_id) for each in messages} - held.keys()
    return held | (lock_talks(others) if others else {})


def _lying(talks: Mapping[str, Talk]) -> dict[str, dict[str, QueueItem | _NewItem]]:
    """Each conversation's shares by their department's slug."""
    found: dict[str, dict[str, QueueItem | _NewItem]] = {talk: {} for talk in talks}
    seen = {id for id, talk in talks.items() if talk.routed_at}
    for item in QueueItem.objects.filter(conversation__among=seen).select_related("department") if seen else ():
        found[str(item.conversation_id)][item.department.slug] = item
    return found


def _place_one(batch: _Batch, placement: Placement, talk: Talk, lying: dict) -> None:
    if placement.language and not talk.language:
        talk.language = placement.language
    if placement.mood is not None:
        talk.mood = placement.mood
    for department, leads in _shares(placement, talk, bool(lying)):
        if department.slug in lying:
            _raise(batch, lying[department.slug], placement.priority)
        else:
            lying[department.slug] = _new_item(batch, placement, talk, department, leads)
    for item in lying.values():
        _show_newest(batch, item, placement.message)
        if placement.mood not in (None, item.mood):
            item.mood = placement.mood
            batch.change(item)
        if placement.department is None and item.lead:
            _raise(batch, item, placement.priority)
        if placement.orders and item.lead:
            _order(batch, placement, item, talk)


def _order(batch: _Batch, placement: Placement, item: QueueItem | _NewItem, talk: Talk) -> None:
    if isinstance(item, _NewItem):
        item.more = columns = {} if item.more is None else item.more
    else:
        columns = batch.more.setdefault(item.pk, {})
    is_new = isinstance(item, _NewItem) and placement.department is not None
    batch.ordered.append(Ordered(item, placement.orders, is_new, talk.history, batch.now, columns))


def _shares(placement: Placement, talk: Talk, has_lead: bool) -> list[tuple[Department, bool]]:
    """Who gets a share, and whether they lead."""
    wanted = (
        [placement.department, *placement.joins] if placement.department and not has_lead else list(placement.joins)
    )
    secret = [each for each in wanted if each.confidential]
    if secret and not has_lead:
        talk.confidential = True
        return [(secret[0], True)]
    if has_lead:
        return [(each, False) for each in wanted if not each.confidential and not talk.confidential]
    return [(each, position == 0) for position, each in enumerate({each.slug: each for each in wanted}.values())]


def _new_item(batch: _Batch, placement: Placement, talk: Talk, department: Department, leads: bool) -> _NewItem:
    message = placement.message
    item = _NewItem(
        pk=rows.new_id(),
        conversation_id=talk.id,
        department=department,
        lead=leads,
        priority=placement.priority,
        probably_nothing=placement.probably_nothing and leads,
        confidential=talk.confidential,
        why=placement.why[:120],
        # Figures of the day tell what came on that day, and history came on its own.
        placed_at=message.created_at if talk.history else batch.now,
        sort_at=message.created_at,
        mood=talk.mood,
        **shown(message),
    )
    item.language = item.language or placement.language
    sort(item)
    if not talk.history and not item.probably_nothing:
        clocks.set_waiting(item, message.created_at)
    batch.items.append(item)
    batch.queues[department.slug] = department.pk
    batch.audit.append(_told(placement, item))
    return item


def _told(placement: Placement, item: _NewItem) -> dict[str, Any]:
    return entry(
        "item_placed" if item.lead else "item_joined",
        (QueueItem, item.pk),
        by="rule" if placement.rule else "system",
        department=item.department,
        conversation_id=item.conversation_id,
        rule=placement.rule,
        because=placement.because,
    )


def _show_newest(batch: _Batch, item: QueueItem | _NewItem, message: Message | Waiting) -> None:
    """Messages of one thread are routed together when they came together: the list shows the last of them."""
    if message.created_at > item.last_message_at:
        for name, value in shown(message).items():
            setattr(item, name, value)
        sort(item)
        batch.change(item)


def _raise(batch: _Batch, item: QueueItem | _NewItem, priority: int) -> None:
    """Rules only ever make things more urgent."""
    if priority > item.priority:
        item.priority = priority
        if item.due_at and item.waiting_since:
            item.due_at = min(item.due_at, clocks.due(item, item.waiting_since))
            sort(item)
        batch.change(item)


def _write(batch: _Batch) -> None:
    _mark_routed(batch.talks.values())
    _carry_out(batch)
    rows.insert(QueueItem, [item.row() for item in batch.items if item.more is None])
    rows.insert(QueueItem, [item.row() | _ORDERED | item.more for item in batch.items if item.more is not None])
    for was_seen in (False, True):  # only of what was seen before can anybody have access already
        shares = [_share(item) for item in batch.items if bool(batch.talks[item.conversation_id].routed_at) == was_seen]
        rows.insert(Access, shares, unless_there=was_seen)
    rows.insert(Clock, [clocks.spell(item) for item in batch.items if item.due_at])
    rows.update(QueueItem, [{name: getattr(each, name) for name in _MOVED} for each in batch.changed.values()])
    if batch.ordered:
        batch.audit += notify(batch.ordered)
    keep_entries(batch.audit)
    bell.ring(*batch.queues.values())


def _carry_out(batch: _Batch) -> None:
    """What rules ordered. What is not open waits for nobody, so no clock of its runs."""
    if not batch.ordered:
        return
    batch.audit += carry_out(batch.ordered)
    for item in batch.items:
        if item.more and "status" in item.more:
            item.waiting_since = item.due_at = None
            sort(item)
    for pk, columns in batch.more.items():
        if columns:
            QueueItem.objects.filter(pk=pk).update(**columns, version=F("version") + 1)


def _share(item: _NewItem) -> dict[str, Any]:
    return {"conversation_id": item.conversation_id, "department_id": item.department_id}


#: What a message may change of an item that lies there already.
_MOVED = ("id", "mood", "priority", "due_at", "sort_at", *SHOWN)


def _mark_routed(talks: Iterable[Talk]) -> None:
    """From now on they are seen. There are few different answers, and one statement for each beats one for all by
    far."""
    alike: dict[tuple, set] = {}
    for each in talks:
        alike.setdefault((each.confidential, each.language, each.mood), set()).add(each.id)
    for (confidential, language, mood), ids in alike.items():
        Conversation.objects.filter(pk__among=ids).update(
            routed_at=Coalesce("routed_at", Now()), confidential=confidential, language=language, mood=mood
        )


def _tag(placements: Sequence[Placement]) -> None:
    named = {name for placement in placements for name in placement.tags}
    if not named:
        return
    Tag.objects.bulk_create([Tag(name=name) for name in named], ignore_conflicts=True)
    tags = {tag.name: tag for tag in Tag.objects.filter(name__in=named)}
    through = Conversation.tags.through
    through.objects.bulk_create(
        [
            through(conversation_id=each.message.conversation_id, tag_id=tags[name].pk)
            for each in placements
            for name in each.tags
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def add_department(item: QueueItem, department: Department, *, by: User) -> QueueItem:
    """Ask another department to join: it gets a share of its own, and sees the conversation from now on. Only the lead
    of a confidential department lets others in; joining does not lift confidentiality."""
    item = locked(item, by)
    if item.conversation.confidential and not may(by, "lead_queue", item.department):
        raise PermissionDenied("Only the lead of a confidential department lets others in.")
    if department.confidential and department.pk not in rights(by).roles:
        raise Refused(f"{department} works in confidence: hand the conversation off to it instead.")
    existing = QueueItem.objects.filter(conversation=item.conversation, department=department).first()
    if existing and not existing.sealed and existing.status != QueueItem.Status.RESOLVED:
        raise Refused(f"{department} is on this conversation already.")
    joined = existing or QueueItem(conversation=item.conversation, department=department)
    share(joined, like=item, lead=False)
    before = snapshot(item) | {"joined": joined.pk, "joined_version": joined.version}
    finish(joined, "add-department", by=by, audit="department_added")
    item.version += 1
    item.save(update_fields=["version"])
    before["joined_version"] = joined.version
    remember(item, "add-department", by=by, before=before)
    ring_all(item.conversation)
    return joined


def share(item: QueueItem, *, like: QueueItem, lead: bool) -> None:
    """Make this an open, living share of the conversation that `like` is a share of, and let its department see it. The
    item is not stored yet."""
    item.status, item.resolution, item.resolved_at = QueueItem.Status.OPEN, "", None
    item.lead, item.sealed, item.unread = lead, False, True
    item.confidential, item.why = like.confidential, like.why
    item.priority = max(item.priority, like.priority)
    item.needs_approval = item.needs_approval or like.needs_approval
    for name in (*SHOWN, "mood"):
        setattr(item, name, getattr(like, name))
    sort(item)
    Access.objects.bulk_create(
        [Access(conversation=like.conversation, department=item.department)], ignore_conflicts=True
    )
    if item._state.adding:
        item.save(force_insert=True)
