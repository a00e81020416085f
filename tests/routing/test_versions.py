"""Versions: from draft to shadow to live, never back; what ran once stands; and what changed, in sentences."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from routing import actions, engine, shadowing
from routing.comparing import compare, counts
from routing.conditions import Refused
from routing.models import Decision, RuleSetVersion
from tests.make import make_post, receive
from tests.routing.posts import NAMES, says

pytestmark = pytest.mark.django_db


def written(name, when, **then):
    return {"uid": name.lower(), "name": name, "when": when, "then": then}


PARCELS = written("Parcels", says("parcel"), place="customer-service")
PRESS = written("Press", says("journalist"), place="pr")
FAULTS = written("Faults", says("crash"), place="rnd")


@pytest.fixture
def house_rules(house):
    rule_set = actions.found_rule_set(by="system")
    actions.publish(rule_set, [PARCELS, PRESS], by="system", why="To begin with")
    return rule_set


# States -------------------------------------------------------------------------------------------------------------
def test_a_draft_is_amended_shadowed_and_published_and_each_step_is_kept(house_rules, cora, ada):
    draft = actions.draft(house_rules, [PARCELS], by=cora, why="Less")
    draft = actions.amend(draft, [PARCELS, FAULTS], by=ada)
    assert (draft.why, draft.created_by, draft.parent.number) == ("Less", cora, 1)
    beside = actions.shadow(draft, by=cora)
    assert house_rules.live.number == 1
    live = actions.publish_draft(beside, by=ada, based_on=1)
    first = house_rules.versions.get(number=1)
    assert (live.state, live.published_by, live.created_by, live.why) == ("live", ada, cora, "Less")
    assert live.shadow_since < live.published_at
    assert (first.state, first.retired_at) == ("retired", live.published_at)
    again = actions.restore(first, by=cora)
    assert (again.number, again.parent, again.rules) == (3, first, first.rules)


def test_what_ran_once_is_not_amended_discarded_or_turned_back(house_rules, cora):
    first = house_rules.live
    beside = actions.shadow(actions.draft(house_rules, [], by=cora), by=cora)
    second = actions.draft(house_rules, [PRESS], by=cora)
    for version in (first, beside):
        for verb in (lambda each: actions.amend(each, [], by=cora), lambda each: actions.discard(each, by=cora)):
            with pytest.raises(Refused, match="not a draft"):
                verb(version)
    with pytest.raises(Refused, match="Version 2 runs in the shadow already"):
        actions.shadow(second, by=cora)
    actions.discard(second, by=cora)
    ended = actions.unshadow(beside, by=cora)
    assert (ended.state, RuleSetVersion.objects.count()) == ("retired", 2)
    with pytest.raises(Refused, match="was thrown away meanwhile"):
        actions.publish_draft(second, by=cora)


@pytest.mark.parametrize("state", ["shadow", "live", "retired"])
@pytest.mark.parametrize(
    "change",
    [
        {"rules": []}, {"why": "Other"}, {"number": 9}, {"parent": None}, {"created_by": None}, {"state": "draft"},
        {"shadow_since": None},
    ],
)  # fmt: skip
def test_the_database_itself_refuses_to_change_what_ran(house_rules, cora, state, change):
    version = actions.shadow(actions.draft(house_rules, [PARCELS], by=cora, why="More"), by=cora)
    if state != "shadow":
        version = actions.publish_draft(version, by=cora)
    if state == "retired":
        actions.publish(house_rules, [], by=cora)
    for touch in (lambda found: found.update(**change), lambda found: found._raw_delete(found.db)):
        with pytest.raises(DatabaseError, match="of rules"), transaction.atomic():
            touch(RuleSetVersion.objects.filter(pk=version.pk))


def test_a_draft_does_not_take_back_unseen_what_was_published_meanwhile(house_rules, cora, ada):
    draft = actions.draft(house_rules, [PARCELS], by=cora)
    actions.publish(house_rules, [FAULTS], by=ada)
    with pytest.raises(Refused, match="Version 3 was published meanwhile by Ada"):
        actions.publish_draft(draft, by=cora, based_on=1)
    assert actions.publish_draft(draft, by=cora, based_on=3).state == "live"


# The shadow ---------------------------------------------------------------------------------------------------------
def test_the_shadow_keeps_only_what_would_differ_and_moves_nothing(house_rules, cora):
    actions.shadow(actions.draft(house_rules, [PARCELS, PRESS | {"then": {"place": "marketing"}}], by=cora), by=cora)
    first = make_post("a journalist asks")
    (asked, _) = receive(first, make_post("parcel", author="ben"))
    engine.route()
    receive(make_post("a journalist again", in_reply_to=first.id, kind="reply"))
    engine.route()
    (kept,) = Decision.objects.shadow().select_related("department")
    assert (kept.message_id, kept.department.slug, kept.rule_uid) == (asked.pk, "marketing", "press")
    assert asked.conversation.items.get(lead=True).department.slug == "pr"
    assert Decision.objects.live().count() == 3


def test_a_shadow_that_stumbles_harms_nothing(house_rules, cora, monkeypatch):
    actions.shadow(actions.draft(house_rules, [], by=cora), by=cora)

    def stumbles(*_):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    monkeypatch.setattr(shadowing, "as_row", stumbles)
    (message,) = receive(make_post("parcel"))
    assert engine.route() == 1
    assert message.conversation.items.get().department.slug == "customer-service"
    assert not Decision.objects.shadow().exists()


def test_without_a_shadow_one_small_question_is_all_it_costs(house_rules, monkeypatch):
    receive(make_post("parcel"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        engine.route()
    about = [each["sql"] for each in asked if "'shadow'" in each["sql"]]
    assert len(about) == 1, about


# Comparing ----------------------------------------------------------------------------------------------------------
def test_what_changed_is_told_rule_by_rule():
    old = [PARCELS, PRESS, FAULTS, written("Jobs", says("job"), tags=["job"])]
    new = [
        FAULTS,
        PARCELS | {"when": says("parcel", "box")},
        PRESS | {"on": False},
        written("Bikes", says("bike"), place="rnd"),
    ]
    told = {change.name: change for change in compare(old, new, NAMES)}
    assert {name: change.what for name, change in told.items()} == {
        "Faults": ("moved",), "Parcels": ("changed",), "Press": ("switched off",), "Bikes": ("added",),
        "Jobs": ("removed",),
    }  # fmt: skip
    parcels = told["Parcels"]
    assert parcels.before == "If the text contains “parcel”, place in Customer service."
    assert parcels.after == "If the text contains “parcel” or “box”, place in Customer service."
    assert [piece for piece, alone in parcels.pieces[1] if alone] == [" or “box”"]
    assert (told["Faults"].old_place, told["Faults"].new_place) == (3, 1)
    assert counts(told.values()) == "1 moved, 1 changed, 1 switched off, 1 added, 1 removed"
    assert compare(old, old, NAMES) == []
    (renamed,) = compare([PARCELS], [PARCELS | {"name": "Boxes"}], NAMES)
    assert (renamed.what, renamed.old_name, renamed.name) == (("renamed",), "Parcels", "Boxes")
