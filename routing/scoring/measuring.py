"""How good guesses are, against the labels that people gave. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.scoring.said import Said

#: Where a guess counts as placed by itself: this share of them has to be right.
RIGHT = 0.9
_BINS = 10


@dataclass(frozen=True)
class Row:
    """A text, where it belongs, and perhaps a second answer that a reasonable lead would accept."""

    said: Said
    label: str
    alt: str = ""


def measure(classifier, rows: Sequence[Row], vectors: np.ndarray | None = None) -> dict[str, float]:
    """The figures of a classifier on these rows: `n accuracy accuracy_with_alt macro_f1 coverage_at_90 ece`."""
    guesses = classifier.predict([row.said for row in rows], vectors)
    return figures([classifier.labels[best] for best in guesses.argmax(axis=1)], guesses.max(axis=1), rows)


def figures(best: Sequence[str], sure: Sequence[float], rows: Sequence[Row]) -> dict[str, float]:
    """The same for best guesses and how sure each was. A label that is not among the rows is left out of `macro_f1`."""
    if not rows:
        return {"n": 0}
    right = np.array([guess == row.label for guess, row in zip(best, rows, strict=True)])
    taken = np.array([guess in (row.label, row.alt) for guess, row in zip(best, rows, strict=True)])
    return {
        "n": len(rows),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_with_alt": round(float(taken.mean()), 4),
        "macro_f1": round(macro_f1(best, [row.label for row in rows]), 4),
        "coverage_at_90": round(coverage(np.asarray(sure), taken), 4),
        "ece": round(calibration_error(np.asarray(sure), right), 4),
    }


def macro_f1(best: Sequence[str], labels: Sequence[str]) -> float:
    """The mean over labels of how well each is found and how well it is kept apart."""
    guessed, true = np.array(best), np.array(labels)
    found = [(2 * ((guessed == each) & (true == each)).sum()) / ((guessed == each).sum() + (true == each).sum())
             for each in sorted(set(labels))]  # fmt: skip
    return float(np.mean(found))


def coverage(sure: np.ndarray, taken: np.ndarray, right: float = RIGHT) -> float:
    """The largest share of rows above one threshold of which at least `right` were taken well."""
    order = np.argsort(-sure, kind="stable")
    kept = np.cumsum(taken[order]) / np.arange(1, len(order) + 1)
    # A threshold can not part rows that are equally sure.
    last = np.append(np.diff(sure[order]) != 0, True)
    enough = np.flatnonzero((kept >= right) & last)
    return float((enough[-1] + 1) / len(order)) if len(enough) else 0.0


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """How far, on average, “80 % sure” is from right in 80 of 100 (ten bins)."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    return float(sum(abs(sure[bins == each].mean() - right[bins == each].mean()) * (bins == each).mean()
                     for each in np.unique(bins)))  # fmt: skip


def confusion(best: Sequence[str], rows: Sequence[Row], labels: Sequence[str]) -> list[list[int]]:
    """How many rows of each label (down) were guessed as each (across)."""
    at = {label: number for number, label in enumerate(labels)}
    table = [[0] * len(labels) for _ in labels]
    for guess, row in zip(best, rows, strict=True):
        table[at[row.label]][at[guess]] += 1
    return table
