"""Questions about when it was written."""

import re
from datetime import time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from routing.facts import Facts
from routing.parts import Question
from routing.questions.values import Zone
from routing.saying import listed, negated

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)


class Spell(BaseModel):
    """Days of the week and hours of the day in a time zone. Hours may run over midnight: the night belongs to the day
    on which it began."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    days: Annotated[list[Day], Field(min_length=1)] = list(DAYS)
    begins: Annotated[time, Field(alias="from")] = time(0)
    ends: Annotated[time, Field(alias="to")] = time(0)
    zone: Zone = "UTC"


class Time(Question):
    title = "Time"
    asks = {"within": ("is within", "is outside")}
    hint = "Such as: mon-fri 09:00-17:30 Europe/Berlin"
    field: Literal["time"] = "time"
    op: Literal["within"] = "within"
    value: Spell

    def holds(self, facts: Facts) -> bool:
        spell = self.value
        there = facts.created_at.astimezone(ZoneInfo(spell.zone))
        now, today = there.time(), there.weekday()
        if spell.begins < spell.ends:
            return spell.begins <= now < spell.ends and DAYS[today] in spell.days
        if now >= spell.begins:
            return DAYS[today] in spell.days
        return now < spell.ends and DAYS[today - 1] in spell.days

    def say(self, yes: bool = True, most: int | None = None) -> str:
        return f"it was {negated(yes, 'written')} {self._spell()}"

    def _spell(self) -> str:
        spell, parts = self.value, []
        if len(set(spell.days)) < len(DAYS):
            parts.append(f"on {listed(_DAY_NAMES[day] for day in DAYS if day in spell.days)}")
        if spell.begins != spell.ends:
            parts.append(f"between {spell.begins:%H:%M} and {spell.ends:%H:%M}")
        return f"{' '.join(parts) or 'at any time'} ({spell.zone})"

    def missing(self, facts: Facts, most: int | None = None) -> str:
        there = facts.created_at.astimezone(ZoneInfo(self.value.zone))
        return f"it was written on {_DAY_NAMES[DAYS[there.weekday()]]} at {there:%H:%M}, not {self._spell()}"

    def typed(self) -> str:
        spell = self.value
        days = "" if len(set(spell.days)) == len(DAYS) else ",".join(day for day in DAYS if day in spell.days) + " "
        return f"{days}{spell.begins:%H:%M}-{spell.ends:%H:%M} {spell.zone}"

    @classmethod
    def value_of(cls, typed: str) -> Any:
        found = _SPELL.fullmatch(typed.strip())
        if not found or not typed.strip():
            raise ValueError(f"Write days, hours and a time zone, {cls.hint[0].lower()}{cls.hint[1:]}.")
        spell: dict[str, Any] = {name: text for name, text in found.groupdict().items() if text and name != "days"}
        spell |= {name: spell[name].zfill(5) for name in ("from", "to") if name in spell}
        return spell | ({"days": _days(found["days"])} if found["days"] else {})


_SPELL = re.compile(
    r"(?P<days>[a-z,\s–-]*?)\s*(?:(?P<from>\d{1,2}:\d\d)\s*[-–]\s*(?P<to>\d{1,2}:\d\d))?\s*(?P<zone>[A-Z][\w/+-]*)?"
)


def _days(typed: str) -> list[str]:
    """`mon-fri, sun` as the list of days that it means; a word that is no day is left for the validation to refuse."""
    days: list[str] = []
    for part in re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*", "-", typed.strip())):
        first, dash, last = (name[:3] for name in part.partition("-"))
        if dash and first in DAYS and last in DAYS:
            start, length = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 + 1
            days += [DAYS[(start + step) % 7] for step in range(length)]
        else:
            days.append(part[:3])
    return list(dict.fromkeys(days))
