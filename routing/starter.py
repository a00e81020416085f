"""The rules that every house begins with (`starter_rules.json`): plain words in several languages for the departments
of the presets. They are meant to be right where they place, and to leave the rest to Triage."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction

from departments.models import Department
from routing import actions
from routing.models import RuleSet

_FILE = Path(__file__).with_name("starter_rules.json")


@cache
def shipped() -> list[dict[str, Any]]:
    """All of them, in order, as JSON."""
    return json.loads(_FILE.read_text())


def fitting(slugs: set[str]) -> list[dict[str, Any]]:
    """Those that a house with these departments can carry out: a rule whose department is not there is left out, and
    nobody is asked to join who is not there."""
    rules = []
    for rule in shipped():
        then = rule["then"]
        if then.get("place") is None or then["place"] in slugs:
            rules.append(rule | {"then": then | {"join": [slug for slug in then.get("join", []) if slug in slugs]}})
    return rules


@transaction.atomic
def found(*, by: actions.By) -> RuleSet:
    """The house's rule set with the starter rules in force; when rules are in force already, as they stand."""
    rule_set = actions.found_rule_set(by=by)
    if rule_set.live is None:
        slugs = set(Department.objects.open().values_list("slug", flat=True))
        actions.publish(rule_set, fitting(slugs), by=by, why="The rules every house begins with")
    return rule_set
