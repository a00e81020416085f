"""The rules every house begins with: right where they place, on the demo's story and on real posts."""

import json
import os
from pathlib import Path
from random import Random

import pytest

from connectors.demo import pool, week
from connectors.demo.people import PEOPLE
from departments.models import Department
from routing import starter
from routing.deciding import Book, RuleSets, decide
from routing.questions import MOST_TERMS
from routing.rules import Known, read_rules
from routing.scoring.language import language_of
from tests.routing.posts import DEPARTMENTS, NAMES, facts

LABELS = {"customer_service": "customer-service", "none": "triage"}


@pytest.fixture(scope="module")
def rule_sets():
    open_ones = {slug: name for slug, name in NAMES.items() if slug != "triage"}
    return RuleSets(house=Book("starter", 1, read_rules(starter.shipped(), Known(open_ones))), departments=DEPARTMENTS)


def department(label):
    return LABELS.get(label, label)


class Tally:
    """How many posts were placed, and how many of them right. A post that is left to Triage is not placed."""

    def __init__(self):
        self.posts = self.placed = 0
        self.wrong = []

    def add(self, verdict, *right):
        self.posts += 1
        if verdict.source == "rule" and not verdict.probably_nothing:
            self.placed += 1
            if verdict.department not in right:
                self.wrong.append(f"{verdict.because} It belongs to {right[0]}: {verdict.facts.text[:120]}")

    @property
    def coverage(self):
        return self.placed / self.posts

    @property
    def precision(self):
        return 1 - len(self.wrong) / self.placed


def first_posts():
    """The story's posts that begin a conversation: what follows in a thread stays where the first one lies."""
    told = [event for event in week.story() if isinstance(event, week.Said)]
    by_key, begun = {each.key: each for each in told}, set()
    for each in told:
        root = each
        while root.to:
            root = by_key[root.to]
        if not each.is_ours and (root.key, each.who) not in begun:
            begun.add((root.key, each.who))
            yield each


def test_the_demos_week_is_placed_as_a_reasonable_person_would(rule_sets):
    people, tally = {each.handle: each for each in PEOPLE}, Tally()
    for said in first_posts():
        who = people[said.who]
        post = facts(
            f"{said.title}\n{said.text}".lstrip(),
            network="demo",
            kind=said.kind,
            lang=said.lang,
            rating=said.rating,
            followers=who.followers,
            verified=who.verified,
        )
        tally.add(decide(post, rule_sets), department(said.belongs))
    assert tally.wrong == []
    assert tally.coverage >= 0.8


def test_what_goes_on_arriving_is_placed_as_a_reasonable_person_would(rule_sets):
    chance, tally = Random(5), Tally()
    for line in pool.lines():
        text = f"{line.title}\n{pool.filled(line.text, line.lang, chance)}".lstrip()
        post = facts(text, network="demo", kind=line.kind, lang=line.lang, rating=line.rating)
        tally.add(decide(post, rule_sets), department(line.belongs))
    assert tally.wrong == []
    assert tally.coverage >= 0.8


def test_real_posts_are_placed_right_more_often_than_placed(rule_sets):
    """Labelled posts of many brands: rules of plain words place about half, and nine of ten of those acceptably."""
    path = Path(os.environ.get("REAL_DATA", "/nowhere")) / "routing_dev.jsonl"
    if not path.exists():
        pytest.skip("REAL_DATA names no folder with routing_dev.jsonl")
    tally = Tally()
    for row in map(json.loads, path.read_text().splitlines()):
        kind = "mention" if row["network"] == "x" else "review"
        post = facts(row["text"], network=row["network"], kind=kind, lang=row["lang"])
        tally.add(decide(post, rule_sets), department(row["label"]), department(row["alt"] or row["label"]))
    print(f"{tally.placed} of {tally.posts} placed ({tally.coverage:.0%}), {tally.precision:.1%} acceptably")
    # What they leave, the model reads: layoffs may be news (PR) or somebody's own (HR), which no word tells.
    assert tally.coverage >= 0.45
    assert tally.precision >= 0.94


def test_a_house_without_some_departments_gets_the_rules_that_it_can_carry_out():
    rules = starter.fitting({"customer-service", "pr"})
    assert {rule["then"].get("place") for rule in rules} == {None, "customer-service", "pr"}
    assert len(read_rules(rules, Known({"customer-service": "Customer service", "pr": "PR"}))) == len(rules)
    only_pr = starter.fitting({"pr"})
    assert all(rule["then"].get("join", []) == [] for rule in only_pr)


@pytest.mark.django_db
def test_they_are_founded_once_and_never_over_rules_that_people_made(house, cora):
    from routing import actions

    rule_set = starter.found(by="system")
    actions.publish(rule_set, [], by=cora)
    assert starter.found(by="system").live.number == rule_set.live.number
    assert rule_set.live.rules == []
    assert Department.objects.count() == len(NAMES)


def test_there_is_room_to_add_words_to_every_list():
    def lists(part):
        if "value" in part:
            yield part["value"]
        for inner in part.get("all", []) + part.get("any", []) + ([part["not"]] if "not" in part else []):
            yield from lists(inner)

    assert max(len(terms) for rule in starter.shipped() for terms in lists(rule["when"]) if isinstance(terms, list)) < (
        MOST_TERMS
    )


# Languages ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Mein Paket ist noch immer nicht da!", "de"),
        ("Où est mon colis ? Toujours rien", "fr"),
        ("No puedo entrar en mi cuenta desde ayer", "es"),
        ("我的包裹在哪里,已经两个星期了还没有收到", "zh"),
        ("HELLO WHY IS MY ORDER NOT HERE", "en"),
        ("ok 👍", "und"),
        ("@acme https://acme.example/sehr-lange-deutsche-adresse", "und"),
        ("", "und"),
    ],
)
def test_a_language_is_told_or_left_open(text, language):
    assert language_of(text) == language
