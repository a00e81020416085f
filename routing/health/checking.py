"""The health of the rules that a person may read, for its page."""

from dataclasses import dataclass

from departments.models import Department, User
from routing.actions import may_edit
from routing.health.findings import Finding, of_rules
from routing.health.history import Past, of_history, past
from routing.listing import lines_of
from routing.models import RuleSet, RuleSetVersion


@dataclass(frozen=True)
class Checked:
    """One rule set, and what was found in its live version: the gravest first."""

    rule_set: RuleSet
    version: RuleSetVersion
    findings: list[Finding]
    editable: bool

    @property
    def on(self) -> int:
        return sum(raw.get("on", True) for raw in self.version.rules)


def check(user: User) -> tuple[list[Checked], Past]:
    """Every live rule set that the person may read, and the decisions that were looked at."""
    seen = past(user)
    departments = {each.slug: each for each in Department.objects.open()}
    live = {each.rule_set_id: each for each in RuleSetVersion.objects.live()}
    sets = RuleSet.objects.visible_to(user).in_order().select_related("department")
    return [_checked(each, live[each.pk], user, seen, departments) for each in sets if each.pk in live], seen


def _checked(rule_set: RuleSet, version: RuleSetVersion, user: User, seen: Past, departments) -> Checked:
    hidden = {line.uid for line in lines_of(version, departments, user) if line.locked}
    certain = of_rules(version.rules)
    told = {(each.kind, each.uid) for each in certain}
    of_late = [each for each in of_history(version, seen, hidden=hidden) if (each.kind, each.uid) not in told]
    findings = sorted([*certain, *of_late], key=lambda each: not each.grave)
    return Checked(rule_set, version, findings, may_edit(user, rule_set))
