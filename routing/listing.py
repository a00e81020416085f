"""What the page of rules shows: every set that a person may read, its rules as sentences, and how often each fitted."""

from dataclasses import dataclass, field

from departments.access import rights
from departments.models import Department, User
from routing.actions import may_edit
from routing.conditions import Refused
from routing.models import Decision, RuleSet, RuleSetVersion
from routing.rules import Rule, load_one

#: Terms of one list that a sentence on the page names.
TERMS = 4


@dataclass
class Line:
    """One rule on the page. `hits` is None where the person may not count: what is confidential leaves no figure."""

    number: int
    uid: str
    name: str
    on: bool = True
    rule: Rule | None = None
    broken: str = ""
    hits: int | None = None
    locked: bool = False
    place: Department | None = None
    joins: list[Department] = field(default_factory=list)

    @property
    def when(self) -> str:
        return self.rule.when.say(most=TERMS) if self.rule else ""


@dataclass
class Section:
    """One rule set on the page."""

    rule_set: RuleSet
    version: RuleSetVersion | None
    lines: list[Line]
    editable: bool


def sections(user: User) -> list[Section]:
    """The house's rules, then those of departments, as far as the person may read them."""
    departments = {each.slug: each for each in Department.objects.open()}
    hits = Decision.objects.visible_to(user).hits()
    live = {each.rule_set_id: each for each in RuleSetVersion.objects.live().select_related("published_by")}
    found, number = [], 0
    for rule_set in RuleSet.objects.visible_to(user).in_order().select_related("department"):
        version = live.get(rule_set.pk)
        lines = lines_of(version, departments, user, hits, first=number + 1) if version else []
        number += len(lines)
        found.append(Section(rule_set, version, lines, may_edit(user, rule_set)))
    return found


def lines_of(version: RuleSetVersion, departments: dict[str, Department], user: User, hits=None, first=1) -> list[Line]:
    """The rules of one version as lines of the page."""
    return [
        _line(number, raw, departments, user, hits if version.state == "live" else None)
        for number, raw in enumerate(version.rules, start=first)
    ]


def _line(number: int, raw: dict, departments: dict[str, Department], user: User, hits: dict | None) -> Line:
    line = Line(number, raw["uid"], raw["name"], raw.get("on", True))
    try:
        line.rule = load_one(raw)
    except Refused as refused:
        line.broken = str(refused)
        return line
    then = line.rule.then
    line.place = departments.get(then.place or "")
    line.joins = [departments[slug] for slug in then.join if slug in departments]
    line.locked = any(not _seen(user, departments[slug]) for slug in then.departments if slug in departments)
    if hits is not None and not line.locked:
        line.hits = hits.get(line.uid, 0)
    return line


def _seen(user: User, department: Department) -> bool:
    """Whether the person may know what a department holds; nobody but its own people may of a confidential one."""
    return not department.confidential or department.pk in rights(user).roles


def may_begin(user: User) -> list[Department]:
    """Departments without rules of their own for which the person could begin some."""
    without = Department.objects.open().filter(is_triage=False, rule_set=None)
    return [each for each in without if may_edit(user, RuleSet(department=each))]
