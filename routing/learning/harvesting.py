"""What people did in the inbox, read as labels: where the message that opened a conversation belongs.

Each conversation in which something was done since the last time is looked at anew, as a whole, so that reading twice
is reading once, and what was taken back leaves nothing behind. Of what people did the last counts:

* an accepted hand-off for “wrong department”: it belongs to whoever accepted;
* placing it out of Triage; resolving Triage's own share as spam or “no reply needed”: it belongs to nobody;
* confirming that it lies right.

A reply that went out counts where nothing of that was done: the first one, because the department that answers later
got the conversation for another reason. A hand-off back to Triage says only that nobody knows. What rules and models
placed is never a label.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inbox.models import Change, HandOff, Message, QueueItem, Reply
from inbox.models.queue import TELLING
from routing.models import Correction, LearningMark

Source = Correction.Source
#: So far back is read again: a row's time is from before its commit.
OVERLAP = timedelta(minutes=10)
BATCH = 1000
#: Resolutions by which Triage says that something is nobody's.
NOBODYS = (QueueItem.Resolution.NO_REPLY_NEEDED, QueueItem.Resolution.SPAM)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What one act says. `belongs` None: to nobody. `unknown`: only that it belongs elsewhere."""

    at: datetime
    source: str
    was: UUID | None
    belongs: UUID | None
    by: UUID | None
    unknown: bool = False


@transaction.atomic
def harvest() -> int:
    """Read what was done since the last time; how many corrections are new, changed or gone. One at a time does."""
    LearningMark.objects.get_or_create(pk=1)
    mark = LearningMark.objects.select_for_update().get(pk=1)
    begun = timezone.now()
    since = mark.harvested_until - OVERLAP if mark.harvested_until else BEGINNING
    touched = _touched(since)
    noted = sum(_note(touched[start : start + BATCH]) for start in range(0, len(touched), BATCH))
    mark.harvested_until = begun
    mark.save(update_fields=["harvested_until"])
    return noted


def _touched(since: datetime) -> list[UUID]:
    """Conversations in which something was done, or taken back, since then: four reads, each along an index."""
    told = Change.objects.filter(verb__in=TELLING).order_by()
    found = {
        *_corrected().filter(accepted_at__gt=since).values_list("item__conversation", flat=True),
        *told.filter(at__gt=since).values_list("item__conversation", flat=True),
        *told.filter(undone_at__gt=since).values_list("item__conversation", flat=True),
        *Reply.objects.filter(sent_at__gt=since).order_by().values_list("conversation", flat=True),
    }
    return sorted(found)


def _corrected():
    return HandOff.objects.filter(reason=HandOff.Reason.WRONG_DEPARTMENT, accepted_at__isnull=False).order_by()


def _note(conversations: Collection[UUID]) -> int:
    """Bring the corrections of these conversations in line with what was done; how many were not."""
    labels, opening = _labels(conversations), _opening(conversations)
    wanted = {message: labels[talk] for talk, message in opening.items() if talk in labels}
    there = {each.message_id: each for each in Correction.objects.filter(message__conversation__in=conversations)}
    gone = there.keys() - wanted.keys()
    Correction.objects.filter(message__in=gone).delete()
    new = [_correction(message, told) for message, told in wanted.items() if message not in there]
    Correction.objects.bulk_create(new)
    changed = [each for each in there.values() if each.message_id in wanted and _differs(each, wanted[each.message_id])]
    for each in changed:
        _tell(each, wanted[each.message_id])
    Correction.objects.bulk_update(changed, ["was", "belongs", "source", "by", "at", "noted_at"])
    return len(gone) + len(new) + len(changed)


def _opening(conversations: Collection[UUID]) -> dict[UUID, UUID]:
    """Conversation → the message with which the person outside began it: the one that routing decided."""
    outside = Message.objects.from_outside().filter(conversation__in=conversations)
    first = outside.order_by("conversation", "created_at", "id").distinct("conversation")
    return dict(first.values_list("conversation", "pk"))


def _labels(conversations: Collection[UUID]) -> dict[UUID, Told]:
    last: dict[UUID, Told] = {}
    for talk, told in sorted(_acts(conversations), key=lambda each: each[1].at):
        last[talk] = told
    return {**_answered(conversations, last.keys()), **{talk: told for talk, told in last.items() if not told.unknown}}


def _acts(conversations: Collection[UUID]) -> Iterator[tuple[UUID, Told]]:
    yield from _handed(conversations)
    changes = Change.objects.filter(item__conversation__in=conversations, verb__in=TELLING, undone_at=None)
    changes = list(changes.order_by("at").select_related("item__department"))
    yield from _placed([each for each in changes if each.verb == "move"])
    yield from _nobodys([each for each in changes if each.verb == "resolve"])
    for each in changes:
        if each.verb == "confirm":
            department = each.item.department
            belongs = None if department.is_triage else department.pk
            yield each.item.conversation_id, Told(each.at, Source.CONFIRMED, None, belongs, each.by_id)


def _handed(conversations: Collection[UUID]) -> Iterator[tuple[UUID, Told]]:
    given = _corrected().filter(item__conversation__in=conversations).select_related("item", "to")
    for each in given:
        was, unknown = each.item.department_id, each.to.is_triage
        told = Told(each.accepted_at, Source.HAND_OFF, was, each.to_id, each.by_id, unknown)
        yield each.item.conversation_id, told


def _placed(moves: Iterable[Change]) -> Iterator[tuple[UUID, Told]]:
    moves = list(moves)
    to = {str(pk): department for pk, department in QueueItem.objects.filter(
        pk__in=[each.before["moved_to"] for each in moves]).values_list("pk", "department")}  # fmt: skip
    for each in moves:
        if belongs := to.get(each.before["moved_to"]):
            told = Told(each.at, Source.PLACED, each.item.department_id, belongs, each.by_id)
            yield each.item.conversation_id, told


def _nobodys(resolved: Iterable[Change]) -> Iterator[tuple[UUID, Told]]:
    """As long as it stays resolved so: what came back, or was opened again, is undecided."""
    for each in resolved:
        item = each.item
        if item.department.is_triage and item.status == item.Status.RESOLVED and item.resolution in NOBODYS:
            yield item.conversation_id, Told(each.at, Source.PLACED, item.department_id, None, each.by_id)


def _answered(conversations: Collection[UUID], known: Collection[UUID]) -> dict[UUID, Told]:
    sent = Reply.objects.filter(conversation__in=conversations, state=Reply.State.SENT, department__is_triage=False)
    first = sent.exclude(conversation__in=known).order_by("conversation", F("sent_at"), "pk").distinct("conversation")
    return {
        each.conversation_id: Told(each.sent_at, Source.REPLIED, None, each.department_id, each.author_id)
        for each in first
    }


def _correction(message: UUID, told: Told) -> Correction:
    return _tell(Correction(message_id=message), told)


def _tell(each: Correction, told: Told) -> Correction:
    each.was_id, each.belongs_id, each.source, each.by_id, each.at = (
        told.was, told.belongs, told.source, told.by, told.at,
    )  # fmt: skip
    each.noted_at = timezone.now()
    return each


def _differs(each: Correction, told: Told) -> bool:
    return (each.was_id, each.belongs_id, each.source, each.by_id, each.at) != (
        told.was, told.belongs, told.source, told.by, told.at,
    )  # fmt: skip
