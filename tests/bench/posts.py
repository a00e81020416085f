"""Posts for the figures: half of them by people whom the house has never met, in the words of its other texts."""

import random
from datetime import timedelta

from django.utils import timezone

from connectors.contract import Author, Post
from tests.bench.filling import WORDS


def make(many: int, name: str) -> list[Post]:
    """So many new posts; the same name makes the same posts."""
    chosen, began = random.Random(name), timezone.now() - timedelta(minutes=30)
    return [_post(name, number, chosen, began + timedelta(milliseconds=number)) for number in range(many)]


def _post(name: str, number: int, chosen: random.Random, at) -> Post:
    handle = f"{name}{number}" if number % 2 else f"person{chosen.randrange(5_000)}"
    author = Author(f"a-{handle}", f"@{handle}", handle.title(), followers=chosen.randrange(20_000))
    text = " ".join(chosen.choices(WORDS, k=chosen.randrange(8, 32)))
    return Post(f"{name}-{number}", "mention", text, at, author, lang="en", url=f"https://example.org/{name}/{number}")
