"""The condition of a rule: a tree of `all`, `any` and `not` over single questions (`questions.py`).

Stored as JSON and read through `read_condition`, which refuses what it does not know: a question that nobody
understands can not be saved, and never silently fits.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError

from routing.facts import Facts
from routing.parts import Check, Hit, Index, Part, Question, Reading, Sought
from routing.questions import QUESTIONS
from routing.saying import listed

DEEPEST = 6
MOST_QUESTIONS = 50


class Refused(ValueError):
    """What was written is no condition, or no rule. `problems`: where → why, a sentence each."""

    def __init__(self, problems: Mapping[str, str]):
        super().__init__(" ".join(dict.fromkeys(problems.values())))
        self.problems = dict(problems)


class All(Part):
    """Every part fits."""

    parts: Annotated[list["Condition"], Field(alias="all", min_length=1)]

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.parts)

    def matches(self, facts: Facts) -> Hit | None:
        hits = []
        for part in self.parts:
            if (hit := part.matches(facts)) is None:
                return None
            hits.append((part, hit))
        # That something is absent explains little where something else is there.
        positive = [hit for part, hit in hits if not isinstance(part, Not)]
        return _together(positive or [hit for _, hit in hits])

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return "; ".join(dict.fromkeys(part.missing(facts, most) for part in self.parts if not part.holds(facts)))

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return _grouped(self.parts, "and" if yes else "or", yes, most)

    def anchors(self) -> frozenset[Sought] | None:
        known = [anchors for part in self.parts if (anchors := part.anchors()) is not None]
        return min(known, key=_frequent, default=None)

    def check(self, index: Index) -> Check:
        return _every([part.check(index) for part in self.parts])

    def questions(self, path: str = "") -> Iterator[tuple[str, Question]]:
        for number, part in enumerate(self.parts):
            yield from part.questions(f"{path}.all.{number}")


class Some(Part):
    """At least one part fits."""

    parts: Annotated[list["Condition"], Field(alias="any", min_length=1)]

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.parts)

    def matches(self, facts: Facts) -> Hit | None:
        hits = [hit for part in self.parts if (hit := part.matches(facts))]
        return _together(hits) if hits else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        return "; ".join(dict.fromkeys(part.missing(facts, most) for part in self.parts))

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return _grouped(self.parts, "or" if yes else "and", yes, most)

    def anchors(self) -> frozenset[Sought] | None:
        anchors = [part.anchors() for part in self.parts]
        known = [each for each in anchors if each is not None]
        return frozenset().union(*known) if len(known) == len(anchors) else None

    def check(self, index: Index) -> Check:
        return _some([part.check(index) for part in self.parts])

    def questions(self, path: str = "") -> Iterator[tuple[str, Question]]:
        for number, part in enumerate(self.parts):
            yield from part.questions(f"{path}.any.{number}")


class Not(Part):
    """The part does not fit."""

    part: Annotated["Condition", Field(alias="not")]

    def holds(self, facts: Facts) -> bool:
        return not self.part.holds(facts)

    def matches(self, facts: Facts) -> Hit | None:
        return Hit((self.say(),)) if self.holds(facts) else None

    def missing(self, facts: Facts, most: int | None = None) -> str:
        hit = self.part.matches(facts)
        return f"{listed(hit.reasons, 'and')}, which the rule excludes" if hit else ""

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return self.part.say(not yes, most)

    def check(self, index: Index) -> Check:
        inner = self.part.check(index)
        return lambda found, facts: not inner(found, facts)

    def questions(self, path: str = "") -> Iterator[tuple[str, Question]]:
        yield from self.part.questions(f"{path}.not")


def _frequent(anchors: frozenset[Sought]) -> int:
    """How many posts have one of them, roughly: a network or language is far more frequent than a word."""
    return sum(1000 if isinstance(each, Reading) else 1 for each in anchors)


def _every(checks: list[Check]) -> Check:
    """Two are the usual case, and are spared the loop."""
    if len(checks) == 2:
        one, two = checks
        return lambda found, facts: one(found, facts) and two(found, facts)

    def every(found: set[int], facts: Facts) -> bool:
        for check in checks:  # noqa: SIM110 (a generator costs more than all that it asks)
            if not check(found, facts):
                return False
        return True

    return every if len(checks) > 1 else checks[0]


def _some(checks: list[Check]) -> Check:
    if len(checks) == 2:
        one, two = checks
        return lambda found, facts: one(found, facts) or two(found, facts)

    def some(found: set[int], facts: Facts) -> bool:
        for check in checks:  # noqa: SIM110
            if check(found, facts):
                return True
        return False

    return some if len(checks) > 1 else checks[0]


def _together(hits: list[Hit]) -> Hit:
    reasons = dict.fromkeys(reason for hit in hits for reason in hit.reasons)
    return Hit(tuple(reasons), tuple(sorted({span for hit in hits for span in hit.spans})))


def _grouped(parts: list["Condition"], word: str, yes: bool, most: int | None) -> str:
    said = [part.say(yes, most) for part in parts]
    if len(said) == 1:
        return said[0]
    bracketed = [f"({text})" if isinstance(part, All | Some) else text for part, text in zip(parts, said, strict=True)]
    return f", {word} ".join(bracketed)


GROUPS: dict[str, type[All | Some | Not]] = {"all": All, "any": Some, "not": Not}
#: Each class by its word; one that answers an operator of its own by both: “text regex”.
WAYS: dict[str, type[Question]] = {
    f"{field} {op}": way for field, question in QUESTIONS.items() for op, way in question.ways.items()
}


def _what(value: Any) -> str | None:
    """Which part of a tree this is: JSON on its way in, a part on its way out."""
    if isinstance(value, Question):
        return _asked(value.field, value.op)
    if isinstance(value, Part):
        return next(word for word, cls in GROUPS.items() if isinstance(value, cls))
    if not isinstance(value, Mapping):
        return None
    field = next((word for word in GROUPS if word in value), value.get("field"))
    return _asked(field, value.get("op")) if isinstance(field, str) else None


def _asked(field: str, op: Any) -> str:
    return f"{field} {op}" if f"{field} {op}" in WAYS else field


if TYPE_CHECKING:
    Condition = Part
else:
    Condition = Annotated[
        Union[tuple(Annotated[cls, Tag(word)] for word, cls in (GROUPS | QUESTIONS | WAYS).items())],  # noqa: UP007
        Discriminator(
            _what,
            custom_error_type="unknown",
            custom_error_message=f"There is no such condition; there are {listed([*GROUPS, *QUESTIONS], 'and')}.",
        ),
    ]
for _group in GROUPS.values():
    _group.model_rebuild()
_adapter: TypeAdapter[Part] = TypeAdapter(Condition)


def read_condition(data: Any) -> Part:
    """The condition that this JSON says. Raises Refused, with each place and what is wrong there."""
    measure(data)
    try:
        return _adapter.validate_python(data)
    except ValidationError as error:
        raise Refused(problems_of(error)) from None


def as_json(condition: Part) -> Any:
    """The condition as it is stored."""
    return _adapter.dump_python(condition, mode="json", by_alias=True)


def schema() -> dict[str, Any]:
    """The form of a stored condition as JSON Schema, for those who build one elsewhere."""
    return _adapter.json_schema(by_alias=True)


def measure(data: Any) -> None:
    """Too deep or too many is refused before anything walks down by recursion."""
    questions, waiting = 0, [(data, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > DEEPEST:
            raise Refused({"": f"Groups lie more than {DEEPEST} deep in one another."})
        inner = list(_inner(part))
        questions += not inner
        if questions > MOST_QUESTIONS:
            raise Refused({"": f"A rule asks at most {MOST_QUESTIONS} questions."})
        waiting += [(each, depth + 1) for each in inner]


def _inner(part: Any) -> Iterator[Any]:
    if isinstance(part, Mapping):
        for word in GROUPS:
            below = part.get(word)
            yield from below if isinstance(below, list) else [below] * (below is not None)


def problems_of(error: ValidationError) -> dict[str, str]:
    """Where → why, of what pydantic found: the place as a path in the JSON, the reason as a sentence."""
    found: dict[str, str] = {}
    for each in error.errors(include_url=False):
        found.setdefault(_path(each["loc"]), _sentence(each))
    return found


def _path(places: tuple[int | str, ...]) -> str:
    """Without the names of the union’s members, which stand before each part and are in no JSON."""
    kept: list[str] = []
    tag = False
    for place in places:
        # After a whole part (an index of a list, or `not`) comes its tag, then the place in it.
        tag = not tag and place in _TAGS and (not kept or kept[-1].isdigit() or kept[-1] in ("not", "when"))
        if not tag:
            kept.append(str(place))
    return ".".join(kept)


_TAGS = frozenset([*GROUPS, *QUESTIONS, *WAYS])


def _sentence(error: Any) -> str:
    known = _SENTENCES.get(error["type"])
    message = known.format_map(error.get("ctx", {})) if known else error["msg"]
    return message[:1].upper() + message[1:].rstrip(".") + "."


#: What pydantic says in words for programmers.
_SENTENCES = {
    "missing": "This is missing.",
    "extra_forbidden": "Nothing is known by this name.",
    "too_short": "Name at least one.",
    "too_long": "Name at most {max_length}.",
    "string_too_long": "This is longer than {max_length} characters.",
    "string_too_short": "This is empty.",
    "int_parsing": "This is no whole number.",
    "int_type": "This is no whole number.",
    "float_parsing": "This is no number.",
    "float_type": "This is no number.",
    "greater_than": "This is not more than {gt}.",
    "greater_than_equal": "This is less than {ge}.",
    "less_than_equal": "This is more than {le}.",
    "list_type": "This is no list.",
    "string_type": "This is no text.",
    "literal_error": "This is none of {expected}.",
}
