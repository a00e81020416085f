"""Making a classifier of examples: the seed posts that ship with the house, and whatever people taught. Needs
scikit-learn, which nobody who only reads has to load. The same examples and seed give the same arrays."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from routing.scoring import plain, terms
from routing.scoring.classifier import Classifier, Head, Parts, Scale
from routing.scoring.features import features
from routing.scoring.said import NONE, Example, Said

_SEEDS = Path(__file__).with_name("seeds")
#: With so many corrections seeds weigh half as much as at first, and never less than the least.
HALF, LEAST_SEED = 150, 0.3
#: Before so many corrections nobody knows how right the model is here: thresholds as below.
FEW = 50
START, START_ELSE = {"pr": 0.8, "hr": 0.75}, 0.6
#: Temperature seeing and bare, for as long.
UNTAUGHT = (1.2, 1.2)
#: So often what is placed has to be right, judged by so many rows at least.
PRECISION, LEAST_ROWS = 0.9, 12
_MOST_JUDGED = 1500
#: In so many parts corrections are asked about; fewer where there are many, which take long and vary little.
_FOLDS, _FOLDS_OF_MANY, _MANY = 4, 2, 1000


@dataclass(frozen=True)
class Recipe:
    """A head to be trained: what it looks at, each part brought to a scale of its own; how freely it may fit."""

    name: str
    scales: Mapping[str, float]
    freely: float
    share: float = 1.0


SEEING = (
    Recipe("all", {"words": 1.0, "pieces": 1.0, "told": 0.2, "meaning": 1.5}, 1.5),
    Recipe("carrying over", {"told": 0.3, "meaning": 3.0}, 0.5),
)
BARE = (Recipe("words", {"words": 1.0, "pieces": 1.0, "told": 0.2}, 1.5),)


@cache
def seeds() -> list[Example]:
    """The seed posts, our own, of every department of the presets and of what is nobody's."""
    return [_seed(line, file.stem) for file in sorted(_SEEDS.glob("*.jsonl")) for line in file.read_text().splitlines()]


def _seed(line: str, label: str) -> Example:
    told = json.loads(line)
    said = Said(told["text"], told["network"], told["kind"], told["lang"], told.get("rating"))
    return Example(said, label)


def train(
    examples: Sequence[Example],
    *,
    encoder=None,
    seed: int = 0,
    descriptions: Mapping[str, str] | None = None,
    like: Classifier | None = None,
) -> Classifier:
    """A classifier of these examples. Seed posts among them weigh less the more others there are. `descriptions` (label
    → what belongs there, in words) are read as examples too. Without an encoder words alone are learnt. With
    `like`, which learnt nearly the same, how sure to be is taken from there: to find it out takes most of the time.

    Raises ValueError where fewer than two labels have examples."""
    lessons = [*examples, *_described(examples, descriptions or {})]
    if len({each.label for each in lessons}) < 2:
        raise ValueError("There have to be examples of two labels at least.")
    table = _Table.of(lessons, encoder)
    made = _Making(table, seed).made()
    made.temperature, made.thresholds = (like.temperature, like.thresholds) if like else _judged(table, made, seed)
    return made


def _described(examples: Sequence[Example], descriptions: Mapping[str, str]) -> list[Example]:
    known = {each.label for each in examples}
    return [Example(Said(text[: plain.READ]), label) for label, text in descriptions.items() if label in known and text]


def _weights(lessons: Sequence[Example]) -> tuple[np.ndarray, np.ndarray]:
    """What each example weighs, and which of them people taught."""
    shipped = set(seeds())
    taught = np.array([each not in shipped for each in lessons])
    of_seeds = max(LEAST_SEED, 1 / (1 + taught.sum() / HALF))
    own = np.array([each.weight for each in lessons])
    return np.where(taught, own, own * of_seeds).astype(np.float64), taught


