"""Lists of people and campaigns: who keeps them, how they are pasted, and that no rule loses what it names."""

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from departments.audit import sentence
from departments.models import ApiToken, AuditEntry
from departments.tokens import make_token
from routing import actions as rules
from routing.campaigns import page_of
from routing.models import AuthorList, Campaign, RuleSetVersion

pytestmark = pytest.mark.django_db

PASTED = "@Ines_P\n\n  x:@Tomas \nines_p\nMastodon:leo@fosto.example\ndid:plc:abc\n"


@pytest.fixture
def press(house):
    return AuthorList.objects.create(slug="press", name="Press", handles=["ines"])


@pytest.fixture
def spring(house):
    return Campaign.objects.create(slug="spring", name="Spring", hashtags=["spring"])


def last_sentence():
    return sentence(AuditEntry.objects.latest("id"))


def name_in_a_rule(field, slug, state="live"):
    """A rule, two groups deep, that asks for it; as it is stored."""
    version = rules.publish(rules.found_rule_set(by="system"), [], by="system")
    when = {"all": [{"field": "text", "op": "any", "value": ["hello"]}, {"not": {"any": [_asks(field, slug)]}}]}
    version = RuleSetVersion(
        rule_set=version.rule_set, number=2, state=state, rules=[{"uid": "a-1", "name": "Friends", "when": when}]
    )
    RuleSetVersion.objects.live().update(state="retired")
    version.save()


def _asks(field, slug):
    return {"field": field, "op": "in", "value": ["another", slug]}


def test_cora_pastes_a_list_and_the_audit_tells_how_many(client_of, cora):
    page = reverse("list-new")
    assert client_of(cora).post(page, {"name": "Press people", "handles": PASTED}).status_code == 302
    made = AuthorList.objects.get(slug="press-people")
    assert made.handles == ["ines_p", "x:tomas", "mastodon:leo@fosto.example", "did:plc:abc"]
    assert last_sentence() == "Cora Jensen made the list “Press people” of 4 people"
    assert "ines_p" not in str(AuditEntry.objects.latest("id").facts)
    assert client_of(cora).post(reverse("list", args=["press-people"]), {"name": "Press", "handles": "leo"})
    assert last_sentence() == (
        "Cora Jensen changed the name and the people of the list “Press”, which holds 1 person now"
    )


@pytest.mark.parametrize(
    "said, told",
    [
        ({"name": "Other", "handles": "two words"}, "“two words” is no handle"),
        ({"name": "Other", "handles": "twitter:ines"}, "“twitter” is no network"),
        ({"name": "Other", "handles": "\n".join(f"a{number}" for number in range(10_001))}, "at most 10,000 people"),
        ({"name": "新闻", "handles": ""}, "Choose a short name of Latin letters"),
        ({"name": "New", "handles": ""}, "“new” is taken"),
        ({"name": "Press", "handles": ""}, "“press” is taken"),
        ({"name": "Other", "slug": "press", "handles": ""}, "“press” is taken"),
    ],
)
def test_what_can_not_be_kept_is_told_at_its_field(client_of, cora, press, said, told):
    answer = client_of(cora).post(reverse("list-new"), said)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert AuthorList.objects.count() == 1


def test_carla_reads_a_list_and_finds_no_form(client_of, carla, press):
    page = client_of(carla).get(reverse("list", args=["press"])).content.decode()
    assert "ines" in page and "<textarea" not in page
    assert client_of(carla).post(reverse("list", args=["press"]), {"name": "Mine"}).status_code == 403


@pytest.mark.parametrize("state", ["live", "shadow"])
@pytest.mark.parametrize("word, field", [("list", "author_list"), ("campaign", "campaign")])
def test_what_a_rule_names_is_shown_and_can_not_be_deleted(client_of, cora, press, spring, word, field, state):
    slug = {"list": "press", "campaign": "spring"}[word]
    name_in_a_rule(field, slug, state)
    client = client_of(cora)
    assert "Friends" in client.get(reverse(f"{word}s")).content.decode()
    page = client.get(reverse(word, args=[slug])).content.decode()
    assert "It can not be deleted while a rule names it" in page
    assert reverse(f"{word}-delete", args=[slug]) not in page
    refused = client.post(reverse(f"{word}-delete", args=[slug]), follow=True).content.decode()
    assert "“Friends” names it. Change the rules first." in refused
    assert AuthorList.objects.count() == Campaign.objects.count() == 1


