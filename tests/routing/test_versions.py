"""Versions: from draft to shadow to live, never back; what ran once stands; and what changed, in sentences."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from departments import actions as people
from departments.roles import HouseRole
from routing import actions, backtest, engine, notation, shadowing
from routing.comparing import compare, counts
from routing.conditions import Refused
from routing.models import Decision, RuleSetVersion
from tests.make import make_post, receive
from tests.routing.posts import NAMES, says
from tests.routing.test_api import Program

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


# For programs, and as files -------------------------------------------------------------------------------------------
def test_a_program_tries_compares_shadows_and_publishes(house_rules, cora, ada):
    receive(make_post("a journalist asks"))
    engine.route()
    program, path = Program(cora), f"/rule-sets/{house_rules.pk}/versions"
    program.post(f"{path}/", rules=[PARCELS, PRESS | {"then": {"place": "marketing"}}])

    asked = program.post(f"{path}/2/backtest/", days=30)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting"), asked.content
    address = asked.json()["url"].removeprefix("/api/v1")
    assert program.get(address).json()["result"] is None
    backtest.run_next()
    told = program.get(address).json()
    assert (told["state"], told["done"], told["total"], told["result"]["moved"]) == ("done", 1, 1, 1)
    assert told["result"]["matrix"] == [["pr", "marketing", 1]]
    assert program.post(f"{address}cancel/").json()["state"] == "done"
    assert Program(ada).get(address).status_code == 404
    assert program.post(f"{path}/2/backtest/", days=0).status_code == 400
    people.take_house_role(cora, HouseRole.COORDINATOR, by="system")
    people.give_house_role(cora, HouseRole.COORDINATOR, by="system")
    assert program.get(address).json()["result"] is None  # counted by other rights than those of today

    (change,) = program.get(f"{path}/2/compare/").json()["changes"]
    assert (change["name"], change["what"]) == ("Press", ["changed"])
    assert program.post(f"{path}/2/shadow/").json()["state"] == "shadow"
    receive(make_post("one more journalist", author="ben"))
    engine.route()
    seen = program.get(f"{path}/2/shadow/").json()
    assert (seen["evaluated"], seen["differing"], seen["newest"][0]["department"]) == (1, 1, "marketing")
    assert program.post(f"{path}/2/publish/").json()["state"] == "live"


def test_rules_are_carried_out_and_in_as_yaml(house_rules, cora):
    at_night = {"field": "time", "op": "within", "value": {"days": ["mon"], "from": "18:00", "to": "08:00"}}
    actions.publish(house_rules, [PARCELS, written("Night", at_night, tags=["on", "2026-01-01"])], by=cora)
    said = notation.as_yaml(house_rules.live)
    assert notation.rules_in(said) == house_rules.live.rules
    answer = Program(cora).client.post(
        f"/api/v1/rule-sets/{house_rules.pk}/versions/yaml/", said, content_type="application/yaml"
    )
    assert (answer.status_code, answer.json()["state"]) == (201, "draft"), answer.content
    assert answer.json()["rules"] == house_rules.live.rules
    by_hand = "- name: Bikes\n  on: false\n  when: {field: text, op: any, value: [bike]}\n  then: {place: rnd}\n"
    (bikes,) = notation.rules_in(by_hand)
    assert bikes["on"] is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [", "Line "),
        ("a: &a [1]\nrules: [*a]", "Line 2, column 9: a part that stands for another is not read."),
        ("rules: !!python/object/apply:os.system ['ls']", "could not determine a constructor"),
        ("[" * 1000, "this lies too deep"),
        (b"\xff\xfe\x00", "can not be read"),
        ("7", "There is no list of rules in it."),
        ("# " + "x" * notation.MOST_BYTES, "larger than"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_line(text, said):
    with pytest.raises(Refused, match=re.escape(said)):
        notation.rules_in(text)


# The pages ------------------------------------------------------------------------------------------------------------
def test_cora_reads_tries_and_publishes_a_draft_on_its_pages(house_rules, cora, carl, client_of):
    receive(make_post("a journalist asks"))
    engine.route()
    draft = actions.draft(house_rules, [PARCELS, PRESS | {"then": {"place": "marketing"}}], by=cora, why="They asked")
    browser, address = client_of(cora), f"/routing/{house_rules.pk}/versions/2/"
    page = browser.get(address).content.decode()
    assert "<del>PR</del>" in page
    assert "<ins>Marketing</ins>" in page
    assert "They asked" in browser.get("/routing/versions/").content.decode()
    assert "Publish</button>" not in client_of(carl).get(address).content.decode()

    running = browser.post(f"{address}back-test/", {"scope": "posts 1000"})
    assert "<progress" in browser.get(running.url).content.decode()
    backtest.run_next()
    result = browser.get(running.url).content.decode()
    assert "a journalist asks" in result
    assert "by this version" in result
    assert client_of(carl).get(running.url).status_code == 404

    browser.post(f"{address}do/shadow/")
    receive(make_post("one more journalist", author="ben"))
    engine.route()
    assert "one more journalist" in browser.get(f"{address}shadow/").content.decode()
    assert "one more journalist" not in client_of(carl).get(f"{address}shadow/").content.decode()
    assert browser.post(f"{address}do/publish/", {"based_on": 1}).url == "/routing/"
    draft.refresh_from_db()
    assert draft.state == "live"


def test_a_file_with_a_wrong_rule_names_it_and_nothing_is_kept(house_rules, cora, client_of):
    said = b"- name: Moon\n  when: {field: text, op: any, value: [a]}\n  then: {place: moon}"
    wrong = SimpleUploadedFile("r.yaml", said)
    answer = client_of(cora).post(f"/routing/{house_rules.pk}/versions/import/", {"file": wrong})
    assert answer.status_code == 422
    assert "Rule 1 (“Moon”), then.place: There is no open department “moon”." in answer.content.decode()
    assert house_rules.versions.count() == 1
