"""Conditions as logic: which can never fit, which always do, and which fit only where another one does. Pure.

A condition is written as clauses (any of them, and in each all of its claims: the disjunctive normal form), as far as
that stays small. What is said then is certain; of what it can not tell it says nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import inf
from typing import Any

from routing.words import Term, Words

#: A condition with more clauses is too wide to be told anything of.
MOST_CLAUSES = 64
#: A post has one of these at most, so two different ones exclude each other.
_SINGLE = {"network", "kind", "channel", "visibility", "lang", "mood"}
_NUMBERS = {"followers", "rating", "author_messages", "similar"}
#: A post may have several of these at once.
_SEVERAL = {"hashtag", "trait", "author", "author_list", "campaign", "hours"}


@dataclass(frozen=True)
class Claim:
    """What one question claims of a post, or (not `yes`) its contrary."""

    field: str
    op: str
    value: Any  # hashable: a frozenset of words, a pair of bounds, or JSON
    yes: bool = True

    def negated(self) -> "Claim":
        return replace(self, yes=not self.yes)

    def as_json(self) -> Any:
        """The claim as a stored condition, to be said in words."""
        said = {"field": self.field, "op": self.op, "value": self._plain()}
        return said if self.yes else {"not": said}

    def _plain(self) -> Any:
        if self.field in _NUMBERS:
            return _number_asked(self.op, self.value)
        return sorted(self.value) if isinstance(self.value, frozenset) else json.loads(self.value)


Clause = frozenset[Claim]


def clauses(condition: Any, yes: bool = True) -> list[Clause] | None:
    """The condition (or its contrary) as clauses that can be true, in JSON as it is stored; empty when none can; None
    when they are too many."""
    found = _clauses(condition, yes)
    return None if found is None else [clause for clause in found if clash(clause) is None]


def _clauses(condition: Mapping[str, Any], yes: bool) -> list[Clause] | None:
    if "not" in condition:
        return _clauses(condition["not"], not yes)
    if "all" in condition:
        return _every(condition["all"], yes) if yes else _one_of(condition["all"], yes)
    if "any" in condition and "field" not in condition:
        return _one_of(condition["any"], yes) if yes else _every(condition["any"], yes)
    return _question(condition, yes)


def _one_of(parts: Iterable[Any], yes: bool) -> list[Clause] | None:
    found: list[Clause] = []
    for part in parts:
        if (more := _clauses(part, yes)) is None or len(found) + len(more) > MOST_CLAUSES:
            return None
        found += more
    return found


def _every(parts: Iterable[Any], yes: bool) -> list[Clause] | None:
    found: list[Clause] = [frozenset()]
    for part in parts:
        if (more := _clauses(part, yes)) is None or len(found) * len(more) > 4 * MOST_CLAUSES:
            return None
        joined = (one | other for one, other in product(found, more))
        found = [*dict.fromkeys(clause for clause in joined if clash(clause) is None)]
    return found if len(found) <= MOST_CLAUSES else None


def _question(asked: Mapping[str, Any], yes: bool) -> list[Clause]:
    field, op, value = asked["field"], asked["op"], asked["value"]
    if field == "post":
        return [frozenset()] if yes else []
    if field == "text" and op in ("any", "all"):
        return _words(value, op, yes)
    return [frozenset([Claim(field, op, _hashable(field, op, value), yes)])]


def _words(terms: list[str], op: str, yes: bool) -> list[Clause]:
    """One claim that some word is there, or one for each word that is (or is not)."""
    each = [Claim("text", "any", frozenset([term]), yes) for term in terms]
    if op == "any":
        return [frozenset([Claim("text", "any", frozenset(terms))])] if yes else [frozenset(each)]
    return [frozenset(each)] if yes else [frozenset([claim]) for claim in each]


def _hashable(field: str, op: str, value: Any) -> Any:
    if field in _NUMBERS:
        return _bounds(op, value)
    if field in _SINGLE | _SEVERAL or (field, op) == ("text", "starts"):
        return frozenset(value)
    return json.dumps(value, sort_keys=True)


def _bounds(op: str, value: Any) -> tuple[float, float]:
    match op:
        case "at_least":
            return value, inf
        case "below":
            return -inf, value - 1
        case "at_most":
            return -inf, value
    return value[0], value[1]


def _number_asked(op: str, bounds: tuple[float, float]) -> Any:
    least, most = bounds
    return {"at_least": least, "below": most + 1, "at_most": most}.get(op, [least, most])


# What excludes what, and what follows from what --------------------------------------------------------------------
def clash(clause: Clause) -> tuple[Claim, Claim] | None:
    """Two claims that can not both be true, when there are such; what only three exclude together is not seen."""
    claims = sorted(clause, key=repr)
    for place, one in enumerate(claims):
        for other in claims[place + 1 :]:
            if _exclude(one, other):
                return one, other
    return None


def _exclude(one: Claim, other: Claim) -> bool:
    if one.field != other.field:
        return False
    if one.yes and other.yes:
        return _apart(one, other)
    return one.yes != other.yes and follows(*((one, other.negated()) if one.yes else (other, one.negated())))


def _apart(one: Claim, other: Claim) -> bool:
    """Whether two positive claims about the same can not both hold."""
    if one.field in _NUMBERS:
        return max(one.value[0], other.value[0]) > min(one.value[1], other.value[1])
    if one.field in _SINGLE:
        return not any(_covers(a, b) or _covers(b, a) for a, b in product(one.value, other.value))
    return False


def follows(one: Claim, other: Claim) -> bool:
    """Whether the second holds wherever the first does."""
    if one.field != other.field:
        return False
    if one.yes and other.yes:
        return _within(one, other)
    if one.yes:
        return _apart(one, other.negated())
    return not other.yes and _within(other.negated(), one.negated())


def _within(one: Claim, other: Claim) -> bool:
    if one == other:
        return True
    if one.field == "text":
        return _text_within(one, other)
    if one.field in _NUMBERS:
        return other.value[0] <= one.value[0] and one.value[1] <= other.value[1]
    if one.field in _SINGLE | _SEVERAL:
        return all(any(_covers(wide, narrow) for wide in other.value) for narrow in one.value)
    return False


def _text_within(one: Claim, other: Claim) -> bool:
    if "regex" in (one.op, other.op) or (other.op == "starts" and one.op != "starts"):
        return False
    if other.op == "starts":
        return one.value <= other.value
    return all(any(_holds(narrow, wide) for wide in other.value) for narrow in one.value)


def _covers(wide: str, narrow: str) -> bool:
    """`pt` asks for `pt-br` too."""
    return wide == narrow or narrow.startswith(f"{wide}-")


@lru_cache(maxsize=100_000)
def _holds(narrow: str, wide: str) -> bool:
    """Whether a text with the one term always has the other: “late parcel” has “parcel”."""
    return narrow == wide or Words(narrow).has(Term.of(wide))


# Whole conditions ------------------------------------------------------------------------------------------------
def never(condition: Any) -> tuple[Claim, Claim] | bool:
    """Whether no post can fit: two claims that exclude each other, or True where there is no such pair to show."""
    if clauses(condition) != []:
        return False
    return clash(frozenset(_claims(condition, True))) or True


def _claims(condition: Mapping[str, Any], yes: bool) -> Iterable[Claim]:
    """All claims of the condition thrown together, for finding a pair to show."""
    if "not" in condition:
        yield from _claims(condition["not"], not yes)
    elif "field" in condition:
        for clause in _question(condition, yes):
            yield from clause
    else:
        for part in condition.get("all", condition.get("any", [])):
            yield from _claims(part, yes)


def always(condition: Any) -> bool:
    """Whether every post fits."""
    return clauses(condition, yes=False) == []


def implies(narrow: Any, wide: Any) -> bool:
    """Whether every post that fits the one certainly fits the other as well. False also where it can not be told."""
    ones, others = clauses(narrow), clauses(wide)
    if not ones or others is None:
        return False
    return all(any(_clause_within(one, other) for other in others) for one in ones)


def _clause_within(one: Clause, other: Clause) -> bool:
    return all(any(follows(claim, wanted) for claim in one) for wanted in other)
