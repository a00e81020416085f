"""Reading networks that show the newest first and know no "since then": one round after another, each walking back from
the head until what is known is reached. Pure.

A round reads several parts (a Page's posts, its messages …), each page of a part being one fetch; while it reads, pages
name deeper places to read (the comments below a post). What has been read completely moves on only when the round is at
its end, to when it began; a round that was interrupted goes on at its next page. What comes in while it walks is the
next round's.

Each round reaches an overlap further back, for what appears late. Once a day one reaches a day back: what a network
held back for moderation appears with its old date.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import Batch, Limits, Post, Unreadable
from connectors.errors import NotThere

OVERLAP = timedelta(minutes=10)
SWEEP_EVERY = timedelta(days=1)
SWEEP = timedelta(days=1)  # how far back a sweep reaches
DEEPEST = 200  # pages of one part in one round: a limit for us, which shows as a gap


@dataclass(frozen=True)
class Step:
    """One page to read: which part, of which post or account, where it begins, and how deep in the part it lies."""

    part: str
    of: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    deep: int = 0

    @property
    def kept(self) -> dict[str, Any]:
        return {"part": self.part, "of": self.of, "place": dict(self.place), "deep": self.deep}


@dataclass
class Page:
    """What a step brought, newest first as the network shows it. `following` is where its next page begins; `reached`
    that what is further back is known; `deeper` what has to be read because of it; `gap` what it could not give."""

    posts: Sequence[Post | Unreadable] = ()
    following: Mapping[str, str] = field(default_factory=dict)
    reached: bool = False
    deeper: Sequence[Step] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    limits: Limits | None = None
    gap: str = ""
    gap_until: datetime | None = None


#: Reads one step back to a moment. NotThere of a step that another one named is passed over.
Read = Callable[[Step, datetime], Page]


def read(cursor: Mapping[str, Any], parts: Iterable[str], reader: Read, *, days: float, spare: frozenset = frozenset()):
    """The next page as a Batch, with what was there before we came (`days` back) as history. `spare` are parts that a
    network may not have. Raises what `reader` raises."""
    return _Round(cursor, parts, days).next(reader, spare)


class _Round:
    def __init__(self, cursor: Mapping[str, Any], parts: Iterable[str], days: float):
        self.cursor = dict(cursor)
        self.walk = dict(self.cursor.get("walk") or self._begun([Step(part) for part in parts], days))
        self.first = "since" not in self.cursor

    def _begun(self, steps: list[Step], days: float) -> dict[str, Any]:
        now = datetime.now(UTC)
        swept = _moment(self.cursor.get("swept"))
        since, sweeps = _moment(self.cursor.get("since")), False
        if since is None:
            since = now - timedelta(days=days)
        else:
            sweeps = swept is None or now - swept >= SWEEP_EVERY
            since -= SWEEP if sweeps else OVERLAP
        return {"since": since.isoformat(), "steps": [each.kept for each in steps], "sweeps": sweeps, "done": 0}

    def next(self, reader: Read, spare: frozenset) -> Batch:
        first, *rest = self.walk["steps"]
        step, since = Step(**first), datetime.fromisoformat(self.walk["since"])
        note = ""
        try:
            page = reader(step, since)
        except NotThere:
            if not step.of and step.part not in spare:
                raise
            page, note = Page(), f"The network does not have “{step.part}” any more." if step.part in spare else ""
        steps = [*self._onward(step, page), *(each.kept for each in page.deeper), *rest]
        return self._batch(page, steps, note)

    def _onward(self, step: Step, page: Page) -> list[dict[str, Any]]:
        if not page.following or page.reached:
            return []
        if step.deep + 1 >= DEEPEST:
            page.gap = page.gap or f"There is more than the {DEEPEST} pages that we read of “{step.part}” in one round."
            page.gap_until = page.gap_until or _oldest(page.posts)
            return []
        return [Step(step.part, step.of, page.following, step.deep + 1).kept]

    def _batch(self, page: Page, steps: list[dict[str, Any]], note: str) -> Batch:
        walk = self.walk | {"steps": steps, "done": self.walk["done"] + 1}
        walk.setdefault("begun", page.at.isoformat())
        walk["gap"] = bool(walk.get("gap") or page.gap)
        said: dict[str, Any] = {"posts": list(reversed(page.posts)), "limits": page.limits, "note": note}
        if page.gap:
            said |= {"gap": page.gap, "gap_since": _moment(walk["since"]), "gap_until": page.gap_until}
        if self.first:
            before_us = _until(said["posts"], datetime.fromisoformat(walk["begun"]))
            said |= {"posts": before_us, "history": True, "progress": walk["done"] / (walk["done"] + len(steps))}
        if steps:
            return Batch(cursor=self.cursor | {"walk": walk}, more=True, **said)
        return Batch(cursor=self._ended(walk), covered=self._covered(walk), **said)

    def _ended(self, walk: Mapping[str, Any]) -> dict[str, Any]:
        cursor = {name: value for name, value in self.cursor.items() if name != "walk"}
        swept = walk["begun"] if self.first or walk["sweeps"] else cursor.get("swept", walk["begun"])
        return cursor | {"since": walk["begun"], "swept": swept}

    def _covered(self, walk: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
        if walk["gap"]:
            return None
        return datetime.fromisoformat(walk["since"]), datetime.fromisoformat(walk["begun"])


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def _until(posts: Sequence[Post | Unreadable], begun: datetime) -> list[Post | Unreadable]:
    """Those that were there before we came. What was written since is no history, so it is left to the next round."""
    return [each for each in posts if not isinstance(each, Post) or each.created_at <= begun]


def _oldest(posts: Sequence[Post | Unreadable]) -> datetime | None:
    return min((each.created_at for each in posts if isinstance(each, Post)), default=None)
