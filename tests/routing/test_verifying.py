"""What was decided is worked out again, the same; what can not be asked any more is counted."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from routing import actions, engine
from routing.models import Decision
from tests.make import find, make_post, receive
from tests.routing.posts import says

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
