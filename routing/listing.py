"""What the page of rules shows: every set that a person may read, its rules as sentences, and how often each fitted."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from departments.access import rights
from departments.models import Department, User
from routing.actions import may_edit
from routing.breaking import broken_of
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
    # Why it can not be read any more; the error it raised when it was asked.
    broken: str = ""
    raised: str = ""
    hits: int | None = None
    locked: bool = False
    place: Department | None = None
    joins: list[Department] = field(default_factory=list)
    # Of people that it names, by username.
    people: dict[str, str] = field(default_factory=dict)

    @property
    def when(self) -> str:
        return self.rule.when.say(most=TERMS) if self.rule else ""

    @property
    def does(self) -> list[str]:
        """What it does besides placing, joining and stopping, in words."""
        alone: dict[str, Any] = {"place": None, "join": [], "probably_nothing": False, "stop": False}
        said = self.rule.then.model_copy(update=alone).say(self.people) if self.rule else ""
        return [said] if said else []

    @property
    def words(self) -> str:
        """All that the filter looks through: the name and the whole sentence, with every term."""
        then = " ".join([*self.rule.then.tags, *self.rule.then.departments]) if self.rule else ""
        return f"{self.name} {self.rule.when.say() if self.rule else ''} {then}".casefold()


@dataclass
class Section:
    """One rule set on the page: its live rules, or a draft of them; and what else is under way."""

    rule_set: RuleSet
    version: RuleSetVersion | None
    lines: list[Line]
    editable: bool
    drafts: list[RuleSetVersion] = field(default_factory=list)
    shadow: RuleSetVersion | None = None
    #: How many rules there are, whichever of them the filter shows.
    whole: int = 0

    @property
    def query(self) -> str:
        """What the addresses of its verbs end with."""
        return f"?draft={self.version.number}" if self.version and self.version.state == "draft" else ""


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to: rules that say these words, and lead to this department (by slug)."""

    words: str = ""
    department: str = ""

    def __bool__(self) -> bool:
        return bool(self.words.strip() or self.department)

    def shows(self, line: Line) -> bool:
        leads = not self.department or (line.rule is not None and self.department in line.rule.then.departments)
        return leads and all(word in line.words for word in self.words.casefold().split())


def sections(user: User, only: RuleSetVersion | None = None, wanted: Filter = Filter()) -> list[Section]:
    """The house's rules, then those of departments, as far as the person may read them; of a draft, itself alone."""
    found = [_drafted(user, only)] if only else _live(user)
    for section in found:
        section.whole = len(section.lines)
        section.lines = [line for line in section.lines if wanted.shows(line)] if wanted else section.lines
    return found


def _drafted(user: User, draft: RuleSetVersion) -> Section:
    departments = {each.slug: each for each in Department.objects.open()}
    return Section(draft.rule_set, draft, lines_of(draft, departments, user), editable=True)


def _live(user: User) -> list[Section]:
    departments = {each.slug: each for each in Department.objects.open()}
    hits = Decision.objects.visible_to(user).hits()
    live = {each.rule_set_id: each for each in RuleSetVersion.objects.live().select_related("published_by")}
    waiting = _under_way(user)
    found, number = [], 0
    for rule_set in RuleSet.objects.visible_to(user).in_order().select_related("department"):
        version = live.get(rule_set.pk)
        lines = lines_of(version, departments, user, hits, first=number + 1) if version else []
        number += len(lines)
        found.append(Section(rule_set, version, lines, may_edit(user, rule_set)))
        for each in waiting.get(rule_set.pk, []):
            if each.state == RuleSetVersion.State.SHADOW:
                found[-1].shadow = each
            elif found[-1].editable:
                found[-1].drafts.append(each)
    return found


def _under_way(user: User) -> dict[UUID, list[RuleSetVersion]]:
    """Drafts and shadows of the sets that the person may read, the newest first."""
    states = (RuleSetVersion.State.DRAFT, RuleSetVersion.State.SHADOW)
    waiting = RuleSetVersion.objects.filter(state__in=states, rule_set__in=RuleSet.objects.visible_to(user))
    by_set: dict[UUID, list[RuleSetVersion]] = {}
    for each in waiting.defer("rules").select_related("created_by").order_by("-number"):
        by_set.setdefault(each.rule_set_id, []).append(each)
    return by_set


def lines_of(version: RuleSetVersion, departments: dict[str, Department], user: User, hits=None, first=1) -> list[Line]:
    """The rules of one version as lines of the page."""
    raised, people = broken_of(version), _people_of(version)
    lines = [
        _line(number, raw, departments, user, hits if version.state == "live" else None)
        for number, raw in enumerate(version.rules, start=first)
    ]
    for line in lines:
        line.raised, line.people = raised.get(line.uid, ""), people
    return lines


def _people_of(version: RuleSetVersion) -> dict[str, str]:
    """The people whom its rules name: username → name. Where they name nobody, nobody is asked about."""
    done = [raw["then"] for raw in version.rules if isinstance(raw.get("then"), dict)]
    named = {name for then in done for name in (then.get("assign"), *(then.get("notify") or [])) if name}
    return {each.username: str(each) for each in User.objects.filter(username__in=named)} if named else {}


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
