"""Text as search reads it. Languages that put no spaces between words are cut in overlapping pairs of characters, on
both sides alike, so that any part of a sentence is found without a dictionary."""

import re
import unicodedata

#: More would not fit: a tsvector holds 1 MB, and a pair of characters takes up to ten bytes of it.
LONGEST_TEXT = 30_000
LONGEST_QUERY = 256

#: Runs of Han, kana, Hangul, Thai, Lao, Burmese and Khmer; their punctuation is left out.
RUN = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\uff66-\uff9f\u1100-\u11ff\uac00-\ud7af\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece"
    "\u1000-\u1049\u1050-\u109f\u1780-\u17d3]+"
)
#: What PostgreSQL's text can not hold.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
PART = re.compile(r'("[^"]*"?)')


def words_of(text: str) -> str:
    """The text as it is handed to `to_tsvector`: storable, capped, unspaced scripts as pairs."""
    if text.isascii():  # no script of that kind
        return text[:LONGEST_TEXT].replace("\x00", " ")
    return RUN.sub(lambda run: f" {pairs(run[0])} ", clean(text)[:LONGEST_TEXT])


def query_of(asked: str) -> str:
    """What somebody typed, as it is handed to `websearch_to_tsquery`. A run of an unspaced script becomes a phrase of
    its pairs; quotes, `or` and minus keep their meaning."""
    parts = PART.split(clean(asked)[:LONGEST_QUERY])
    return "".join(_within(part) if part.startswith('"') else _outside(part) for part in parts)


def pairs(run: str) -> str:
    """“配送遅延” is “配送 送遅 遅延 延”: the last character stands alone, so that each begins a piece."""
    return " ".join(run[at : at + 2] for at in range(len(run)))


def clean(text: str) -> str:
    return UNSTORABLE.sub(" ", text)


def plain(text: str) -> str:
    """Small letters without accents, as the search's dictionary has them."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each))


def _phrase(run: str) -> str:
    return run if len(run) == 1 else " ".join(pairs(run).split()[:-1])


def _within(quoted: str) -> str:
    return RUN.sub(lambda run: f" {_phrase(run[0])} ", quoted)


def _outside(part: str) -> str:
    return RUN.sub(lambda run: f' "{_phrase(run[0])}" ' if not _negated(part, run) else f'"{_phrase(run[0])}" ', part)


def _negated(part: str, run: re.Match) -> bool:
    """A minus belongs to what follows it at once: no space may come between."""
    return run.start() > 0 and part[run.start() - 1] == "-"
