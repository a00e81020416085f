"""A version of a rule set, made ready to be asked for many posts.

All terms of a book are sought in a text in one go (Aho-Corasick), and so are its regular expressions (RE2). What was
found is a set of numbers; each rule is a function that looks into it, and into the facts. A rule that can not fit
unless one of its terms is there is only asked when one is: most rules are never asked. What comes out is what
`Part.holds` says of each rule, which tests hold against one another.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import ahocorasick_rs

from routing.conditions import Refused
from routing.facts import Facts
from routing.parts import Among, Check, Expression, Reading, Sought
from routing.regexes import Together
from routing.rules import Rule, load_one
from routing.words import Term

#: Terms that end in terms that end in terms …: so many may be found at one place of a text; those that would add to
#: that are sought each for itself. It bounds what a text made for it can cost.
DEEPEST = 4


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


class Search:
    """Everything that the rules of a book look for, numbered, each once; the numbers of what a text holds."""

    def __init__(self) -> None:
        self._numbers: dict[Sought, int] = {}

    def number(self, sought: Sought) -> int:
        return self._numbers.setdefault(sought, len(self._numbers))

    @cached_property
    def _terms(self) -> list[tuple[Term, int]]:
        return [(sought, number) for sought, number in self._numbers.items() if isinstance(sought, Term)]

    @cached_property
    def _single(self) -> list[tuple[Term, int]]:
        """Terms that are sought each for itself."""
        known = {term.folded for term, _ in self._terms}
        return [(term, number) for term, number in self._terms if _endings(term.folded, known) > DEEPEST]

    @cached_property
    def _at_once(self) -> list[tuple[Term, int]]:
        single = {number for _, number in self._single}
        return [(term, number) for term, number in self._terms if number not in single]

    @cached_property
    def _automaton(self) -> Any:
        return ahocorasick_rs.AhoCorasick([term.folded for term, _ in self._at_once], store_patterns=False)

    @cached_property
    def _expressions(self) -> tuple[Together, list[int]] | None:
        there = {sought.pattern: n for sought, n in self._numbers.items() if isinstance(sought, Expression)}
        return (Together([*there]), [*there.values()]) if there else None

    @cached_property
    def _readings(self) -> list[tuple[Callable[[Facts], Iterable[str]], dict[str, int]]]:
        numbers: dict[type[Among], dict[str, int]] = {}
        for sought, number in self._numbers.items():
            if isinstance(sought, Reading):
                numbers.setdefault(sought.of, {})[sought.value] = number
        return [(question.values_of, known) for question, known in numbers.items()]

    def found(self, facts: Facts) -> set[int]:
        """The numbers of what this post has: terms and expressions in its text, values of its facts."""
        found: set[int] = set()
        for values_of, numbers in self._readings:
            for value in values_of(facts):
                if value in numbers:
                    found.add(numbers[value])
        if self._at_once:
            self._seek(facts.words.folded, found)
        if self._single:
            found.update(number for term, number in self._single if facts.words.has(term))
        if self._expressions:
            together, numbers_of = self._expressions
            found.update(numbers_of[each] for each in together.found(facts.words))
        return found

    def _seek(self, text: str, found: set[int]) -> None:
        at_once, most = self._at_once, len(text)
        for place, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            term, number = at_once[place]
            # Most of what does not stand there is a part of another word: that is seen at a glance.
            if number in found or (end < most and text[end] in _PLAIN and text[end - 1] in _PLAIN):
                continue
            if term.stands_at(text, start):
                found.add(number)


def _endings(term: str, known: set[str]) -> int:
    """How many known terms it ends in."""
    return sum(term[start:] in known for start in range(1, len(term)))


class Book:
    """One version of a rule set, made ready. A stored rule that can not be read any more is left out and named in
    `broken`: uid → why."""

    def __init__(self, version: str, number: int, rules: Iterable[Rule | Any]):
        self.version, self.number = version, number
        self.rules: list[Rule] = []
        self.broken: dict[str, str] = {}
        self._search = Search()
        self._checks: dict[int, tuple[Check, Rule]] = {}
        self._by_found: dict[int, list[int]] = {}
        self._always: list[int] = []
        for each in rules:
            self._add(each)

    def _add(self, raw: Rule | Any) -> None:
        try:
            rule = raw if isinstance(raw, Rule) else load_one(raw)
        except Refused as refused:
            self.broken[str(raw.get("uid", "")) if isinstance(raw, Mapping) else ""] = str(refused)
            return
        self.rules.append(rule)
        if rule.on:
            self._index(len(self.rules) - 1, rule)

    def _index(self, place: int, rule: Rule) -> None:
        self._checks[place] = rule.when.check(self._search), rule
        anchors = rule.when.anchors()
        if anchors is None:
            self._always.append(place)
        for anchor in anchors or ():
            self._by_found.setdefault(self._search.number(anchor), []).append(place)

    @cached_property
    def asks(self) -> frozenset[str]:
        """The facts that have to be looked up or read for its rules, by their names in `Facts`."""
        return frozenset().union(*(rule.asks for rule in self.rules if rule.on))

    def fitting(self, facts: Facts) -> Iterator[Rule]:
        """The rules that fit, in order, as far as the first that stops. `ask` also names those that raise."""
        return iter(self.ask(facts)[0])

    def ask(self, facts: Facts) -> tuple[list[Rule], dict[str, str]]:
        """The rules that fit, in order, as far as the first that stops; and those that raised: uid → the error."""
        found = self._search.found(facts)
        fitting: list[Rule] = []
        raised: dict[str, str] = {}
        for place in self._with_a_chance(found):
            check, rule = self._checks[place]
            try:
                if not check(found, facts):
                    continue
            except Exception as error:  # whatever a rule does, the others are asked
                raised[rule.uid] = f"{type(error).__name__}: {error}"
                continue
            fitting.append(rule)
            if rule.then.stop:
                break
        return fitting, raised

    def _with_a_chance(self, found: set[int]) -> list[int]:
        """Places of the rules that may fit, in order."""
        there = self._by_found
        return sorted(set(self._always).union(*[there[number] for number in found if number in there]))