def test_what_only_an_old_version_names_is_deleted_and_the_audit_tells(client_of, cora, press, spring):
    name_in_a_rule("author_list", "press", "retired")
    client = client_of(cora)
    client.post(reverse("list-delete", args=["press"]))
    client.post(reverse("campaign-delete", args=["spring"]))
    assert not (AuthorList.objects.exists() or Campaign.objects.exists())
    told = [sentence(each) for each in AuditEntry.objects.order_by("-id")[:2]]
    assert told == [
        "Cora Jensen deleted the campaign “Spring”",
        "Cora Jensen deleted the list “Press” of 1 person",
    ]


def test_a_campaign_runs_by_the_clock_of_who_says_so(client_of, cora):
    cora.time_zone = "Europe/Berlin"
    cora.save()
    said = {
        "name": "Spring ride", "hashtags": "#SpringRide, rideon\n#springride", "links": "https://acme.example/spring/ ",
        "begins_at": "2026-03-01T00:00", "ends_at": "2026-04-01T00:00",
    }  # fmt: skip
    client = client_of(cora)
    assert client.post(reverse("campaign-new"), said).status_code == 302
    made = Campaign.objects.get(slug="spring-ride")
    assert (made.hashtags, made.links) == (["springride", "rideon"], ["https://acme.example/spring/"])
    assert (made.begins_at.isoformat(), made.ends_at.hour) == ("2026-02-28T23:00:00+00:00", 22)
    assert 'value="2026-03-01T00:00"' in client.get(reverse("campaign", args=["spring-ride"])).content.decode()


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"hashtags": ""}, "give one at least"),
        ({"hashtags": "#half-way"}, "“half-way” can be no hashtag"),
        ({"links": "acme"}, "“acme” is no link"),
        ({"begins_at": "2026-03-02T00:00", "ends_at": "2026-03-01T00:00"}, "It ends before it begins."),
    ],
)
def test_what_is_no_campaign_is_told_at_its_field(client_of, cora, wrong, told):
    answer = client_of(cora).post(reverse("campaign-new"), {"name": "Spring", "hashtags": "spring"} | wrong)
    assert answer.status_code == 422 and told in answer.content.decode()


@pytest.mark.parametrize(
    "carried, ours, leads",
    [
        ("https://www.acme.example/spring?utm_source=x", "acme.example/spring", True),
        ("http://ACME.example/spring/bikes/", "https://acme.example/spring/", True),
        ("https://acme.example/springtime", "acme.example/spring", False),
        ("https://acme.example/", "acme.example/spring", False),
        ("https://evil.example/acme.example/spring", "acme.example/spring", False),
        ("https://y.example/watch?v=1&t=3", "y.example/watch?v=1", True),
        ("https://y.example/watch?v=2", "y.example/watch?v=1", False),
    ],
)
def test_a_link_leads_to_a_campaign_however_it_is_written(carried, ours, leads):
    assert page_of(carried).leads_to(page_of(ours)) is leads


def test_a_program_keeps_lists_and_campaigns_for_cora(cora, carl):
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {_secret(cora)}")
    made = program.post("/api/v1/author-lists/", {"name": "Press", "handles": ["@Ines"]}, format="json")
    assert (made.status_code, made.json()) == (
        201, {"slug": "press", "name": "Press", "handles": ["ines"], "used_by": []},
    )  # fmt: skip
    name_in_a_rule("author_list", "press")
    assert program.delete("/api/v1/author-lists/press/").status_code == 409
    changed = program.put("/api/v1/author-lists/press/", {"name": "Press", "handles": ["x:leo"]}, format="json").json()
    assert (changed["handles"], changed["used_by"][0]["name"]) == (["x:leo"], "Friends")
    wrong = program.put("/api/v1/author-lists/press/", {"name": "Press", "handles": ["a b"]}, format="json")
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["handles"])
    said = {"name": "Spring", "hashtags": ["#spring"], "ends_at": "2026-12-01T00:00:00Z"}
    assert program.post("/api/v1/campaigns/", said, format="json").json()["hashtags"] == ["spring"]
    assert program.put("/api/v1/campaigns/spring/", {"name": "Spring"}, format="json").status_code == 400
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {_secret(carl)}")
    assert [each["slug"] for each in program.get("/api/v1/campaigns/").json()["results"]] == ["spring"]
    assert program.delete("/api/v1/campaigns/spring/").status_code == 403


def _secret(person) -> str:
    return make_token(person, "a program", scopes=[ApiToken.Scope.READ, ApiToken.Scope.CONFIGURE], by=person)[1]
