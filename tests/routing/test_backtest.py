"""A version tried on what came in before: what would have gone elsewhere, for whom, and who may count it."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from inbox.models import Message
from routing import actions, backtest, engine
from routing.conditions import Refused
from routing.models import BackTest, Correction
from tests.make import find, make_post, receive
from tests.routing.posts import says

pytestmark = pytest.mark.django_db


def written(name, when, **then):
    return {"uid": name.lower(), "name": name, "when": when, "then": then}


PARCELS = written("Parcels", says("parcel"), place="customer-service")
PRESS = written("Press", says("journalist"), place="pr")
FAULTS = written("Faults", says("crash"), join=["rnd"])
BOSS = written("Boss", says("boss"), place="hr")


@pytest.fixture
def house_rules(house):
    """The rules Parcels, Press and Boss are in force."""
    rule_set = actions.found_rule_set(by="system")
    actions.publish(rule_set, [PARCELS, PRESS, BOSS], by="system")
    return rule_set


def came_in(*texts):
    messages = receive(*[make_post(text, author=f"a{number}") for number, text in enumerate(texts)])
    engine.route()
    return messages


def tried(version, by, **scope):
    """The result of a trial of this version, asked for by this person."""
    trial = actions.back_test(version, scope or {"posts": 1000}, by=by)
    assert backtest.run_next()
    trial.refresh_from_db()
    assert trial.state == "done", trial.trouble
    assert trial.done == trial.total
    return trial.result


def moves(result):
    return {(old, new): many for old, new, many in result["matrix"] if old != new}


def test_cora_sees_what_a_draft_would_move_and_why(house_rules, cora):
    parcel, _, other = came_in("my parcel is late", "a journalist asks", "nice bikes")
    draft = actions.draft(house_rules, [PARCELS | {"then": {"place": "marketing"}}, PRESS], by=cora)
    result = tried(draft, cora)

    assert (result["messages"], result["conversations"], result["moved"]) == (3, 3, 1)
    assert moves(result) == {("customer-service", "marketing"): 1}
    (moved,) = result["moved_list"]
    assert (moved["message"], moved["conversation"]) == (str(parcel.pk), str(parcel.conversation_id))
    assert moved["before"]["because"].startswith("The rule “Parcels” put this in Customer service, because")
    assert moved["after"]["because"].startswith("The rule “Parcels” put this in Marketing, because")
    load = {row["department"]: (row["before"], row["after"]) for row in result["load"]}
    assert load == {"customer-service": (1, 0), "marketing": (0, 1), "pr": (1, 1), "triage": (1, 1)}
    hits = {row["uid"]: (row["was_hits"], row["hits"], row["first"]) for row in result["rules"]}
    assert hits == {"parcels": (1, 1, 1), "press": (1, 1, 1), "boss": (0, None, None)}
    assert "bikes" not in str(result)
