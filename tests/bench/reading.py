"""How many posts a second of CPU are read by a model and placed, and how long a single one takes, beside the encoder
alone."""

import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median, quantiles

from django.conf import settings

from connectors.contract import Author, Post
from connectors.models import Channel
from routing import engine, learning
from routing.models import Decision, RoutingModel
from tests.bench import posts, taking
from tests.bench.figures import Figure

MANY, ONE = "route_with_model", "read_one"
NAMES = (MANY, ONE)
SINGLES = 200


def measure(server: int, rounds: int, many: int, wanted: set[str]) -> Iterator[Figure]:
    """On a copy of the house, which is written to. No rule fits what comes in, so a model reads all of it."""
    channel = Channel.objects.get(slug="brand0")
    settings.LEARNED_ROUTING = False
    taking.publish()
    while engine.route():
        pass
    settings.LEARNED_ROUTING = True
    if not RoutingModel.objects.live().exists():
        learning.refit("for figures")
    if MANY in wanted:
        yield _many(channel, server, rounds, many)
    if ONE in wanted:
        yield _one(channel)


def _made(many: int, name: str) -> list[Post]:
    """As many posts as that, in the words of the seed posts, each by somebody."""
    from routing.scoring.training import seeds

    said = [each.said.text for each in seeds()]
    made = posts.make(many, name)
    people = [Author(f"b-{name}-{number}", f"@b{number}") for number in range(many)]
    return [
        replace(each, text=f"{said[number % len(said)]} {number}", lang="", author=author)
        for number, (each, author) in enumerate(zip(made, people, strict=True))
    ]


def _many(channel: Channel, server: int, rounds: int, many: int) -> Figure:
    from routing.scoring.encoder import encoder

    ours, bare = [], []
    for turn in range(rounds + 1):
        given = _made(many, f"read{turn}")
        taking.take(channel, given)
        rate, wall = taking.rate_of(taking.route_all, server, many)
        began = time.process_time()
        encoder().encode([each.text for each in given])
        if turn:
            ours.append((rate, wall))
            bare.append(many / (time.process_time() - began))
    _were_read(f"read{rounds}", many)
    value, wall = (median(each) for each in zip(*ours, strict=True))
    return Figure(MANY, value, median(bare), f"on the wall {wall:,.0f}/s")


def _one(channel: Channel) -> Figure:
    """In milliseconds on the wall, from a post that waits to its decision."""
    from routing.scoring.encoder import encoder

    ours, bare = [], []
    for each in _made(SINGLES, "single"):
        taking.take(channel, [each])
        began = time.perf_counter()
        assert engine.route() == 1
        between = time.perf_counter()
        encoder().encode([each.text])
        ours.append((between - began) * 1000)
        bare.append((time.perf_counter() - between) * 1000)
    _were_read("single", SINGLES)
    value, floor = (quantiles(each, n=20)[-1] for each in (ours, bare))
    return Figure(ONE, value, floor, f"median {median(ours):.1f} ms")


def _were_read(name: str, many: int) -> None:
    decided = Decision.objects.live().filter(message__external_id__startswith=f"{name}-", model__isnull=False)
    assert (read := decided.count()) == many, f"{read} of {many} were read by the model"
