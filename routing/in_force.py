"""Which rules are in force, or were when something was decided: versions made ready to decide."""

import logging
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from departments.models import Department
from routing.deciding import Book, Named, RuleSets
from routing.models import RuleSetVersion

logger = logging.getLogger(__name__)


def live_rule_sets(departments: Iterable[Department] | None = None) -> RuleSets:
    """The live version of every rule set, made ready."""
    return _rule_sets(RuleSetVersion.objects.live(), departments)


def rule_sets_that_ran(versions: Iterable[UUID], departments: Iterable[Department] | None = None) -> RuleSets:
    """These versions, which decided once, made ready; with the departments of today, unless others are given."""
    return _rule_sets(RuleSetVersion.objects.filter(pk__in=versions), departments)


def _rule_sets(versions, departments: Iterable[Department] | None) -> RuleSets:
    known = Department.objects.open() if departments is None else departments
    named = versions.values_list("rule_set__department__slug", "pk")
    books: dict[str | None, Book] = {slug: book_of(version) for slug, version in named}
    return RuleSets(
        house=books.get(None) or Book("", 0, []),
        departments={each.slug: Named(each.name, each.confidential) for each in known},
        own={slug: book for slug, book in books.items() if slug is not None},
    )


@lru_cache(maxsize=64)
def book_of(version_id: UUID) -> Book:
    """This version's rules, made ready. A version never changes, so a process does it once."""
    return made_ready(RuleSetVersion.objects.select_related("rule_set__department").get(pk=version_id))


def made_ready(version: RuleSetVersion) -> Book:
    """The same anew each time: for a draft, which may still change."""
    book = Book(str(version.pk), version.number, version.rules)
    for uid, why in book.broken.items():
        logger.error("Rule %s of %s can not be read and is left out: %s", uid, version, why)
    return book