@dataclass
class _Table:
    """All examples as numbers."""

    labels: tuple[str, ...]
    answers: np.ndarray
    weights: np.ndarray
    taught: np.ndarray
    texts: list[str]
    told: np.ndarray
    meaning: np.ndarray | None

    @classmethod
    def of(cls, lessons: Sequence[Example], encoder) -> "_Table":
        labels = tuple(sorted({each.label for each in lessons}, key=lambda label: (label == NONE, label)))
        weights, taught = _weights(lessons)
        texts = [plain.words(each.said.text) for each in lessons]
        return cls(
            labels=labels,
            answers=np.array([labels.index(each.label) for each in lessons]),
            weights=weights,
            taught=taught,
            texts=texts,
            told=np.stack([features(each.said, text) for each, text in zip(lessons, texts, strict=True)]),
            meaning=_encoded(encoder, [each.said.text for each in lessons]),
        )

    def only(self, rows: np.ndarray) -> "_Table":
        return _Table(
            self.labels, self.answers[rows], self.weights[rows], self.taught[rows],
            [self.texts[row] for row in rows], self.told[rows],
            None if self.meaning is None else self.meaning[rows],
        )  # fmt: skip


def _encoded(encoder, texts: list[str]) -> np.ndarray | None:
    return None if encoder is None else np.asarray(encoder.encode(texts), np.float32)


class _Making:
    """One training on one table."""

    def __init__(self, table: _Table, seed: int):
        self.table, self.seed = table, seed
        self.scale = Scale(table.told.mean(axis=0), table.told.std(axis=0) + np.float32(0.1))
        self.terms = {
            "words": terms.learn("words", table.texts, least=1, most=40_000),
            "pieces": terms.learn("pieces", table.texts, least=2, most=40_000),
        }
        self._columns: dict[str, object] = {}

    def made(self, bare: bool = True) -> Classifier:
        """The classifier; without `bare` one that can not do without vectors, for a look in between."""
        size = 0 if self.table.meaning is None else self.table.meaning.shape[1]
        return Classifier(
            labels=self.table.labels,
            thresholds={},
            terms=self.terms,
            scale=self.scale,
            heads=tuple(self._head(recipe) for recipe in SEEING) if size else (),
            bare=tuple(self._head(recipe) for recipe in BARE) if bare else (),
            temperature=(1.0, 1.0),
            size=size,
        )

    def columns(self, part: str):
        if part not in self._columns:
            self._columns[part] = self._made_columns(part)
        return self._columns[part]

    def _made_columns(self, part: str):
        import scipy.sparse

        if part == "told":
            return self.scale(self.table.told)
        if part == "meaning":
            return self.table.meaning
        known = self.terms[part]
        return scipy.sparse.csr_matrix(terms.rows(known, self.table.texts), (len(self.table.texts), len(known.known)))

    def _head(self, recipe: Recipe) -> Head:
        """A logistic regression; its weights are brought back to the parts' own scales."""
        import scipy.sparse
        from sklearn.linear_model import LogisticRegression

        blocks = [scale * self.columns(part) for part, scale in recipe.scales.items()]
        sparse = any(scipy.sparse.issparse(block) for block in blocks)
        columns = scipy.sparse.hstack(blocks).tocsr() if sparse else np.hstack(blocks)
        # Many examples take long to fit to the last digit, which changes nothing that could be measured.
        close = 1e-3 if len(self.table.answers) < 3000 else 1e-2
        model = LogisticRegression(C=recipe.freely, class_weight="balanced", max_iter=400, tol=close)
        model.fit(columns, self.table.answers, sample_weight=self.table.weights)
        weights, base = _for_all(model, len(self.table.labels))
        ends = np.cumsum([0] + [block.shape[1] for block in blocks])
        parts = zip(recipe.scales.items(), zip(ends, ends[1:], strict=False), strict=True)
        kept = {part: (scale * weights[begin:end]).astype(np.float32) for (part, scale), (begin, end) in parts}
        return Head(recipe.name, kept, base.astype(np.float32), recipe.share)


