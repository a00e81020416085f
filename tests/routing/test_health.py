"""What is wrong with rules, and what corrections speak for."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import actions, starter
from routing.conditions import read_condition
from routing.health import logic
from routing.health.findings import changed, of_rules
from routing.health.history import Past, of_history
from routing.health.suggesting import Others, Told, suggest
from routing.models import BackTest, Correction, RuleSet, RuleSetVersion, SuggestedRule
from routing.rules import stored
from tests.make import make_conversation
from tests.routing.posts import facts, rule, says

WORDS = ["parcel", "late parcel", "#parcel", "refund", "refund my parcel"]
texts = st.builds(
    lambda op, value: says(*value, op=op),
    st.sampled_from(["any", "all", "starts"]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True),
)
others = st.sampled_from(
    [
        {"field": "network", "op": "in", "value": ["x"]},
        {"field": "network", "op": "in", "value": ["x", "reddit"]},
        {"field": "lang", "op": "in", "value": ["pt"]},
        {"field": "lang", "op": "in", "value": ["pt-br", "de"]},
        {"field": "followers", "op": "at_least", "value": 2},
        {"field": "followers", "op": "below", "value": 2},
        {"field": "followers", "op": "below", "value": 1},
        {"field": "rating", "op": "at_most", "value": 2},
        {"field": "trait", "op": "any", "value": ["link", "question"]},
        {"field": "post", "op": "any", "value": None},
    ]
)
trees = st.recursive(
    texts | others,
    lambda inner: (
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"not": part}, inner)
    ),
    max_leaves=5,
)
posts = st.builds(
    lambda words, network, followers, lang, rating: facts(
        " ".join(words), network=network, followers=followers, lang=lang, rating=rating
    ),
    st.lists(st.sampled_from([*WORDS, "my", "late", "?", "@parcel", "https://a.example"]), max_size=4),
    st.sampled_from(["x", "reddit", "feed"]),
    st.none() | st.integers(0, 3),
    st.sampled_from(["pt", "pt-br", "de", "und"]),
    st.none() | st.integers(1, 3),
)


@settings(max_examples=80, deadline=None)
@given(trees, trees, st.lists(posts, min_size=8, max_size=8))
def test_what_is_said_of_conditions_holds_for_every_post(one, other, some):
    fits = [read_condition(one).holds(post) for post in some]
    fits_other = [read_condition(other).holds(post) for post in some]
    assert not (logic.never(one) and any(fits))
    assert not (logic.always(one) and not all(fits))
    if logic.implies(one, other):
        assert all(wide for narrow, wide in zip(fits, fits_other, strict=True) if narrow)


def kinds(*rules):
    return [(found.kind, found.name, found.other_name) for found in of_rules([stored(each) for each in rules])]


def test_a_rule_that_excludes_itself_is_found_and_says_how():
    many = {"field": "followers", "op": "at_least", "value": 1000}
    few = {"field": "followers", "op": "below", "value": 10}
    (found,) = of_rules([stored(rule("Loud", {"all": [says("hello"), many, few]}, place="pr"))])
    assert found.kind == "never"
    assert "at least 1,000 followers" in found.evidence and "fewer than 10" in found.evidence


def test_a_rule_that_takes_everything_belongs_at_the_end():
    everything = rule("Everything", {"any": [says("a"), {"not": says("a")}]}, place="pr")
    below = rule("Parcels", says("parcel"), place="customer-service")
    assert ("always", "Everything", "") in kinds(everything, below)
    assert kinds(below, everything) == []
    assert [each["uid"] for each in changed([stored(everything), stored(below)], "before", "everything")] == [
        "parcels", "everything",
    ]  # fmt: skip


def test_a_rule_behind_a_wider_one_never_gets_its_turn():
    wide = rule("Parcels", says("parcel", "refund"), place="customer-service")
    assert kinds(wide, rule("Late", says("late parcel"), place="pr")) == [("shadowed", "Late", "Parcels")]
    # It tags besides, so it is not idle.
    assert kinds(wide, rule("Late", says("late parcel"), place="pr", tags=["late"])) == []
    assert kinds(wide, rule("Late", says("late"), place="pr")) == []
    stops = rule("Spam", {"field": "network", "op": "in", "value": ["x"]}, spam=True, stop=True)
    narrow = {"all": [says("parcel"), {"field": "network", "op": "in", "value": ["x"]}]}
    assert kinds(stops, rule("On X", narrow, tags=["x"])) == [("shadowed", "On X", "Spam")]


def test_two_rules_that_say_the_same_are_found():
    one = rule("Parcels", says("parcel"), place="customer-service", tags=["parcel"])
    again = rule("Again", {"all": [says("parcel")]}, place="customer-service", tags=["parcel"])
    assert kinds(one, again) == [("same", "Again", "Parcels")]


def test_history_tells_what_never_fitted_who_wants_the_same_and_whom_people_overrule():
    rules = [
        rule("Parcels", says("parcel"), place="customer-service"),
        rule("News", says("news"), place="pr"),
        rule("Old", says("fax"), place="rnd"),
    ]
    version = RuleSetVersion(number=1, rules=[stored(each) for each in rules], published_at="2020-01-01T00:00:00+00:00")
    version.published_at = version._meta.get_field("published_at").to_python(version.published_at)
    past = Past(read=900)
    past.fitted.update({"parcels": 300, "news": 40})
    past.decided.update({"parcels": 300, "news": 30})
    past.together.update({("parcels", "news"): 10})
    past.looked.update({"news": 10})
    past.moved.update({"news": 6})
    past.moved_to["news"] = {"Marketing": 6}
    past.moved_to["news"] = type(past.fitted)(past.moved_to["news"])
    found = {each.kind: each for each in of_history(version, past)}
    assert set(found) == {"unused", "overlap", "overruled"}
    assert found["unused"].name == "Old" and "900" in found["unused"].evidence
    assert "10 of the last 900 posts fitted both" in found["overlap"].evidence
    assert "moved 6 of the 10" in found["overruled"].evidence and "Marketing" in found["overruled"].evidence
    assert not any(each.uid == "old" for each in of_history(version, past, hidden={"old"}))


def corrections(word, was, belongs, many, first=0):
    return [Told(f"{word}{n}", frozenset([word, f"w{n}", "the"]), was, belongs) for n in range(first, first + many)]


def test_a_word_that_leads_elsewhere_speaks_for_a_rule():
    told = corrections("vacancy", "customer-service", "hr", 12) + corrections("vacancy", "", "customer-service", 2, 12)
    told += corrections("parcel", "", "customer-service", 40)
    (found,) = suggest(told)
    assert (found.words, found.was, found.to) == (("vacancy",), "customer-service", "hr")
    assert (found.moved, found.seen) == (12, 14)


def test_few_or_divided_corrections_speak_for_nothing():
    assert suggest(corrections("vacancy", "customer-service", "hr", 4)) == []
    divided = corrections("bill", "pr", "customer-service", 8) + corrections("bill", "", "pr", 8, 8)
    assert suggest(divided + corrections("other", "", "pr", 40)) == []
    everywhere = Others(1000, Counter({"vacancy": 400, "the": 900}))
    assert suggest(corrections("vacancy", "customer-service", "hr", 12), everywhere) == []


@pytest.fixture
def moved_to_marketing(cora, marketing, customer_service):
    """Eight tombolas that lay in customer service and were handed on to marketing."""
    for number in range(8):
        conversation = make_conversation(f"tombolas number {number}, who wins?")
        Correction.objects.create(
            message=conversation.messages.get(), was=customer_service, belongs=marketing, source="hand_off"
        )


@pytest.mark.django_db
def test_cora_tries_a_suggested_rule_on_the_past_with_one_press(client_of, cora, moved_to_marketing):
    starter.found(by="system")
    cora = client_of(cora)
    page = cora.get("/routing/health/").content.decode()
    assert 'href="/inbox/"' in page
    assert "8 of 8 posts with “tombolas” went from Customer service to Marketing" in page
    answered = cora.post("/routing/suggestions/", {"about": "tombolas: customer-service > marketing", "answer": "try"})
    trial = BackTest.objects.get()
    assert answered.status_code == 302 and str(trial.pk) in answered["Location"]
    assert trial.version.state == "draft" and trial.version.rules[0]["when"]["value"] == ["tombolas"]
    assert RuleSet.objects.get(department=None).live.rules[0]["when"]["value"] != ["tombolas"]
    assert "“tombolas”" not in cora.get("/routing/health/").content.decode()
    assert SuggestedRule.objects.get().state == "taken"


@pytest.mark.django_db
def test_ada_mends_a_rule_in_a_draft_and_carl_may_not(client_of, carl, ada):
    house = actions.found_rule_set(by="system")
    rules = [
        rule("Parcels", says("parcel"), place="customer-service"),
        rule("Late", says("late parcel"), place="pr"),
    ]
    actions.publish(house, [stored(each) for each in rules], by="system")
    assert "Never gets its turn" in client_of(carl).get("/routing/health/").content.decode()
    wanted = {"change": "before", "uid": "late", "other": "parcels"}
    assert client_of(carl).post(f"/routing/{house.pk}/health/", wanted).status_code == 403
    assert client_of(ada).post(f"/routing/{house.pk}/health/", wanted | {"uid": "no-such"}).status_code == 404
    assert client_of(ada).post(f"/routing/{house.pk}/health/", wanted).status_code == 302
    drafted = house.versions.first()
    assert drafted.state == "draft" and [each["uid"] for each in drafted.rules] == ["late", "parcels"]
    assert house.live.number == 1
