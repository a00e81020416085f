"""What was decided is worked out again, the same; what can not be asked any more is counted."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import chain

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.contract import Author
from routing import actions, backtest, engine, previewing
from routing.deciding import decide
from routing.gathering import asked_by
from routing.in_force import live_rule_sets
from routing.models import AuthorList, Campaign, Decision
from routing.outcomes import outcome
from routing.past import slices
from routing.recording import places
from routing.verifying import verify
from tests.make import find, make_post, receive
from tests.routing.posts import says
from tests.routing.test_compiling import Dice

pytestmark = pytest.mark.django_db


def written(name, when, **then):
    return {"uid": name.lower(), "name": name, "when": when, "then": then}


@pytest.fixture
def a_week(house):
    """Rules of the house and of customer service, changed once, and what came in under either."""
    rule_set = actions.found_rule_set(by="system")
    own = actions.found_rule_set(find("customer-service"), by="system")
    parcels = written("Parcels", says("parcel"), place="customer-service", join=["rnd"], tags=["delivery"])
    actions.publish(own, [written("Loud", says("now"), priority="urgent")], by="system")
    actions.publish(rule_set, [parcels, written("Boss", says("boss"), place="hr")], by="system")
    first = make_post("Where is my parcel? I want it now")
    receive(first, make_post("My boss", author="ben"), make_post("Hm", author="eve"))
    engine.route()
    actions.publish(rule_set, [parcels | {"then": {"place": "marketing"}}], by="system")
    receive(make_post("Still no parcel", in_reply_to=first.id, kind="reply"), make_post("a parcel", author="zoe"))
    engine.route()
    return first


def verified(*words):
    """What the command says, and how it ends."""
    out, ended = StringIO(), 0
    try:
        call_command("verify_decisions", *words, stdout=out)
    except SystemExit as end:
        ended = end.code
    return out.getvalue(), ended


def test_every_decision_is_reached_again(a_week):
    told, ended = verified("--json")
    assert ended == 0, told
    assert json.loads(told) == {
        "decisions": 5, "same": 5, "different": 0, "erased": 0, "revised": 0, "failed": 0, "by_people": 0,
        "differences": [],
    }  # fmt: skip
    assert json.loads(verified("--json", "--limit", "2")[0])["decisions"] == 2


def test_one_that_can_not_be_reached_is_named_and_the_command_fails(a_week):
    kept = Decision.objects.filter(source="rule").order_by("id").first()
    Decision.objects.filter(pk=kept.pk).update(tags=["forged"])
    told, ended = verified()
    assert ended == 1
    assert f"decision {kept.pk}, message {kept.message_id}: tags ['forged'] → ['delivery']" in told


def test_erased_and_edited_messages_are_left_out_and_counted(a_week):
    receive(make_post("", id=a_week.id, deleted=True, author=None))
    edited = make_post("a parcel", author="ann")
    receive(edited)
    engine.route()
    receive(make_post("a journalist", id=edited.id, author="ann", edited_at=timezone.now()))
    engine.route()
    told, ended = verified("--json")
    assert ended == 0
    counts = json.loads(told)
    assert (counts["erased"], counts["revised"], counts["different"]) == (1, 1, 0)
    assert counts["same"] == counts["decisions"] - 2


# Whoever asks -------------------------------------------------------------------------------------------------------
class World(Dice):
    """Throws rules for everybody and for one department, and posts of people who come once."""

    def question(self):
        """What depends on who else wrote is left to tests/routing/test_same_facts.py."""
        asked = super().question()
        return self.question() if asked["field"] in ("similar", "author_messages") else asked

    def rule(self, number, own=False):
        then = {"tags": [f"tag{number}"], "priority": self.choice(["", "high", "urgent"]), "stop": self.random() < 0.1}
        if not own and self.random() < 0.7:
            then |= {"place": self.choice(["pr", "marketing", "customer-service", "hr"]), "join": ["rnd"]}
        uid = f"{'own' if own else 'house'}{number}"
        return {"uid": uid, "name": uid, "on": self.random() < 0.9, "when": self.tree(), "then": then}

    def came_in(self, number):
        author = Author(id=f"a{number}", handle=self.choice(["@A", "b", "É"]), followers=self.choice([None, 0, 1, 2]))
        post = make_post(
            self.text(1, 25) + "a", id=f"thrown-{number}", kind=self.choice(["mention", "dm", "review"]), author=None,
            lang=self.choice(["de", "pt-br", "pt"]), rating=self.choice([None, 1, 3]),
            created_at=datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=number * 7),
        )  # fmt: skip
        return replace(post, author=author)


def told(verdict):
    by = verdict.by.rule.uid if verdict.by else ""
    return verdict.department, verdict.source, by, verdict.reason, places(verdict), outcome(verdict)[1:5]


@pytest.mark.parametrize("seed", range(8))
def test_routing_verifying_trying_and_previewing_decide_the_same(house, seed):
    thrown = World(seed)
    for slug, handles in (("press", ["a"]), ("vip", ["b"])):
        AuthorList.objects.create(slug=slug, name=slug, handles=handles)
    Campaign.objects.create(slug="summer", name="Summer", hashtags=["a", "ab"])
    everybody, own = actions.found_rule_set(by="system"), actions.found_rule_set(find("customer-service"), by="system")
    actions.publish(everybody, [thrown.rule(number) for number in range(12)], by="system")
    actions.publish(own, [thrown.rule(number, own=True) for number in range(4)], by="system")
    posts = {post.id: post for post in (thrown.came_in(number) for number in range(25))}
    messages = receive(*posts.values())
    engine.route()

    assert verify().counts == {"decisions": 25, "same": 25}
    sets, tally = live_rule_sets(), backtest.Tally(live_rule_sets(), live_rule_sets())
    kept = {str(each.message_id): each for each in Decision.objects.select_related("department")}
    named = {str(message.pk): message.external_id for message in messages}
    for past in chain.from_iterable(slices([*named], None, asked_by(sets))):
        verdict, decision = decide(past.facts, sets, past.scores), kept[past.message.id]
        of_now = previewing.of_post(posts[named[past.message.id]], sets, past.message.channel)
        assert told(verdict) == told(of_now)
        assert told(verdict) == (
            decision.department.slug, decision.source, decision.rule_uid, decision.because, decision.spans,
            (decision.probably_nothing, tuple(decision.joins), decision.priority, tuple(decision.tags)),
        )  # fmt: skip
        tally.add(past)
    counted = tally.result()
    assert (counted["messages"], counted["moved"], counted["otherwise"]) == (25, 0, 0)
    assert {row["uid"]: row["hits"] for row in counted["rules"] if row["hits"]} == Counter(
        uid for decision in kept.values() for uid in decision.matched
    )
