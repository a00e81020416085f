"""Where a post goes, and why: rules and facts in, a verdict out. Pure: no database, no clock, nothing is changed. So
live routing, preview, back-test and shadow can not differ.

Two levels. The house's rules come first, in order: the first that places decides who leads; every rule that fits adds
its tags, its joining departments, and raises the priority; *stop* ends the list. Then the leading department's own
rules tag and raise the priority.

What no rule places goes where a model is sure that it belongs, if one read it (`Scores.labels`): sure enough is what
`RuleSets.thresholds` say. Where it takes a confidential department for the likeliest, that one gets it in any case:
better there once too often than in Triage before everybody's eyes. Everything else is for Triage.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from routing import saying
from routing.compiling import Book
from routing.facts import Facts
from routing.parts import Hit, Span
from routing.rules import PRIORITIES, Rule
from routing.scoring import UNREAD, Scores
from routing.scoring.said import NONE

TRIAGE = "triage"
#: What only a model can tell of a post, by the words of `Facts`.
READ = frozenset({"mood", "labels"})


@dataclass(frozen=True)
class Named:
    """What deciding has to know of a department."""

    name: str
    confidential: bool = False


@dataclass(frozen=True)
class RuleSets:
    """What is in force: the house's book, those of departments, and the open departments by slug."""

    house: Book
    departments: Mapping[str, Named]
    own: Mapping[str, Book] = field(default_factory=dict)
    # How likely a model has to find a department (or `none`) to place there; one that is not named never.
    thresholds: Mapping[str, float] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        return {slug: department.name for slug, department in self.departments.items()}

    @cached_property
    def asks_models(self) -> bool:
        """Whether a rule asks for what only a model can tell."""
        return any(book.asks & READ for book in (self.house, *self.own.values()))

    def name(self, slug: str) -> str:
        return self.departments[slug].name if slug in self.departments else slug

    def is_confidential(self, slug: str) -> bool:
        return slug in self.departments and self.departments[slug].confidential


@dataclass(frozen=True)
class Match:
    """A rule that fitted: of which version, why, and where in the text (worked out when somebody asks)."""

    rule: Rule
    version: str
    facts: Facts

    @cached_property
    def hit(self) -> Hit:
        return self.rule.when.matches(self.facts) or Hit()

    @cached_property
    def reason(self) -> str:
        """The end of a sentence: “the text contains “parcel””."""
        return " and ".join(self.hit.reasons)


