"""A routing rule: when it fits and what it then does, as it is stored in a version of a rule set."""

import json
import uuid
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from routing import regexes
from routing.conditions import Condition, Refused, as_json, measure, problems_of
from routing.questions import Regex
from routing.saying import listed, quoted, span_of

MOST_RULES = 2000
PRIORITIES = {"": 0, "high": 1, "urgent": 2}


def _trimmed(words: list[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))


#: A rule may put something off for so many minutes.
LONGEST_SNOOZE = 60 * 24 * 90

Slug = Annotated[str, Field(max_length=50, pattern=r"^[-\w]+$")]
Username = Annotated[str, Field(min_length=1, max_length=150)]
Tags = Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=20), AfterValidator(_trimmed)]


class Then(BaseModel):
    """What a rule does. The first rule that places decides who leads, the first that assigns who gets it, and the first
    that puts off for how long; the rest adds up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Slug | None = None
    join: Annotated[list[Slug], Field(max_length=10), AfterValidator(_trimmed)] = []
    priority: Literal["", "high", "urgent"] = ""
    tags: Tags = []
    # To Triage, in the tab of what is confidently nobody's.
    probably_nothing: bool = False
    # To whom of the leading department's people, by username.
    assign: Username | None = None
    # It is resolved as spam, and nobody is asked.
    spam: bool = False
    # For so many minutes.
    snooze: Annotated[int, Field(ge=1, le=LONGEST_SNOOZE)] | None = None
    # Replies need somebody else's approval.
    approval: bool = False
    # Who is told at once, by username.
    notify: Annotated[list[Username], Field(max_length=20), AfterValidator(_trimmed)] = []
    stop: bool = False

    @property
    def does(self) -> bool:
        """Whether it does anything at all."""
        return any(value not in (None, "", [], False) for _, value in self)

    @property
    def places(self) -> bool:
        return self.place is not None or self.probably_nothing

    @property
    def departments(self) -> list[str]:
        """Departments that the rule leads to: as the lead, or by joining."""
        return ([self.place] if self.place else []) + self.join

    def say(self, names: Mapping[str, str]) -> str:
        """What is done, in words: “place in Customer service, R&D joins, urgent, and stop”. `names` are those of
        departments, by slug, and may be those of people, by username."""
        said = list(self._said(names))
        return ", ".join(said) + ((", and stop" if said else "stop there") if self.stop else "")

    def _said(self, names: Mapping[str, str]) -> Iterator[str]:
        if self.place:
            yield f"place in {names.get(self.place, self.place)}"
        if self.probably_nothing:
            yield "keep it in Triage as probably nothing"
        if self.spam:
            yield "resolve it as spam"
        if self.join:
            yield f"{listed((names.get(slug, slug) for slug in self.join), 'and')} {self._joins()}"
        if self.assign:
            yield f"assign it to {names.get(self.assign, self.assign)}"
        if self.priority:
            yield f"{self.priority} priority"
        if self.tags:
            yield f"tag {listed(quoted(self.tags), 'and')}"
        if self.snooze:
            yield f"put it off for {span_of(self.snooze)}"
        if self.approval:
            yield "replies need approval"
        if self.notify:
            yield f"tell {listed((names.get(name, name) for name in self.notify), 'and')}"

    def _joins(self) -> str:
        return "join" if len(self.join) > 1 else "joins"


def _name(name: str) -> str:
    return " ".join(name.split())


class Rule(BaseModel):
    """When → then. `uid` stays the same from version to version, so that a rule can be followed through its changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uid: Annotated[str, Field(max_length=36, pattern=r"^[-\w]+$", default_factory=lambda: str(uuid.uuid4()))]
    name: Annotated[str, AfterValidator(_name), Field(min_length=1, max_length=80)]
    on: bool = True
    when: Condition
    then: Then

    @property
    def asks(self) -> frozenset[str]:
        """The facts that have to be looked up or read before it can be asked, by their names in `Facts`."""
        return frozenset(question.needs for _, question in self.when.questions() if question.needs)

    def say(self, names: Mapping[str, str], most: int | None = None) -> str:
        """The whole rule as a sentence."""
        return f"If {self.when.say(most=most)}, {self.then.say(names)}."


_rule = TypeAdapter(Rule)


@dataclass(frozen=True)
class Known:
    """What a rule may name. `departments` are the open ones, slug → name; `people` are those whom it may assign and
    tell, by username; `lists` and `campaigns` by slug."""

    departments: Mapping[str, str]
    people: Set[str] = frozenset()
    lists: Set[str] = frozenset()
    campaigns: Set[str] = frozenset()


def read_rule(data: Any, known: Known, *, own: bool = False) -> Rule:
    """The rule that this JSON says.

    `own` says that it is for a department's own set, which sees to the department's own work, but does not move work
    elsewhere. Raises Refused with each place and what is wrong there.
    """
    if isinstance(data, Mapping):
        measure(data.get("when"))
    if not storable(data):
        raise Refused({"": "A rule can not hold a NUL character or half a character."})
    rule = load_one(data)
    if problems := _strange(rule, known) | _too_slow(rule) | _unusable(rule.then, known, own):
        raise Refused(problems)
    return rule


