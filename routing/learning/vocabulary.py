"""Which words a model has read. Kept as digests, so that a list of words of what is confidential lies nowhere."""

import re
from array import array
from collections.abc import Iterable
from html import unescape
from zlib import crc32

from routing.words import fold

_NOT_WORDS = re.compile(r"https?://\S+|@\w[\w.-]*")
_WORD = re.compile(r"[^\W\d_]{3,}")


def words_of(text: str) -> frozenset[str]:
    """The words of a text as they are counted: folded, three letters at least; no links, no handles."""
    return frozenset(_WORD.findall(fold(_NOT_WORDS.sub(" ", unescape(text[:10_000])))))


def packed(texts: Iterable[str]) -> bytes:
    """The digests of all words in these texts."""
    return array("I", sorted({crc32(word.encode()) for text in texts for word in words_of(text)})).tobytes()


def unpacked(kept: bytes) -> frozenset[int]:
    return frozenset(array("I", bytes(kept)))


def unknown_share(texts: Iterable[str], known: frozenset[int]) -> float | None:
    """Of all words in these texts, counted once for each text, the share that the model never read; None of none."""
    n = new = 0
    for text in texts:
        digests = [crc32(word.encode()) for word in words_of(text)]
        n, new = n + len(digests), new + sum(digest not in known for digest in digests)
    return new / n if n else None
