"""What people go on writing, as `pool.toml` holds it, with its places filled."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from connectors.demo.people import MAIN

_FILE = Path(__file__).with_name("pool.toml")


@dataclass(frozen=True)
class Line:
    belongs: str
    lang: str
    text: str
    kind: str = "mention"
    account: str = MAIN
    rating: int | None = None
    title: str = ""
    # The post of the story that it is a comment on.
    under: str = ""


@cache
def _pool() -> dict:
    return tomllib.loads(_FILE.read_text())


@cache
def lines() -> tuple[Line, ...]:
    """Every post that can be written, with its places still open."""
    return tuple(Line(**(group | {"text": text})) for group in _pool()["lines"] for text in group["text"])


def one_of(what: str, lang: str, chance: Random) -> str:
    """One of the `nudges` or `answers` in this language."""
    said = _pool()[what]
    return chance.choice(said.get(lang, said["en"]))


def added(lang: str, chance: Random) -> str:
    """What somebody adds to a post of their own."""
    said = _pool()["added"]
    return filled(said.get(lang, said["en"]), lang, chance)


def filled(text: str, lang: str, chance: Random) -> str:
    """The line with its places filled."""
    return text.format_map(_Places(lang, chance))


class _Places(dict):
    """What stands in the places of one post: the same word in the same place."""

    def __init__(self, lang: str, chance: Random):
        amount = chance.choice((9, 14, 39, 49, 79, 117, 150))
        super().__init__(
            bike=f"MB-{chance.randint(1000, 9899)}",
            order=f"M-{chance.randint(40_000, 59_999)}",
            minutes=chance.choice((12, 18, 25, 35, 40, 55)),
            days=chance.choice((3, 4, 5, 6, 9, 11, 16, 23)),
            amount=f"£{amount}" if lang == "en" else f"{amount} €",
        )
        self.lang, self.chance = lang, chance

    def __missing__(self, place: str) -> str:
        words = _pool()["words"][place]
        self[place] = self.chance.choice(words.get(self.lang) or words.get("any") or words["en"])
        return self[place]
