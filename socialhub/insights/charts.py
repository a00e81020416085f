"""The geometry of the charts: numbers in, places on a canvas out. Pure; templates draw it with classes and tokens."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

SPARK = (84.0, 22.0)
#: A spark whose greatest number is smaller does not reach the top: two posts are no peak.
PEAK = 4


@dataclass(frozen=True)
class Spark:
    """A line through the numbers, and where it ends."""

    path: str
    x: str
    y: str


def spark(numbers: Sequence[float], size: tuple[float, float] = SPARK) -> Spark:
    """Zero lies on the base line and the greatest number at the top. Each point leans on its neighbours, for a spark
    tells how it went and not how much; the numbers stand beside it."""
    width, height = size
    numbers = _calm(numbers)
    top = max(*numbers, PEAK) if numbers else 1
    step = (width - 5) / max(len(numbers) - 1, 1)
    points = [(2 + place * step, height - 3 - (height - 6) * number / top) for place, number in enumerate(numbers)]
    path = "M" + " L".join(f"{short(x)} {short(y)}" for x, y in points) if points else ""
    x, y = points[-1] if points else (0.0, 0.0)
    return Spark(path, short(x), short(y))


def _calm(numbers: Sequence[float]) -> list[float]:
    before, after = [*numbers[:1], *numbers[:-1]], [*numbers[1:], *numbers[-1:]]
    return [(a + 2 * b + c) / 4 for a, b, c in zip(before, numbers, after, strict=True)]


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str


def bars(numbers: Sequence[float], size: tuple[float, float] = (72.0, 18.0)) -> list[Bar]:
    """A bar for each number; where nothing came there is none, since absence is what tells."""
    width, height = size
    top = max(numbers, default=0) or 1
    slot = width / max(len(numbers), 1)
    thick = max(slot * 0.62, 1.2)
    found = []
    for place, number in enumerate(numbers):
        if number > 0:
            tall = max((height - 3) * number / top, 1.4)
            x = place * slot + (slot - thick) / 2
            found.append(Bar(short(x), short(height - 2 - tall), short(thick), short(tall)))
    return found


@dataclass(frozen=True)
class Flow:
    giver: Hashable
    taker: Hashable
    number: int


@dataclass(frozen=True)
class Node:
    """One department on one side. `middle` is where its name stands, `high` how tall its bar is."""

    key: Hashable
    number: int
    top: float
    high: float
    slot: float

    @property
    def middle(self) -> float:
        return self.top + self.high / 2


@dataclass(frozen=True)
class Ribbon:
    flow: Flow
    path: str


@dataclass(frozen=True)
class Sankey:
    givers: list[Node]
    takers: list[Node]
    ribbons: list[Ribbon]
    high: float


BAR = 6  # width of a node
THICKEST, THINNEST = 12.0, 1.5  # of a ribbon that stands for one


def sankey(
    flows: Iterable[Flow],
    order: Sequence[Hashable],
    *,
    left: float,
    right: float,
    high: float,
    label: float = 32,
    pad: float = 10,
) -> Sankey:
    """Who gave how much to whom. Givers stand at `left`, takers at `right`, both in this order; every name has room for
    itself, so a node whose bar is lower than its label keeps the label's height."""
    rank = {key: place for place, key in enumerate(order)}
    flows = sorted((each for each in flows if each.number > 0), key=lambda flow: (rank[flow.giver], rank[flow.taker]))
    given, taken = _sums(flows, "giver", order), _sums(flows, "taker", order)
    scale = _scale(sum(each.number for each in flows), max(len(given), len(taken)), high, pad)
    givers, takers = _column(given, scale, label, pad), _column(taken, scale, label, pad)
    tall = max(_foot(givers), _foot(takers))
    givers, takers = _centred(givers, tall), _centred(takers, tall)
    return Sankey(givers, takers, _ribbons(flows, givers, takers, scale, left + BAR, right), tall)


def _sums(flows, side: str, order) -> dict:
    found = dict.fromkeys(order, 0)
    for each in flows:
        found[getattr(each, side)] += each.number
    return {key: number for key, number in found.items() if number}


def _scale(total: int, nodes: int, high: float, pad: float) -> float:
    """Height of one hand-off. Few of them are drawn thin and not blown up to fill the room."""
    room = max(high - pad * (nodes - 1), 40)
    return min(THICKEST, room / total) if total else 1


def _column(sums: dict, scale: float, label: float, pad: float) -> list[Node]:
    nodes, y = [], 4.0
    for key, number in sums.items():
        high = max(number * scale, THINNEST)
        slot = max(high, label)
        nodes.append(Node(key, number, y + (slot - high) / 2, high, slot))
        y += slot + pad
    return nodes


def _foot(nodes: list[Node]) -> float:
    return max((node.middle + node.slot / 2 for node in nodes), default=0) + 4


def _centred(nodes: list[Node], tall: float) -> list[Node]:
    """The lower column stands in the middle of the higher one."""
    down = (tall - _foot(nodes)) / 2
    return [Node(n.key, n.number, n.top + down, n.high, n.slot) for n in nodes]


def _ribbons(flows, givers, takers, scale: float, x1: float, x2: float) -> list[Ribbon]:
    out = {node.key: node.top for node in givers}
    into = {node.key: node.top for node in takers}
    found = []
    for flow in flows:
        thick = max(flow.number * scale, THINNEST)
        a, b = out[flow.giver], into[flow.taker]
        out[flow.giver] += flow.number * scale
        into[flow.taker] += flow.number * scale
        found.append(Ribbon(flow, _bend(x1, a, x2, b, thick)))
    return found


def _bend(x1: float, a: float, x2: float, b: float, thick: float) -> str:
    left, middle, right = short(x1), short((x1 + x2) / 2), short(x2)
    a, b, c, d = short(a), short(b), short(a + thick), short(b + thick)
    return f"M{left} {a}C{middle} {a} {middle} {b} {right} {b}V{d}C{middle} {d} {middle} {c} {left} {c}Z"


def short(number: float) -> str:
    """“12.3”, “12”: a canvas needs no more."""
    return f"{number:.1f}".removesuffix(".0")
