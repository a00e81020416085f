"""What every part of a condition can do, and what every single question can besides."""

import csv
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from routing.facts import Facts


class Span(NamedTuple):
    """Where something was found, in the text as it was written, and the term that was asked for."""

    start: int
    end: int
    term: str


@dataclass(frozen=True, slots=True)
class Hit:
    """That a condition fits: the reasons in words, and where in the text they stand."""

    reasons: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


class Part(BaseModel):
    """A part of the tree, whether question or group."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @abstractmethod
    def holds(self, facts: Facts) -> bool:
        """Whether it fits. The quick answer: most rules do not, for most posts."""

    @abstractmethod
    def matches(self, facts: Facts) -> Hit | None:
        """Why and where it fits; None when it does not."""

    @abstractmethod
    def missing(self, facts: Facts, most: int | None = None) -> str:
        """What this post lacks, when it does not fit; no more than `most` terms of a list."""

    @abstractmethod
    def say(self, yes: bool = True, most: int | None = None) -> str:
        """The condition in words; its contrary when not `yes`; no more than `most` terms of a list."""

    def keys(self) -> frozenset[str] | None:
        """Words of which a post has at least one when this fits; None when it may fit without any. With them the engine
        asks only the rules that stand a chance."""
        return None

    def __str__(self) -> str:
        return self.say()


class Question(Part):
    """A single question. Subclasses name their `field`, its `op`s and the type of the `value`."""

    title: ClassVar[str]
    #: The operators in words, as the form offers them: (yes, no).
    asks: ClassVar[Mapping[str, tuple[str, str]]]
    hint: ClassVar[str] = "With commas between them"

    field: str
    op: str
    value: Any

    def matches(self, facts: Facts) -> Hit | None:
        return Hit((self.say(),)) if self.holds(facts) else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return self.say(False, most)

    def typed(self) -> str:
        """The value as a person types it into the form; `from_typed` reads it back."""
        return ", ".join(_quoted(each) if set(each) & {",", '"'} else each for each in self.value)

    @classmethod
    def from_typed(cls, typed: str) -> Any:
        """What was typed as a value: terms with commas or line breaks between them; in quotes when they hold a comma.
        Raises ValueError with a sentence."""
        try:
            fields = [each for line in csv.reader(typed.splitlines(), skipinitialspace=True) for each in line]
        except csv.Error:
            raise ValueError("This is too long to read.") from None
        return [each.strip() for each in fields if each.strip()]


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'
