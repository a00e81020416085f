"""Questions that ask for a number. A number that nobody knows is neither large nor small."""

import re
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from routing.facts import Facts
from routing.parts import Check, Hit, Index, Question
from routing.questions.values import wrong

Many = Annotated[int, Field(ge=0)]


def _in_order(both: list[int]) -> list[int]:
    if both[0] > both[1]:
        raise wrong("The first number is greater than the second.")
    return both


class Number(Question):
    hint = "A whole number"

    @classmethod
    def value_of(cls, typed: str) -> Any:
        return re.sub(r"[\s.,'’]", "", typed)

    def typed(self) -> str:
        return str(self.value)


class Counted(Number):
    """A count that is known of some posts: at least, below, or between two numbers, both included."""

    #: How it is said: (yes, no), what is counted, what is said where it is not known, and of a count that is.
    has: ClassVar[tuple[str, str]]
    what: ClassVar[str]
    unknown: ClassVar[str]

    @cached_property
    def count(self) -> Callable[[Facts], int | None]:
        return attrgetter(self.needs or self.field)

    @abstractmethod
    def fits(self, number: int) -> bool: ...

    @abstractmethod
    def many(self) -> str: ...

    def holds(self, facts: Facts) -> bool:
        number = self.count(facts)
        return number is not None and self.fits(number)

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"{self.has[0 if yes else 1]} {self.many()} {self.what}"

    def found(self, number: int) -> str:
        return f"{self.has[0]} {number:,} {self.what}"

    def matches(self, facts: Facts) -> Hit | None:
        number = self.count(facts)
        return Hit((self.found(number),)) if number is not None and self.fits(number) else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        number = self.count(facts)
        there = self.unknown if number is None else self.found(number)
        return f"{there}, the rule asks for {self.many()}"


class Limit(Counted):
    """At least so many, or fewer."""

    op: Literal["at_least", "below"]
    value: Many

    def fits(self, number: int) -> bool:
        return number >= self.value if self.op == "at_least" else number < self.value

    def check(self, index: Index) -> Check:
        count, limit, more = self.count, self.value, self.op == "at_least"
        return lambda found, facts: (number := count(facts)) is not None and (number >= limit) is more

    def many(self) -> str:
        return f"{'at least' if self.op == 'at_least' else 'fewer than'} {self.value:,}"


class Between(Counted):
    """From so many to so many."""

    hint = "Two whole numbers, such as 100-500"
    op: Literal["between"]
    value: Annotated[list[Many], Field(min_length=2, max_length=2), AfterValidator(_in_order)]

    def fits(self, number: int) -> bool:
        return self.value[0] <= number <= self.value[1]

    def many(self) -> str:
        return f"between {self.value[0]:,} and {self.value[1]:,}"

    @classmethod
    def value_of(cls, typed: str) -> Any:
        return [re.sub(r"[\s.,'’]", "", part) for part in re.split(r"\s*[-–]\s*|\s+and\s+|\s*;\s*", typed.strip())]

    def typed(self) -> str:
        return f"{self.value[0]} - {self.value[1]}"


#: The operators of a count in words.
LIMITS = {
    "at_least": ("at least", "not known to be at least"),
    "below": ("below", "not known to be below"),
    "between": ("between", "not known to be between"),
}
