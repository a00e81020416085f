"""How somebody feels: from -1 (angry) to 1 (glad), of a text or of its point (`encoder.py`). Pure.

Learnt from our own posts in `moods/`, a sentence a line, and kept as `mood.npz`: three columns of weights. `python -m
routing.scoring.sentiment` learns anew and says how often it is right. Where there is no encoder a few words tell.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from routing.scoring.plain import words

if TYPE_CHECKING:
    import numpy as np

    from routing.scoring.encoder import TextEncoder

#: From the worst to the best.
MOODS = ("angry", "even", "glad")
#: Beyond that somebody is angry, or glad; what lies between is even.
CLEAR = 0.3
_HERE = Path(__file__).parent
_KEPT = _HERE / "mood.npz"


def moods_of(vectors: "np.ndarray", encoder: str) -> list[float] | None:
    """The mood of each point; None where they are another encoder's than the one that was learnt with."""
    known = _weights()
    if known is None or known[0] != encoder:
        return None
    shares = _shares(vectors @ known[1] + known[2])
    return [round(float(mood), 3) for mood in shares[:, 2] - shares[:, 0]]


def moods_by_words(texts: Sequence[str]) -> list[float | None]:
    """The mood of each text by the words that it uses; None where there is none that tells."""
    return [_by_words(text) for text in texts]


def as_step(mood: float | None) -> int | None:
    """As lists show it: -1 angry, 0 even, 1 glad."""
    if mood is None:
        return None
    return (mood >= CLEAR) - (mood <= -CLEAR)


def _by_words(text: str) -> float | None:
    said = words(text).split()
    worth = [value for each in said if (value := _lexicon().get(each.strip(".,;:!?¡¿()\"'“”«»")))]
    return max(-1.0, min(1.0, sum(worth) / 2)) if worth else None


@cache
def _lexicon() -> dict[str, int]:
    told = json.loads((_HERE / "mood_words.json").read_text())
    return {word: value for value, listed in ((1, told["glad"]), (-1, told["angry"])) for word in listed}


@cache
def _weights() -> "tuple[str, np.ndarray, np.ndarray] | None":
    """The encoder's name, weights and base; None where they can not be read."""
    import numpy as np

    try:
        with np.load(_KEPT, allow_pickle=False) as kept:
            return str(kept["encoder"]), kept["weights"].astype(np.float32), kept["base"].astype(np.float32)
    except (OSError, ValueError, KeyError):
        return None


def _shares(scores: "np.ndarray") -> "np.ndarray":
    import numpy as np

    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


# Learning -----------------------------------------------------------------------------------------------------------
def posts() -> list[tuple[str, int]]:
    """Our own posts, each with its place in `MOODS`."""
    files = [(_HERE / "moods" / f"{mood}.txt", at) for at, mood in enumerate(MOODS)]
    return [(line, at) for file, at in files for line in file.read_text().splitlines()]


def learn(vectors: "np.ndarray", moods: Sequence[int]):
    """What tells the moods apart: weights and base. The same points give the same."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=4.0, class_weight="balanced", max_iter=400).fit(vectors, moods)
    return model.coef_.T, model.intercept_


def keep(encoder: "TextEncoder") -> None:
    """Learn from our posts, and keep what was learnt."""
    import numpy as np

    texts, moods = zip(*posts(), strict=True)
    weights, base = learn(encoder.encode(texts), moods)
    np.savez(_KEPT, encoder=encoder.name, weights=weights.astype(np.float16), base=base.astype(np.float16))


def right(encoder: "TextEncoder", folds: int = 5) -> float:
    """How often it is right on posts of ours that it has not learnt from."""
    import numpy as np

    texts, moods = zip(*posts(), strict=True)
    vectors, answers = encoder.encode(texts), np.array(moods)
    part = np.arange(len(answers)) % folds
    found = np.empty(len(answers), int)
    for fold in range(folds):
        weights, base = learn(vectors[part != fold], answers[part != fold])
        found[part == fold] = (vectors[part == fold] @ weights + base).argmax(axis=1)
    return float((found == answers).mean())


if __name__ == "__main__":
    from routing.scoring.encoder import encoder

    if (found := encoder()) is None:
        raise SystemExit("There is no encoder to learn with.")
    keep(found)
    print(f"Of {len(posts())} posts not learnt from, {right(found):.0%} right.")
