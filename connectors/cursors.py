"""Where to read on, for networks that show their newest posts first. Pure: works on what a connector read and on the
part of a cursor that it kept.

`Walk` goes back from the head to what is known already, and a little further, for a post can appear late behind newer
ones. Where to stop moves only when a walk has come to its end, and a walk that was interrupted goes on where it
stopped, so nothing between two visits is left out however many pages it fills.

`Forward` goes on from the highest id it saw, for networks that can be asked for what comes after. Ids are given before
posts can be seen, so one may appear below an id that we know: what is younger than a few minutes is asked for again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Batch, Limits, Post, Unreadable

OVERLAP = timedelta(minutes=5)
SETTLED = timedelta(minutes=2)  # by our own clock, since an id was first known
SWEEP = timedelta(hours=24)  # how far back is looked now and then
SWEEP_EVERY = timedelta(hours=1)
MOST_REMEMBERED = 300
DEEPEST = 100  # pages


@dataclass(frozen=True)
class Entry:
    """A post as its network lists it: its id, and the time by which the list is in order."""

    id: str
    at: datetime
    raw: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class Step:
    """What a page of a walk meant: `fresh` is what we do not know yet, oldest first; `state` is kept in the cursor;
    `missing` names what we knew and the network does not list any more. A `gap` beside it is none when all of
    `missing` is gone: then nothing is left out, it was only deleted."""

    fresh: Sequence[Entry]
    state: Mapping[str, Any]
    more: bool
    history: bool
    progress: float | None = None
    gap: tuple[datetime, datetime] | None = None
    covered: tuple[datetime, datetime] | None = None
    missing: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def stretch(self) -> dict[str, Any]:
        """What a Batch says of it: the time that has now been read without a hole, or where one is."""
        if not self.gap:
            return {"covered": self.covered} if self.covered else {}
        since, until = self.gap
        said = f"More was posted than the network lists; before {until:%-d %B %Y, %H:%M} UTC something may be missing."
        return {"gap": said, "gap_since": since, "gap_until": until}


@dataclass(frozen=True)
class Read:
    """A page of one of the lists that a channel reads, as its connector understood it."""

    posts: Sequence[Post | Unreadable]
    state: Mapping[str, Any]
    more: bool
    limits: Limits | None = None
    history: bool = False
    progress: float | None = None
    stretch: Mapping[str, Any] = field(default_factory=dict)


def read(
    cursor: Mapping[str, Any],
    whose: str,
    lists: Iterable[str],
    page: Callable[[str, Mapping[str, Any]], Read],
    **also: Any,
) -> Batch:
    """A page of each of a channel’s `lists` that is not at its end in this visit; `page` reads one of them by its name
    and what is kept of it. `whose` they are stands in the cursor: with other words or another account they begin
    anew. The first of them tells what was covered."""
    kept: dict[str, Any] = dict(cursor) if cursor.get("of") == whose else {"of": whose}
    asked = kept.get("left") or list(lists)
    found = _of_one_time({name: _page(page, name, kept.get(name, {})) for name in asked})
    left = [name for name in asked if name not in found or found[name].more]
    told = {name: one for name, one in found.items() if one.stretch and name == next(iter(lists))}
    return Batch(
        [post for one in found.values() for post in one.posts],
        kept | {name: one.state for name, one in found.items()} | {"left": left},
        more=bool(left),
        history=any(one.history for one in found.values()),
        progress=min((one.progress for one in found.values() if one.progress is not None), default=None),
        limits=list(found.values())[-1].limits,
        **{key: value for one in told.values() for key, value in one.stretch.items()},
        **also,
    )


def _page(page: Callable[[str, Mapping[str, Any]], Read], name: str, state: Mapping[str, Any]) -> Read:
    """A page of one list. That a walk had to be begun anew (`again`) is remembered until it has come to its end."""
    one = page(name, state)
    return replace(one, state={**one.state, "again": True}) if state.get("again") and one.more else one


def begun_anew(state: Mapping[str, Any], *, at_once: bool = True) -> Read:
    """What is kept of a list whose next page the network does not know any more: its walk begins again at the head,
    back to where it was going."""
    walk = {name: value for name, value in state["walk"].items() if name != "walk"}
    return Read([], {**state, "walk": walk, "again": True}, at_once)


def _of_one_time(found: Mapping[str, Read]) -> dict[str, Read]:
    """What a batch can hold together: clocks start for what is new, and for nothing that was there before us, as in a
    list that is read for the first time beside others. It is left for the next page."""
    is_history = next((one.history for one in found.values() if one.posts), None)
    return {name: one for name, one in found.items() if not one.posts or one.history == is_history}


class Walk:
    """A walk from the head back to what is known. `state` is what the last step gave (empty at first), `days` how far
    back the first walk goes; `sweeps` says that now and then more is looked at again than OVERLAP, which finds what
    came very late and what was deleted."""

    def __init__(
        self,
        state: Mapping[str, Any] | None,
        *,
        now: datetime,
        days: float,
        overlap: timedelta = OVERLAP,
        sweeps: bool = False,
        deepest: int = DEEPEST,
    ):
        self.state, self.now, self.deepest = dict(state or {}), now, deepest
        self.is_first = "anchor" not in self.state
        self.seen: dict[str, str] = dict(self.state.get("seen", {}))
        self.walk = self.state.get("walk") or self._begun(days, overlap, sweeps)

    @property
    def token(self) -> str:
        """By which the network knows the page that is next; empty for the head."""
        return self.walk["token"]

    @property
    def floor(self) -> datetime:
        """What is older is not wanted."""
        return datetime.fromisoformat(self.walk["floor"])

    def step(self, page: Sequence[Entry], following: str, reached: datetime | None = None) -> Step:
        """Go on by this page of the network's list; `following` is the token of the next (empty: there is none), and
        `reached` tells how far back the page went when that is more than its entries show."""
        low = min([each.at for each in page] + ([reached] if reached else []), default=None)
        walk = self._walked(page, low)
        fresh = [each for each in page if each.at >= self.floor and each.id not in self.seen]
        for each in page:
            if each.at >= self.floor:
                self.seen[each.id] = each.at.isoformat()
        is_done = bool(low and low < self.floor)
        if following and not is_done and walk["pages"] < self.deepest and following != self.token:
            return self._going_on(fresh, walk | {"token": following})
        return self._ended(fresh, walk, whole=is_done or not following)

    def _begun(self, days: float, overlap: timedelta, sweeps: bool) -> dict[str, Any]:
        if self.is_first:
            self.state["begun"] = (self.now - timedelta(days=days)).isoformat()
            return self._from_head(self.now - timedelta(days=days))
        anchor = datetime.fromisoformat(self.state["anchor"])
        swept = self.state.get("swept", "")
        if sweeps and (not swept or self.now - datetime.fromisoformat(swept) >= SWEEP_EVERY):
            return self._from_head(anchor - max(SWEEP, overlap)) | {"sweeps": True}
        return self._from_head(anchor - overlap)

    def _from_head(self, floor: datetime) -> dict[str, Any]:
        """No further back than the first walk went: what was before is not wanted."""
        floor = max(floor, datetime.fromisoformat(self.state["begun"]))
        return {"token": "", "floor": floor.isoformat(), "pages": 0, "expected": list(self.seen)}

    def _walked(self, page: Sequence[Entry], low: datetime | None) -> dict[str, Any]:
        walk = dict(self.walk)
        met = {each.id for each in page}
        walk["expected"] = [each for each in walk["expected"] if each not in met]
        walk["pages"] += 1
        if page:
            # A clock that runs ahead elsewhere must not put where we stop into the future.
            walk.setdefault("top", min(max(each.at for each in page), self.now).isoformat())
        if low:
            walk["low"] = min(filter(None, (walk.get("low"), low.isoformat())), key=datetime.fromisoformat)
        return walk

    def _going_on(self, fresh: list[Entry], walk: dict[str, Any]) -> Step:
        span, low = self.now - self.floor, walk.get("low")
        gone = self.now - datetime.fromisoformat(low) if low else timedelta()
        return Step(
            fresh=_oldest_first(fresh),
            state=self.state | {"walk": walk, "seen": self._remembered()},
            more=True,
            history=self.is_first,
            progress=max(0.0, min(gone / span, 1.0)) if self.is_first and span else None,
        )

    def _ended(self, fresh: list[Entry], walk: dict[str, Any], whole: bool) -> Step:
        gap = self._gap(fresh, walk, whole)
        anchor = walk.get("top") or self.state.get("anchor") or walk["floor"]
        if not self.is_first:
            anchor = max(anchor, self.state["anchor"], key=datetime.fromisoformat)
        missing = self._missing(walk, whole and not self._is_below_floor(walk)) if whole else {}
        return Step(
            fresh=_oldest_first(fresh),
            state=self._rested(anchor, walk, without=missing),
            more=False,
            history=self.is_first,
            gap=gap,
            covered=None if gap else (self.floor, self.now),
            missing=missing,
        )

    def _gap(self, fresh: list[Entry], walk: dict[str, Any], whole: bool) -> tuple[datetime, datetime] | None:
        """What lies between what we knew and what could be read: the network ended its list early, or we the walk."""
        low = datetime.fromisoformat(walk["low"]) if walk.get("low") else None
        if low is None or low <= self.floor:
            return None
        if not whole:
            return self.floor, low
        anchor = None if self.is_first else datetime.fromisoformat(self.state["anchor"])
        return (anchor, low) if anchor and self.state.get("seen") and fresh and low > anchor else None

    def _missing(self, walk: dict[str, Any], is_all: bool) -> dict[str, datetime]:
        """Known posts that were not met: all of them when the list came to its end, else those of the stretch that was
        read. At its very edge nothing is certain."""
        edge = self.floor if is_all else max(self.floor, datetime.fromisoformat(walk["low"]))
        expected = {each: datetime.fromisoformat(self.seen[each]) for each in walk["expected"] if each in self.seen}
        return {each: at for each, at in expected.items() if at > edge}

    def _is_below_floor(self, walk: dict[str, Any]) -> bool:
        return bool(walk.get("low")) and datetime.fromisoformat(walk["low"]) < self.floor

    def _rested(self, anchor: str, walk: dict[str, Any], without: Mapping[str, Any]) -> dict[str, Any]:
        since = datetime.fromisoformat(anchor) - SWEEP
        kept = {
            each: at
            for each, at in self._remembered().items()
            if each not in without and datetime.fromisoformat(at) >= since
        }
        swept = self.now.isoformat() if walk.get("sweeps") or self.is_first else self.state.get("swept", "")
        return {"begun": self.state["begun"], "anchor": anchor, "seen": kept, **({"swept": swept} if swept else {})}

    def _remembered(self) -> dict[str, str]:
        newest = sorted(self.seen.items(), key=lambda each: datetime.fromisoformat(each[1]))
        return dict(newest[-MOST_REMEMBERED:])


class Forward:
    """Going on from an id. `state` is what `begun` or the last step gave."""

    def __init__(self, state: Mapping[str, Any], now: datetime):
        self.state, self.now = dict(state), now

    @classmethod
    def begun(cls, lowest: str, highest: str, now: datetime) -> dict[str, Any]:
        """From here on, where `highest` was the newest id, and all from `lowest` on may still be filling up."""
        return {"after": lowest, "settled": lowest, "known": highest, "known_at": now.isoformat()}

    @property
    def after(self) -> str:
        """The id after which the next page begins."""
        return self.state["after"]

    def step(self, ids: Sequence[str]) -> tuple[dict[str, Any], bool]:
        """Go on by a page with these ids; whether to ask on at once. The page after the last is empty."""
        highest = max([*ids, self.after], key=in_order)
        if highest != self.after:
            return self.state | {"after": highest}, True
        state = dict(self.state)
        if self.now - datetime.fromisoformat(state["known_at"]) >= SETTLED:
            state |= {"settled": state["known"], "known": highest, "known_at": self.now.isoformat()}
        return state | {"after": state["settled"], "at": self.now.isoformat()}, False

    @property
    def since(self) -> datetime:
        """When it was last known that nothing more waits."""
        return datetime.fromisoformat(self.state.get("at") or self.state["known_at"])


def in_order(id: str) -> tuple[int, str]:
    """By which ids compare, be they numbers or letters of one length."""
    return len(id), id


def _oldest_first(page: Sequence[Entry]) -> list[Entry]:
    return sorted(page, key=lambda each: each.at)
