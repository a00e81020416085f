"""What people fill in about rules. The condition is a tree of rows: a question with its terms, or a group of rows."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from connectors.contract import KINDS
from departments.models import Department
from routing.conditions import All, Not, Refused, Some, as_json, read_condition
from routing.parts import Part, Question
from routing.questions import QUESTIONS
from routing.rules import Rule
from routing.saying import NETWORKS, network_name

#: How the rows of a group are joined: word → (what the form says, the JSON made of the rows).
JOINS = {
    "all": ("All of", lambda rows: {"all": rows}),
    "any": ("Any of", lambda rows: {"any": rows}),
    "none": ("None of", lambda rows: {"not": {"any": rows}}),
    "not all": ("Not all of", lambda rows: {"not": {"all": rows}}),
}


def _asks() -> Iterator[tuple[str, str]]:
    """Everything that a row may ask: “text any not” → “Text contains none of”."""
    for name, question in QUESTIONS.items():
        for op, words in question.asks.items():
            for suffix, word in zip(("", " not"), words, strict=True):
                yield f"{name} {op}{suffix}", f"{question.title} {word}"


ASKS = dict(_asks())


@dataclass
class Row:
    """A row of the condition as it stands in the form: a group (`join`) or a question (`ask` and what was typed)."""

    key: str
    inside: str = ""
    join: str = ""
    ask: str = ""
    typed: str = ""
    problem: str = ""
    rows: list["Row"] = field(default_factory=list)
    is_new: bool = False

    @property
    def hint(self) -> str:
        return QUESTIONS[self.ask.split()[0]].hint

    @property
    def asks_nothing(self) -> bool:
        return self.ask.startswith("post ")

    def read(self) -> Any:
        """The JSON of this row, as far as it is right; what is wrong stands in `problem`, of this row or one in it."""
        self.problem = ""
        return self._group() if self.join else self._question()

    def _group(self) -> Any:
        rows = [row.read() for row in self.rows]
        if not rows:
            self.problem = "This group is empty. Add a condition, or remove it."
        return JOINS[self.join][1](rows)

    def _question(self) -> Any:
        name, op, *negated = self.ask.split()
        data = {"field": name, "op": op}
        try:
            data["value"] = QUESTIONS[name].from_typed(self.typed)
            data = as_json(read_condition(data))
        except Refused as refused:
            self.problem = next(iter(refused.problems.values()))
        except ValueError as error:
            self.problem = str(error)
        return {"not": data} if negated else data

    def all(self) -> Iterator["Row"]:
        yield self
        for row in self.rows:
            yield from row.all()


class ConditionForm:
    """The tree of rows. It can be drawn, sent, changed by a button without being saved, and read."""

    def __init__(self, root: Row):
        self.root = root
        self.problem = ""

    @classmethod
    def empty(cls) -> "ConditionForm":
        return cls(Row("0", join="all", rows=[Row("1", "0", ask="text any")]))

    @classmethod
    def of(cls, condition: Part) -> "ConditionForm":
        keys = map(str, range(10_000))
        group = Row(next(keys), join="all")
        group.rows = [_row(condition, next(keys), group.key, keys)]
        (only,) = group.rows
        if only.join:
            only.inside = ""
            return cls(only)
        return cls(group)

    @classmethod
    def sent(cls, data: MultiValueDict) -> "ConditionForm":
        """The tree as it was sent. Rows that belong to no group that was sent before them are left out."""
        rows: dict[str, Row] = {}
        for key in data.getlist("row")[:200]:
            row = _sent_row(key, data) if re.fullmatch("[0-9]{1,5}", key) else None
            if row and key not in rows and (row.inside in rows and rows[row.inside].join or not rows):
                rows[key] = row
                if row.inside in rows:
                    rows[row.inside].rows.append(row)
        first = next(iter(rows.values()), None)
        return cls(first) if first and first.join else cls.empty()

    def change(self, wanted: str) -> None:
        """What a button asks: `question 3` or `group 3` adds to that group, `drop 5` removes that row."""
        what, _, key = wanted.partition(" ")
        if what == "drop":
            for row in self.root.all():
                row.rows = [each for each in row.rows if each.key != key]
        group = next((row for row in self.root.all() if row.key == key and row.join), None)
        if group and what in ("question", "group"):
            group.rows.append(self._new(what, group))

    def _new(self, what: str, group: Row) -> Row:
        free = max(int(row.key) for row in self.root.all()) + 1
        if what == "question":
            return Row(str(free), group.key, ask="text any", is_new=True)
        inner = Row(str(free + 1), str(free), ask="text any", is_new=True)
        return Row(str(free), group.key, join="any", rows=[inner])

    def read(self) -> Any:
        """The condition as JSON, or None when something is wrong; each row then tells what."""
        data = self.root.read()
        if len(self.root.rows) == 1 and self.root.join in ("all", "any"):
            (data,) = data[self.root.join]
        if any(row.problem for row in self.root.all()):
            return None
        try:
            return as_json(read_condition(data))
        except Refused as refused:
            self.problem = str(refused)
            return None

    @property
    def joins(self) -> list[tuple[str, str]]:
        return [(word, said) for word, (said, _) in JOINS.items()]

    @property
    def asks(self) -> list[tuple[str, str]]:
        return list(ASKS.items())


def _sent_row(key: str, data: MultiValueDict) -> Row | None:
    inside, join, ask = (data.get(f"{name}-{key}", "") for name in ("in", "join", "ask"))
    if join in JOINS:
        return Row(key, inside, join=join)
    if ask in ASKS:
        return Row(key, inside, ask=ask, typed=data.get(f"typed-{key}", ""))
    return None


def _row(part: Part, key: str, inside: str, keys: Iterator[str]) -> Row:
    if isinstance(part, Question):
        return Row(key, inside, ask=f"{part.field} {part.op}", typed=part.typed())
    if isinstance(part, Not) and isinstance(part.part, Question):
        return Row(key, inside, ask=f"{part.part.field} {part.part.op} not", typed=part.part.typed())
    join, parts = _joined(part)
    row = Row(key, inside, join=join)
    row.rows = [_row(each, next(keys), key, keys) for each in parts]
    return row


def _joined(part: Part) -> tuple[str, Iterable[Part]]:
    match part:
        case All():
            return "all", part.parts
        case Some():
            return "any", part.parts
        case Not(part=All() as inner):
            return "not all", inner.parts
        case Not(part=Some() as inner):
            return "none", inner.parts
        case Not():
            return "none", [part.part]
    raise TypeError(part)


class RuleForm(forms.Form):
    """What is not the condition: the name and what the rule does. A department's own rules move no work."""

    name = forms.CharField(max_length=80, label="Name")
    place = forms.ChoiceField(required=False, label="Place in")
    join = forms.MultipleChoiceField(required=False, label="Join", widget=forms.CheckboxSelectMultiple)
    priority = forms.ChoiceField(
        required=False, choices=[("", "Leave as it is"), ("high", "High"), ("urgent", "Urgent")], label="Priority"
    )
    tags = forms.CharField(required=False, max_length=500, label="Tags", help_text="With commas between them")
    stop = forms.BooleanField(required=False, label="Stop here", help_text="Rules further down are not asked")
    on = forms.BooleanField(required=False, initial=True, label="Switched on")
    why = forms.CharField(
        required=False, max_length=300, label="What changed and why", help_text="Stands with the version"
    )
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    NOTHING = "probably nothing"

    def __init__(self, *args, own: bool, departments: Iterable[Department], **named):
        super().__init__(*args, label_suffix="", **named)
        slugs = [(each.slug, each.name) for each in departments if not each.is_triage]
        self.fields["place"].choices = [
            ("", "Nowhere: only do the rest"),
            *slugs,
            (self.NOTHING, "Triage, as probably nothing"),
        ]
        self.fields["join"].choices = slugs
        if own:
            del self.fields["place"], self.fields["join"]

    @staticmethod
    def values(rule: Rule) -> dict[str, Any]:
        """A rule as the form shows it."""
        then = rule.then
        return {
            "name": rule.name,
            "on": rule.on,
            "place": RuleForm.NOTHING if then.probably_nothing else then.place or "",
            "join": then.join,
            "priority": then.priority,
            "tags": ", ".join(then.tags),
            "stop": then.stop,
        }

    def rule(self, uid: str, when: Any) -> dict[str, Any]:
        """The rule as JSON, of a form that was found to be valid."""
        said = self.cleaned_data
        place = said.get("place") or None
        return {
            "uid": uid,
            "name": said["name"],
            "on": said["on"],
            "when": when,
            "then": {
                "place": None if place == self.NOTHING else place,
                "join": said.get("join", []),
                "priority": said["priority"],
                "tags": said["tags"].split(","),
                "probably_nothing": place == self.NOTHING,
                "stop": said["stop"],
            },
        }

    def refuse(self, refused: Refused) -> None:
        """Put what a verb refused beside the field that it is about."""
        for place, why in refused.problems.items():
            visible = (name for name in place.split(".") if name in self.fields and name != "based_on")
            self.add_error(next(visible, None), why)


class TryForm(forms.Form):
    """A post that nobody wrote, to see where it would go."""

    text = forms.CharField(
        max_length=10_000, label="Text", widget=forms.Textarea(attrs={"rows": 4}), help_text="Nothing is stored"
    )
    network = forms.ChoiceField(
        required=False, choices=[(code, network_name(code)) for code in NETWORKS], label="Network"
    )
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in sorted(KINDS)], initial="mention", label="Kind")
    followers = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, label="Followers")
    rating = forms.IntegerField(required=False, min_value=1, max_value=5, label="Stars")

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", auto_id="try_%s", **named)