def read_rules(data: Any, known: Known, *, own: bool = False) -> list[Rule]:
    """The rules that this JSON says, in their order. Raises Refused; the places then begin with the rule's number."""
    if not isinstance(data, list) or len(data) > MOST_RULES:
        raise Refused({"rules": f"Send a list of at most {MOST_RULES:,} rules."})
    rules, problems = [], {}
    for number, each in enumerate(data):
        try:
            rules.append(read_rule(each, known, own=own))
        except Refused as refused:
            problems |= {f"rules.{number}.{place}".rstrip("."): why for place, why in refused.problems.items()}
    if len({rule.uid for rule in rules}) < len(rules):
        problems["rules"] = "Two rules have the same uid."
    if problems:
        raise Refused(problems)
    return rules


def schema() -> dict[str, Any]:
    """The form of a list of stored rules as JSON Schema, for those who write one elsewhere. What it can not say (how
    deep groups lie, that a department is there, that RE2 takes an expression) is said when they are read."""
    said = TypeAdapter(Annotated[list[Rule], Field(max_length=MOST_RULES)]).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rules", **said}


def storable(data: Any) -> bool:
    """Whether PostgreSQL can hold it: neither NUL nor half a surrogate pair."""
    try:
        written = json.dumps(data, ensure_ascii=False)
        return bool(written.encode()) and "\\u0000" not in written
    except (TypeError, ValueError):
        return False


def stored(rule: Rule) -> dict[str, Any]:
    """The rule as it is kept in a version."""
    return rule.model_dump(mode="json", exclude={"when"}) | {"when": as_json(rule.when)}


# A list of stored rules, changed at one place; the list that was given stays as it is.
def put(rules: list[Any], rule: dict[str, Any]) -> list[Any]:
    """The rule in the place of the one with its uid; a new one at the end."""
    if any(each["uid"] == rule["uid"] for each in rules):
        return [rule if each["uid"] == rule["uid"] else each for each in rules]
    return [*rules, rule]


def without(rules: list[Any], uid: str) -> list[Any]:
    return [each for each in rules if each["uid"] != uid]


def switched(rules: list[Any], uid: str, on: bool) -> list[Any]:
    return [each | {"on": on} if each["uid"] == uid else each for each in rules]


def moved(rules: list[Any], uid: str, steps: int) -> list[Any]:
    """The rule that many places further down (up when negative), as far as the list goes."""
    place = next(number for number, each in enumerate(rules) if each["uid"] == uid)
    rest = without(rules, uid)
    rest.insert(max(0, place + steps), rules[place])
    return rest


def load_one(data: Any) -> Rule:
    """A rule of a stored version, which was read when it was published: departments are not asked about again. Raises
    Refused when it can not be read any more."""
    try:
        return _rule.validate_python(data)
    except ValidationError as error:
        raise Refused(problems_of(error)) from None


#: What a condition may name, as it is called.
_CALLED = {"departments": "open department", "lists": "list of people", "campaigns": "campaign"}


def _strange(rule: Rule, known: Known) -> dict[str, str]:
    """What a condition names and is not there."""
    problems = {}
    for path, question in rule.when.questions("when"):
        for kind, names in question.named().items():
            if strange := [name for name in names if name not in getattr(known, kind)]:
                problems[f"{path}.value"] = f"There is no {_CALLED[kind]} {listed(quoted(strange))}."
    return problems


def _too_slow(rule: Rule) -> dict[str, str]:
    """Each expression is small enough for itself; together they may still take too long."""
    expressions = [question.value for _, question in rule.when.questions() if isinstance(question, Regex)]
    if (steps := sum(map(regexes.steps, set(expressions)))) <= regexes.MOST_STEPS:
        return {}
    most = regexes.MOST_STEPS
    return {"when": f"The expressions of this rule have {steps:,} steps when spelt out; one rule may have {most}."}


def _unusable(then: Then, known: Known, own: bool) -> dict[str, str]:
    problems = {}
    if own and (then.departments or then.probably_nothing or then.spam):
        where = "then.place" if then.departments or then.probably_nothing else "then.spam"
        problems[where] = "A department’s own rules see to its own work; they do not move work elsewhere."
    if strange := [slug for slug in then.departments if slug not in known.departments]:
        where = "then.place" if then.place in strange else "then.join"
        problems[where] = f"There is no open department {listed(quoted(strange))}."
    if then.place and then.probably_nothing:
        problems["then.probably_nothing"] = "What is probably nothing stays in Triage; it can not be placed as well."
    if then.place in then.join:
        problems["then.join"] = "The department that leads can not join as well."
    if then.spam and (then.departments or then.assign or then.snooze or then.probably_nothing):
        problems["then.spam"] = "Spam is resolved at once; nobody gets it, and it is not put off."
    for where, names in (("then.assign", [then.assign] if then.assign else []), ("then.notify", then.notify)):
        if nobody := [name for name in names if name not in known.people]:
            problems[where] = f"{listed(quoted(nobody))} {_is_nobody(nobody)} here whom this rule could name."
    if not then.does:
        problems["then"] = "The rule does nothing yet; say what it does."
    return problems


def _is_nobody(names: list[str]) -> str:
    return "is nobody" if len(names) == 1 else "are nobody"
