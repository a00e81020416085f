"""Rules as YAML, to keep them elsewhere, to look at them in an editor, to carry them into another house. What comes
back is read as rules are read that come by the API; nothing but plain values is made of it."""

import re
from typing import Any

import yaml

from routing.conditions import Refused
from routing.models import RuleSetVersion

MOST_BYTES = 1_000_000
#: A rule's groups lie six deep, each in a list of its own; twice that is no rule.
DEEPEST = 40


def as_yaml(version: RuleSetVersion) -> str:
    """A version's rules, with a line that says where they are from."""
    head = f"# {version}, {version.get_state_display().lower()}"
    why = f": {version.why}" if version.why else ""
    return f"{head}{why}\n" + yaml.dump({"rules": version.rules}, Dumper=_Dumper, allow_unicode=True, sort_keys=False)


def rules_in(text: str | bytes) -> list[Any]:
    """The list of rules that this YAML holds, as JSON; whether they are rules is found when they are drafted. Raises
    Refused with the line at which it can not be read."""
    if len(text) > MOST_BYTES:
        raise Refused({"file": f"This is larger than {MOST_BYTES // 1000:,} kB."})
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        _look(text)
        said = yaml.load(text, Loader=_Loader)  # noqa: S506 - makes plain values alone
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Refused({"file": _sentence(error)}) from None
    rules = said.get("rules") if isinstance(said, dict) else said
    if not isinstance(rules, list):
        raise Refused({"file": "There is no list of rules in it. It begins with “rules:”, and each rule with a dash."})
    return rules


def told(refused: Refused, rules: Any) -> list[str]:
    """What is wrong with rules that were read, a sentence each, with the rule's number and name and the place in it."""
    return [_placed(place, why, rules) for place, why in refused.problems.items()]


def _placed(place: str, why: str, rules: Any) -> str:
    found = re.fullmatch(r"rules\.(\d+)\.?(.*)", place)
    if not found:
        return why
    number, inner = int(found[1]), found[2]
    rule = rules[number] if isinstance(rules, list) and number < len(rules) else None
    name = f" (“{rule['name']}”)" if isinstance(rule, dict) and isinstance(rule.get("name"), str) else ""
    return f"Rule {number + 1}{name[:100]}{f', {inner}' if inner else ''}: {why}"


def _sentence(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "it is no YAML in UTF-8"
    return f"Line {mark.line + 1}, column {mark.column + 1}: {what}." if mark else f"It can not be read: {what}."


class _Dumper(yaml.CSafeDumper):
    """Never the short signs by which a part stands for another."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Loader(yaml.CSafeLoader):
    """Plain values alone, and each as it is written: `on` is a word and no truth, 18:00 no number, a day no date."""

    yaml_implicit_resolvers: dict = {}


def _look(text: str) -> None:
    """A part can not stand for another, by which a small file would become a huge one; and too deep is refused before
    anything walks down by recursion."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="a part that stands for another is not read", problem_mark=event.start_mark
            )
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="this lies too deep", problem_mark=event.start_mark)


for _tag, _form, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]{0,18})", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_form})$"), list(_first))
