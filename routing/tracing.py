"""The way of one post through the rules, step by step, and what would have sent it elsewhere. Pure, like deciding.

A condition is read with its negations pushed down to the questions (“none of a, b” is “not a and not b”), so that each
step either fits or is what is lacking. Then the fewest questions that would have to be answered otherwise follow by
walking up: all parts of an `all`, the cheapest of an `any`. Questions are taken to be independent of one another; a way
is told only after the whole list of rules was walked again with these answers and led there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from routing.conditions import All, Not, Some
from routing.deciding import TRIAGE, RuleSets, Verdict, decide
from routing.facts import Facts
from routing.parts import Hit, Part, Question, Span
from routing.rules import Rule
from routing.scoring import UNREAD, Scores

#: Rules that lead to one department and are tried as the nearest way there.
NEAREST = 4
#: A question that every post answers alike: no other answer can be had.
_CERTAIN = "post"


# One condition --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """A part of a condition before one post: a question, or a group (`joined` is “all” or “any”) with its steps.

    `said` is the part in words, `because` what was found or what is lacking; `yes` is False where the rule wants the
    contrary of the question."""

    part: Part
    holds: bool
    said: str
    because: str = ""
    spans: tuple[Span, ...] = ()
    children: tuple["Step", ...] = ()
    joined: str = ""
    yes: bool = True

    @property
    def key(self) -> str:
        """The same for the same question, wherever it stands."""
        question = cast(Question, self.part)
        return f"{question.field} {question.op} {question.value!r}"

    def leaves(self) -> Iterator["Step"]:
        """Its questions, in order."""
        if not self.joined:
            yield self
        for child in self.children:
            yield from child.leaves()


def steps(part: Part, facts: Facts, *, yes: bool = True, most: int | None = None) -> Step:
    """The condition (its contrary when not `yes`) before this post, step by step."""
    match part:
        case Not():
            return steps(part.part, facts, yes=not yes, most=most)
        case All() | Some():
            return _group(part, facts, yes, most)
        case _:
            return _question(part, facts, yes, most)


def _group(part: All | Some, facts: Facts, yes: bool, most: int | None) -> Step:
    every = isinstance(part, All) is yes
    children = tuple(steps(each, facts, yes=yes, most=most) for each in part.parts)
    holds = all(each.holds for each in children) if every else any(each.holds for each in children)
    return Step(part, holds, part.say(yes, most), children=children, joined="all" if every else "any", yes=yes)


def _question(part: Part, facts: Facts, yes: bool, most: int | None) -> Step:
    hit = part.matches(facts)
    holds, said = (hit is not None) is yes, part.say(yes, most)
    if holds:
        return Step(part, True, said, _reasons(hit) or said, hit.spans if hit and yes else (), yes=yes)
    if yes:
        return Step(part, False, said, part.missing(facts, most), yes=yes)
    # What the rule excludes stands in the text: that is where to look.
    return Step(part, False, said, f"{_reasons(hit)}, which the rule excludes", hit.spans if hit else (), yes=yes)


def _reasons(hit: Hit | None) -> str:
    return " and ".join(hit.reasons) if hit else ""


# What would change it -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Change:
    """A question that would have to be answered otherwise."""

    step: Step
    holds: bool

    @property
    def said(self) -> str:
        """What would be so then: “the text contains “journalist””."""
        return self.step.part.say(self.step.yes is self.holds, 4)

    @property
    def answer(self) -> tuple[str, bool]:
        """Question → its answer then, whichever of the two the rule wants."""
        return self.step.key, self.step.yes is self.holds


def cheapest(step: Step, wanted: bool) -> tuple[Change, ...] | None:
    """The fewest questions that would have to be answered otherwise for this step to hold (or not); None when no
    answers would do, or none were found: a question that stands in several places may contradict itself."""
    way = _cheapest(step, wanted)
    return way if way is not None and would_hold(step, answers_of(way)) is wanted else None


def answers_of(way: Iterable[Change]) -> dict[str, bool]:
    return dict(change.answer for change in way)


def _cheapest(step: Step, wanted: bool) -> tuple[Change, ...] | None:
    if step.holds is wanted:
        return ()
    if not step.joined:
        certain = getattr(step.part, "field", "") == _CERTAIN
        return None if certain else (Change(step, wanted),)
    ways = [_cheapest(child, wanted) for child in step.children]
    if (step.joined == "all") is wanted:
        return _all_of(ways)
    return min((way for way in ways if way is not None), key=len, default=None)


def _all_of(ways: Sequence[tuple[Change, ...] | None]) -> tuple[Change, ...] | None:
    """Every one of these ways together; None when one is closed, or when two want the contrary of one another."""
    together: dict[str, tuple[bool, Change]] = {}
    for way in ways:
        if way is None:
            return None
        for change in way:
            key, answer = change.answer
            if together.setdefault(key, (answer, change))[0] is not answer:
                return None
    return tuple(change for _, change in together.values())


def would_hold(step: Step, answers: Mapping[str, bool]) -> bool:
    """Whether it would hold if these questions were answered like that, and the others as they are."""
    if not step.joined:
        return answers[step.key] is step.yes if step.key in answers else step.holds
    told = (would_hold(child, answers) for child in step.children)
    return all(told) if step.joined == "all" else any(told)


# The list of rules ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Walked:
    """One rule on the way. `came`: “places” (it decided), “fits” (it adds to that), “late” (it fits, and would place,
    but another did before), “not” (it does not fit), “unasked” (a rule before it stops), “off”, “broken” (it raised).
    """

    number: int
    rule: Rule
    came: str
    step: Step | None = None
    because: str = ""

    @property
    def fits(self) -> bool:
        return self.came in ("places", "fits", "late")


@dataclass(frozen=True)
class Way:
    """How the post would have come to `department`: by this rule, if these questions had been answered otherwise.
    `before` are the rules that would have to let it pass first."""

    department: str
    rule: Rule | None
    changes: tuple[Change, ...]
    before: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Trace:
    """The whole way: the verdict, each rule of the house, those of the department where it ended, and what would have
    changed it."""

    verdict: Verdict
    house: tuple[Walked, ...]
    own: tuple[Walked, ...] = ()
    broken: tuple[str, ...] = ()
    elsewhere: tuple[Way, ...] = ()
    loose: tuple[Way, ...] = ()
    closed: tuple[str, ...] = field(default=())


def trace(facts: Facts, rule_sets: RuleSets, scores: Scores = UNREAD, *, most: int | None = 4) -> Trace:
    """The way of this post through these rules. `most`: how many terms of a list are named."""
    verdict = decide(facts, rule_sets, scores)
    facts = verdict.facts
    by = verdict.by.rule.uid if verdict.by else ""
    house = tuple(walk(rule_sets.house.rules, facts, by=by, most=most))
    own = rule_sets.own.get(verdict.department)
    others = [slug for slug in rule_sets.departments if slug not in (verdict.department, TRIAGE)]
    ways = {slug: way_to(slug, house, rule_sets) for slug in others}
    return Trace(
        verdict,
        house,
        tuple(walk(own.rules, facts, by="", most=most)) if own else (),
        tuple(rule_sets.house.broken.values()) + (tuple(own.broken.values()) if own else ()),
        tuple(sorted((way for way in ways.values() if way), key=lambda way: len(way.changes))),
        tuple(ways_out(house, rule_sets)),
        tuple(slug for slug, way in ways.items() if way is None),
    )


def walk(rules: Iterable[Rule], facts: Facts, *, by: str, most: int | None = None) -> Iterator[Walked]:
    """Each rule in order, with what became of it; `by` is the uid of the one that decided."""
    stopped = False
    for number, rule in enumerate(rules, start=1):
        walked = _walked(number, rule, facts, by, stopped, most)
        stopped = stopped or (walked.fits and rule.then.stop)
        yield walked


def _walked(number: int, rule: Rule, facts: Facts, by: str, stopped: bool, most: int | None) -> Walked:
    try:
        step = steps(rule.when, facts, most=most)
    except Exception as error:  # a broken rule is shown, whatever broke it
        return Walked(number, rule, "broken", because=f"{type(error).__name__}: {error}")
    if not rule.on:
        return Walked(number, rule, "off", step)
    if stopped:
        return Walked(number, rule, "unasked", step)
    if not step.holds:
        return Walked(number, rule, "not", step)
    return Walked(number, rule, "places" if rule.uid == by else "late" if rule.then.places else "fits", step)


def lands(house: Iterable[Walked], rule_sets: RuleSets, answers: Mapping[str, bool]) -> tuple[str, Rule | None]:
    """Where the post would go with these answers, and by which rule. A confidential department takes it alone, whether
    a rule places it there or asks it to join."""
    by: Rule | None = None
    joins: dict[str, Rule] = {}
    for each in house:
        if each.step is None or each.came == "off" or not would_hold(each.step, answers):
            continue
        by = by or (each.rule if each.rule.then.places else None)
        for slug in each.rule.then.join:
            joins.setdefault(slug, each.rule)
        if each.rule.then.stop:
            break
    named = ([(by.then.place, by)] if by and by.then.place else []) + list(joins.items())
    secret = next(((slug, rule) for slug, rule in named if rule_sets.is_confidential(slug)), None)
    return secret or ((by.then.place if by and by.then.place in rule_sets.departments else None) or TRIAGE, by)


def way_to(department: str, house: Sequence[Walked], rule_sets: RuleSets) -> Way | None:
    """The way to this department that asks for the fewest other answers; None when no rule leads there by any."""
    found = [way for rule in house if (way := _way_by(rule, department, house))]
    for way in sorted(found, key=lambda way: len(way.changes))[:NEAREST]:
        if lands(house, rule_sets, answers_of(way.changes))[0] == department:
            return way
    return None


def _way_by(wanted: Walked, department: str, house: Sequence[Walked]) -> Way | None:
    if wanted.rule.then.place != department or wanted.step is None or wanted.came == "off":
        return None
    there = cheapest(wanted.step, True)
    if there is None:
        return None
    answers = answers_of(there)
    # What the rule asks for may by itself be what keeps an earlier one from taking it.
    before = [each for each in house[: wanted.number - 1] if _stands_before(each, answers)]
    together = _all_of([there, *(cheapest(each.step, False) for each in before if each.step)])
    return Way(department, wanted.rule, together, tuple(each.rule for each in before)) if together else None


def _stands_before(each: Walked, answers: Mapping[str, bool]) -> bool:
    in_the_way = each.fits and (each.rule.then.places or each.rule.then.stop)
    return in_the_way and each.step is not None and would_hold(each.step, answers)


def ways_out(house: Sequence[Walked], rule_sets: RuleSets) -> Iterator[Way]:
    """What single answers would have kept the deciding rule from taking it, and where it would have gone then."""
    by = next((each for each in house if each.came == "places"), None)
    if by is None or by.step is None:
        return
    for leaf in {leaf.key: leaf for leaf in by.step.leaves() if leaf.holds}.values():
        way = cheapest(leaf, False)
        if way and not would_hold(by.step, answers := answers_of(way)):
            department, rule = lands(house, rule_sets, answers)
            yield Way(department, rule, way)
