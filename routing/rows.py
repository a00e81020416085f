"""The condition of a rule as people fill it in: a tree of rows, each a question with its terms or a group of rows.

The tree is drawn, sent as one form, and changed by buttons that save nothing: they add, remove and move rows, so every
move is made here, whether somebody drags, presses arrow keys or has no scripts. What is filled in is read back as the
JSON of a condition; what is wrong stands at its row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.datastructures import MultiValueDict

from routing.conditions import All, Not, Refused, Some, as_json, measure, read_condition
from routing.parts import Part, Question
from routing.questions import DAYS, QUESTIONS, Number

#: How the rows of a group are joined: word → (what the form says, the JSON made of the rows).
JOINS = {
    "all": ("All of", lambda rows: {"all": rows}),
    "any": ("Any of", lambda rows: {"any": rows}),
    "none": ("None of", lambda rows: {"not": {"any": rows}}),
    "not all": ("Not all of", lambda rows: {"not": {"all": rows}}),
}
#: So many answers can be offered side by side; of more, a field suggests what fits.
PICKABLE = 14

Offers = Mapping[str, Sequence[tuple[str, str]]]


def _asks() -> Iterator[tuple[str, str]]:
    """Everything that a row may ask: “text any not” → “Text contains none of”."""
    for name, question in QUESTIONS.items():
        for op, words in question.asks.items():
            for suffix, word in zip(("", " not"), words, strict=True):
                yield f"{name} {op}{suffix}", f"{question.title} {word}"


ASKS = dict(_asks())


# A row ----------------------------------------------------------------------------------------------------------
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
    offers: Offers = field(default_factory=dict)

    @property
    def question(self) -> type[Question]:
        return QUESTIONS[self.about]

    @property
    def about(self) -> str:
        """The field of its question."""
        return self.ask.split()[0]

    @property
    def op(self) -> str:
        return self.ask.split()[1]

    @property
    def hint(self) -> str:
        return self.question.ways.get(self.op, self.question).hint

    def value(self) -> Any:
        """What was typed as a value of its question. Raises ValueError with a sentence."""
        return self.question.from_typed(self.typed, self.op)

    @property
    def named(self) -> str:
        """What the row is called where it is spoken of."""
        if self.join:
            return f"the group “{JOINS[self.join][0]}”"
        return f"“{ASKS[self.ask]} {self.typed[:40]}”".replace(" ”", "”")

    @property
    def entry(self) -> str:
        """How the answer is filled in: nothing, number, spell, pick, label (picked, and how sure), line or terms."""
        if self.about == "post":
            return "nothing"
        if issubclass(self.question, Number):
            return "number"
        if self.about == "time":
            return "spell" if self.spell else "line"
        if 0 < len(self.suggestions) <= PICKABLE and self._values() is not None:
            return "label" if self.about == "label" else "pick"
        return "line" if self.op == "regex" else "terms"

    @property
    def suggestions(self) -> Sequence[tuple[str, str]]:
        return self.offers.get(self.about, ())

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """(value, words, whether it is picked) of each answer; what was picked before and is no longer offered too."""
        picked = self._values() or []
        known = dict(self.suggestions) | {value: value for value in picked if value not in dict(self.suggestions)}
        return [(value, words, value in picked) for value, words in known.items()]

    def _values(self) -> list[str] | None:
        """The typed answers; None when they can not be read as a list."""
        try:
            values = self.value()
        except ValueError:
            return None
        values = values.get("labels") if isinstance(values, dict) else values
        return [each.lower() for each in values] if isinstance(values, list) else None

    @property
    def sure(self) -> str:
        """How sure the classifier has to be, in percent."""
        try:
            return f"{100 * self.value()['at_least']:g}"
        except (KeyError, TypeError, ValueError):
            return "60"

    @property
    def spell(self) -> dict[str, Any] | None:
        """Days and hours as they are picked; None when what was typed is none."""
        if not self.typed:
            return {"days": DAYS[:5], "from": "09:00", "to": "17:00", "zone": "UTC"}
        try:
            said = self.value()
        except ValueError:
            return None
        days = said.get("days", DAYS)
        return {"days": DAYS, "from": "00:00", "to": "00:00", "zone": "UTC"} | said if {*days} <= {*DAYS} else None

    @property
    def days(self) -> list[tuple[str, str, bool]]:
        return [(day, day.capitalize(), day in (self.spell or {}).get("days", ())) for day in DAYS]

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
            data["value"] = self.value()
            data = as_json(read_condition(data))
        except Refused as refused:
            self.problem = next(iter(refused.problems.values()))
        except ValueError as error:
            self.problem = str(error)
        return {"not": data} if negated else data

    def shape(self) -> Any:
        """Its JSON without any answer: how deep it is and how much it asks."""
        return JOINS[self.join][1]([row.shape() for row in self.rows]) if self.join else {"field": self.ask}

    def all(self) -> Iterator["Row"]:
        yield self
        for row in self.rows:
            yield from row.all()


# The tree -------------------------------------------------------------------------------------------------------
class ConditionForm:
    """The tree of rows. It can be drawn, sent, changed by a button without being saved, and read."""

    def __init__(self, root: Row):
        self.root = root
        self.problem = ""
        #: What a button did, in words, and the row that has the attention now.
        self.told = ""
        self.at = ""

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

    def offer(self, offers: Offers) -> "ConditionForm":
        """Give every row what it may offer to pick: field → (value, words)."""
        for row in self.root.all():
            row.offers = offers
        return self

    def read(self) -> Any:
        """The condition as JSON, or None when something is wrong; each row then tells what."""
        data = self._unwrapped(self.root.read())
        if any(row.problem for row in self.root.all()):
            return None
        try:
            return as_json(read_condition(data))
        except Refused as refused:
            self.problem = str(refused)
            return None

    def _unwrapped(self, data: Any) -> Any:
        """One row needs no group around it."""
        alone = len(self.root.rows) == 1 and self.root.join in ("all", "any")
        return data[self.root.join][0] if alone else data

    @property
    def joins(self) -> list[tuple[str, str]]:
        return [(word, said) for word, (said, _) in JOINS.items()]

    @property
    def asks(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Everything that a row may ask, by what it is about."""
        by_title: dict[str, list[tuple[str, str]]] = {}
        for ask, words in ASKS.items():
            by_title.setdefault(QUESTIONS[ask.split()[0]].title, []).append((ask, words))
        return list(by_title.items())

    @property
    def suggested(self) -> dict[str, Sequence[tuple[str, str]]]:
        """What its fields suggest while one types: only what a row asks for."""
        asking = [row for row in self.root.all() if not row.join]
        return {row.about: row.suggestions for row in asking if row.suggestions and row.entry == "terms"}

    @property
    def has_spell(self) -> bool:
        return any(row.entry == "spell" for row in self.root.all() if not row.join)

    # Changing -----------------------------------------------------------------------------------------------------
    def change(self, wanted: str) -> None:
        """What a button asks. `question 3` and `group 3` add to that group; `drop 5` removes a row; `up 5` and `down 5`
        move it by one place, into a group that stands there and out of its own at the ends; `move 5 3 7` puts it into
        group 3 before row 7 (or last); `ask 5` draws the fields of its question. What may not be is undone and told."""
        what, *keys = wanted.split() or [""]
        before = _copied(self.root)
        done = _CHANGES.get(what)
        if done and keys and keys[0].isdecimal():
            done(self, *keys[:3])
            self._or_back(before)

    def _or_back(self, before: Row) -> None:
        try:
            measure(self._unwrapped(self.root.shape()))
        except Refused as refused:
            self.root, self.problem, self.told = before, str(refused), str(refused)

    def _find(self, key: str) -> Row | None:
        return next((row for row in self.root.all() if row.key == key), None)

    def _group_of(self, row: Row) -> Row | None:
        return next((group for group in self.root.all() if any(each is row for each in group.rows)), None)

    def _add(self, what: str, key: str) -> None:
        group = self._find(key)
        if group is None or not group.join:
            return
        free = max(int(row.key) for row in self.root.all()) + 1
        row = Row(str(free), group.key, ask="text any", is_new=True)
        if what == "group":
            inner = Row(str(free + 1), str(free), ask="text any", is_new=True)
            row = Row(str(free), group.key, join="any", rows=[inner])
        group.rows.append(row)
        self.told = f"Added a {'group' if what == 'group' else 'condition'}."

    def _drop(self, key: str) -> None:
        row = self._find(key)
        group = self._group_of(row) if row else None
        if row is None or group is None:
            return
        place = _place(row, group)
        group.rows.remove(row)
        self.at = group.rows[min(place, len(group.rows) - 1)].key if group.rows else group.key
        self.told = f"Removed {row.named}."

    def _step(self, key: str, step: int) -> None:
        row = self._find(key)
        group = self._group_of(row) if row else None
        if row is None or group is None:
            return
        self.at, place = key, _place(row, group)
        if not 0 <= place + step < len(group.rows):
            self._leave(row, group, step)
            return
        neighbour = group.rows[place + step]
        group.rows.remove(row)
        if neighbour.join:
            self._put(row, neighbour, len(neighbour.rows) if step < 0 else 0)
        else:
            self._put(row, group, place + step)

    def _leave(self, row: Row, group: Row, step: int) -> None:
        around = self._group_of(group)
        if around is None:
            self.told = f"{_began(row.named)} is {'first' if step < 0 else 'last'} already."
            return
        group.rows.remove(row)
        self._put(row, around, _place(group, around) + (step > 0))

    def _move(self, key: str, into: str, before: str = "") -> None:
        row, group = self._find(key), self._find(into)
        old = self._group_of(row) if row else None
        if row is None or group is None or old is None or not group.join or group in row.all():
            return
        old.rows.remove(row)
        place = next((place for place, each in enumerate(group.rows) if each.key == before), len(group.rows))
        self._put(row, group, place)

    def _ask_anew(self, key: str) -> None:
        """Another question was chosen: what was typed stays as far as it can be an answer to this one."""
        row = self._find(key)
        if row is None or row.join:
            return
        row.read()
        picks = row.entry in ("pick", "label")
        if row.problem or picks:
            offered = dict(row.suggestions)
            row.typed = ", ".join(value for value, _, picked in row.choices if picks and picked and value in offered)
        row.problem, self.at = "", key

    def _put(self, row: Row, group: Row, place: int) -> None:
        group.rows.insert(place, row)
        row.inside, self.at = group.key, row.key
        self._tell(row, group)

    def _tell(self, row: Row, group: Row) -> None:
        place, many = _place(row, group) + 1, len(group.rows)
        self.told = f"{_began(row.named)} is {place} of {many} in {JOINS[group.join][0]}."