class Broken(NamedTuple):
    """A rule that raised while it was asked. What it would have done was not done."""

    version: str
    uid: str
    name: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """What was decided of one post. `by` is the rule that gave it to `department`; None when it stayed where the thread
    lies, or when nothing fitted."""

    department: str
    source: str  # rule, model, thread or none
    name: str  # of the department
    facts: Facts
    matches: tuple[Match, ...] = ()
    by: Match | None = None
    joins: tuple[tuple[str, Match], ...] = ()
    probably_nothing: bool = False
    versions: tuple[str, ...] = ()
    # Why, where no rule decided; the end of a sentence.
    told: str = ""
    failed: bool = False
    # The model that read it, and its best two guesses, where they counted.
    model: str = ""
    guesses: tuple[tuple[str, float], ...] = ()
    # Rules that could not be asked; the others were.
    broken: tuple[Broken, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether no rule decided, and nothing else did: then a model is asked."""
        return self.source == "none" and self.by is None and not self.failed

    @property
    def reason(self) -> str:
        """Why, as the end of a sentence: “the text contains “parcel””."""
        return self.by.reason if self.by else self.told

    @cached_property
    def priority(self) -> int:
        return max((PRIORITIES[match.rule.then.priority] for match in self.matches), default=0)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tag for match in self.matches for tag in match.rule.then.tags))

    @property
    def label(self) -> str:
        """The few words that stand in the list."""
        if self.by:
            return self.by.rule.name
        if self.source == "model":
            return f"Reads like {'nobody’s' if self.probably_nothing else self.name}"
        if self.failed:
            return "Routing failed"
        return "Same thread" if self.source == "thread" else "Not sure" if self.guesses else "No rule fits"

    @property
    def because(self) -> str:
        """The decision as a sentence."""
        rule = self.by.rule.name if self.by else ""
        return saying.decision(self.source, rule, self.name, self.reason, self.probably_nothing)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Where in the text the deciding reason stands; when no rule decided, whatever any rule found."""
        hits = [self.by.hit] if self.by else [match.hit for match in self.matches]
        return tuple(sorted({span for hit in hits for span in hit.spans}))

    @property
    def also(self) -> tuple[Match, ...]:
        """The other rules that fitted, in order."""
        return tuple(match for match in self.matches if match is not self.by)


def decide(facts: Facts, rule_sets: RuleSets, scores: Scores = UNREAD, *, holder: str = "") -> Verdict:
    """Where this post goes. `holder` is the department that leads its conversation already: it stays there, and rules
    may still let others join, tag, and raise the priority."""
    facts = facts.as_read(scores)
    matches, broken = _ask(rule_sets.house, facts)
    verdict = _held(holder, matches, rule_sets, facts) if holder else _placed(matches, rule_sets, facts)
    if scores.labels and verdict.is_open:
        verdict = _guessed(verdict, scores, rule_sets)
    if scores.model:
        verdict = replace(verdict, model=scores.model)
    if broken:
        verdict = _with_broken(verdict, broken)
    own = rule_sets.own.get(verdict.department)
    if own is None:
        return verdict
    return _with_own(verdict, own)


def _ask(book: Book, facts: Facts) -> tuple[list[Match], tuple[Broken, ...]]:
    """The rules that fit, and those that could not be asked."""
    fitting, raised = book.ask(facts)
    matches = [Match(rule, book.version, facts) for rule in fitting]
    if not raised:
        return matches, ()
    names = {rule.uid: rule.name for rule in book.rules}
    return matches, tuple(Broken(book.version, uid, names[uid], why) for uid, why in raised.items())


def _with_broken(verdict: Verdict, broken: tuple[Broken, ...]) -> Verdict:
    """Where nothing placed it, one of these might have: the reason says so."""
    verdict = replace(verdict, broken=verdict.broken + broken)
    if verdict.source != "none":
        return verdict
    names = saying.listed(saying.quoted(each.name for each in broken), "and")
    return replace(verdict, told=f"{verdict.told}; {names} could not be asked ({broken[0].why})")


def _placed(matches: list[Match], rule_sets: RuleSets, facts: Facts) -> Verdict:
    by = next((match for match in matches if match.rule.then.places), None)
    joins = _joining(matches, rule_sets, without=by.rule.then.place if by else None)
    if secret := _confidential(by, joins, rule_sets):
        # A confidential department takes the conversation alone: no rule lets anybody else in.
        slug, by, joins = *secret, {}
    else:
        slug = (by.rule.then.place if by else None) or TRIAGE
    if by is None or slug not in rule_sets.departments:
        return _to_triage(matches, rule_sets, facts, by, joins)
    return Verdict(
        department=slug,
        source="rule",
        name=rule_sets.name(slug),
        facts=facts,
        matches=tuple(matches),
        by=by,
        joins=tuple(joins.items()),
        probably_nothing=by.rule.then.probably_nothing,
        versions=(rule_sets.house.version,),
    )


def _joining(matches: Sequence[Match], rule_sets: RuleSets, without: str | None) -> dict[str, Match]:
    """The departments that are asked to join, each with the first rule that asks it."""
    joins: dict[str, Match] = {}
    for match in matches:
        for slug in match.rule.then.join:
            if slug != without and slug in rule_sets.departments:
                joins.setdefault(slug, match)
    return joins


def _confidential(by: Match | None, joins: Mapping[str, Match], rule_sets: RuleSets) -> tuple[str, Match] | None:
    named = ([(by.rule.then.place, by)] if by and by.rule.then.place else []) + list(joins.items())
    return next(((slug, match) for slug, match in named if rule_sets.is_confidential(slug)), None)


def _to_triage(
    matches: list[Match], rule_sets: RuleSets, facts: Facts, by: Match | None, joins: Mapping[str, Match]
) -> Verdict:
    closed = f"the rule “{by.rule.name}” names the department “{by.rule.then.place}”, which is not open" if by else ""
    return Verdict(
        department=TRIAGE,
        source="none",
        name=rule_sets.name(TRIAGE),
        told=closed or "no rule fits",
        facts=facts,
        matches=tuple(matches),
        joins=tuple(joins.items()),
        versions=(rule_sets.house.version,),
    )


def _guessed(verdict: Verdict, scores: Scores, rule_sets: RuleSets) -> Verdict:
    """What no rule placed, where a model is sure enough that it belongs; else in Triage with its guesses."""
    guesses = tuple(each for each in scores.labels if each[0] == NONE or each[0] in rule_sets.departments)[:2]
    if not guesses:
        return verdict
    (best, sure), verdict = guesses[0], replace(verdict, guesses=guesses)
    if rule_sets.is_confidential(best):
        # It takes the conversation alone: no rule lets anybody else in.
        return _like(verdict, best, sure, rule_sets, joins=())
    if sure < rule_sets.thresholds.get(best, math.inf):
        unsure = f"no rule fits, and it is not sure what it reads like: {_said(guesses, rule_sets)}"
        return replace(verdict, told=unsure)
    if best == NONE:
        told = f"no rule fits, and the model is {saying.percent(sure)} sure that it is nobody’s"
        return replace(verdict, source="model", probably_nothing=True, told=told)
    return _like(verdict, best, sure, rule_sets, joins=tuple(each for each in verdict.joins if each[0] != best))


def _like(verdict: Verdict, slug: str, sure: float, rule_sets: RuleSets, joins: tuple) -> Verdict:
    name, percent = rule_sets.name(slug), saying.percent(sure)
    if sure >= rule_sets.thresholds.get(slug, math.inf):
        told = f"no rule fits, and the model is {percent} sure of it"
    else:
        told = f"no rule fits, and {name}, which works in confidence, is the likeliest ({percent})"
    return replace(verdict, source="model", department=slug, name=name, told=told, joins=joins)


def _said(guesses: Sequence[tuple[str, float]], rule_sets: RuleSets) -> str:
    names = ("nothing for anybody" if slug == NONE else rule_sets.name(slug) for slug, _ in guesses)
    return ", ".join(f"{name} {saying.percent(sure)}" for name, (_, sure) in zip(names, guesses, strict=True))


def _held(holder: str, matches: list[Match], rule_sets: RuleSets, facts: Facts) -> Verdict:
    name = rule_sets.name(holder)
    joins = _joining(matches, rule_sets, without=holder)
    alone = rule_sets.is_confidential(holder)
    allowed = {slug: by for slug, by in joins.items() if not (alone or rule_sets.is_confidential(slug))}
    return Verdict(
        department=holder,
        source="thread",
        name=name,
        told=f"it continues a conversation that lies in {name}",
        facts=facts,
        matches=tuple(matches),
        joins=tuple(allowed.items()),
        versions=(rule_sets.house.version,),
    )


def _with_own(verdict: Verdict, own: Book) -> Verdict:
    """The leading department's own rules add their tags and priority."""
    matches, broken = _ask(own, verdict.facts)
    return replace(
        verdict,
        matches=verdict.matches + tuple(matches),
        versions=(*verdict.versions, own.version),
        broken=verdict.broken + broken,
    )


# Why not ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class WhyNot:
    """One rule that leads to a department, and why it did not lead there; `fits` when only another stood in its way."""

    rule: str
    reason: str
    fits: bool = False


def why_not(department: str, facts: Facts, rule_sets: RuleSets, *, most: int | None = None) -> list[WhyNot]:
    """For each rule that leads to this department: what the post lacked, in words. Empty when no rule leads there, or
    when the post went there."""
    told: list[WhyNot] = []
    taken: Rule | None = None
    stopped: Rule | None = None
    for rule in rule_sets.house.rules:
        holds = _holds(rule, facts)
        fits = rule.on and stopped is None and holds is True
        if department in rule.then.departments:
            if fits and (taken is None or department in rule.then.join):
                return []
            told.append(WhyNot(rule.name, *_lacking(rule, facts, holds, taken, stopped, most)))
        taken = taken or (rule if fits and rule.then.places else None)
        stopped = stopped or (rule if fits and rule.then.stop else None)
    return told


def _holds(rule: Rule, facts: Facts) -> bool | str:
    """Whether it fits; a sentence when it can not be asked."""
    try:
        return rule.when.holds(facts)
    except Exception as error:  # whatever it is, the other rules have something to tell
        return f"it can not be asked ({type(error).__name__}: {error})"


def _lacking(
    rule: Rule, facts: Facts, holds: bool | str, taken: Rule | None, stopped: Rule | None, most: int | None
) -> tuple[str, bool]:
    if not rule.on:
        return "it is switched off", False
    if isinstance(holds, str):
        return holds, False
    if not holds:
        return rule.when.missing(facts, most), False
    if stopped is not None:
        return f"it fits, but the rule “{stopped.name}” stands before it and stops", True
    return f"it fits, but the rule “{taken.name}” stands before it" if taken else "it fits", True
