"""Where a post goes, and why."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.conditions import Refused
from routing.deciding import Book, decide, why_not
from routing.facts import facts_again
from routing.rules import read_rule, read_rules, stored
from routing.scoring import Scores
from tests.routing.posts import KNOWN, NAMES, facts, house, rule, says

PARCELS = rule("Parcels", says("parcel", "delivery"), place="customer-service")
PRESS = rule("Press", says("journalist"), place="pr", priority="high", tags=["press"])
FAULTS = rule("Faults", says("crash"), join=["rnd"], tags=["fault"])


def test_the_first_rule_that_places_decides_who_leads():
    verdict = decide(facts("A journalist lost a parcel"), house(PARCELS, PRESS))
    assert (verdict.department, verdict.source, verdict.label) == ("customer-service", "rule", "Parcels")
    assert verdict.because == "The rule “Parcels” put this in Customer service, because the text contains “parcel”."
    assert [span.term for span in verdict.spans] == ["parcel"]
    assert [match.rule.name for match in verdict.also] == ["Press"]
    assert verdict.versions == ("house-1",)


def test_what_the_other_rules_ask_adds_up():
    louder = rule("Louder", says("now"), priority="urgent", tags=["press", "now"])
    verdict = decide(facts("journalist: your app does crash, now"), house(PRESS, FAULTS, louder))
    assert verdict.department == "pr"
    assert [slug for slug, _ in verdict.joins] == ["rnd"]
    assert verdict.joins[0][1].reason == "the text contains “crash”"
    assert verdict.priority == 2
    assert verdict.tags == ("press", "fault", "now")


def test_a_rule_that_stops_ends_the_list():
    spam = rule("Prizes", says("you won"), probably_nothing=True, stop=True)
    verdict = decide(facts("You won a parcel"), house(spam, PARCELS))
    assert verdict.department == "triage"
    assert verdict.probably_nothing
    assert verdict.because == "The rule “Prizes” marked this as probably nothing, because the text contains “you won”."
    assert verdict.also == ()


def test_what_no_rule_places_is_for_triage():
    verdict = decide(facts("app does crash"), house(PARCELS, FAULTS))
    assert (verdict.department, verdict.source, verdict.label) == ("triage", "none", "No rule fits")
    assert verdict.because == "It went to Triage, because no rule fits."
    assert [slug for slug, _ in verdict.joins] == ["rnd"]


def test_a_rule_that_is_off_does_nothing():
    off = rule("Parcels", says("parcel"), on=False, place="customer-service")
    assert decide(facts("parcel"), house(off)).department == "triage"


def test_a_message_stays_where_its_conversation_lies():
    verdict = decide(facts("A journalist asks: crash?"), house(PRESS, FAULTS), holder="marketing")
    assert (verdict.department, verdict.source, verdict.label) == ("marketing", "thread", "Same thread")
    assert verdict.because == "It stays in Marketing, because it continues a conversation that lies in Marketing."
    assert [slug for slug, _ in verdict.joins] == ["rnd"]
    assert verdict.priority == 1
    assert [match.rule.name for match in verdict.also] == ["Press", "Faults"]


def test_a_confidential_department_takes_a_conversation_alone():
    boss = rule("About the boss", says("my boss"), join=["hr", "rnd"])
    verdict = decide(facts("my boss opened my parcel"), house(PARCELS, boss))
    assert verdict.department == "hr"
    assert verdict.joins == ()
    assert verdict.because == "The rule “About the boss” put this in HR, because the text contains “my boss”."


def test_nobody_is_let_into_a_confidential_conversation_and_it_joins_no_other():
    boss = rule("About the boss", says("my boss"), join=["hr"])
    assert decide(facts("it does crash"), house(FAULTS), holder="hr").joins == ()
    assert decide(facts("my boss"), house(boss), holder="pr").joins == ()


def test_a_departments_own_rules_tag_and_raise_what_it_leads():
    own = {
        "customer-service": [rule("Refunds", says("refund"), own=True, tags=["refund"], priority="high")],
        "pr": [rule("Loud", says("refund"), own=True, priority="urgent")],
    }
    verdict = decide(facts("Refund my parcel"), house(PARCELS, own=own))
    assert (verdict.department, verdict.priority, verdict.tags) == ("customer-service", 1, ("refund",))
    assert verdict.versions == ("house-1", "own-customer-service")


def test_a_rule_for_a_department_that_was_closed_says_so():
    closed = house(rule("Parcels", says("parcel"), place="pr"))
    departments = {slug: named for slug, named in closed.departments.items() if slug != "pr"}
    verdict = decide(facts("parcel"), type(closed)(closed.house, departments))
    assert verdict.department == "triage"
    assert verdict.because == (
        "It went to Triage, because the rule “Parcels” names the department “pr”, which is not open."
    )


def test_the_language_that_was_read_counts_where_the_network_says_none():
    german = rule("German", {"field": "lang", "value": ["de"]}, place="pr")
    assert decide(facts("Guten Tag"), house(german), Scores(language="de")).department == "pr"
    assert decide(facts("Guten Tag", lang="nl"), house(german), Scores(language="de")).department == "triage"


def test_a_stored_rule_that_nobody_can_read_any_more_is_named_and_the_others_go_on():
    broken = stored(PARCELS) | {"uid": "old", "when": {"field": "phase_of_the_moon"}}
    book = Book("house-1", 3, [broken, stored(PRESS)])
    assert "There is no such condition" in book.broken["old"]
    assert [each.name for each in book.fitting(facts("journalist"))] == ["Press"]


# Why not ------------------------------------------------------------------------------------------------------------
def test_it_tells_for_each_rule_why_a_post_did_not_go_there():
    late = rule("Late parcels", says("parcel"), place="pr")
    off = rule("Old press", says("press"), on=False, place="pr")
    told = why_not("pr", facts("parcel"), house(PRESS, PARCELS, late, off))
    assert [(each.rule, each.reason) for each in told] == [
        ("Press", "the text does not contain “journalist”"),
        ("Late parcels", "it fits, but the rule “Parcels” stands before it"),
        ("Old press", "it is switched off"),
    ]


def test_a_rule_that_stopped_before_is_named():
    stop = rule("Stop", says("parcel"), stop=True)
    told = why_not("customer-service", facts("parcel"), house(stop, PARCELS))
    assert told[0].reason == "it fits, but the rule “Stop” stands before it and stops"


def test_where_it_did_go_there_is_no_why_not():
    assert why_not("customer-service", facts("parcel"), house(PARCELS)) == []
    assert why_not("rnd", facts("parcel crash"), house(PARCELS, FAULTS)) == []


# Facts --------------------------------------------------------------------------------------------------------------
def test_what_a_decision_saw_is_frozen_and_read_again(monkeypatch):
    seen = facts(
        "a", author_lists=frozenset(["b", "a"]), open_now=frozenset(["pr"]), similar=3, mood=-0.25,
        labels=(("pr", 0.75), ("none", 0.2)),
    )  # fmt: skip
    monkeypatch.setattr("routing.facts.facts_of_message", lambda message, *, is_reply_to_us: facts("a"))
    kept = json.loads(json.dumps(seen.frozen()))
    assert facts_again(None, kept) == seen
    assert "author_messages" not in kept and "campaigns" not in kept  # nobody looked
    assert facts_again(None, facts("a", lang="de").frozen()) == facts("a", lang="de")


# Rules --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("then", "own", "place", "sentence"),
    [
        ({}, False, "then", "The rule does nothing yet; say what it does."),
        ({"place": "moon"}, False, "then.place", "There is no open department “moon”."),
        ({"join": ["moon", "pr"]}, False, "then.join", "There is no open department “moon”."),
        ({"place": "pr", "join": ["pr"]}, False, "then.join", "The department that leads can not join as well."),
        ({"place": "pr", "probably_nothing": True}, False, "then.probably_nothing", "What is probably nothing"),
        ({"place": "pr"}, True, "then.place", "they do not move work elsewhere"),
        ({"assign": "nobody"}, False, "then.assign", "“nobody” is nobody here whom this rule could name."),
        ({"notify": ["carl", "x", "y"]}, True, "then.notify", "“x” or “y” are nobody here"),
        ({"spam": True}, True, "then.spam", "they do not move work elsewhere"),
        ({"spam": True, "assign": "carl"}, False, "then.spam", "Spam is resolved at once"),
        ({"snooze": 0}, False, "then.snooze", "This is less than 1."),
        ({"priority": "later"}, False, "then.priority", "This is none of"),
    ],
)
def test_a_rule_that_can_not_be_carried_out_is_refused(then, own, place, sentence):
    with pytest.raises(Refused) as refused:
        read_rule({"name": "R", "when": says("a"), "then": then}, KNOWN, own=own)
    assert sentence in refused.value.problems[place]


@pytest.mark.parametrize(
    ("question", "place", "sentence"),
    [
        ({"field": "author_list", "value": ["friends"]}, "when.any.0.value", "There is no list of people “friends”."),
        ({"field": "campaign", "value": ["winter"]}, "when.any.0.value", "There is no campaign “winter”."),
        ({"field": "hours", "value": ["moon"]}, "when.any.0.value", "There is no open department “moon”."),
        (
            {"field": "label", "value": {"labels": ["none", "moon"]}},
            "when.any.0.value",
            "There is no open department “moon”.",
        ),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused_where_it_does(question, place, sentence):
    with pytest.raises(Refused) as refused:
        read_rule({"name": "R", "when": {"any": [question, says("a")]}, "then": {"stop": True}}, KNOWN)
    assert refused.value.problems == {place: sentence}


def test_a_department_s_own_rules_see_to_its_own_work():
    then = {"assign": "carl", "snooze": 90, "approval": True, "notify": ["carla", "pia"]}
    own = rule("Own", says("a"), own=True, **then)
    assert own.then.say({"carl": "Carl Roth"}) == (
        "assign it to Carl Roth, put it off for 90 minutes, replies need approval, tell carla and pia"
    )
    assert rule("Spam", says("a"), spam=True, stop=True).then.say({}) == "resolve it as spam, and stop"


def test_a_list_of_rules_names_the_rule_that_is_wrong():
    good = {"uid": "one", "name": "One", "when": says("a"), "then": {"stop": True}}
    with pytest.raises(Refused) as refused:
        read_rules([good, {"name": " ", "when": {"any": [says()]}, "then": {"stop": True}}], KNOWN)
    assert set(refused.value.problems) == {"rules.1.name", "rules.1.when.any.0.value"}
    with pytest.raises(Refused, match="same uid"):
        read_rules([good, good], KNOWN)


def test_a_rule_says_itself():
    loud = rule("Loud", says("a", "b"), place="pr", join=["rnd", "marketing"], priority="urgent", tags=["x"], stop=True)
    assert loud.say(NAMES) == (
        "If the text contains “a” or “b”, place in PR, R&D and Marketing join, urgent priority, tag “x”, and stop."
    )


# Many rules ---------------------------------------------------------------------------------------------------------
WORDS = [f"w{number}" for number in range(60)]


def some_rules(seed, many):
    dice = random.Random(seed)
    for number in range(many):
        terms = says(*dice.sample(WORDS, dice.randint(1, 4)), op=dice.choice(["any", "all"]))
        wrap = [terms, {"not": terms}, {"all": [terms, {"field": "network", "value": ["x"]}]}, {"any": [terms, terms]}]
        effects = [{"place": "pr"}, {"place": "rnd"}, {"join": ["marketing"]}, {"tags": [f"t{number}"]}, {"stop": True}]
        yield rule(f"R{number}", dice.choices(wrap, [8, 1, 2, 1])[0], **dice.choices(effects, [4, 4, 2, 2, 1])[0])


@given(st.integers(0, 10_000), st.lists(st.sampled_from(WORDS), max_size=12))
@settings(max_examples=150, deadline=None)
def test_asking_only_rules_that_stand_a_chance_changes_nothing(seed, words):
    rules, post = list(some_rules(seed, 40)), facts(" ".join(words))
    plainly = []
    for each in rules:
        if each.when.holds(post):
            plainly.append(each)
            if each.then.stop:
                break
    assert list(Book("v", 1, rules).fitting(post)) == plainly
