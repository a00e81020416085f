"""A version of a rule set, made ready to be asked for many posts.

All terms of a book are sought in a text in one go (Aho-Corasick), and so are its regular expressions (RE2). What was
found is a set of numbers; each rule is a function that looks into it, and into the facts. A rule that can not fit
unless one of its terms is there is only asked when one is: most rules are never asked. What comes out is what
`Part.holds` says of each rule, which tests hold against one another.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import ahocorasick_rs

from routing.conditions import Refused
from routing.facts import Facts
from routing.parts import Check, Expression, Sought
from routing.regexes import Together
from routing.rules import Rule, load_one
from routing.words import Term, Words

#: Terms that end in terms that end in terms …: so many may be found at one place of a text; those that would add to
#: that are sought each for itself. It bounds what a text made for it can cost.
DEEPEST = 8


class Search:
    """Everything that the rules of a book look for, numbered, each once; the numbers of what a text holds."""

    def __init__(self) -> None:
        self._numbers: dict[Sought, int] = {}

    def number(self, sought: Sought) -> int:
        return self._numbers.setdefault(sought, len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

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

    def found(self, words: Words) -> set[int]:
        """The numbers of the terms and expressions that this text holds."""
        found: set[int] = set()
        text, at_once = words.folded, self._at_once
        if text and at_once:
            for place, start, _ in self._automaton.find_matches_as_indexes(text, overlapping=True):
                term, number = at_once[place]
                if number not in found and term.stands_at(text, start):
                    found.add(number)
        found.update(number for term, number in self._single if words.has(term))
        if self._expressions:
            together, numbers = self._expressions
            found.update(numbers[each] for each in together.found(words))
        return found


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
        self._checks: dict[int, Check] = {}
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
        self._checks[place] = rule.when.check(self._search)
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
        found = self._search.found(facts.words) if len(self._search) else set()
        fitting: list[Rule] = []
        raised: dict[str, str] = {}
        for place in self._with_a_chance(found):
            rule = self.rules[place]
            try:
                fits = self._checks[place](found, facts)
            except Exception as error:  # whatever a rule does, the others are asked
                raised[rule.uid] = f"{type(error).__name__}: {error}"
                continue
            if fits:
                fitting.append(rule)
                if rule.then.stop:
                    break
        return fitting, raised

    def _with_a_chance(self, found: set[int]) -> list[int]:
        chance = set(self._always)
        for number in found:
            if number in self._by_found:
                chance.update(self._by_found[number])
        return sorted(chance)
