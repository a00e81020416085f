"""Rules for programs: what a token of each person gets, and what it may do."""

import pytest
from django.test import Client

from departments.models import AuditEntry
from departments.tokens import make_token
from inbox.models import Message, QueueItem
from routing import actions, engine, previewing, starter
from routing.models import Decision, RuleSetVersion
from tests.make import make_post, receive
from tests.routing.posts import says

pytestmark = pytest.mark.django_db
API = "/api/v1"
PARCELS = {"uid": "parcels", "name": "Parcels", "when": says("parcel"), "then": {"place": "customer-service"}}


class Program:
    """A program that acts for a person by a token."""

    def __init__(self, person, **limits):
        _, secret = make_token(person, "test", by=person, **limits)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, path):
        return self.client.get(f"{API}{path}")

    def post(self, path, **body):
        return self.client.post(f"{API}{path}", body, content_type="application/json")


@pytest.fixture
def house_rules(house):
    rule_set = actions.found_rule_set(by="system")
    actions.publish(rule_set, [PARCELS], by="system", why="To begin with")
    return rule_set


@pytest.fixture
def hr_rules(hr):
    rule_set = actions.found_rule_set(hr, by="system")
    boss = {"name": "Boss", "when": says("boss"), "then": {"tags": ["boss"]}}
    actions.publish(rule_set, [boss], by="system")
    return rule_set


def named(answer):
    assert answer.status_code == 200, answer.content
    return [each["name"] for each in answer.json()["results"]]


def test_everybody_reads_the_houses_rules_and_only_hr_its_own(house_rules, hr_rules, carl, hana, stranger):
    assert named(Program(carl).get("/rule-sets/")) == ["For everybody"]
    assert named(Program(hana).get("/rule-sets/")) == ["For everybody", "HR’s own"]
    assert named(Program(stranger).get("/rule-sets/")) == []
    hidden, unknown = (
        Program(carl).get(f"/rule-sets/{pk}/") for pk in (hr_rules.pk, "7b1c4a52-0000-4000-8000-000000000000")
    )
    assert (hidden.status_code, hidden.content) == (404, unknown.content)
    assert Program(carl).get(f"/rule-sets/{hr_rules.pk}/versions/1/").status_code == 404


def test_cora_drafts_and_publishes_and_the_next_post_follows(house_rules, cora):
    program = Program(cora)
    rules = [PARCELS | {"then": {"place": "marketing"}}]
    drafted = program.post(f"/rule-sets/{house_rules.pk}/versions/", rules=rules, why="They asked")
    assert (drafted.status_code, drafted.json()["state"], drafted.json()["number"]) == (201, "draft", 2)
    assert house_rules.live.number == 1

    published = program.post(f"/rule-sets/{house_rules.pk}/versions/2/publish/")
    assert (published.status_code, published.json()["state"], published.json()["published_by"]) == (200, "live", "cora")
    (message,) = receive(make_post("parcel"))
    engine.route()
    assert message.conversation.items.get().department.slug == "marketing"
    assert AuditEntry.objects.filter(verb="rules_published", by=cora).count() == 1

    again = program.post(f"/rule-sets/{house_rules.pk}/versions/1/publish/").json()
    assert (again["number"], again["why"]) == (3, "Back to version 1")
    assert [each.state for each in RuleSetVersion.objects.order_by("number")] == ["retired", "retired", "live"]


def test_what_can_not_be_read_is_named_with_its_place(house_rules, cora):
    bad = PARCELS | {"when": {"any": [says("a"), {"field": "colour"}]}, "then": {"place": "moon"}}
    answer = Program(cora).post(f"/rule-sets/{house_rules.pk}/versions/", rules=[bad])
    assert answer.status_code == 400
    assert "There is no such condition" in str(answer.json()["fields"]["rules.0.when.any.1"])
    for rules in ("none", [7], [PARCELS | {"name": "a\0b"}], [PARCELS | {"name": "\ud800"}], [PARCELS, PARCELS]):
        assert Program(cora).post(f"/rule-sets/{house_rules.pk}/versions/", rules=rules).status_code == 400


