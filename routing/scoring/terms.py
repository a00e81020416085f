"""Which words and pieces of words of a text a model knows, weighed by how rare they are (TF-IDF). As scikit-learn
counts them, in the few lines that reading needs: a process that only reads loads no learning library. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

_WORD = re.compile(r"[@#]?\w+")
_MOST = 2000  # characters of a text that are cut into pieces


def single_words(text: str) -> list[str]:
    """Words and pairs of words."""
    words = _WORD.findall(text)
    return words + [f"{one} {two}" for one, two in zip(words, words[1:], strict=False)]


def pieces(text: str) -> list[str]:
    """Pieces of two to five letters within words."""
    cut = []
    for word in text[:_MOST].split():
        padded = f" {word} "
        for length in (2, 3, 4, 5):
            if len(padded) <= length:
                cut.append(padded)
                break
            cut += [padded[at : at + length] for at in range(len(padded) - length + 1)]
    return cut


CUTS: dict[str, Callable[[str], list[str]]] = {"words": single_words, "pieces": pieces}


@dataclass(frozen=True)
class Terms:
    """The terms that are known, in order, and how rare each is."""

    cut: str
    known: dict[str, int]
    rarity: np.ndarray

    def found(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """The places of the known terms of this text, and their weights; the weights' squares add up to one."""
        known = [place for place in map(self.known.get, CUTS[self.cut](text)) if place is not None]
        at, counts = np.unique(np.array(known, np.int32), return_counts=True)
        weights = (1 + np.log(counts)).astype(np.float32) * self.rarity[at]
        return at, weights / max(1e-9, sqrt(float(weights @ weights)))

    def times(self, text: str, weights: np.ndarray) -> np.ndarray:
        """What the terms of this text add up to, each with its row of `weights`."""
        at, own = self.found(text)
        return own @ weights[at]


def learn(cut: str, texts: Sequence[str], *, least: int, most: int) -> Terms:
    """The terms that stand in at least `least` texts, the `most` that do so oftenest."""
    seen = Counter(term for text in texts for term in set(CUTS[cut](text)))
    kept = [(-count, term) for term, count in seen.items() if count >= least]
    terms = sorted(term for _, term in sorted(kept)[:most])
    rarity = [log((1 + len(texts)) / (1 + seen[term])) + 1 for term in terms]
    return Terms(cut, {term: at for at, term in enumerate(terms)}, np.array(rarity, np.float32))


def rows(terms: Terms, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three arrays of a sparse matrix (data, indices, indptr), a row for each text."""
    found = [terms.found(text) for text in texts]
    ends = np.cumsum([0] + [len(at) for at, _ in found])
    return np.concatenate([own for _, own in found]), np.concatenate([at for at, _ in found]), ends
