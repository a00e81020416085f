"""How good guesses were, in numbers. Pure: what was right and what was guessed go in. Pages count with it, so it does
without numpy, which web processes never load; `routing/scoring/measuring.py` counts for those who train.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Of so many widths are the bars of the reliability diagram.
BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One message: where it belongs, and the labels that were thought likely, the best first."""

    right: str
    guesses: tuple[tuple[str, float], ...]

    @property
    def label(self) -> str:
        return self.guesses[0][0] if self.guesses else ""

    @property
    def sure(self) -> float:
        return self.guesses[0][1] if self.guesses else 0.0

    @property
    def holds(self) -> bool:
        return self.label == self.right


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which a share lies with 95 % confidence (Wilson's, which is honest for few rows too)."""
    if not n:
        return 0.0, 1.0
    share, spread = right / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def accuracy(rows: Sequence[Judged]) -> float:
    return sum(row.holds for row in rows) / len(rows) if rows else 0.0


def macro_f1(rows: Sequence[Judged]) -> float:
    """The mean over the labels that are right anywhere; each counts the same, however rare."""
    right, guessed = Counter(row.right for row in rows), Counter(row.label for row in rows)
    both = Counter(row.right for row in rows if row.holds)
    return sum(2 * both[each] / (right[each] + guessed[each]) for each in right) / len(right) if right else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of which the model was about as sure: how many, how sure on average, and how many of them were right."""

    low: float
    high: float
    n: int
    sure: float
    right: int

    @property
    def share(self) -> float:
        return self.right / self.n if self.n else 0.0


def bins(rows: Iterable[Judged]) -> list[Bin]:
    """Those that hold anything, from the least sure to the surest."""
    held: dict[int, list[Judged]] = {}
    for row in rows:
        held.setdefault(min(int(row.sure * BINS), BINS - 1), []).append(row)
    return [
        Bin(place / BINS, (place + 1) / BINS, len(part), sum(row.sure for row in part) / len(part), _right(part))
        for place, part in sorted(held.items())
    ]


def ece(rows: Sequence[Judged]) -> float:
    """How far what a model says of its own sureness is from the truth, on average."""
    return sum(part.n * abs(part.sure - part.share) for part in bins(rows)) / len(rows) if rows else 0.0


def matrix(rows: Iterable[Judged]) -> dict[tuple[str, str], int]:
    """(where it belongs, what was guessed) → how many."""
    return dict(Counter((row.right, row.label) for row in rows))


def placed(rows: Iterable[Judged], thresholds: Mapping[str, float]) -> list[Judged]:
    """Those that would be placed: the model is as sure as the guessed label asks for. Without a threshold none is."""
    return [row for row in rows if row.sure >= thresholds.get(row.label, 2.0)]


def summary(rows: Sequence[Judged], thresholds: Mapping[str, float]) -> dict[str, Any]:
    """What is kept beside a model and sent to programs."""
    sure = placed(rows, thresholds)
    low, high = wilson(_right(rows), len(rows))
    return {
        "n": len(rows),
        "right": _right(rows),
        "accuracy": round(accuracy(rows), 4),
        "accuracy_low": round(low, 4),
        "accuracy_high": round(high, 4),
        "macro_f1": round(macro_f1(rows), 4),
        "ece": round(ece(rows), 4),
        "coverage": round(len(sure) / len(rows), 4) if rows else 0.0,
        "precision": round(accuracy(sure), 4) if sure else None,
        "bins": [[each.low, each.high, each.n, round(each.sure, 4), each.right] for each in bins(rows)],
        "confusion": [[right, guess, n] for (right, guess), n in sorted(matrix(rows).items())],
    }


def _right(rows: Iterable[Judged]) -> int:
    return sum(row.holds for row in rows)


# Against another model ---------------------------------------------------------------------------------------------
#: With fewer rows a mean over labels says nothing.
FEW = 20
#: So much below the live model is still not worse.
MARGIN = 0.01


def is_worse(candidate: Sequence[Judged], live: Sequence[Judged]) -> bool:
    """Whether the candidate is worse than the live model, both on the same messages."""
    if len(candidate) < FEW:
        return accuracy(candidate) < accuracy(live)
    return macro_f1(candidate) < macro_f1(live) - MARGIN


# Words -------------------------------------------------------------------------------------------------------------
#: Of hundreds of words some are in mistakes by chance, so what is told has to be certain to 99 %.
CERTAIN = 2.576


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A word that stands in what was guessed wrong more often than elsewhere."""

    word: str
    wrong: int
    n: int


def mistaken_words(
    rows: Iterable[tuple[Judged, frozenset[str]]], *, least: int = 4, most: int = 12, seldom: int = 1
) -> list[Mistaken]:
    """The words that stand in at least `least` wrong ones, clearly more often than what is usual, the clearest first.
    Of words in fewer than `seldom` messages nothing is told."""
    wrong: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    n = mistakes = 0
    for row, words in rows:
        n, mistakes = n + 1, mistakes + (not row.holds)
        all_.update(words)
        if not row.holds:
            wrong.update(words)
    usual = mistakes / n if n else 0
    found = [Mistaken(word, times, all_[word]) for word, times in wrong.items() if times >= least]
    clear = {each: wilson(each.wrong, each.n, CERTAIN)[0] for each in found if each.n >= seldom}
    told = [each for each, low in clear.items() if low > usual]
    return sorted(told, key=lambda each: (-clear[each], -each.n, each.word))[:most]