_CHANGES: Mapping[str, Any] = {
    "question": lambda form, key, *_: form._add("question", key),
    "group": lambda form, key, *_: form._add("group", key),
    "drop": lambda form, key, *_: form._drop(key),
    "up": lambda form, key, *_: form._step(key, -1),
    "down": lambda form, key, *_: form._step(key, 1),
    "ask": lambda form, key, *_: form._ask_anew(key),
    "move": lambda form, key, *where: form._move(key, *where) if where else None,
}


def _place(row: Row, group: Row) -> int:
    return next(place for place, each in enumerate(group.rows) if each is row)


def _began(words: str) -> str:
    return words[:1].upper() + words[1:]


def _copied(row: Row) -> Row:
    copy = Row(row.key, row.inside, row.join, row.ask, row.typed, row.problem, is_new=row.is_new)
    copy.rows = [_copied(each) for each in row.rows]
    return copy


# To and fro -----------------------------------------------------------------------------------------------------
def _sent_row(key: str, data: MultiValueDict) -> Row | None:
    inside, join, ask = (data.get(f"{name}-{key}", "") for name in ("in", "join", "ask"))
    if join in JOINS:
        return Row(key, inside, join=join)
    if ask in ASKS:
        return Row(key, inside, ask=ask, typed=_sent_answer(key, data))
    return None


def _sent_answer(key: str, data: MultiValueDict) -> str:
    """What was typed; what was picked, with commas between; days, hours and zone as they would be typed."""
    if zone := data.get(f"zone-{key}", ""):
        days, begins, ends = ",".join(data.getlist(f"days-{key}")), data.get(f"from-{key}"), data.get(f"to-{key}")
        return f"{days or 'no day'} {begins or '00:00'}-{ends or '00:00'} {zone}".strip()
    typed = ", ".join(data.getlist(f"typed-{key}"))
    sure = data.get(f"sure-{key}", "")
    return f"{typed} from {sure} %" if typed and sure else typed


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
