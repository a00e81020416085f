"""Questions about what was written: words and phrases, regular expressions, hashtags."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from routing import regexes
from routing.facts import Facts
from routing.parts import Among, Check, Expression, Hit, Index, Question, Sought, Span
from routing.questions.values import Names, Terms, wrong
from routing.saying import listed, quoted
from routing.words import Term, fold


def _usable(pattern: str) -> str:
    """An expression that RE2 takes and that is small enough to be sought in any text."""
    if not pattern.strip():
        raise wrong("This is empty.")
    try:
        regexes.compiled(pattern)
    except regexes.Unusable as why:
        raise wrong(f"RE2 can not use this expression: {why}.") from None
    if (steps := regexes.steps(pattern)) > regexes.MOST_STEPS:
        raise wrong(f"This expression has {steps:,} steps when it is spelt out; at most {regexes.MOST_STEPS} can be.")
    return pattern


class Regex(Question):
    """The text holds what a regular expression describes, by RE2."""

    title = "Text"
    asks = {"regex": ("matches", "does not match")}
    hint = "One expression of RE2, such as order\\W*\\d{6}; upper and lower case are the same"
    field: Literal["text"] = "text"
    op: Literal["regex"]
    value: Annotated[str, Field(max_length=regexes.LONGEST), AfterValidator(_usable)]

    def holds(self, facts: Facts) -> bool:
        return regexes.found(self.value, facts.words)

    def anchors(self) -> frozenset[Sought] | None:
        return frozenset([Expression(self.value)])

    def check(self, index: Index) -> Check:
        number = index.number(Expression(self.value))
        return lambda found, facts: number in found

    def matches(self, facts: Facts) -> Hit | None:
        if not self.holds(facts):
            return None
        places = regexes.places(self.value, facts.words)
        shown = [facts.text[start:end] for start, end in places[:1]]
        holding = f", in {listed(quoted(shown))}" if shown and len(shown[0]) <= 60 else ""
        return Hit((f"{self.say()}{holding}",), tuple(Span(start, end, self.value) for start, end in places))

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"the text {'matches' if yes else 'does not match'} the expression {self.value}"

    def typed(self) -> str:
        return self.value

    @classmethod
    def value_of(cls, typed: str) -> Any:
        return typed.strip()


class Text(Question):
    """Title and text hold a word or a phrase: whole words, whatever their case."""

    title = "Text"
    asks = {
        "any": ("contains any of", "contains none of"),
        "all": ("contains all of", "does not contain all of"),
        "starts": ("starts with", "does not start with"),
        **Regex.asks,
    }
    hint = "Words or phrases, with commas between them; a word is also found as a #hashtag, but not inside an @handle"
    ways: ClassVar = {"regex": Regex}

    field: Literal["text"] = "text"
    op: Literal["any", "all", "starts"]
    value: Terms

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return tuple(Term.of(each) for each in self.value)

    def anchors(self) -> frozenset[Sought] | None:
        if self.op == "all":
            return frozenset([max(self.terms, key=lambda term: len(term.folded))])
        return frozenset(self.terms)

    def check(self, index: Index) -> Check:
        numbers = frozenset(map(index.number, self.terms))
        match self.op:
            case "all":
                return lambda found, facts: numbers <= found
            case "any":
                return lambda found, facts: not numbers.isdisjoint(found)
        by_number = {index.number(term): term for term in self.terms}
        return lambda found, facts: any(facts.words.begins_with(by_number[each]) for each in numbers & found)

    def holds(self, facts: Facts) -> bool:
        words = facts.words
        if self.op == "all":
            return all(words.has(term) for term in self.terms)
        found = words.has if self.op == "any" else words.begins_with
        return any(found(term) for term in self.terms if term.key in words.tokens)

    def matches(self, facts: Facts) -> Hit | None:
        if not self.holds(facts):
            return None
        found = [(term, spans) for term in self.terms if (spans := list(self._spans(term, facts)))]
        spans = [Span(start, end, term.shown) for term, places in found for start, end in places]
        return Hit((f"the text {self._verb()} {listed(quoted(term.shown for term, _ in found), 'and')}",), tuple(spans))

    def _spans(self, term: Term, facts: Facts) -> Iterator[tuple[int, int]]:
        if self.op != "starts":
            yield from facts.words.spans(term) if term.key in facts.words.tokens else ()
        elif facts.words.begins_with(term):
            yield facts.words.written(0, len(term.folded))

    def _verb(self) -> str:
        return "starts with" if self.op == "starts" else "contains"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        if self.op != "all":
            return self.say(False, most)
        lacking = [term.shown for term in self.terms if not facts.words.has(term)]
        return f"the text does not contain {listed(quoted(lacking), most=most)}"

    def say(self, yes: bool = True, most: int | None = None) -> str:
        terms = listed(quoted(self.value), "and" if self.op == "all" else "or", most)
        if yes:
            return f"the text {self._verb()} {terms}"
        return f"the text does not {'start with' if self.op == 'starts' else 'contain'} {terms}"


class Hashtag(Among):
    title = "Hashtag"
    asks = {"any": ("is any of", "is none of")}
    field: Literal["hashtag"] = "hashtag"
    op: Literal["any"] = "any"
    value: Names

    @cached_property
    def terms(self) -> Mapping[str, Term]:
        return {fold(tag): Term.of(f"#{tag}") for tag in self.value}

    @cached_property
    def wanted(self) -> frozenset[str]:
        return frozenset(self.terms)

    @classmethod
    def values_of(cls, facts: Facts) -> frozenset[str]:
        return facts.hashtags

    def matches(self, facts: Facts) -> Hit | None:
        found = [self.terms[tag] for tag in self.terms if tag in facts.hashtags]
        spans = [Span(*place, term.shown) for term in found for place in facts.words.spans(term)]
        return Hit((f"it carries {listed([term.shown for term in found], 'and')}",), tuple(spans)) if found else None

    def say(self, yes: bool = True, most: int | None = None) -> str:
        tags = listed([f"#{tag}" for tag in self.value], most=most)
        return f"it carries {tags}" if yes else f"it does not carry {tags}"
