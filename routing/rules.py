"""A routing rule: when it fits and what it then does, as it is stored in a version of a rule set."""

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from routing.conditions import Condition, Refused, as_json, measure, problems_of
from routing.saying import listed, quoted

MOST_RULES = 2000
PRIORITIES = {"": 0, "high": 1, "urgent": 2}


def _trimmed(words: list[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(word.split()) for word in words if word.strip()))


Slug = Annotated[str, Field(max_length=50, pattern=r"^[-\w]+$")]
Tags = Annotated[list[Annotated[str, Field(max_length=50)]], Field(max_length=20), AfterValidator(_trimmed)]


class Then(BaseModel):
    """What a rule does. The first rule that places decides who leads; the rest adds up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: Slug | None = None
    join: Annotated[list[Slug], Field(max_length=10), AfterValidator(_trimmed)] = []
    priority: Literal["", "high", "urgent"] = ""
    tags: Tags = []
    # To Triage, in the tab of what is confidently nobody's.
    probably_nothing: bool = False
    stop: bool = False

    @property
    def places(self) -> bool:
        return self.place is not None or self.probably_nothing

    @property
    def departments(self) -> list[str]:
        """Departments that the rule leads to: as the lead, or by joining."""
        return ([self.place] if self.place else []) + self.join

    def say(self, names: Mapping[str, str]) -> str:
        """What is done, in words: “place in Customer service, R&D joins, urgent, and stop”."""
        said = [
            *([f"place in {names.get(self.place, self.place)}"] if self.place else []),
            *(["keep it in Triage as probably nothing"] if self.probably_nothing else []),
            *([f"{listed((names.get(slug, slug) for slug in self.join), 'and')} {self._joins()}"] if self.join else []),
            *([f"{self.priority} priority"] if self.priority else []),
            *([f"tag {listed(quoted(self.tags), 'and')}"] if self.tags else []),
        ]
        return ", ".join(said) + ((", and stop" if said else "stop there") if self.stop else "")

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

    def say(self, names: Mapping[str, str], most: int | None = None) -> str:
        """The whole rule as a sentence."""
        return f"If {self.when.say(most=most)}, {self.then.say(names)}."


_rule = TypeAdapter(Rule)


def read_rule(data: Any, departments: Mapping[str, str], *, own: bool = False) -> Rule:
    """The rule that this JSON says.

    `departments` are the open ones, slug → name; `own` says that it is for a department's own set, which may raise the
    priority and tag, but not move work elsewhere. Raises Refused with each place and what is wrong there.
    """
    if isinstance(data, Mapping):
        measure(data.get("when"))
    if not storable(data):
        raise Refused({"": "A rule can not hold a NUL character or half a character."})
    rule = load_one(data)
    if problems := _unusable(rule.then, departments, own):
        raise Refused(problems)
    return rule


def read_rules(data: Any, departments: Mapping[str, str], *, own: bool = False) -> list[Rule]:
    """The rules that this JSON says, in their order. Raises Refused; the places then begin with the rule's number."""
    if not isinstance(data, list) or len(data) > MOST_RULES:
        raise Refused({"rules": f"Send a list of at most {MOST_RULES:,} rules."})
    rules, problems = [], {}
    for number, each in enumerate(data):
        try:
            rules.append(read_rule(each, departments, own=own))
        except Refused as refused:
            problems |= {f"rules.{number}.{place}".rstrip("."): why for place, why in refused.problems.items()}
    if len({rule.uid for rule in rules}) < len(rules):
        problems["rules"] = "Two rules have the same uid."
    if problems:
        raise Refused(problems)
    return rules


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


def _unusable(then: Then, departments: Mapping[str, str], own: bool) -> dict[str, str]:
    problems = {}
    if own and (then.departments or then.probably_nothing):
        problems["then.place"] = "A department’s own rules tag and raise the priority; they do not move work elsewhere."
    if strange := [slug for slug in then.departments if slug not in departments]:
        where = "then.place" if then.place in strange else "then.join"
        problems[where] = f"There is no open department {listed(quoted(strange))}."
    if then.place and then.probably_nothing:
        problems["then.probably_nothing"] = "What is probably nothing stays in Triage; it can not be placed as well."
    if then.place in then.join:
        problems["then.join"] = "The department that leads can not join as well."
    if not (then.departments or then.probably_nothing or then.priority or then.tags or then.stop):
        problems["then"] = "The rule does nothing yet; say what it does."
    return problems
