"""The figures by name: what each is measured in, what it has to reach, and the table of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """What a ratio (or, with `of_value`, a value) has to be: at most, or at least."""

    bound: float
    least: bool = False
    of_value: bool = False

    def is_met(self, value: float, ratio: float | None) -> bool | None:
        measured = value if self.of_value else ratio
        if measured is None:
            return None
        return measured >= self.bound if self.least else measured <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.bound:g}{'' if self.of_value else ' ×'}"


@dataclass(frozen=True)
class Kind:
    """One figure: its unit, its goal, and beside what it stands."""

    unit: str
    goal: Goal
    floor: str


CPU = "ms CPU"
RATE = "posts/s"
KINDS = {
    "first_page_json": Kind(CPU, Goal(10), "bare ASGI"),
    "first_page_html": Kind(CPU, Goal(16), "bare ASGI"),
    "unchanged_page": Kind(CPU, Goal(3), "bare ASGI, whole page"),
    "deep_page": Kind(CPU, Goal(1.2), "our own first page"),
    "search_rare": Kind("ms CPU in PostgreSQL", Goal(1.5), "bare SQL"),
    "search_common": Kind("ms CPU in PostgreSQL", Goal(1.5), "bare SQL"),
    "open_conversation": Kind(CPU, Goal(8), "bare ASGI"),
    "take_in": Kind(RATE, Goal(0.4, least=True), "batch INSERT … ON CONFLICT"),
    "take_in_duplicates": Kind(RATE, Goal(0.6, least=True), "the same batches again"),
    "rules_100": Kind(RATE, Goal(20_000, least=True, of_value=True), "one look for each word"),
    "rules_500": Kind(RATE, Goal(0.5, least=True), "our rate at 100 rules"),
    "rules_2000": Kind(RATE, Goal(0.5, least=True), "our rate at 100 rules"),
    "matching_500": Kind(RATE, Goal(20_000, least=True, of_value=True), "–"),
    "matching_2000": Kind(RATE, Goal(5_000, least=True, of_value=True), "–"),
    "matching_over_naive": Kind(RATE, Goal(10, least=True), "an interpreter of the JSON"),
    "route_batch": Kind(RATE, Goal(0.1, least=True), "batch INSERT of what it writes"),
    "route_with_model": Kind(RATE, Goal(200, least=True, of_value=True), "the encoder alone"),
    "read_one": Kind("ms p95", Goal(30, of_value=True), "the encoder alone"),
    "back_test": Kind("s", Goal(60, of_value=True), "reading the same rows"),
    "quality_cold": Kind("%", Goal(65, least=True, of_value=True), "–"),
    "quality_cold_alt": Kind("%", Goal(77, least=True, of_value=True), "–"),
    "quality_cold_coverage": Kind("%", Goal(40, least=True, of_value=True), "–"),
    "quality_taught": Kind("%", Goal(78, least=True, of_value=True), "–"),
    "quality_taught_alt": Kind("%", Goal(88, least=True, of_value=True), "–"),
    "quality_taught_coverage": Kind("%", Goal(85, least=True, of_value=True), "–"),
    "post_to_browser": Kind("ms p95", Goal(1000, of_value=True), "INSERT + notify to a browser"),
    "memory_pss": Kind("MiB", Goal(400, of_value=True), "web alone"),
}


#: Those that a whole house at work is needed for.
ALIVE = ("post_to_browser", "memory_pss")


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its floor. `detail` is for the table alone."""

    name: str
    value: float
    floor: float | None
    detail: str = ""

    @property
    def kind(self) -> Kind:
        return KINDS[self.name if self.name in KINDS else self.name.rpartition("_")[0]]

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        return self.kind.goal.is_met(self.value, self.ratio)

    def as_json(self) -> dict:
        """As programs read it: `{"name", "value", "unit", "floor", "ratio", "goal", "met"}`."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.kind.unit,
            "floor": self.floor and round(self.floor, 3),
            "ratio": self.ratio and round(self.ratio, 3),
            "goal": str(self.kind.goal),
            "met": self.met,
        }


def table(figures: Iterable[Figure]) -> str:
    """The figures for people."""
    rows = [("figure", "value", "unit", "floor", "ratio", "goal", "", "")]
    rows += [
        (
            each.name, _short(each.value), each.kind.unit, _short(each.floor), _short(each.ratio), str(each.kind.goal),
            {True: "met", False: "MISSED", None: "–"}[each.met], each.detail,
        )
        for each in figures
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (zip(row, widths, strict=True) for row in rows)
    return "\n".join("  ".join(word.ljust(width) for word, width in line).rstrip() for line in lines)


def _short(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


def write(figures: Iterable[Figure], path: Path) -> None:
    path.write_text(json.dumps([each.as_json() for each in figures], indent=1, ensure_ascii=False) + "\n")
