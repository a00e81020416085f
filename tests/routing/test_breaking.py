"""A rule that raises is named and shown, never taken as one that does not fit."""

import pytest
from django.urls import reverse

from routing import actions, engine
from routing.deciding import decide, why_not
from routing.models import BrokenRule, Decision
from routing.questions import Rating
from tests.make import make_post, receive
from tests.routing.posts import facts, rule, says
from tests.routing.posts import house as in_force

STARS = {"field": "rating", "op": "at_most", "value": 2}


@pytest.fixture
def breaks(monkeypatch):
    """Whoever asks for stars finds that the question is broken."""

    def holds(question, facts):
        raise ZeroDivisionError("no stars")

    monkeypatch.setattr(Rating, "holds", holds)


def test_the_other_rules_go_on_and_the_verdict_names_it(breaks):
    sets = in_force(rule("Bad", STARS, place="pr"), rule("Parcels", says("parcel"), place="customer-service"))
    verdict = decide(facts("parcel"), sets)
    assert verdict.department == "customer-service"
    assert [(each.uid, each.name, each.why) for each in verdict.broken] == [
        ("bad", "Bad", "ZeroDivisionError: no stars")
    ]
    assert why_not("pr", facts("parcel"), sets)[0].reason == "it can not be asked (ZeroDivisionError: no stars)"


def test_where_nothing_placed_it_the_reason_says_that_it_might_have(breaks):
    verdict = decide(facts("hello"), in_force(rule("Bad", STARS, place="pr")))
    assert verdict.because == (
        "It went to Triage, because no rule fits; “Bad” could not be asked (ZeroDivisionError: no stars)."
    )


def test_cora_sees_on_the_page_that_it_is_broken_until_another_version_is_live(
    house, cora, client_of, breaks, django_capture_on_commit_callbacks
):
    rule_set = actions.found_rule_set(by="system")
    bad = {"uid": "bad", "name": "Bad", "when": STARS, "then": {"place": "pr"}}
    actions.publish(rule_set, [bad], by="system")
    receive(make_post("Hello"), make_post("Hello again"))
    with django_capture_on_commit_callbacks(execute=True):
        assert engine.route() == 2

    assert Decision.objects.values_list("broken", flat=True).distinct().get() == ["bad"]
    assert BrokenRule.objects.get().why == "ZeroDivisionError: no stars"
    page = client_of(cora).get(reverse("rules")).content.decode()
    assert "It could not be asked and was left out; the other rules went on. ZeroDivisionError: no stars." in page
    actions.publish(rule_set, [bad | {"when": says("parcel")}], by="system")
    assert "ZeroDivisionError" not in client_of(cora).get(reverse("rules")).content.decode()
