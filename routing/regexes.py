"""Regular expressions as rules use them: by RE2 alone, whose time grows with the text and never explodes.

RE2 refuses what could only be answered by trying (look-around, back-references). What remains can still be slow in
proportion: an expression of many steps, all of which may be alive at once, costs some ten nanoseconds for each of them
and each byte. So an expression has its number of steps, a rule may hold so many of them, and so much of a text is
read: together they stay well below 50 ms for any post.

An expression reads the text with its compatibility forms unified, apostrophes alike and white space one blank, like
terms do, but in its own spelling: upper and lower case are the same unless it says `(?-i)`.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import islice, pairwise
from typing import Any

from routing.words import MOST_PLACES, Words, straight

LONGEST = 512
#: Steps that the expressions of one rule may have in all, and bytes of a text that they read.
MOST_STEPS = 600
READ = 3_000
#: Bytes of memory for one expression, and for many that are sought together.
ROOM, ROOM_TOGETHER = 2 << 20, 16 << 20
#: Bytes of UTF-8 that RE2 has to tell apart for what is one step for us, on average.
_BYTES_OF_A_STEP = 8


class Unusable(ValueError):
    """RE2 does not take it; the reason in RE2's own words."""


@cache
def _re2() -> Any:
    # Imported when the first expression is met: most houses have none, and it takes a while.
    import re2

    return re2


def _options(room: int, *, latin: bool = False) -> Any:
    options = _re2().Options()
    options.max_mem, options.log_errors, options.never_capture, options.case_sensitive = room, False, True, False
    if latin:
        options.encoding = options.Encoding.LATIN1
    return options


def read(pattern: str) -> str:
    """The expression with its letters in the form in which texts are read. What becomes a sign by that alone (`？`)
    stays what was meant."""
    return "".join(_letter(char) for char in unicodedata.normalize("NFC", pattern))


def _letter(char: str) -> str:
    plain = char if char.isascii() else straight(char)
    return plain if char.isascii() or plain.isalnum() or not plain.isascii() else _re2().escape(plain)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The expression made ready. Raises Unusable."""
    try:
        return _re2()._Regexp(read(pattern), _options(ROOM))
    except _re2().error as error:
        raise Unusable(error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)) from None


@lru_cache(maxsize=4096)
def steps(pattern: str) -> int:
    """How many steps it has: as many as its letters and repetitions spelt out, or more where it means letters of many
    scripts (`\\pL`). Raises Unusable."""
    wide = compiled(pattern).programsize // _BYTES_OF_A_STEP
    try:
        return max(wide, _re2()._Regexp(read(pattern).encode(), _options(ROOM_TOGETHER, latin=True)).programsize)
    except _re2().error:
        return wide


def readable(words: Words) -> bytes:
    """As much of a text as expressions read."""
    whole = words.straight.encode()
    return whole if len(whole) <= READ else whole[:READ].decode(errors="ignore").encode()


def found(pattern: str, words: Words) -> bool:
    """Whether the expression is found in the text."""
    return compiled(pattern).search(readable(words)) is not None


def places(pattern: str, words: Words) -> list[tuple[int, int]]:
    """Where it is found: (start, end) in the text as it was written. What is found between two letters has no place.
    The more steps it has, the fewer places are sought, because each costs as much as the first one may."""
    read_of_it, most = readable(words), min(MOST_PLACES, max(1, MOST_STEPS // steps(pattern)))
    found = [each.span() for each in islice(compiled(pattern).finditer(read_of_it), most)]
    return [words.written_straight(*_letters(read_of_it, *span)) for span in found if span[0] < span[1]]


def _letters(text: bytes, start: int, end: int) -> tuple[int, int]:
    first = len(text[:start].decode())
    return first, first + len(text[start:end].decode(errors="ignore"))


class Together:
    """Many expressions, sought in one go. They go into as many sets as keeps each of them small."""

    #: Longer texts are read by each expression for itself, which costs less in the worst case.
    SHORT = 1_000

    def __init__(self, patterns: Sequence[str]):
        self._patterns = list(patterns)
        self._sets = [(first, self._set(first, last)) for first, last in pairwise(self._borders())]

    def _borders(self) -> list[int]:
        borders, room = [0], MOST_STEPS
        for number, pattern in enumerate(self._patterns):
            room -= steps(pattern)
            if room < 0 and borders[-1] < number:
                borders.append(number)
                room = MOST_STEPS - steps(pattern)
        return [*borders, len(self._patterns)] if self._patterns else []

    def _set(self, first: int, last: int) -> Any:
        """One that also holds the empty expression, which is found everywhere: where not even that is, RE2 gave up for
        want of memory, which it tells in no other way."""
        made = _re2().Set.SearchSet(_options(ROOM_TOGETHER))
        for pattern in ("", *self._patterns[first:last]):
            made.Add(read(pattern))
        made.Compile()
        return made

    def found(self, words: Words) -> set[int]:
        """The numbers of those that are found in the text."""
        text = readable(words)
        if len(text) > self.SHORT:
            return {number for number, pattern in enumerate(self._patterns) if compiled(pattern).search(text)}
        there: set[int] = set()
        for first, made in self._sets:
            there.update(self._of_set(first, made, text))
        return there

    def _of_set(self, first: int, made: Any, text: bytes) -> set[int]:
        if (numbers := made.Match(text)) is None:
            return {n for n in range(first, self._end(first)) if compiled(self._patterns[n]).search(text)}
        return {first + number - 1 for number in numbers if number}

    def _end(self, first: int) -> int:
        return min((other for other, _ in self._sets if other > first), default=len(self._patterns))
