"""Whether what comes in has changed: where it goes, and how much of it is in words that the model never read. This week
against the four weeks before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from departments.models import Department, User
from inbox.models import Message
from inbox.querysets import seen_by
from routing.learning import vocabulary
from routing.models import Decision, RoutingModel
from routing.saying import listed, rounded

WEEK, BEFORE = timedelta(days=7), timedelta(days=28)
#: With fewer posts on either side nothing is said.
ENOUGH = 50
#: So many of a hundred posts going elsewhere are worth a line; so are unknown words half as many again as before.
MOVED, MORE = 0.15, 1.5
LEAST_MORE = 0.03
#: Of each stretch so many texts are read.
READ = 1500


@dataclass(frozen=True)
class Share:
    """What came to one department: of all that came this week, and in the weeks before."""

    department: Department
    now: float
    before: float


@dataclass(frozen=True)
class Drift:
    shares: Sequence[Share]
    n: int
    n_before: int
    unknown: float | None
    unknown_before: float | None

    @property
    def enough(self) -> bool:
        return min(self.n, self.n_before) >= ENOUGH

    @property
    def moved(self) -> float:
        """How much of this week’s posts would have to go elsewhere for the week to be like those before."""
        return sum(max(each.now - each.before, 0) for each in self.shares)

    @property
    def reads_less(self) -> bool:
        """Whether clearly more words are unknown than before."""
        if self.unknown is None or self.unknown_before is None:
            return False
        return self.unknown > self.unknown_before * MORE and self.unknown - self.unknown_before > LEAST_MORE

    @property
    def is_notable(self) -> bool:
        return self.enough and (self.moved > MOVED or self.reads_less)

    @property
    def sentence(self) -> str:
        if not self.enough:
            return f"Too little came to compare: {self.n} posts this week, {self.n_before} in the four weeks before."
        parts = [self._mix(), *([self._words()] if self.unknown is not None else [])]
        return " ".join(parts)

    def _mix(self) -> str:
        grown = [each for each in self.shares if each.now - each.before > 0.05]
        if self.moved <= MOVED or not grown:
            return "What comes in goes where it used to go."
        names = listed(
            (f"{each.department} ({rounded(each.now)} instead of {rounded(each.before)})" for each in grown[:3]), "and"
        )
        return f"More than usual goes to {names}."

    def _words(self) -> str:
        if self.reads_less:
            before = rounded(self.unknown_before)
            return f"The model has never read {rounded(self.unknown)} of the words; before it was {before}."
        return f"The model has never read {rounded(self.unknown)} of the words, about as many as before."


def drift(user: User, live: RoutingModel | None, departments: Sequence[Department]) -> Drift:
    """Counted from what the user may see, in these departments and Triage."""
    now = timezone.now()
    counted = _counted(user, now)
    known = [each for each in departments if each.pk in counted]
    n, n_before = (sum(counted[each.pk][place] for each in known) for place in (0, 1))
    shares = [_share(each, counted[each.pk], n, n_before) for each in known]
    unknown = _unknown(user, live, now) if live else (None, None)
    return Drift(sorted(shares, key=lambda each: each.before - each.now), n, n_before, *unknown)


def _share(department: Department, counted: tuple[int, int], n: int, n_before: int) -> Share:
    return Share(department, counted[0] / n if n else 0.0, counted[1] / n_before if n_before else 0.0)


def _counted(user: User, now: datetime) -> Mapping:
    """Department → how many conversations began there this week, and in the four before."""
    recent = Decision.objects.live().filter(at__gt=now - WEEK - BEFORE).exclude(source=Decision.Source.THREAD)
    seen = recent.filter(seen_by(user, "message__conversation")).values("department").order_by()
    rows = seen.annotate(now=Count("pk", filter=Q(at__gt=now - WEEK)), both=Count("pk"))
    return {row["department"]: (row["now"], row["both"] - row["now"]) for row in rows}


def _unknown(user: User, live: RoutingModel, now: datetime) -> tuple[float | None, float | None]:
    kept = RoutingModel.objects.filter(pk=live.pk).values_list("vocabulary", flat=True).first()
    if not kept:
        return None, None
    known = vocabulary.unpacked(kept)
    week, before = _texts(user, now - WEEK, now), _texts(user, now - WEEK - BEFORE, now - WEEK)
    return vocabulary.unknown_share(week, known), vocabulary.unknown_share(before, known)


def _texts(user: User, since: datetime, until: datetime):
    recent = Decision.objects.live().filter(at__gt=since, at__lte=until).order_by("-at").values("message")[: READ * 2]
    seen = Message.objects.filter(pk__in=recent, deleted_at=None).filter(seen_by(user, "conversation"))
    return list(seen.values_list("text", flat=True)[:READ])
