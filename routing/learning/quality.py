"""How good routing is by the organisation's own corrections, as one person may see it. Every number is counted from
messages that this person sees: what is confidential counts for its own people alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone

from departments.access import Rights, rights
from departments.models import Department, User
from departments.roles import Role
from routing.learning import choosing, drawing, measuring, sampling, vocabulary
from routing.learning.drift import Drift, drift
from routing.learning.lessons import ENOUGH, labels
from routing.learning.live import thresholds_of
from routing.learning.measuring import Judged
from routing.models import Correction, DepartmentExample, HeldOut, RoutingModel, ThresholdOverride
from routing.scoring.said import NONE

#: Models in the list.
MODELS = 20
#: How far back checked samples count.
CHECKED = timedelta(days=90)
#: For how long (in seconds) drift is not worked out again.
KEPT = 300
#: What stands for “nobody’s” where departments stand.
NOBODYS = "Nobody’s"
#: Steps of shade of the confusion matrix.
SHADES = 5


def has_quality(held: Rights) -> bool:
    """Coordinators and admins see how good routing is; leads see their departments' part of it."""
    return held.sees_ordinary or bool(held.at_least(Role.LEAD))


@dataclass(frozen=True)
class Label:
    """A department, or nobody, as rows and columns are named."""

    slug: str
    name: str
    hue: str


@dataclass(frozen=True)
class Cell:
    n: int
    shade: int
    is_right: bool
    said: str


@dataclass(frozen=True)
class Dial:
    """One department's threshold: what it is, and what each other would do."""

    label: Label
    value: float | None
    own: float | None  # as the model found it
    chosen: ThresholdOverride | None
    rows: Sequence[Judged]

    @property
    def at(self) -> float:
        return self.value if self.value is not None else 1.0

    @property
    def percent(self) -> int:
        return round(100 * self.at)

    @property
    def placed(self) -> int:
        return sum(row.sure >= self.at for row in self.rows) if self.value is not None else 0

    @property
    def right(self) -> int:
        return sum(row.holds for row in self.rows if row.sure >= self.at) if self.value is not None else 0

    @property
    def held(self) -> str:
        """For the slider: “.91+ .64-”, how sure and whether right."""
        return " ".join(f"{row.sure:.3f}{'+' if row.holds else '-'}" for row in self.rows)


@dataclass(frozen=True)
class Pupil:
    """How far learning is for one department."""

    department: Department
    examples: int
    corrections: int
    since: datetime | None

    @property
    def needs(self) -> int:
        return max(ENOUGH - self.examples, 0)