@pytest.mark.parametrize("who", ["carl", "carla", "hana"])
def test_only_coordinator_and_admin_change_the_houses_rules(house_rules, who, request):
    program = Program(request.getfixturevalue(who))
    assert program.post(f"/rule-sets/{house_rules.pk}/versions/", rules=[PARCELS]).status_code == 403
    assert program.post(f"/rule-sets/{house_rules.pk}/versions/1/publish/").status_code == 403
    assert RuleSetVersion.objects.count() == 1


def test_a_lead_changes_the_own_rules_of_the_department_and_moves_no_work(customer_service, carla, carl):
    rule_set = actions.found_rule_set(customer_service, by=carla)
    loud = {"name": "Loud", "when": says("now"), "then": {"priority": "high"}}
    path = f"/rule-sets/{rule_set.pk}/versions/"
    assert Program(carla).post(path, rules=[loud]).status_code == 201
    assert Program(carl).post(path, rules=[loud]).status_code == 403
    moving = Program(carla).post(path, rules=[PARCELS])
    assert "do not move work elsewhere" in str(moving.json()["fields"])


def test_a_token_without_the_scope_changes_nothing_but_may_preview(house_rules, cora):
    program = Program(cora, scopes=["read"])
    assert program.post(f"/rule-sets/{house_rules.pk}/versions/", rules=[]).status_code == 403
    assert program.post("/routing/preview/", posts=[]).status_code == 200


def test_a_preview_says_where_posts_would_go_and_stores_nothing(house_rules, carl):
    post = {"id": "1", "kind": "mention", "text": "my PARCEL", "created_at": "2026-05-04T10:00:00Z", "network": "x"}
    answer = Program(carl).post("/routing/preview/", posts=[post, {"id": "2"}, post | {"text": "hi"}]).json()
    first, second, third = answer["decisions"]
    assert (first["department"], first["rule"]["name"]) == ("customer-service", "Parcels")
    assert first["because"] == "The rule “Parcels” put this in Customer service, because the text contains “parcel”."
    assert first["spans"] == [["text", 3, 9, "parcel"]]
    assert second["error"].startswith("There is no")
    assert third["department"] == "triage"
    assert third["why_not"]["customer-service"] == [
        {"rule": "Parcels", "because": "the text does not contain “parcel”"}
    ]
    assert not Decision.objects.exists()
    assert not Message.objects.exists()
    assert not QueueItem.objects.exists()


def test_a_stranger_previews_nothing(house_rules, stranger):
    assert Program(stranger).post("/routing/preview/", posts=[]).status_code == 403


def test_a_preview_decides_as_the_router_does(house):
    """One story through both: the same department for every post."""
    starter.found(by="system")
    posts = [make_post(text, author=f"a{number}") for number, text in enumerate(STORY)]
    messages = receive(*posts)
    engine.route()
    rule_sets = engine.live_rule_sets()
    for message in Message.objects.filter(pk__in=[each.pk for each in messages]).select_related("channel"):
        post = next(each for each in posts if each.id == message.external_id)
        verdict = previewing.of_post(post, rule_sets, message.channel)
        kept = Decision.objects.get(message=message)
        assert (verdict.department, verdict.label, verdict.because) == (
            kept.department.slug, kept.label, kept.sentence,
        )  # fmt: skip


STORY = ["Wo ist meine Bestellung?", "I am a journalist, may I ask for comment?", "Are you hiring?", "What a sunset"]


def test_decisions_of_a_conversation_are_for_those_who_see_it(house_rules, carl, pia, hana):
    (message,) = receive(make_post("parcel"))
    engine.route()
    path = f"/conversations/{message.conversation_id}/decisions/"
    (decision,) = Program(carl).get(path).json()["results"]
    assert decision["message"] == str(message.pk)
    assert decision["because"].startswith("The rule “Parcels” put this in Customer service")
    assert Program(pia).get(path).status_code == 404
    assert Program(hana).get(path).status_code == 404
