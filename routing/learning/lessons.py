"""What a model learns from: corrections, the departments' examples and descriptions, and the seeds of the house."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from departments.models import Department
from inbox.models import Message
from routing.facts import facts_of_message
from routing.models import Correction, DepartmentExample
from routing.reading import said_of
from routing.scoring.said import NONE, Example, Said

#: From so many examples on a department is learnt by them.
ENOUGH = 8
#: More corrections than that teach nothing that these do not.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """A corrected message. `open`: it is not confidential."""

    message: UUID
    said: Said
    label: str
    open: bool

    @property
    def example(self) -> Example:
        return Example(self.said, self.label)


def labels() -> dict[str, Department]:
    """The departments that something can belong to, by the label that they are learnt under."""
    return {each.slug: each for each in Department.objects.open().filter(is_triage=False)}


def corrections() -> list[Lesson]:
    """What people corrected, the newest first. What was erased meanwhile teaches nothing any more."""
    wanted = {each.pk: slug for slug, each in labels().items()} | {None: NONE}
    found = Correction.objects.filter(message__deleted_at=None).newest(MOST).select_related(
        "message__channel", "message__identity", "message__conversation", "message__parent"
    )  # fmt: skip
    return [_lesson(each.message, wanted[each.belongs_id]) for each in found if each.belongs_id in wanted]


def _lesson(message: Message, label: str) -> Lesson:
    answers_us = message.parent is not None and message.parent.direction == Message.Direction.OUT
    said = said_of(facts_of_message(message, is_reply_to_us=answers_us))
    return Lesson(message.pk, said, label, not message.conversation.confidential)


def examples() -> list[Example]:
    """The examples of departments that have enough of them."""
    known = set(learning_departments())
    found = DepartmentExample.objects.filter(department__in=known).select_related("department")
    return [Example(Said(each.text), each.department.slug) for each in found]


def learning_departments() -> list[UUID]:
    """Departments with examples enough to be learnt by them."""
    counted = DepartmentExample.objects.values("department").annotate(n=Count("pk")).filter(n__gte=ENOUGH)
    return list(counted.filter(department__closed_at=None).order_by().values_list("department", flat=True))


def descriptions() -> dict[str, str]:
    """What belongs where, in each department's own sentence."""
    return {slug: each.about for slug, each in labels().items() if each.about}


def digest(lessons: Sequence[Lesson], others: Iterable[Example], descriptions: Mapping[str, str]) -> str:
    """The same for two trainings that learnt the same."""
    told = [f"{each.message}\0{each.label}" for each in lessons]
    told += [f"{each.said.text}\0{each.label}" for each in others]
    told += [f"{slug}\0{about}" for slug, about in descriptions.items()]
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()
