"""The way of a post through the rules, and what would have changed it."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.conditions import read_condition
from routing.deciding import Book, Named, RuleSets
from routing.tracing import cheapest, steps, trace, would_hold
from tests.routing.posts import facts, says

WORDS = ("parcel", "refund", "journalist", "angry", "boss")
OPEN = {"customer-service": "Customer service", "pr": "PR", "hr": "HR", "triage": "Triage"}


def rules(*rules, own=()):
    named = {slug: Named(name, confidential=slug == "hr") for slug, name in OPEN.items()}
    return RuleSets(Book("1", 1, rules), named, {"customer-service": Book("2", 1, own)} if own else {})


def rule(name, when, place=None, **then):
    return {"uid": name, "name": name, "when": when, "then": {"place": place} | then}


def words_of(way):
    return [change.said for change in way.changes]


PARCELS = rule("Parcels", {"all": [says("parcel"), {"not": says("journalist")}]}, "customer-service")
PRESS = rule("Press", {"any": [says("journalist"), {"all": [says("radio"), says("interview")]}]}, "pr")
LOUD = rule("Loud", says("now"), priority="urgent")


def test_each_rule_tells_what_became_of_it_and_where_its_words_stand():
    own = [rule("Boxes", says("parcel"), tags=["box"])]
    way = trace(facts("My parcel, now"), rules(PARCELS, PRESS, LOUD, own=own))
    assert [(each.rule.name, each.came) for each in way.house] == [
        ("Parcels", "places"), ("Press", "not"), ("Loud", "fits"),
    ]  # fmt: skip
    found, absent = way.house[0].step.children
    assert [span[:2] for span in found.spans] == [(3, 9)]
    assert (absent.holds, absent.said) == (True, "the text does not contain “journalist”")
    assert [each.rule.name for each in way.own if each.fits] == ["Boxes"]


def test_what_comes_after_a_stop_was_not_asked_and_what_is_off_is_shown():
    stop = rule("Stop", says("parcel"), stop=True)
    off = rule("Off", says("parcel"), "pr") | {"on": False}
    way = trace(facts("My parcel"), rules(off, stop, PARCELS))
    assert [each.came for each in way.house] == ["off", "fits", "unasked"]
    assert way.verdict.department == "triage"


def test_the_nearest_way_elsewhere_asks_for_the_fewest_other_answers():
    way = trace(facts("My parcel"), rules(PARCELS, PRESS))
    (press,) = way.elsewhere
    assert (press.department, press.rule.name) == ("pr", "Press")
    # One word both takes it from the first rule and gives it to the second.
    assert words_of(press) == ["the text contains “journalist”"]
    assert way.closed == ("hr",)
    assert [(words_of(each), each.department) for each in way.loose] == [
        (["the text does not contain “parcel”"], "triage"),
        (["the text contains “journalist”"], "pr"),
    ]


def test_a_rule_that_every_post_fits_can_not_be_got_past():
    everything = rule("Rest", {"field": "post", "op": "any"}, "customer-service")
    way = trace(facts("My parcel"), rules(everything, PRESS))
    assert way.elsewhere == () and way.closed == ("pr", "hr")


LEAVES = st.sampled_from([says(word) for word in WORDS])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
).filter(lambda tree: _depth(tree) <= 6)


def _depth(tree):
    below = tree.get("all") or tree.get("any") or [tree["not"]] if "field" not in tree else []
    return 1 + max(map(_depth, below), default=0)


@settings(max_examples=40, deadline=None)
@given(TREES, st.sets(st.sampled_from(WORDS)))
def test_answers_stand_for_words_and_a_way_is_never_longer_than_need_be(tree, said):
    """Whatever the condition: step by step it holds just when it holds; writing the words that a way asks for makes it
    hold, and where every question stands once no shorter way does."""
    condition, text = read_condition(tree), " ".join(sorted(said))
    step = steps(condition, facts(text))
    assert step.holds is condition.holds(facts(text))
    way = cheapest(step, not step.holds)
    if way is None:
        return
    answers = dict(change.answer for change in way)
    assert would_hold(step, answers) is not step.holds
    leaves = [leaf.key for leaf in step.leaves()]
    if len(set(leaves)) == len(leaves):
        assert len(way) == _fewest(step)


def _fewest(step):
    raw = {leaf.key: leaf.holds is leaf.yes for leaf in step.leaves()}
    sets = (chosen for size in range(len(raw) + 1) for chosen in combinations(raw, size))
    return next(len(each) for each in sets if would_hold(step, {key: not raw[key] for key in each}) is not step.holds)
