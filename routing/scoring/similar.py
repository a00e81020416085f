"""Near copies: the same words again, with a few changed. Pure: texts in, fingerprints out, and fingerprints compared.

A text's fingerprint is a MinHash of its pairs of words: of two texts about as many of its 64 numbers are the same as
they share pairs. Its bands are groups of four numbers each: near copies nearly always share a whole band, others hardly
ever, so that whoever keeps bands in an index finds the candidates, and `alike` decides.

Handles and links do not count, since copies differ in just these; what has fewer than five words has no fingerprint,
because “thank you” is nobody's copy.
"""

import re
from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import pairwise

from routing.words import fold, tokens_of

#: Two texts are near copies when they share so much of their pairs of words.
ALIKE = 0.6
#: What has fewer words is compared with nothing.
FEWEST_WORDS = 5
#: For how long a near copy counts.
WITHIN = timedelta(days=1)

_NUMBERS, _BANDS = 64, 16
_BYTES = 4 * _NUMBERS
_BAND = _BYTES // _BANDS
_NOT_COUNTED = re.compile(r"https?://\S+|(?<!\w)[@＠]\w[\w.-]*(?:@[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class Print:
    """A text's fingerprint: its numbers, and their bands as an index keeps them."""

    numbers: bytes
    bands: tuple[int, ...]

    @classmethod
    def of(cls, numbers: bytes) -> "Print":
        return cls(numbers, tuple(_band(number, numbers) for number in range(_BANDS)))


def prints(texts: Sequence[str]) -> list[Print | None]:
    """The fingerprint of each, in order; None of what is too short to have one."""
    from datasketch import MinHash  # with all that it asks for itself a second's work, which only workers need

    shared = [_pairs(text) for text in texts]
    hashed = iter(MinHash.bulk([pairs for pairs in shared if pairs], num_perm=_NUMBERS, seed=1, scheme="affine32"))
    return [Print.of(next(hashed).hashvalues.astype("<u4").tobytes()) if pairs else None for pairs in shared]


def alike(given: Print, others: Iterable[bytes]) -> set[bytes]:
    """Those of the others, told by their numbers, that are near copies of the one given."""
    near = [*others]
    if not near:
        return set()
    import numpy as np

    mine = np.frombuffer(given.numbers, "<u4")
    same = (np.frombuffer(b"".join(near), "<u4").reshape(-1, _NUMBERS) == mine).sum(axis=1)
    return {numbers for numbers, many in zip(near, same.tolist(), strict=True) if many >= ALIKE * _NUMBERS}


def _pairs(text: str) -> set[bytes]:
    words = tokens_of(fold(_NOT_COUNTED.sub(" ", text)))
    if len(words) < FEWEST_WORDS:
        return set()
    return {f"{one} {next}".encode() for one, next in pairwise(words)}


def _band(number: int, numbers: bytes) -> int:
    """Four numbers as one, with their place among the bands: what the index is asked for."""
    given = bytes((number,)) + numbers[number * _BAND : (number + 1) * _BAND]
    return int.from_bytes(blake2b(given, digest_size=8).digest(), "big", signed=True)


class Copies:
    """Fingerprints with their times, in any order; tells how many near copies came within a day before."""

    def __init__(self) -> None:
        self._times: dict[bytes, list[datetime]] = {}
        self._by_band: dict[int, set[bytes]] = {}

    def add(self, given: Print, times: Iterable[datetime]) -> None:
        """That texts with this fingerprint came at these times."""
        known = self._times.setdefault(given.numbers, [])
        for at in times:
            insort(known, at)
        for band in given.bands:
            self._by_band.setdefault(band, set()).add(given.numbers)

    def count(self, given: Print, at: datetime) -> int:
        """How many like it came within a day before that time, and at it."""
        return sum(self._between(numbers, at - WITHIN, at) for numbers in self.like(given))

    def like(self, given: Print) -> set[bytes]:
        """The numbers of the fingerprints that are near copies of this one."""
        return alike(given, set().union(*(self._by_band.get(band, ()) for band in given.bands)))

    def _between(self, numbers: bytes, after: datetime, until: datetime) -> int:
        times = self._times[numbers]
        return bisect_right(times, until) - bisect_right(times, after)

    def forget_before(self, at: datetime) -> None:
        """Let go of what nobody who comes after that time can be a copy of."""
        for numbers, times in [*self._times.items()]:
            del times[: bisect_right(times, at - WITHIN)]
            if not times:
                self._let_go(numbers)

    def _let_go(self, numbers: bytes) -> None:
        del self._times[numbers]
        for band in Print.of(numbers).bands:
            if near := self._by_band.get(band):
                near.discard(numbers)
                if not near:
                    del self._by_band[band]
