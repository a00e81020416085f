"""How many posts a second of CPU go through many keyword rules: no database, the rules alone."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import product
from statistics import median

from django.utils import timezone

from routing.deciding import Book, Named, RuleSets, decide
from routing.facts import Facts
from routing.scoring import Scores
from tests.bench.figures import Figure

SIZES = {"rules_100": 100, "rules_500": 500, "rules_2000": 2000}
#: What texts are made of. The words of a hundred rules are among them, so that half of the texts fit some rule, however
#: many rules there are; what the others look for is as seldom said as most of what rules look for.
VOCABULARY = ["".join(syllables) for syllables in product("bar den fil gom hus kel mir nov pas rut".split(), repeat=4)]
PLACES = ("customer-service", "pr", "marketing", "rnd")


def measure(rounds: int, many: int, wanted: set[str]) -> Iterator[Figure]:
    """The three sizes in turns. 100 rules stand beside a bare look into an index of words, the others beside 100."""
    said, chosen = texts(many), random.Random("rules")
    sets = {name: _rule_sets(size, chosen) for name, size in SIZES.items()}
    ways = {name: lambda held=held: _decide_all(said, held) for name, held in sets.items()}
    words = {word: place for place, word in enumerate(VOCABULARY[: 3 * SIZES["rules_100"]])}
    ways["bare"] = lambda: _look(said, words)
    rates = _rates(ways, rounds, many)
    for name in SIZES:
        if name in wanted:
            yield Figure(name, rates[name], rates["bare" if name == "rules_100" else "rules_100"])


def texts(many: int) -> list[str]:
    """Posts that nobody wrote."""
    chosen = random.Random("texts")
    return [" ".join(chosen.choices(VOCABULARY, k=chosen.randrange(8, 32))) for _ in range(many)]


def _rule_sets(size: int, chosen: random.Random) -> RuleSets:
    """So many rules, each with three words of its own."""
    said = chosen.sample(VOCABULARY, 3 * SIZES["rules_100"])
    words = [*said, *(f"{word}x" for word in chosen.sample(VOCABULARY, 3 * (size - SIZES["rules_100"])))]
    chosen.shuffle(words)
    rules = [
        {
            "uid": f"rule{number}",
            "name": f"Rule {number}",
            "when": {"field": "text", "op": "any", "value": words[number * 3 : number * 3 + 3]},
            "then": {"place": PLACES[number % len(PLACES)]},
        }
        for number in range(size)
    ]
    book = Book("1", 1, rules)
    assert len(book.rules) == size and not book.broken
    return RuleSets(book, {slug: Named(slug) for slug in (*PLACES, "triage")})


def _decide_all(texts: list[str], rule_sets: RuleSets) -> None:
    now, scores = timezone.now(), Scores(language="en")
    for text in texts:
        facts = Facts(text=text, network="import", channel="brand", kind="mention", created_at=now, lang="en")
        decide(facts, rule_sets, scores)


def _look(texts: list[str], words: dict[str, int]) -> None:
    for text in texts:
        min((words[each] for each in words.keys() & set(text.casefold().split())), default=None)


def _rates(ways: dict[str, Callable[[], None]], rounds: int, many: int) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, work in ways.items():
            began = time.process_time()
            work()
            if turn:
                found[name].append(many / (time.process_time() - began))
    return {name: median(rates) for name, rates in found.items()}
