"""A text as rules read it: folded once, cut into words, so that any number of rules can ask for words and phrases.

What somebody writes and what a rule names meet in one folded form: compatibility forms unified (NFKC), case folded,
every apostrophe the same, invisible characters gone, white space one blank. Places found there are given back as places
in the text as it was written.

A word is found whole. Behind a `#` it counts too, because a hashtag is a word that somebody used; behind an `@` it does
not, because a handle is a name; a term that begins with `#` or `@` asks for exactly that. Scripts that put no blanks
between words (Chinese, Japanese, Korean, Thai …) have no borders to respect.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

#: So many places of a term, or an expression, in one text are shown and kept.
MOST_PLACES = 50

#: Han, Hiragana, Katakana, Hangul, Thai, Lao, Myanmar, Khmer: no blanks between words, or particles that cling to them.
_BORDERLESS = (
    "\u0e01-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_BORDERLESS}]|[^\W{_BORDERLESS}]+|[^\w\s\x00-\x7f]")
_ASCII_SIGNS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
_IS_BORDERLESS = re.compile(rf"[{_BORDERLESS}]").match
_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff"
# Half a character that stands alone is none, and nothing that is asked for.
_HALVES: dict[int, str | None] = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_ALIKE = _HALVES | dict.fromkeys(map(ord, _INVISIBLE)) | dict.fromkeys(map(ord, "’‘ʼ´`"), "'")


def straight(text: str) -> str:
    """A text in the form in which it is read, in its own spelling: upper and lower case are still there."""
    if text.isascii():
        return " ".join(text.replace("`", "'").split())
    return " ".join(unicodedata.normalize("NFKC", text.translate(_ALIKE)).split())


def fold(text: str) -> str:
    """The form in which texts and terms are compared."""
    return straight(text).casefold()


def tokens_of(folded: str) -> list[str]:
    """Its words, its characters of scripts without borders, its emoji. Most posts are plain and take the short way."""
    return folded.translate(_ASCII_SIGNS).split() if folded.isascii() else _TOKEN.findall(folded)


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that a rule asks for, made ready. `key` is its longest word: a text without it can not hold
    the term, so most terms are dismissed by one look into a set. A term of signs alone has the key "", which every text
    has."""

    shown: str = field(compare=False)
    folded: str
    key: str = field(compare=False)

    @classmethod
    def of(cls, shown: str) -> "Term":
        folded = fold(shown)
        return cls(shown, folded, max(tokens_of(folded), key=len, default=""))

    def stands_at(self, text: str, start: int) -> bool:
        """Whether the term, found in the folded text at `start`, is there as a whole word and not inside a handle."""
        first, last, end = self.folded[0], self.folded[-1], start + len(self.folded)
        if start and first not in "@#" and text[start - 1] == "@":
            return False
        if start and (first in "@#" or _is_of_a_word(first)) and _is_of_a_word(text[start - 1]):
            return False
        return end == len(text) or not (_is_of_a_word(last) and _is_of_a_word(text[end]))


def _is_of_a_word(char: str) -> bool:
    """Whether it is part of a word that has borders: a letter, a digit, or a mark on one."""
    if char.isalnum() or char == "_":
        return not _IS_BORDERLESS(char)
    return char > "\u02ff" and unicodedata.category(char)[0] == "M" and not _IS_BORDERLESS(char)


class Words:
    """One text, prepared. `tokens` are its words and signs; `find` looks for a term, `spans` tells where it was
    written."""

    def __init__(self, text: str):
        self.text = text
        self.straight = straight(text)
        self.folded = self.straight.casefold()

    @cached_property
    def tokens(self) -> set[str]:
        return {"", *tokens_of(self.folded)}

    def has(self, term: Term) -> bool:
        return term.key in self.tokens and next(self.find(term), -1) >= 0

    def begins_with(self, term: Term) -> bool:
        return self.folded.startswith(term.folded) and term.stands_at(self.folded, 0)

    def find(self, term: Term) -> Iterator[int]:
        """Where the term stands in the folded text, one place after the other."""
        start = self.folded.find(term.folded)
        while start >= 0:
            stands = term.stands_at(self.folded, start)
            if stands:
                yield start
            start = self.folded.find(term.folded, start + (len(term.folded) if stands else 1))

    def spans(self, term: Term) -> list[tuple[int, int]]:
        """Where the term was written, at the first places: (start, end) in the text as it came."""
        return [self.written(start, start + len(term.folded)) for start in islice(self.find(term), MOST_PLACES)]

    def written(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text as it came of a place in the folded one."""
        if len(self.folded) == len(self.text) and self.text.isascii():
            return start, end
        return self._origins[start][0], self._origins[end - 1][1]

    def written_straight(self, start: int, end: int) -> tuple[int, int]:
        """The same of a place in the text that keeps its spelling."""
        if len(self.straight) == len(self.text) and self.text.isascii():
            return start, end
        return self._straight_origins[start][0], self._straight_origins[end - 1][1]

    @cached_property
    def _origins(self) -> list[tuple[int, int]]:
        """For each folded character, the stretch of text it came from. Only what matched pays for this."""
        return list(_origins(self.text, str.casefold))

    @cached_property
    def _straight_origins(self) -> list[tuple[int, int]]:
        return list(_origins(self.text, str))


def _origins(text: str, spelt: Callable[[str], str]) -> Iterator[tuple[int, int]]:
    blank = True  # leading white space is dropped, a run of it is one blank
    for start, end in _clusters(text):
        for char in spelt(unicodedata.normalize("NFKC", text[start:end].translate(_ALIKE))):
            if not (blank and char.isspace()):
                yield start, end
            blank = char.isspace()


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Stretches that are normalised each for itself: a character with the marks that may melt into it."""
    start = 0
    for place in range(1, len(text)):
        if not _melts(text[place]):
            yield start, place
            start = place
    if text:
        yield start, len(text)


def _melts(char: str) -> bool:
    """Whether it may become one character with what stands before it: marks, letters of a Korean syllable, and
    invisible characters, which would otherwise stand between a letter and its mark."""
    if char < "\u00ad":
        return False
    return unicodedata.category(char)[0] == "M" or bool(_CLINGS(char))


_CLINGS = re.compile(f"[{_INVISIBLE}\u1160-\u11ff\u3131-\u318e\u3260-\u327f\uff9e-\uffdc]").match
