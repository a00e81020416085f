"""What is told of a post besides its words one by one: how many of each department's expressions it uses
(`lexicon.json`), whom it speaks to, and how. These hold for brands that nobody has seen. Pure."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np

from routing.scoring import plain
from routing.scoring.said import Said

_TOKEN = re.compile(r"[\w'’%$€£-]+|[一-鿿぀-ヿ]")
_LATIN = re.compile(r"[a-zà-ÿ]")


class Lexicon:
    """Expressions by department and topic; counts those that a text uses. An expression that ends in `*` is the
    beginning of a word."""

    def __init__(self, expressions: dict[str, dict[str, list[str]]]):
        self.topics = [(department, topic) for department, topics in expressions.items() for topic in topics]
        self._whole: dict[str, list[int]] = {}
        self._begun: dict[str, list[int]] = {}
        self._inside: list[tuple[str, int]] = []
        for number, (department, topic) in enumerate(self.topics):
            for each in expressions[department][topic]:
                self._add(each, number)
        self._beginnings = sorted({len(each) for each in self._begun})
        #: How many words the longest expression has that begins with this word.
        self._longest: dict[str, int] = {}
        for each in self._whole:
            words = each.split()
            self._longest[words[0]] = max(self._longest.get(words[0], 0), len(words))
        self.departments = list(expressions)
        self._of = np.array([self.departments.index(department) for department, _ in self.topics])

    def _add(self, expression: str, number: int) -> None:
        if expression.endswith("*"):
            self._begun.setdefault(expression[:-1], []).append(number)
        elif _LATIN.search(expression) or " " in expression:
            self._whole.setdefault(" ".join(_TOKEN.findall(expression)), []).append(number)
        else:
            self._inside.append((expression, number))  # languages that write no spaces

    def hits(self, text: str) -> Counter[int]:
        """Topic → how many of its expressions stand in the text, each once."""
        tokens = _TOKEN.findall(text)
        found: set[tuple[str, int]] = set()
        for at in range(len(tokens)):
            for end in range(at + 1, min(at + self._longest.get(tokens[at], 0), len(tokens)) + 1):
                each = " ".join(tokens[at:end])
                found.update((each, number) for number in self._whole.get(each, ()))
            for length in self._beginnings:
                begun = tokens[at][:length]
                found.update((begun, number) for number in self._begun.get(begun, ()))
        found.update((each, number) for each, number in self._inside if each in text)
        return Counter(number for _, number in found)

    def counted(self, text: str) -> np.ndarray:
        """One number for each topic, then for each department, then what each department has more than the others."""
        topics = np.zeros(len(self.topics), np.float32)
        for number, count in self.hits(text).items():
            topics[number] = count
        departments = np.bincount(self._of, topics, len(self.departments))
        share = departments / max(1.0, departments.sum())
        return np.concatenate([np.log1p(topics), np.log1p(departments), share]).astype(np.float32)

    @property
    def names(self) -> list[str]:
        topics = [f"{department} {topic}" for department, topic in self.topics]
        return topics + [f"{each} words" for each in self.departments] + [f"{each} share" for each in self.departments]


@cache
def lexicon() -> Lexicon:
    return Lexicon(json.loads(Path(__file__).with_name("lexicon.json").read_text()))


_ASKS = re.compile(
    r"\b(?:please|pls|plz|can you|could you|bitte|könnt ihr|s'il vous|svp|pouvez|por favor|podéis|pueden|puede"
    r"|por favor|podem|per favore|graag|lütfen|proszę)\b"
)
_MINE = re.compile(
    r"\b(?:my|mine|our|meine?[mnrs]?|unsere?[mnrs]?|ma|mon|mes|notre|nos|mis?|nuestr[oa]s?|meus?|minhas?|nosso|mio|mia"
    r"|mijn|ons|onze|mój|moja|moje)\b"
)
_I = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|im|ive|ich|mir|mich|j'ai|je|j|moi|yo|me|eu|io|ho|ik)\b")
_WE = re.compile(r"\b(?:we|we're|we've|us|our|wir|uns|unsere?|nous|notre|nosotros|nuestr[oa]s?|nós|nosso|noi|wij)\b")
_YOU = re.compile(
    r"\b(?:you|your|you're|u|ur|ihr|euch|euer|eure|sie|ihnen|vous|votre|vos|vosotros|vuestr[oa]|usted(?:es)?"
    r"|vocês?|voi|jullie)\b"
)
_SAID = re.compile(r"[\"“”«„]")
_MONEY = re.compile(r"[$€£]\s?\d|\d\s?(?:€|usd|eur|%)")
_EMOJI = re.compile(r"[\U0001F300-\U0001FAFF☀-➿❤]")
_CASHTAG = re.compile(r"\$[A-Z]{2,5}\b")
_SHOUT = re.compile(r"\b[A-Z]{4,}\b")
_END = re.compile(r"…|\.\.\.\s*$")

_COUNTS = {
    "asks": _ASKS, "mine": _MINE, "I": _I, "we": _WE, "you": _YOU,
}  # fmt: skip
_MARKS = {
    "quote": _SAID, "money": _MONEY, "emoji": _EMOJI, "cashtag": _CASHTAG, "shouting": _SHOUT, "cut off": _END,
}  # fmt: skip
KINDS = ("review", "article", "dm", "comment", "reply")
STYLE = [
    "to support", "to an account", "to several", "names an account", "names support", "names jobs", "names news",
    "names nobody", "shared", "question", "exclamation", "link", "several links", "hashtags", "many hashtags",
    "length", "short", "very short",
    *_COUNTS, *_MARKS, *KINDS, "answers us", "good rating", "middle rating", "bad rating",
]  # fmt: skip


def style(said: Said) -> np.ndarray:
    """How a post speaks, and to whom: one number for each name of `STYLE`."""
    text = plain.unescaped(said.text)
    low, rating = text.lower(), said.rating
    called = [plain.handle(name) for name in plain.MENTION.findall(text)]
    first = called[0] if called and text.lstrip(" .\"'“").startswith(("@", "＠")) else ""
    links, tags = len(plain.LINK.findall(text)), len(plain.HASHTAG.findall(text))
    spoken = len(plain.MENTION.sub("", plain.LINK.sub("", text)).split())
    told = [
        first == "@support", first == "@name", bool(first) and len(called) > 2, bool(called) and not first,
        "@support" in called, "@jobs" in called, "@news" in called, not called, bool(plain.SHARED.search(text)),
        "?" in text, "!" in text, links > 0, links > 1, tags > 0, tags > 3,
        min(1.5, np.log1p(spoken) / 4), spoken < 12, spoken < 5,
        *(min(2, len(each.findall(low))) / 2 for each in _COUNTS.values()),
        *(bool(each.search(text)) for each in _MARKS.values()),
        *(said.kind == kind for kind in KINDS),
        said.answers_us, rating is not None and rating > 3, rating == 3, rating is not None and rating < 3,
    ]  # fmt: skip
    return np.array(told, np.float32)


def features(said: Said, words: str | None = None) -> np.ndarray:
    """Everything of this page, in one row. `words` is `plain.words(said.text)`, for who has it already."""
    return np.concatenate([lexicon().counted(plain.words(said.text) if words is None else words), style(said)])


def names() -> list[str]:
    return lexicon().names + STYLE
