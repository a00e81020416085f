"""What a department writes down as typical of it: from eight posts on, one without seeds is learnt by them."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from departments.access import may, rights
from departments.audit import record, sentences
from departments.models import Department, User
from routing.learning.vocabulary import words_of
from routing.models import DepartmentExample

By = User | str

sentences(
    examples_added="{by} wrote down {n} examples of what belongs to {department}",
    example_removed="{by} removed an example of what belongs to {department}",
)
LONGEST = DepartmentExample._meta.get_field("text").max_length or 1000
#: More teach little, and nobody looks after them.
MOST = 200
#: Fewer words say nothing of where a post belongs.
LEAST_WORDS = 2


def may_edit(user: User, department: Department) -> bool:
    """The department's lead; while it is not confidential, coordinator and admin as well."""
    return may(user, "lead_queue", department) or (rights(user).admin and not department.confidential)


@transaction.atomic
def add(department: Department, texts: Sequence[str], *, by: By) -> int:
    """Write these posts down; those that stand there already are passed over. How many are new.

    ValidationError, with a sentence for each line that can not be used, and then none is kept.
    """
    _check(department, by)
    there = {_alike(text) for text in department.examples.values_list("text", flat=True)}
    said = [" ".join(text.split()) for text in texts]
    if problems := [why for line, text in enumerate(said, start=1) if text and (why := _problem(line, text))]:
        raise ValidationError(problems)
    new = list({_alike(text): text for text in said if text and _alike(text) not in there}.values())
    if len(there) + len(new) > MOST:
        raise ValidationError(f"At most {MOST} examples are kept. Remove some first.")
    writer = by if isinstance(by, User) else None
    DepartmentExample.objects.bulk_create([DepartmentExample(department=department, text=t, by=writer) for t in new])
    if new:
        record("examples_added", department, by=by, department=department, n=len(new))
    return len(new)


@transaction.atomic
def remove(example: DepartmentExample, *, by: By) -> None:
    """Take one off the list; the next model has not learnt it."""
    _check(example.department, by)
    record("example_removed", example.department, by=by, department=example.department)
    example.delete()


def _check(department: Department, by: By) -> None:
    if isinstance(by, User) and not may_edit(by, department):
        raise PermissionDenied("Only the department’s lead writes down what is typical of it.")
    if department.is_triage:
        raise ValidationError("In Triage lies what nobody placed yet; there is nothing typical of it.")


def _problem(line: int, text: str) -> str:
    if len(text) > LONGEST:
        return f"Line {line} is longer than {LONGEST:,} characters."
    if len(words_of(text)) < LEAST_WORDS:
        return f"Line {line} (“{text[:40]}”) says too little: write at least {LEAST_WORDS} words."
    return ""


def _alike(text: str) -> str:
    return " ".join(text.casefold().split())
