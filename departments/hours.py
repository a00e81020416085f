"""When a department's people are there. Pure: a department's time zone, hours and holidays in, an answer out.

`hours` is `{"mon": [["09:00", "17:00"], …], …}` by the department's own clock; a day that is not named is closed, and
without any hours it is always open. A spell may run over midnight: the night belongs to the day on which it began. One
that ends when it begins lasts a whole day. On a holiday nothing begins.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

#: From and to, as written: "09:00", "17:00".
Spell = tuple[str, str]
#: From and to, as they fall on one day in the world.
Stretch = tuple[datetime, datetime]

_WHOLE_DAY: tuple[Spell, ...] = (("00:00", "00:00"),)


class HasHours(Protocol):
    """A Department, or whatever else has these words."""

    slug: str
    time_zone: str
    hours: Mapping[str, list[list[str]]]
    holidays: list[date]


def is_open(department: HasHours, at: datetime) -> bool:
    """Whether its people are there at that moment."""
    if not (department.hours or department.holidays):
        return True
    today = at.astimezone(ZoneInfo(department.time_zone)).date()
    around = (*_stretches(department, today - timedelta(days=1)), *_stretches(department, today))
    return any(begins <= at < ends for begins, ends in around)


def open_at(departments: Iterable[HasHours], at: datetime) -> frozenset[str]:
    """Those of them whose people are there at that moment, by slug."""
    return frozenset(each.slug for each in departments if is_open(each, at))


def minutes_open_between(department: HasHours, start: datetime, end: datetime) -> int:
    """For how many whole minutes between the two its people are there. What two spells share counts once."""
    counted, until = timedelta(), start
    for begins, ends in sorted(_stretches_between(department, start, end)):
        counted += max(min(ends, end) - max(begins, until), timedelta())
        until = max(until, min(ends, end))
    return counted // timedelta(minutes=1)


def _stretches_between(department: HasHours, start: datetime, end: datetime) -> Iterator[Stretch]:
    if not (department.hours or department.holidays):
        yield start, end
        return
    zone = ZoneInfo(department.time_zone)
    day, last = start.astimezone(zone).date() - timedelta(days=1), end.astimezone(zone).date()
    while day <= last:
        yield from _stretches(department, day)
        day += timedelta(days=1)


def _stretches(department: HasHours, day: date) -> tuple[Stretch, ...]:
    """What begins on this day by the department's calendar."""
    if day in department.holidays:
        return ()
    given = department.hours.get(DAYS[day.weekday()], ()) if department.hours else _WHOLE_DAY
    return _in_the_world(department.time_zone, day, tuple((begins, ends) for begins, ends in given))


@lru_cache(maxsize=1024)
def _in_the_world(zone: str, day: date, spells: tuple[Spell, ...]) -> tuple[Stretch, ...]:
    return tuple(_stretch(ZoneInfo(zone), day, *spell) for spell in spells)


def _stretch(zone: ZoneInfo, day: date, begins: str, ends: str) -> Stretch:
    """By the clock on the wall, so that on the day on which clocks change it still closes at five. A time that the
    clock passes twice is the first of the two; one that it leaps over falls as much later as it leaps."""
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    until = day if last > first else day + timedelta(days=1)
    return tuple(datetime.combine(on, at, zone).astimezone(UTC) for on, at in ((day, first), (until, last)))  # type: ignore[return-value]
