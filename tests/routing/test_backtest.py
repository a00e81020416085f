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


def test_what_continued_a_conversation_goes_where_it_goes_and_moves_nothing_itself(house_rules, cora):
    first = make_post("my parcel is late")
    receive(first, make_post("I am a journalist, it does crash", in_reply_to=first.id, kind="reply", minutes_ago=5))
    engine.route()
    result = tried(actions.draft(house_rules, [PRESS, FAULTS], by=cora), cora)
    assert (result["messages"], result["conversations"]) == (2, 1)
    assert moves(result) == {("customer-service", "triage"): 1}
    load = {row["department"]: (row["before"], row["after"]) for row in result["load"]}
    assert load == {"customer-service": (1, 0), "triage": (0, 1), "rnd": (0, 1)}

    stays = tried(actions.draft(house_rules, [PARCELS, FAULTS], by=cora), cora)
    assert (stays["moved"], stays["otherwise"]) == (0, 1)
    (otherwise,) = stays["otherwise_list"]
    assert (otherwise["before"]["joins"], otherwise["after"]["joins"]) == ([], ["rnd"])


def test_old_and_new_are_held_against_where_people_put_it(house_rules, cora, customer_service):
    messages = came_in("parcel one", "parcel two", "nice bikes", "nice pumps")
    for message, belongs in zip(messages, ["marketing", "marketing", "marketing", None], strict=True):
        Correction.objects.create(message=message, belongs=find(belongs) if belongs else None, source="placed")
    bikes = written("Bikes", says("bikes"), place="marketing")
    pumps = written("Pumps", says("pumps"), probably_nothing=True)
    result = tried(actions.draft(house_rules, [PARCELS, bikes, pumps], by=cora), cora)
    assert result["accuracy"] == {"n": 4, "before": 0, "after": 2, "before_unsure": 2, "after_unsure": 0}


def test_nobody_counts_what_they_may_not_see(house_rules, cora, hana, hr, carla, customer_service):
    came_in("my boss is strange", "my parcel")
    everything = actions.draft(house_rules, [PARCELS], by=cora)
    seen = tried(everything, cora)
    assert seen["messages"] == 1
    assert "hr" not in str(seen["matrix"]) + str(seen["load"])
    assert {row["uid"]: row["was_hits"] for row in seen["rules"]} == {"parcels": 1, "press": 0, "boss": 0}

    of_hr = actions.found_rule_set(hr, by=hana)
    urgent = written("Strange", says("strange", "parcel"), tags=["strange"])
    result = tried(actions.draft(of_hr, [urgent], by=hana), hana)
    assert (result["messages"], result["otherwise"]) == (1, 1)

    own = actions.found_rule_set(customer_service, by=carla)
    result = tried(actions.draft(own, [urgent], by=carla), carla)
    assert (result["messages"], result["otherwise"], result["moved"]) == (1, 1, 0)
    with pytest.raises(PermissionDenied):
        actions.back_test(everything, {"posts": 10}, by=carla)


def test_a_trial_goes_as_far_back_as_it_was_asked(house_rules, cora):
    came_in("parcel one", "parcel two", "parcel three")
    Message.objects.filter(text="parcel one").update(created_at=timezone.now() - timedelta(days=20))
    draft = actions.draft(house_rules, [], by=cora)
    assert tried(draft, cora, posts=2)["messages"] == 2
    assert tried(draft, cora, days=7)["messages"] == 2
    assert tried(draft, cora, days=30)["messages"] == 3
    for scope in ({}, {"days": 0}, {"days": 366}, {"posts": 10, "days": 1}, {"years": 1}):
        with pytest.raises(Refused):
            actions.back_test(draft, scope, by=cora)


def test_it_tells_how_far_it_is_and_can_be_cancelled(house_rules, cora, ada, monkeypatch):
    monkeypatch.setattr("routing.past.SLICE", 1)
    came_in("parcel one", "parcel two", "parcel three")
    trial = actions.back_test(actions.draft(house_rules, [], by=cora), {"days": 1}, by=cora)
    with pytest.raises(PermissionDenied):
        actions.cancel_back_test(trial, by=ada)
    seen = []

    def rest():
        trial.refresh_from_db()
        seen.append((trial.state, trial.done, trial.total))
        if trial.done == 2:
            actions.cancel_back_test(trial, by=cora)

    assert backtest.run_next(rest)
    trial.refresh_from_db()
    assert seen == [("running", 1, 3), ("running", 2, 3)]
    assert (trial.state, trial.result.get("matrix")) == ("cancelled", None)
    assert not backtest.run_next()


def test_what_a_dead_worker_left_begins_anew_and_one_that_kills_workers_is_given_up(house_rules, cora, monkeypatch):
    class PulledThePlug(BaseException):
        pass

    def crash():
        raise PulledThePlug

    came_in("parcel")
    trial = actions.back_test(actions.draft(house_rules, [], by=cora), {"days": 1}, by=cora)
    for _ in range(backtest.TRIES):
        with pytest.raises(PulledThePlug):
            backtest.run_next(crash)
        assert not backtest.run_next()  # its lease has not ended yet
        BackTest.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert not backtest.run_next()
    trial.refresh_from_db()
    assert (trial.state, trial.trouble[:26]) == ("failed", "It was begun three times, ")

    again = actions.back_test(trial.version, {"days": 1}, by=cora)
    with pytest.raises(PulledThePlug):
        backtest.run_next(crash)
    BackTest.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert backtest.run_next()
    again.refresh_from_db()
    assert (again.state, again.result["messages"]) == ("done", 1)
