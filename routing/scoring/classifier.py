"""The department that a text is for. Read-only arithmetic on arrays that `training.py` made: needs numpy alone.

Several heads look at the same text, each at other parts of it (`PARTS`), and their votes are averaged: a head that
reads words is sure where it knows the words, one that reads meaning carries over to brands and languages that nobody
taught. What comes out is calibrated by one temperature. Pure.
"""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from routing.scoring import plain
from routing.scoring.features import features
from routing.scoring.said import Said
from routing.scoring.terms import Terms

#: What a head may look at: words, pieces of words, what is told besides, and the encoder's vector.
PARTS = ("words", "pieces", "told", "meaning")
_LEAST = 1e-4  # no head may rule a label out


@dataclass(frozen=True)
class Head:
    """One opinion: a weight for each part's columns and labels. `share` is what its vote counts."""

    name: str
    weights: Mapping[str, np.ndarray]
    base: np.ndarray
    share: float = 1.0

    def votes(self, parts: "Parts") -> np.ndarray:
        scores = sum(parts.times(part, weights) for part, weights in self.weights.items()) + self.base
        return _shares(scores)


@dataclass(frozen=True)
class Scale:
    """Brings columns to a like size."""

    middle: np.ndarray
    spread: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return (values - self.middle) / self.spread


@dataclass
class Parts:
    """What heads look at, of a batch of texts."""

    texts: list[str]
    terms: Mapping[str, Terms]
    told: np.ndarray
    meaning: np.ndarray | None
    _found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)

    def found(self, part: str) -> list[tuple[np.ndarray, np.ndarray]]:
        if part not in self._found:
            self._found[part] = [self.terms[part].found(text) for text in self.texts]
        return self._found[part]

    def times(self, part: str, weights: np.ndarray) -> np.ndarray:
        if part in self.terms:
            return np.stack([own @ weights[at] for at, own in self.found(part)])
        return (self.told if part == "told" else self.meaning) @ weights


@dataclass
class Classifier:
    """`labels` are departments' slugs and `none`; `thresholds` says from which probability on each is placed without
    asking anybody (a label that is not there never is). `size` is that of the encoder's vectors, 0 without one."""

    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    terms: Mapping[str, Terms]
    scale: Scale
    #: Those that look at vectors, and those for texts that have none.
    heads: tuple[Head, ...]
    bare: tuple[Head, ...]
    temperature: tuple[float, float]
    size: int = 0

    def predict(self, said: Sequence[Said], vectors: np.ndarray | None = None) -> np.ndarray:
        """The probability of each label (columns) for each text (rows). `vectors` are the encoder's; without them words
        alone decide."""
        if not said:
            return np.zeros((0, len(self.labels)), np.float32)
        seeing = vectors is not None and self.size > 0
        return self.judged(self.parts(said, vectors if seeing else None), seeing)

    def judged(self, parts: Parts, seeing: bool) -> np.ndarray:
        heads = self.heads if seeing else self.bare
        votes = sum(head.share * np.log(head.votes(parts) + _LEAST) for head in heads)
        return _shares(votes / sum(head.share for head in heads) / self.temperature[0 if seeing else 1])

    def parts(self, said: Sequence[Said], vectors: np.ndarray | None) -> Parts:
        texts = [plain.words(each.text) for each in said]
        told = self.scale(np.stack([features(each, text) for each, text in zip(said, texts, strict=True)]))
        meaning = None if vectors is None else np.asarray(vectors, np.float32)
        return Parts(texts, self.terms, told.astype(np.float32), meaning)

    def words(self, said: Said, label: str, most: int = 6) -> list[tuple[str, float]]:
        """The words of this text that speak most for `label` rather than the others, the strongest first."""
        head = next(head for head in self.bare if "words" in head.weights)
        terms, weights = self.terms["words"], head.weights["words"]
        at, own = terms.found(plain.words(said.text))
        column = self.labels.index(label)
        worth = own * (weights[at, column] - weights[at].mean(axis=1))
        spelt = dict(zip(terms.known.values(), terms.known, strict=True))
        best = [place for place in np.argsort(-worth) if worth[place] > 0][:most]
        return [(spelt[int(at[place])], round(float(worth[place]), 4)) for place in best]

    # Kept as arrays ------------------------------------------------------------------------------------------
    def to_bytes(self) -> bytes:
        """Everything as an npz file: arrays and one JSON text, nothing that could run."""
        arrays: dict[str, np.ndarray] = {"scale/middle": self.scale.middle, "scale/spread": self.scale.spread}
        for part, terms in self.terms.items():
            arrays[f"terms/{part}"] = _text("\n".join(terms.known))
            arrays[f"rarity/{part}"] = terms.rarity
        for kind, heads in (("heads", self.heads), ("bare", self.bare)):
            for number, head in enumerate(heads):
                arrays[f"{kind}/{number}/base"] = head.base
                arrays |= {f"{kind}/{number}/{part}": weights for part, weights in head.weights.items()}
        about = {
            "labels": self.labels,
            "thresholds": dict(self.thresholds),
            "temperature": self.temperature,
            "size": self.size,
            "heads": [[head.name, head.share, list(head.weights)] for head in self.heads],
            "bare": [[head.name, head.share, list(head.weights)] for head in self.bare],
            "cuts": {part: terms.cut for part, terms in self.terms.items()},
        }
        file = io.BytesIO()
        np.savez_compressed(file, about=_text(json.dumps(about)), **arrays)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Classifier":
        """The same again. ValueError for bytes that are none of ours."""
        with np.load(io.BytesIO(kept), allow_pickle=False) as arrays:
            about = json.loads(_said(arrays["about"]))
            terms = {part: _terms(arrays, part, cut) for part, cut in about["cuts"].items()}
            heads = {
                kind: tuple(_head(arrays, f"{kind}/{number}", *each) for number, each in enumerate(about[kind]))
                for kind in ("heads", "bare")
            }
            scale = Scale(arrays["scale/middle"], arrays["scale/spread"])
        return cls(
            labels=tuple(about["labels"]),
            thresholds=about["thresholds"],
            terms=terms,
            scale=scale,
            temperature=tuple(about["temperature"]),
            size=about["size"],
            **heads,
        )


def _shares(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _text(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _said(array: np.ndarray) -> str:
    return array.tobytes().decode()


def _terms(arrays, part: str, cut: str) -> Terms:
    known = _said(arrays[f"terms/{part}"]).split("\n")
    return Terms(cut, {term: at for at, term in enumerate(known)}, arrays[f"rarity/{part}"])


def _head(arrays, at: str, name: str, share: float, parts: list[str]) -> Head:
    return Head(name, {part: arrays[f"{at}/{part}"] for part in parts}, arrays[f"{at}/base"], share)
