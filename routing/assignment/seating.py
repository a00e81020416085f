"""Who gets an item: the people of a department and what one item asks for in, one of them and the reason out. Pure, so
that giving out and “who would get the next one” can not differ."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from uuid import UUID

from departments.models import User
from routing.saying import language_name, listed, quoted

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass
class Seat:
    """Somebody who may work a department's queue: how much they take on and hold, and why they get nothing now."""

    user: User
    most: int
    held: int = 0
    languages: frozenset[str] = frozenset()  # none: any
    skills: frozenset[str] = frozenset()
    last: datetime | None = None
    absent: str = ""

    @property
    def user_id(self) -> UUID:
        return self.user.pk

    @property
    def is_free(self) -> bool:
        return not self.absent and self.held < self.most

    @property
    def why_not(self) -> str:
        """Why nothing is given to them now; empty when they are free."""
        if self.absent or self.is_free:
            return self.absent
        return "Takes nothing" if not self.most else "Holds as much as they take on"

    @property
    def turn(self) -> tuple:
        """Whose turn it is: the least busy first, then who has waited longest."""
        return self.held / self.most if self.most else 1, self.last or _LONG_AGO, self.user_id

    @property
    def room(self) -> str:
        return f"{self.held} of {self.most}"

    def speaks(self, language: str) -> bool:
        return not (language and self.languages) or language in self.languages

    def take(self, now: datetime) -> None:
        self.held, self.last = self.held + 1, now


@dataclass(frozen=True)
class Wanted:
    """What one item asks for."""

    language: str = ""
    tags: Collection[str] = ()
    since: datetime | None = None
    # Who had this person outside before, and who must not get it again at once.
    before: UUID | None = None
    passed_over: Collection[UUID] = ()


@dataclass(frozen=True)
class Choice:
    seat: Seat
    because: str


@dataclass(frozen=True)
class Table:
    """Everybody of one department, and after what time a language or skill is asked for no longer."""

    seats: Sequence[Seat]
    relax_after: timedelta

    @cached_property
    def _skills(self) -> frozenset[str]:
        return frozenset().union(*(seat.skills for seat in self.seats))

    @cached_property
    def _asks_language(self) -> bool:
        return any(seat.languages for seat in self.seats)

    @property
    def is_full(self) -> bool:
        return not any(seat.is_free for seat in self.seats)

    def choose(self, wanted: Wanted, now: datetime) -> Choice | None:
        """Who gets it, and why; None when nobody can have it now.

        The last who had this person; else of those who speak the language and have the skills that the item asks for
        the least busy. When nobody who is free has them, it waits, and after `relax_after` anybody may get it.
        """
        free = [seat for seat in self.seats if seat.is_free and seat.user_id not in wanted.passed_over]
        for seat in free:
            if seat.user_id == wanted.before:
                return Choice(seat, f"{seat.user} had this person before")
        language, skills = self._asked(wanted)
        fitting = [seat for seat in free if seat.speaks(language) and skills <= seat.skills]
        relaxed = not fitting and wanted.since is not None and now - wanted.since >= self.relax_after
        next_up = min(free if relaxed else fitting, key=lambda seat: seat.turn, default=None)
        return Choice(next_up, _because(next_up, language, skills, relaxed)) if next_up else None

    def _asked(self, wanted: Wanted) -> tuple[str, frozenset[str]]:
        """The language and skills that the item asks for: only what somebody here declares is asked."""
        return base(wanted.language) if self._asks_language else "", self._skills.intersection(wanted.tags)


def base(language: str) -> str:
    """“pt-BR” is Portuguese; what nobody knows is no language."""
    found = language.lower().split("-")[0]
    return "" if found == "und" else found


def _because(seat: Seat, language: str, skills: frozenset[str], relaxed: bool) -> str:
    if relaxed:
        lacking = [*([language_name(language)] if language else []), *quoted(sorted(skills))]
        return f"nobody with {listed(lacking, 'and')} was free in time and {seat.user} has most room ({seat.room})"
    has = [f"speaks {language_name(language)}"] if language and language in seat.languages else []
    has += [f"knows {listed(quoted(sorted(skills)), 'and')}"] if skills else []
    return f"{seat.user} {listed([*has, f'has most room ({seat.room})'], 'and')}"
