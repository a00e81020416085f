"""The geometry of the reliability diagram: numbers in, places on a canvas out. Templates draw it with classes."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.learning.measuring import Bin

#: The field in which it is drawn, and the room left and below it for its numbers.
SIDE, LEFT, TOP = 200, 40, 8


@dataclass(frozen=True)
class Bar:
    x: str
    y: str
    width: str
    height: str
    # Where the model said that the bar would end.
    said_y: str
    n: int
    sure: float
    share: float


@dataclass(frozen=True)
class Reliability:
    """How often it was right (height of the bars) by how sure it was (from left to right)."""

    bars: Sequence[Bar]
    said: str

    width, height = LEFT + SIDE + 20, TOP + SIDE + 34
    left, top, right, foot = LEFT, TOP, LEFT + SIDE, TOP + SIDE
    ticks = tuple((part / 4, LEFT + SIDE * part / 4, TOP + SIDE * (1 - part / 4)) for part in range(5))


def reliability(bins: Sequence[Bin]) -> Reliability:
    return Reliability([_bar(each) for each in bins], _said(bins))


def _bar(each: Bin) -> Bar:
    wide = SIDE * (each.high - each.low)
    high = max(SIDE * each.share, 1)
    return Bar(
        x=_short(LEFT + SIDE * each.low + 1.5),
        y=_short(TOP + SIDE - high),
        width=_short(wide - 3),
        height=_short(high),
        said_y=_short(TOP + SIDE * (1 - each.sure)),
        n=each.n,
        sure=each.sure,
        share=each.share,
    )


def _said(bins: Sequence[Bin]) -> str:
    """The same for those who do not see it."""
    told = (f"{each.sure:.0%} sure, right in {each.right} of {each.n}" for each in bins)
    return "How often the model was right, by how sure it was: " + "; ".join(told) + "."


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
