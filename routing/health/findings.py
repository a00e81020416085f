"""What is wrong with a list of rules by itself, before a single post is looked at. Pure: stored rules in, findings out.

What is said is certain: a rule that can never fit, one that always does, one that an earlier one always takes before,
two that say the same. `history.py` tells what only posts can tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from routing.conditions import Refused, read_condition
from routing.health import logic
from routing.rules import Then, load_one, switched, without
from routing.saying import listed

#: What a change button may do: switch a rule off, delete it, or put it before another one.
OFF, DELETE, BEFORE = "off", "delete", "before"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one rule: what, how it is known, and what would mend it. `change` is what a button
    does in a draft (`other` is the rule it is about); empty: only a person can."""

    kind: str
    uid: str
    name: str
    evidence: str
    advice: str
    change: str = ""
    other: str = ""
    other_name: str = ""
    on_history: bool = False

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def grave(self) -> bool:
        """Whether the rule does nothing, or takes what is another's."""
        return self.kind in ("never", "always", "shadowed", "broken")


TITLES = {
    "broken": "Can not be read",
    "never": "Can never fit",
    "always": "Always fits",
    "shadowed": "Never gets its turn",
    "same": "Says the same twice",
    "unused": "Never fitted",
    "overlap": "Two departments want the same posts",
    "overruled": "Often overruled by people",
}


def of_rules(rules: Sequence[dict[str, Any]]) -> list[Finding]:
    """Everything that is certain about these stored rules, in their order."""
    found, on = [], []
    for raw in rules:
        if not raw.get("on", True):
            continue
        if (broken := _broken(raw)) is not None:
            found.append(broken)
            continue
        if alone := _alone(raw, last=raw is rules[-1]):
            found.append(alone)
        elif behind := next(_behind(raw, on), None):
            found.append(behind)
        on.append(raw)
    return found


def _broken(raw: dict[str, Any]) -> Finding | None:
    try:
        load_one(raw)
        return None
    except Refused as refused:
        advice = "Write it anew, or delete it: as it stands, it is left out."
        return Finding("broken", raw.get("uid", ""), raw.get("name", ""), str(refused), advice, DELETE)


def _alone(raw: dict[str, Any], last: bool) -> Finding | None:
    """What is wrong with it whatever stands beside it."""
    if pair := logic.never(raw["when"]):
        return finding("never", raw, _excluding(pair), "Change one of the two conditions, or delete the rule.", DELETE)
    if not last and logic.always(raw["when"]) and _takes_all(raw):
        evidence = "Whatever is said, one of its conditions holds, and rules stand below it."
        return finding("always", raw, evidence, "Make it the last rule, or ask for more.", BEFORE)
    return None


def _excluding(pair: Any) -> str:
    if pair is True:
        return "Its conditions exclude each other."
    return f"It asks that {listed((_said(claim) for claim in pair), 'and that')}: both at once can not be."


def _said(claim: logic.Claim) -> str:
    return read_condition(claim.as_json()).say(most=3)


def _takes_all(raw: dict[str, Any]) -> bool:
    then = Then(**raw["then"])
    return then.stop or then.places


def _behind(raw: dict[str, Any], before: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Earlier rules that leave this one nothing to do."""
    for earlier in before:
        if not logic.implies(raw["when"], earlier["when"]):
            continue
        if earlier["then"].get("stop"):
            evidence = f"Every post that fits it fits “{earlier['name']}” first, and that one stops."
            yield finding("shadowed", raw, evidence, _higher(earlier), BEFORE, earlier)
        elif _same(raw, earlier):
            evidence = f"“{earlier['name']}” fits whatever it fits, and does the same."
            yield finding("same", raw, evidence, "Delete one of the two.", DELETE, earlier)
        elif Then(**earlier["then"]).places and only_places(raw):
            evidence = f"Every post that fits it is placed by “{earlier['name']}” before, and placing is all it does."
            yield finding("shadowed", raw, evidence, _higher(earlier), BEFORE, earlier)


def _higher(earlier: dict[str, Any]) -> str:
    return f"Put it before “{earlier['name']}”, or delete it."


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return Then(**one["then"]) == Then(**other["then"])


def only_places(raw: dict[str, Any]) -> bool:
    """Whether to place is all that the rule does."""
    then = Then(**raw["then"])
    return then.places and not then.model_copy(update={"place": None, "probably_nothing": False}).does


def finding(
    kind: str,
    raw: dict[str, Any],
    evidence: str,
    advice: str,
    change: str = "",
    other: dict[str, Any] | None = None,
    on_history: bool = False,
) -> Finding:
    """A finding about a stored rule, and about another one where there is one."""
    uid, name = (other["uid"], other["name"]) if other else ("", "")
    return Finding(kind, raw["uid"], raw["name"], evidence, advice, change, uid, name, on_history)


def changed(rules: Sequence[dict[str, Any]], change: str, uid: str, other: str = "") -> list[dict[str, Any]]:
    """The rules with one of the changes that findings advise. Raises KeyError when a rule is not there, or when there
    is no such change."""
    by_uid = {each["uid"]: each for each in rules}
    rule, rest = by_uid[uid], without([*rules], uid)
    if change == OFF:
        return switched([*rules], uid, False)
    if change == DELETE:
        return rest
    if change == BEFORE:  # with no other one: to the end
        place = rest.index(by_uid[other]) if other else len(rest)
        return [*rest[:place], rule, *rest[place:]]
    raise KeyError(change)