def _for_all(model, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """A column of weights for every label, also where the model knows two and keeps one column, or misses some."""
    coef, base = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coef, base = np.vstack([-coef / 2, coef / 2]), np.concatenate([-base / 2, base / 2])
    weights, bases = np.zeros((coef.shape[1], labels)), np.full(labels, -9.0)
    weights[:, model.classes_], bases[model.classes_] = coef.T, base
    return weights, bases


# Held to what it has not seen --------------------------------------------------------------------------------------
def _judged(table: _Table, made: Classifier, seed: int) -> tuple[tuple[float, float], dict[str, float]]:
    """Temperature (seeing, bare) and thresholds, from trainings that had not seen the corrections that they are asked
    about. Where there are few, those hold that were measured on other houses' posts: seeds say too little of how
    surely people's own words are told apart."""
    asked = np.random.default_rng(seed).permutation(np.flatnonzero(table.taught))[:_MOST_JUDGED]
    if table.taught.sum() < FEW:
        return UNTAUGHT, _thresholds_at_first(table)
    answers, votes = table.answers[asked], _unseen_votes(table, asked, bool(made.heads), seed)
    temperatures = {seeing: _temperature(found, answers) for seeing, found in votes.items()}
    best = True in votes
    thresholds = _thresholds(_cooled(votes[best], temperatures[best]), answers, table)
    return (temperatures.get(True, 1.0), temperatures.get(False, UNTAUGHT[1])), thresholds


def _unseen_votes(table: _Table, asked: np.ndarray, seeing: bool, seed: int) -> dict[bool, np.ndarray]:
    """Seeing (or bare, where there is no encoder) → what is thought of each of these rows by a training that had not
    seen it."""
    votes = {seeing: np.zeros((len(asked), len(table.labels)))}
    folds = _FOLDS if len(asked) < _MANY else _FOLDS_OF_MANY
    for fold in range(folds):
        out = np.arange(fold, len(asked), folds)
        rest = np.setdiff1d(np.arange(len(table.answers)), asked[out])
        part = _Making(table.only(rest), seed).made(bare=not seeing)
        for each in votes:
            votes[each][out] = part.judged(_parts(part, table.only(asked[out]), each), each)
    return votes


def _parts(part: Classifier, asked: _Table, seeing: bool) -> Parts:
    told = part.scale(asked.told).astype(np.float32)
    return Parts(asked.texts, part.terms, told, asked.meaning if seeing else None)


def _cooled(votes: np.ndarray, temperature: float) -> np.ndarray:
    raised = np.maximum(votes, 1e-9) ** (1 / temperature)
    return raised / raised.sum(axis=1, keepdims=True)


def _temperature(votes: np.ndarray, answers: np.ndarray) -> float:
    """The one under which what was right was likeliest."""

    def surprise(temperature: float) -> float:
        return -np.log(_cooled(votes, temperature)[np.arange(len(answers)), answers] + 1e-9).mean()

    return float(min(np.arange(0.5, 2.55, 0.05), key=surprise))


def _thresholds_at_first(table: _Table) -> dict[str, float]:
    return {label: START.get(label, START_ELSE) for label in table.labels}


def _thresholds(sure: np.ndarray, answers: np.ndarray, table: _Table) -> dict[str, float]:
    start = _thresholds_at_first(table)
    best, top = sure.argmax(axis=1), sure.max(axis=1)
    found = {}
    for at, label in enumerate(table.labels):
        mine = best == at
        found[label] = _threshold(top[mine], answers[mine] == at) if mine.sum() >= LEAST_ROWS else start[label]
    return {label: round(value, 3) for label, value in found.items() if value is not None}


def _threshold(sure: np.ndarray, right: np.ndarray) -> float | None:
    """The lowest one above which enough were right; None where there is none."""
    order = np.argsort(-sure, kind="stable")
    kept = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((kept >= PRECISION) & (np.arange(len(order)) >= LEAST_ROWS - 1))
    return float(np.floor(sure[order][enough[-1]] * 1000) / 1000) if len(enough) else None