class Quality:
    """What the page and the API tell, for one person."""

    def __init__(self, user: User):
        self.user, self.held = user, rights(user)
        self.may_choose = choosing.may_choose(user)
        self.whole = self.held.sees_ordinary
        leads = self.held.at_least(Role.LEAD)
        self.departments = [each for each in labels().values() if self._shows(each, leads)]

    def _shows(self, department: Department, leads) -> bool:
        return department.pk in leads or (self.whole and not department.confidential)

    @property
    def is_off(self) -> bool:
        """Whether the operator wants no model to be asked."""
        return not settings.LEARNED_ROUTING

    # Readings -------------------------------------------------------------------------------------------------------
    @cached_property
    def live(self) -> RoutingModel | None:
        return RoutingModel.objects.told().live().first()

    @cached_property
    def thresholds(self) -> Mapping[str, float]:
        return thresholds_of(self.live) if self.live else {}

    @cached_property
    def held_out(self) -> list[HeldOut]:
        """Rows of the live model that this person may see and that are about their departments."""
        if self.live is None:
            return []
        rows = HeldOut.objects.visible_to(self.user).filter(model=self.live)
        return [row for row in rows if self.whole or self._is_about_mine(row)]

    def _is_about_mine(self, row: HeldOut) -> bool:
        mine = {each.slug for each in self.departments}
        return row.right in mine or bool(row.guesses) and row.guesses[0][0] in mine

    @cached_property
    def rows(self) -> list[Judged]:
        return [_judged(each) for each in self.held_out]

    # Figures --------------------------------------------------------------------------------------------------------
    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def accuracy(self) -> float:
        return measuring.accuracy(self.rows)

    @property
    def interval(self) -> tuple[float, float]:
        return measuring.wilson(sum(row.holds for row in self.rows), self.n)

    @property
    def macro_f1(self) -> float:
        return measuring.macro_f1(self.rows)

    @property
    def ece(self) -> float:
        return measuring.ece(self.rows)

    @cached_property
    def placed(self) -> list[Judged]:
        """Those that the live model would place by itself."""
        return measuring.placed(self.rows, self.thresholds)

    @property
    def coverage(self) -> float:
        return len(self.placed) / self.n if self.n else 0.0

    @property
    def precision(self) -> float:
        return measuring.accuracy(self.placed)

    @cached_property
    def sampled(self) -> list[Judged]:
        """Marked ones that somebody answered: what is right among them is not biased by what is corrected."""
        return sampling.judged(self.user, timezone.now() - CHECKED)

    @property
    def sampled_right(self) -> int:
        return sum(row.holds for row in self.sampled)

    @property
    def sampled_interval(self) -> tuple[float, float]:
        return measuring.wilson(self.sampled_right, len(self.sampled))

    @cached_property
    def to_check(self) -> list:
        triage = Department.objects.open().filter(is_triage=True) if self.whole else ()
        return list(sampling.to_check(self.user, [*self.departments, *triage]))

    # Pictures and tables --------------------------------------------------------------------------------------------
    @cached_property
    def bins(self) -> list[measuring.Bin]:
        return measuring.bins(self.rows)

    @property
    def reliability(self) -> drawing.Reliability:
        return drawing.reliability(self.bins)

    @cached_property
    def names(self) -> dict[str, Label]:
        """Labels by slug, in the order of the rail; of closed departments only where rows still tell of them."""
        found = {each.slug: Label(each.slug, each.name, each.hue) for each in labels().values()}
        told = {row.right for row in self.rows} | {row.label for row in self.rows}
        return found | {NONE: Label(NONE, NOBODYS, "d-tr")} | {
            slug: Label(slug, slug, "d-tr") for slug in sorted(told - found.keys() - {NONE}) if slug
        }  # fmt: skip

    @property
    def matrix(self) -> list[tuple[Label, list[Cell], int]]:
        """Where it belongs, row by row; how often each label was guessed; how many there are. Shaded by share."""
        counted = measuring.matrix(self.rows)
        sums = {slug: sum(counted.get((slug, guess), 0) for guess in self.names) for slug in self.columns_by_slug}
        return [
            (self.names[right], [self._cell(right, guess, counted, sums[right]) for guess in self.columns_by_slug], n)
            for right, n in sums.items()
            if n
        ]

    @property
    def columns_by_slug(self) -> list[str]:
        told = {row.right for row in self.rows} | {row.label for row in self.rows}
        return [slug for slug in self.names if slug in told]

    @property
    def columns(self) -> list[Label]:
        return [self.names[slug] for slug in self.columns_by_slug]

    def _cell(self, right: str, guess: str, counted: Mapping, total: int) -> Cell:
        n = counted.get((right, guess), 0)
        shade = min(SHADES, -(-n * SHADES // total)) if total else 0
        said = f"{self.names[right].name}, taken for {self.names[guess].name}: {n}"
        return Cell(n, shade, right == guess, said)

    @cached_property
    def mistaken(self) -> list[measuring.Mistaken]:
        """Words of what was guessed wrong, from messages that this person may read."""
        wanted = {each.message_id: row for each, row in zip(self.held_out, self.rows, strict=True)}
        texts = HeldOut.objects.filter(model=self.live, message__among=wanted) if wanted else HeldOut.objects.none()
        told = texts.filter(message__deleted_at=None).values_list("message", "message__title", "message__text")
        words = ((wanted[pk], vocabulary.words_of(f"{title} {text}")) for pk, title, text in told)
        return measuring.mistaken_words(words)

    @cached_property
    def dials(self) -> list[Dial]:
        """The thresholds of this person's departments, and of what belongs to nobody for those who see the house."""
        newest = ThresholdOverride.objects.order_by("label", "-pk").distinct("label").select_related("by")
        chosen = {each.label: each for each in newest}
        slugs = [each.slug for each in self.departments] + ([NONE] if self.whole else [])
        return [self._dial(slug, chosen.get(slug)) for slug in slugs if self.live]

    def _dial(self, slug: str, chosen: ThresholdOverride | None) -> Dial:
        rows = sorted((row for row in self.rows if row.label == slug), key=lambda row: -row.sure)
        own = self.live.thresholds.get(slug) if self.live else None
        standing = chosen if chosen and chosen.value is not None else None
        return Dial(self.names[slug], self.thresholds.get(slug), own, standing, rows)

    @property
    def drift(self) -> Drift:
        key = f"drift:{self.user.pk}:{self.user.permission_epoch}:{self.live.pk if self.live else ''}"
        triage = Department.objects.open().filter(is_triage=True) if self.whole else ()
        return cache.get_or_set(key, lambda: drift(self.user, self.live, [*self.departments, *triage]), KEPT)

    # Models and departments -----------------------------------------------------------------------------------------
    @cached_property
    def models(self) -> list[RoutingModel]:
        """The newest, and the live one in any case."""
        found = list(RoutingModel.objects.told()[:MODELS])
        return found if self.live is None or self.live in found else [*found, self.live]

    @property
    def previous(self) -> RoutingModel | None:
        return choosing.previous() if self.may_choose else None

    @cached_property
    def pupils(self) -> list[Pupil]:
        written = dict(DepartmentExample.objects.values_list("department").annotate(Count("pk")).order_by())
        seen = Correction.objects.visible_to(self.user).filter(belongs__in=self.departments)
        corrected = dict(seen.values_list("belongs").annotate(Count("pk")).order_by())
        since = _learning_since()
        return [
            Pupil(each, written.get(each.pk, 0), corrected.get(each.pk, 0), since.get(each.slug))
            for each in self.departments
        ]


def _judged(row: HeldOut) -> Judged:
    return Judged(row.right, tuple((label, p) for label, p in row.guesses))


def _learning_since() -> dict[str, datetime]:
    """Label → when the first model was trained that knew it."""
    found: dict[str, datetime] = {}
    for known, at in RoutingModel.objects.order_by("number").values_list("metrics__labels", "created_at"):
        for label in known or ():
            found.setdefault(label, at)
    return found
