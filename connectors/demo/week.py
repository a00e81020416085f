"""The story of Mirabelo's week, as `week.toml` tells it."""

import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from connectors.demo.people import HOUSE, MAIN

_FILE = Path(__file__).with_name("week.toml")
_SPANS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


@dataclass(frozen=True)
class Said:
    """One post of the story. `to` is the key of the post that it answers; `belongs` what a reasonable person would
    say."""

    key: str
    who: str
    ago: str
    belongs: str
    text: str
    kind: str = "mention"
    to: str = ""
    account: str = MAIN
    lang: str = "en"
    rating: int | None = None
    title: str = ""

    @property
    def is_ours(self) -> bool:
        return any(self.who == each.handle for each in HOUSE)


@dataclass(frozen=True)
class Edited:
    key: str
    ago: str
    text: str


@dataclass(frozen=True)
class Deleted:
    key: str
    ago: str


Event = Said | Edited | Deleted


@cache
def story() -> tuple[Event, ...]:
    """All that happens, in its order."""
    told = tomllib.loads(_FILE.read_text())
    events = [
        *(Said(**each) for each in told["said"]),
        *(Edited(**each) for each in told["edited"]),
        *(Deleted(**each) for each in told["deleted"]),
    ]
    return tuple(sorted(events, key=lambda each: when(each)))


def when(event: Event) -> timedelta:
    """How long after the opening of the story it happens; most of it before."""
    return -span(event.ago)


def span(told: str) -> timedelta:
    """“2d 3h” as a time span; “-2m” lies on the other side."""
    parts = {_SPANS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhms])", told)}
    return -timedelta(**parts) if told.startswith("-") else timedelta(**parts)
