"""How many posts a second of CPU go through rules as people write them: lists of words and phrases, hashtags and
handles, exceptions, metadata, some regular expressions. Matching alone: which rules fit, without a reason.

The posts are real ones where REAL_DATA names a folder with them (`stream.jsonl.gz`), and generated ones where not. The
same rules are also put to the interpreter that the tests hold the engine against (tests/routing/naive.py)."""

import gzip
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from statistics import median

from routing.compiling import Book
from routing.facts import Facts
from tests.bench import deciding
from tests.bench.figures import Figure
from tests.routing import naive

NAMES = ("matching_500", "matching_2000", "matching_over_naive")
#: Posts that the interpreter is asked about; it takes its time.
FEW = 60
NETWORKS = ("x", "facebook", "instagram", "mastodon", "bluesky", "reddit", "youtube")
LANGS = ("en", "en", "en", "de", "fr", "es", "")
EXPRESSIONS = (
    r"\b(order|booking|ticket)\s*(no|nr|number)?\W{0,2}\d{5,10}\b",
    r"\b\d+\s*(hours?|days?|weeks?|stunden|tage)\b",
    r"[€$£]\s?\d+([.,]\d\d)?",
    r"\b[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,6}\b",
    r"\bflight\s+[a-z]{2}\s?\d{2,4}\b",
    r"!{3,}",
    r"\b(never|not)\s+(again|ever)\b",
    r"https?://\S+/(status|p|reel)/\w+",
    r"\bv?\d+\.\d+\.\d+\b",
    r"\+\d{1,3}[\s\d-]{6,14}\d",
)


def measure(rounds: int, many: int, wanted: set[str]) -> Iterator[Figure]:
    """500 and 2,000 rules; and 500 beside the interpreter, in the same run."""
    posts = list(islice(_texts(), many))
    maker = Maker(posts)
    books = {size: Book("1", 1, maker.rules(size)) for size in (500, 2000)}
    raw = maker.rules(500)
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        f"matching_{size}": (many, lambda book=book: [book.ask(facts) for facts in _facts(posts)])
        for size, book in books.items()
    }
    ways["naive"] = (min(FEW, many), lambda: [_interpret(raw, facts) for facts in _facts(posts[:FEW])])
    rates = _rates(ways, rounds)
    for name in set(NAMES) & wanted:
        if name == "matching_over_naive":
            yield Figure(name, rates["matching_500"], rates["naive"])
        else:
            yield Figure(name, rates[name], None)


def _rates(ways: dict[str, tuple[int, Callable[[], object]]], rounds: int) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, (many, work) in ways.items():
            naive.plain.cache_clear()
            naive.folded.cache_clear()
            began = time.process_time()
            work()
            if turn:
                found[name].append(many / (time.process_time() - began))
    return {name: median(rates) for name, rates in found.items()}


def _interpret(rules: list[dict], facts: Facts) -> list[str]:
    return [rule["uid"] for rule in rules if naive.fits(rule["when"], facts)]


# What is matched ------------------------------------------------------------------------------------------------
def _texts() -> Iterator[str]:
    path = Path(os.environ.get("REAL_DATA", "/nowhere")) / "stream.jsonl.gz"
    if path.exists():
        with gzip.open(path) as lines:
            yield from (json.loads(line)["text"] for line in lines)
    else:
        yield from deciding.texts(20_000)


def _facts(texts: list[str]) -> Iterator[Facts]:
    """Made anew each time: reading the text is a part of matching."""
    now = datetime(2026, 5, 4, 22, tzinfo=UTC)
    for number, text in enumerate(texts):
        yield Facts(
            text=text,
            network=NETWORKS[number % len(NETWORKS)],
            channel=f"brand-{number % 5}",
            kind=("mention", "reply", "dm", "comment")[number % 4],
            created_at=now,
            followers=(None, 12, 900, 25_000)[number % 4],
            lang=LANGS[number % len(LANGS)],
        )


@dataclass
class Maker:
    """Makes rules of the words that these texts use, as people do: seldom ones, names and phrases."""

    texts: list[str]
    #: Words that are said more often than in this share of the texts are not asked for.
    seldom: float = 1 / 200

    @cached_property
    def _words(self) -> list[str]:
        said = Counter(word for text in self.texts for word in set(re.findall(r"[a-z]{4,}", text.lower())))
        return [word for word, times in said.most_common() if times < len(self.texts) * self.seldom]

    def rules(self, size: int) -> list[dict]:
        """So many rules; of a hundred some six can fit without any word, and two ask for a regular expression."""
        dice = random.Random(size)
        terms = self._terms(dice)
        return [
            {
                "uid": f"rule{number}",
                "name": f"Rule {number}",
                "when": _when(dice, terms, number),
                "then": {"place": deciding.PLACES[number % len(deciding.PLACES)]},
            }
            for number in range(size)
        ]

    def _terms(self, dice: random.Random) -> Iterator[str]:
        while True:
            one, two = dice.choice(self._words), dice.choice(self._words)
            yield dice.choices([one, f"{one} {two}", f"#{one}", f"@{one}"], [12, 5, 2, 1])[0]


def _when(dice: random.Random, terms: Iterator[str], number: int) -> dict:
    def says(op: str = "any", least: int = 3, most: int = 8) -> dict:
        return {"field": "text", "op": op, "value": list(islice(terms, dice.randint(least, most)))}

    if number % 50 == 7:
        return {"all": [_of_the_post(dice), _expression(dice, number)]}
    if number % 100 in (3, 21, 38, 55, 71, 90):
        return {"all": [_of_the_post(dice), _of_the_post(dice), {"not": says()}]}
    return dice.choices(
        [
            says(),
            {"all": [says(), {"not": says(most=4)}]},
            {"all": [says(), _of_the_post(dice)]},
            {"all": [{"any": [says(), {"field": "hashtag", "op": "any", "value": [next(terms)]}]}, says()]},
            says("all", 2, 2),
            {"all": [says(), {"any": [_of_the_post(dice), says(most=4)]}, {"not": _of_the_post(dice)}]},
        ],
        [5, 4, 4, 1, 1, 3],
    )[0]


def _of_the_post(dice: random.Random) -> dict:
    return dice.choice(
        [
            {"field": "network", "op": "in", "value": dice.sample(NETWORKS, 2)},
            {"field": "kind", "op": "in", "value": [dice.choice(["mention", "dm", "reply"])]},
            {"field": "followers", "op": "at_least", "value": dice.choice([100, 5_000, 10_000])},
            {"field": "lang", "op": "in", "value": [dice.choice(["en", "de", "fr"])]},
            {"field": "trait", "op": "any", "value": [dice.choice(["link", "question"])]},
            {"field": "channel", "op": "in", "value": [f"brand-{dice.randrange(5)}"]},
        ]
    )


def _expression(dice: random.Random, number: int) -> dict:
    return {"field": "text", "op": "regex", "value": EXPRESSIONS[number // 50 % len(EXPRESSIONS)]}
