"""What became of a list of rules from one version to another, in sentences. Pure; rules are followed by their uid."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from routing.conditions import Refused
from routing.rules import load_one

UNREADABLE = "It can not be read any more."
#: Terms of a list that a short sentence names, and characters at either end of what did not change.
TERMS, ENDS = 6, 60


@dataclass(frozen=True)
class Change:
    """What became of one rule. `what` holds some of `added`, `removed`, `changed`, `renamed`, `moved`, `switched on`,
    `switched off`; `before` and `after` are the whole rule as a sentence, empty where there is none, and `short` the
    rule as it is (or was) without most terms of its long lists. Places count from 1."""

    uid: str
    name: str
    what: tuple[str, ...]
    before: str = ""
    after: str = ""
    short: str = ""
    old_name: str = ""
    old_place: int = 0
    new_place: int = 0

    @property
    def pieces(self) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
        """Both sentences cut up, each piece with whether it is in that one alone: for marking. What is the same in both
        is told by its ends."""
        left, right = pieces(self.before, self.after)
        return [_folded(*each) for each in left], [_folded(*each) for each in right]


def compare(old: Sequence[Any], new: Sequence[Any], names: Mapping[str, str]) -> list[Change]:
    """Every rule that is not as it was, in the order of the new list, then those that are gone. `names` are departments
    by slug."""
    were = {rule["uid"]: (place, rule) for place, rule in enumerate(old, start=1)}
    are = {rule["uid"]: (place, rule) for place, rule in enumerate(new, start=1)}
    moved = _moved([were[uid][0] for uid in are if uid in were])
    found = [_change(uid, were.get(uid), now, moved, names) for uid, now in are.items()]
    gone = [_change(uid, was, None, moved, names) for uid, was in were.items() if uid not in are]
    return [each for each in (*found, *gone) if each.what]


def counts(changes: Iterable[Change]) -> str:
    """All of it in a few words: “2 added, 1 changed, 1 moved”; “the same rules” when nothing changed."""
    told: dict[str, int] = {}
    for change in changes:
        for what in change.what:
            told[what] = told.get(what, 0) + 1
    return ", ".join(f"{many} {what}" for what, many in told.items()) or "the same rules"


def _change(uid: str, was, now, moved: set[int], names: Mapping[str, str]) -> Change:
    nowhere: tuple[int, dict[str, Any]] = (0, {})
    (old_place, old), (new_place, new) = was or nowhere, now or nowhere
    before, after = _said(old, names), _said(new, names)
    return Change(
        uid=uid,
        name=(new or old)["name"],
        what=tuple(_what(old, new, before != after, old_place in moved)),
        before=before,
        after=after,
        short=_said(new or old, names, most=TERMS),
        old_name=old.get("name", "") if new and old and old["name"] != new["name"] else "",
        old_place=old_place,
        new_place=new_place,
    )


def _what(old: Mapping, new: Mapping, otherwise: bool, moved: bool) -> Iterable[str]:
    if not (old and new):
        yield "added" if new else "removed"
        return
    if otherwise or not _alike(old, new):
        yield "changed"
    if old["name"] != new["name"]:
        yield "renamed"
    if moved:
        yield "moved"
    if (on := new.get("on", True)) != old.get("on", True):
        yield "switched on" if on else "switched off"


def _alike(old: Mapping, new: Mapping) -> bool:
    """Whether two rules do the same whatever they are called; what has no word in the sentence counts as well."""
    aside = {"name": "", "on": True}
    return _plain(old) | aside == _plain(new) | aside


def _plain(rule: Mapping) -> dict:
    """Without what is not said, or said to be nothing: a field that came later is missing in older versions."""
    then = {word: value for word, value in rule["then"].items() if value not in (None, "", [], False)}
    return {**rule, "then": then}


def _said(rule: Mapping, names: Mapping[str, str], most: int | None = None) -> str:
    if not rule:
        return ""
    try:
        return load_one(rule).say(names, most)
    except Refused:
        return UNREADABLE


def _moved(places: Sequence[int]) -> set[int]:
    """The old places, given in the new order, of the fewest rules that had to be moved: all but a longest run of rules
    that still follow one another."""
    ends: list[int] = []
    rows: list[int] = []
    for place in places:
        row = bisect_left(ends, place)
        ends[row : row + 1] = [place]
        rows.append(row)
    kept, wanted = set(), len(ends) - 1
    for place, row in zip(reversed(places), reversed(rows), strict=True):
        if row == wanted:
            kept.add(place)
            wanted -= 1
    return set(places) - kept


def pieces(before: str, after: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two sentences cut at words, each piece with whether the other one lacks it."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if b > a:
            left.append(("".join(old[a:b]), what != "equal"))
        if d > c:
            right.append(("".join(new[c:d]), what != "equal"))
    return left, right


def _folded(piece: str, alone: bool) -> tuple[str, bool]:
    if alone or len(piece) <= 2 * ENDS + 20:
        return piece, alone
    return f"{piece[:ENDS].rpartition(' ')[0]} … {piece[-ENDS:].partition(' ')[2]}", False


_WORD = re.compile(r"\s+|[,.;()]|[^\s,.;()]+")
