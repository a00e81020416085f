"""The charts draw what the numbers say."""

import re

from socialhub.insights import charts
from socialhub.insights.charts import Flow

ORDER = ["service", "pr", "marketing", "triage"]
GIVEN = {("service", "pr"): 14, ("triage", "service"): 40, ("pr", "service"): 1, ("service", "marketing"): 5}
FLOWS = [Flow(*way, number) for way, number in GIVEN.items()]


def drawn(flows=FLOWS):
    return charts.sankey(flows, ORDER, left=112, right=252, high=310)


def edges(ribbon):
    """Where a ribbon begins and ends: top and bottom on both sides."""
    numbers = [float(each) for each in re.findall(r"[\d.]+", ribbon.path)]
    return numbers[1], numbers[-1], numbers[7], numbers[8]


def test_nothing_is_lost_between_givers_and_takers():
    found = drawn()
    assert sum(node.number for node in found.givers) == sum(node.number for node in found.takers) == 60
    assert {node.key: node.number for node in found.givers} == {"service": 19, "pr": 1, "triage": 40}


def test_every_name_has_room_for_itself():
    for side in (drawn().givers, drawn().takers):
        for above, below in zip(side, side[1:], strict=False):
            assert below.middle - above.middle >= (above.slot + below.slot) / 2
        assert all(node.middle - node.slot / 2 >= 0 and node.middle + node.slot / 2 <= drawn().high for node in side)


def test_a_ribbon_begins_within_its_giver_and_ends_within_its_taker():
    found = drawn()
    givers, takers = ({node.key: node for node in side} for side in (found.givers, found.takers))
    for ribbon in found.ribbons:
        top, bottom, top_there, bottom_there = edges(ribbon)
        giver, taker = givers[ribbon.flow.giver], takers[ribbon.flow.taker]
        assert giver.top - 0.1 <= top < bottom <= giver.top + giver.high + 0.2
        assert taker.top - 0.1 <= top_there < bottom_there <= taker.top + taker.high + 0.2


def test_one_hand_off_is_a_thin_line_and_not_a_flood():
    (ribbon,) = drawn([Flow("service", "pr", 1)]).ribbons
    top, bottom, _, _ = edges(ribbon)
    assert bottom - top == charts.THICKEST


def test_no_hand_offs_draw_nothing():
    assert drawn([]).ribbons == [] and drawn([Flow("service", "pr", 0)]).givers == []


def test_an_hour_in_which_nothing_came_is_a_hole():
    bars = charts.bars([3, 0, 6])
    assert len(bars) == 2
    assert float(bars[1].height) > float(bars[0].height)
    assert float(bars[1].x) > 48


def test_a_spark_rises_with_the_numbers_and_two_posts_are_no_peak():
    rising = charts.spark([0, 0, 0, 10, 10, 10])
    assert float(rising.y) == 3.0
    assert float(charts.spark([0, 0, 2, 2]).y) == 11.0
    assert charts.spark([]).path == ""
