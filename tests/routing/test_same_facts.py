"""Routing, trying a stored message again, and working a decision out anew meet the same facts and decide the same."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors.contract import Author, Post
from departments.models import Department
from inbox.waiting import as_they_waited
from routing import actions, engine
from routing.deciding import decide
from routing.engine import live_rule_sets, scores_of
from routing.facts import facts_again
from routing.gathering import LOOKED_UP, asked_by, gather_again
from routing.models import AuthorList, Campaign, Decision
from tests.make import make_channel, receive

pytestmark = pytest.mark.django_db

CALLED_BACK = "the kettle of last year is called back so please do not use it any more"
QUESTIONS = [
    ({"field": "author_list", "op": "any", "value": ["press"]}, {"place": "pr"}),
    ({"field": "similar", "op": "at_least", "value": 3}, {"place": "rnd", "priority": "urgent"}),
    ({"field": "campaign", "op": "any", "value": ["spring", "shop"]}, {"place": "marketing"}),
    ({"field": "author_messages", "op": "at_least", "value": 4}, {"tags": ["often"], "priority": "high"}),
    ({"not": {"field": "hours", "op": "within", "value": ["customer-service"]}}, {"tags": ["late"]}),
]


def world(now):
    AuthorList.objects.create(slug="press", name="Press", handles=["quiet:author1", "author2"])
    Campaign.objects.create(slug="spring", name="Spring", hashtags=["spring"], begins_at=now - timedelta(hours=9))
    Campaign.objects.create(slug="shop", name="Shop", links=["acme.example/shop"], ends_at=now - timedelta(hours=3))
    Department.objects.filter(slug="customer-service").update(
        hours={day: [["06:00", "18:30"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    )
    rules = [
        {"uid": f"rule-{number}", "name": f"Rule {number}", "when": when, "then": then}
        for number, (when, then) in enumerate(QUESTIONS)
    ]
    actions.publish(actions.found_rule_set(by="system"), rules, by="system")


def some_post(drawn: random.Random, number: int, now) -> Post:
    words = CALLED_BACK.split()
    words[drawn.randrange(len(words))] = drawn.choice(("pot", "stove", "pan"))
    said = drawn.choice((" ".join(words), "Thank you", f"{number} questions about {number * 7} different other things"))
    said += drawn.choice(("", "", " #Spring", " https://acme.example/shop/1", " @acme"))
    name = f"author{drawn.randrange(9)}"
    author = (
        drawn.choice((Author(id=name, handle=f"@{name}"), None)) if number % 5 == 0 else Author(id=name, handle=name)
    )
    return Post(f"p{number}", "mention", said, now - timedelta(minutes=60 * 30 - number * 40), author)


def outcome(verdict):
    tags, by = verdict.tags, verdict.by.rule.uid if verdict.by else ""
    return verdict.department, by, verdict.reason, verdict.priority, tags, [match.rule.uid for match in verdict.matches]


def kept(decision):
    told = decision.department.slug, decision.rule_uid, decision.because, decision.priority
    return *told, tuple(decision.tags), decision.matched


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whoever_asks_and_whenever_the_same_facts_give_the_same_decision(house, seed):
    drawn, now = random.Random(seed), timezone.now()
    world(now)
    posts = [some_post(drawn, number, now) for number in range(44)]
    channel = make_channel()
    for begins in range(0, len(posts), 11):  # four batches, as if four workers had them one after the other
        receive(*posts[begins : begins + 11], channel=channel)
        engine.route()

    decisions = Decision.objects.live().select_related("department", "message__channel", "message__identity")
    routed = {str(each.message_id): each for each in decisions}
    assert len(routed) == len(posts)
    assert {each.source for each in routed.values()} == {"rule", "none"}
    assert len({each.rule_uid for each in routed.values()}) == 4, "every rule that places has placed something"

    rule_sets = live_rule_sets()
    assert asked_by(rule_sets) == LOOKED_UP
    frozen = {id: each.facts for id, each in routed.items()}
    messages = as_they_waited(routed)
    again, anew = gather_again(messages, LOOKED_UP), gather_again(messages, LOOKED_UP, frozen=frozen)
    for id, decision in routed.items():
        for facts in (again[id], anew[id], facts_again(decision.message, decision.facts)):
            assert outcome(decide(facts, rule_sets, scores_of(facts))) == kept(decision)
