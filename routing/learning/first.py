"""The model of a house in which nobody has taught anything yet. It depends on what is installed and on the departments
alone, so an installation makes it once and keeps it beside its packages; every later house has it at once."""

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from routing import scoring

if TYPE_CHECKING:
    from routing.scoring.classifier import Classifier

#: What it is made by: another release may make another one.
MADE_BY = ("numpy", "scikit-learn")
#: Of so many releases, or sets of departments.
KEPT = 4


def kept_or(make: "Callable[[], Classifier]", of: str) -> "Classifier":
    """The classifier that was kept for just this (`of`: a digest of what it learns), or the one that is made now. Where
    nothing can be kept, as in a container, it is made each time."""
    from routing.scoring.classifier import Classifier

    place = Path(sys.prefix) / "var" / "social-hub" / f"first-model-{_digest(of)}.npz"
    with suppress(OSError, ValueError, KeyError):
        return Classifier.from_bytes(place.read_bytes())
    made = make()
    with suppress(OSError):
        _keep(place, made.to_bytes())
    return made


def _keep(place: Path, packed: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(f".{uuid4().hex}")
    part.write_bytes(packed)
    os.replace(part, place)
    newest_first = sorted(place.parent.glob("first-model-*.npz"), key=lambda file: -file.stat().st_mtime)
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)


def _digest(of: str) -> str:
    """Of what is learnt, and of everything that is in the hands of who makes it: seeds, lexicon, code, libraries."""
    digest = hashlib.sha256(of.encode())
    for file in sorted(Path(scoring.__file__).parent.rglob("*")):
        if file.suffix in {".py", ".json", ".jsonl"}:
            digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    digest.update(" ".join(f"{name} {version(name)}" for name in MADE_BY).encode())
    return digest.hexdigest()[:32]
