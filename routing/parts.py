"""What every part of a condition can do, and what every single question can besides."""

import csv
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

from routing.facts import Facts
from routing.words import Term

#: Whether a part fits, made ready: the numbers of what was found in the text, and the facts.
Check = Callable[[set[int], Facts], bool]


class Expression(NamedTuple):
    """A regular expression that a rule looks for."""

    pattern: str


class Reading(NamedTuple):
    """One of the values that a post may have for questions of a class."""

    of: type["Among"]
    value: str


#: What a post is searched for, once for all rules of a book.
Sought = Term | Expression | Reading


class Index(Protocol):
    """What numbers the words, expressions and values that a book's rules look for (routing/compiling.py)."""

    def number(self, sought: Sought) -> int: ...


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

    def anchors(self) -> frozenset[Sought] | None:
        """Of which a post has at least one when this fits: terms, expressions, values; None when it may fit without
        any. With them the engine asks only the rules that stand a chance."""
        return None

    def check(self, index: Index) -> Check:
        """The same answer as `holds`, made ready for a book in which the text has been searched already."""
        holds = self.holds
        return lambda found, facts: holds(facts)

    @abstractmethod
    def questions(self, path: str = "") -> Iterator[tuple[str, "Question"]]:
        """Every single question in it, with its place in the JSON."""

    def __str__(self) -> str:
        return self.say()


def _by_field(schema: dict[str, Any]) -> None:
    """What is read has to name its field: it tells which question is meant."""
    schema["required"] = ["field", *schema.get("required", [])]


class Question(Part):
    """A single question. Subclasses name their `field`, its `op`s and the type of the `value`."""

    model_config = ConfigDict(json_schema_extra=_by_field)

    title: ClassVar[str]
    #: The operators in words, as the form offers them: (yes, no).
    asks: ClassVar[Mapping[str, tuple[str, str]]]
    hint: ClassVar[str] = "With commas between them"
    #: The fact that somebody has to look up or read for it, by its name in `Facts`.
    needs: ClassVar[str] = ""
    #: Operators whose value is of another kind, each with the class that answers it.
    ways: ClassVar[Mapping[str, type["Question"]]] = {}

    field: str
    op: str
    value: Any

    def matches(self, facts: Facts) -> Hit | None:
        return Hit((self.say(),)) if self.holds(facts) else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return self.say(False, most)

    def questions(self, path: str = "") -> Iterator[tuple[str, "Question"]]:
        yield path, self

    def named(self) -> Mapping[str, list[str]]:
        """What it names that has to be there when the rule is saved: departments, lists, campaigns → short names."""
        return {}

    def typed(self) -> str:
        """The value as a person types it into the form; `from_typed` reads it back."""
        return ", ".join(_quoted(each) if set(each) & {",", '"'} else each for each in self.value)

    @classmethod
    def from_typed(cls, typed: str, op: str = "") -> Any:
        """What was typed as a value for this operator. Raises ValueError with a sentence."""
        return cls.ways[op].from_typed(typed, op) if op in cls.ways else cls.value_of(typed)

    @classmethod
    def value_of(cls, typed: str) -> Any:
        """What was typed: terms with commas or line breaks between them; in quotes when they hold a comma. Raises
        ValueError with a sentence."""
        try:
            fields = [each for line in csv.reader(typed.splitlines(), skipinitialspace=True) for each in line]
        except csv.Error:
            raise ValueError("This is too long to read.") from None
        return [each.strip() for each in fields if each.strip()]


class Among(Question):
    """The post has one of the values that are named: its network, its hashtags, the lists that its author is on. Where
    nobody looked, it has none."""

    @classmethod
    @abstractmethod
    def values_of(cls, facts: Facts) -> Iterable[str]:
        """What the post has."""

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.value)

    def holds(self, facts: Facts) -> bool:
        return not self.wanted.isdisjoint(self.values_of(facts))

    def anchors(self) -> frozenset[Sought] | None:
        return frozenset(Reading(type(self), each) for each in self.wanted)

    def check(self, index: Index) -> Check:
        numbers = frozenset(index.number(Reading(type(self), each)) for each in self.wanted)
        return lambda found, facts: not numbers.isdisjoint(found)


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'
