"""The pages about departments, people and the audit: who finds them, and what they do there."""

import re

import pytest
from django.urls import reverse

from departments import actions
from departments.access import may
from departments.audit import record
from departments.models import AuditEntry, Department, User
from departments.roles import HouseRole, Role

pytestmark = pytest.mark.django_db

ADMINS = ["people", "person-invite", "department-new"]


def without_token(answer):
    """The page but for the token against forged forms, which is another each time."""
    return re.sub(r'(value|X-CSRFToken)": ?"\w{64}|value="\w{64}"', "", answer.content.decode())


def again(person):
    return User.objects.get(pk=person.pk)


@pytest.mark.parametrize("page", [*ADMINS, "audit", "set-up-departments", "set-up-channel"])
def test_for_carl_the_pages_of_admins_are_not_there(client_of, carl, page):
    assert client_of(carl).get(reverse(page)).status_code == 404


@pytest.mark.parametrize("page", [*ADMINS, "departments", "audit"])
def test_ada_finds_the_pages_of_admins(client_of, ada, page):
    assert client_of(ada).get(reverse(page)).status_code == 200


def test_a_stranger_finds_their_own_settings_and_nothing_else(client_of, stranger, hr, hana):
    client = client_of(stranger)
    assert client.get(reverse("me")).status_code == 200
    assert "You have no role in any department yet." in client.get(reverse("inbox")).content.decode()
    for address in (
        reverse("departments"),
        reverse("department", args=["hr"]),
        reverse("person", args=[hana.pk]),
        reverse("audit"),
    ):
        hidden, never = client.get(address), client.get("/never/was/")
        assert hidden.status_code == 404
        assert without_token(hidden) == without_token(never)


def test_for_carl_hr_is_a_name_with_a_lock_and_no_way_in(client_of, carl):
    page = client_of(carl).get(reverse("departments")).content.decode()
    assert "HR" in page and reverse("department", args=["hr"]) not in page
    assert client_of(carl).get(reverse("department", args=["hr"])).status_code == 404
    assert client_of(carl).get(reverse("department", args=["customer-service"])).status_code == 200


def test_carla_gives_and_ends_roles_on_her_departments_page(client_of, carla, pia, customer_service):
    page = reverse("department", args=["customer-service"])
    client = client_of(carla)
    assert client.post(page, {"person": pia.pk, "role": "agent"}).status_code == 302
    assert may(again(pia), "work_queue", customer_service)
    assert client.post(reverse("department-dismiss", args=["customer-service"]), {"person": pia.pk}).status_code == 302
    assert not may(again(pia), "view_queue", customer_service)


def test_carl_sees_who_works_with_him_and_gives_no_roles(client_of, carl, pia, customer_service):
    answer = client_of(carl).post(reverse("department", args=["customer-service"]), {"person": pia.pk, "role": "agent"})
    assert answer.status_code == 403
    assert not may(again(pia), "view_queue", customer_service)


def test_ada_can_not_make_herself_hr_on_any_page(client_of, ada, hr):
    client = client_of(ada)
    for page in (reverse("department", args=["hr"]), reverse("person", args=[ada.pk])):
        answer = client.post(page, {"person": ada.pk, "role": "agent", "in-hr": "agent", "house": "admin"})
        assert answer.status_code == 403
        assert "HR is confidential" in answer.content.decode()
    assert not may(again(ada), "view_queue", hr)


def test_ada_sets_all_of_a_persons_roles_at_once_or_none(client_of, ada, pia, pr, marketing, hr):
    page = reverse("person", args=[pia.pk])
    client_of(ada).post(page, {"in-pr": "reader", "in-marketing": "lead", "house": ["auditor"]})
    assert may(again(pia), "lead_queue", marketing) and not may(again(pia), "work_queue", pr)
    answer = client_of(ada).post(reverse("person", args=[ada.pk]), {"in-pr": "agent"})
    assert "last admin" in answer.content.decode()
    assert not may(again(ada), "work_queue", pr)


def test_the_page_about_people_asks_as_often_for_a_hundred_as_for_ten(client_of, ada, django_assert_max_num_queries):
    client = client_of(ada)
    client.get(reverse("people"))
    User.objects.bulk_create(User(username=f"person{n}", name=f"Person {n}") for n in range(100))
    with django_assert_max_num_queries(12):
        page = client.get(reverse("people"))
    assert page.content.decode().count("Person ") >= 100


def test_an_invited_person_chooses_a_password_with_a_link_that_works_once(client_of, client, ada):
    page = (
        client_of(ada)
        .post(reverse("person-invite"), {"username": "nora", "name": "Nora New", "email": ""})
        .content.decode()
    )
    link = page.split('value="http://testserver')[1].split('"')[0]
    form = client.get(link, follow=True)
    answer = client.post(
        form.redirect_chain[-1][0], {"new_password1": "a long new one", "new_password2": "a long new one"}
    )
    assert answer.url == reverse("sign-in")
    assert "Your password is set." in client.get(answer.url).content.decode()
    assert "used up" in client.get(link, follow=True).content.decode()
    assert client.post(reverse("sign-in"), {"username": "Nora ", "password": "a long new one"}).status_code == 302
    assert AuditEntry.objects.filter(verb="signed_in", by__username="nora").exists()


def test_ada_closes_a_department_on_its_page_and_is_told_why_not(client_of, ada, monkeypatch):
    monkeypatch.setattr(actions, "_objections", [lambda department: "It still holds an open item."])
    answer = client_of(ada).post(reverse("department-close", args=["marketing"]), follow=True)
    assert "It still holds an open item." in answer.content.decode()
    assert Department.objects.open().filter(slug="marketing").exists()


# The audit ------------------------------------------------------------------------------------------------------


@pytest.fixture
def of_a_conversation(hana, hr, carl):
    """An entry that belongs to a conversation: only auditors read it."""
    return record("signed_in", carl, by=hana, department=hr, conversation_id=hana.pk)


def test_auditors_read_all_and_ada_and_cora_what_concerns_the_house(of_a_conversation, ada, cora, carl, stranger):
    actions.give_house_role(stranger, HouseRole.AUDITOR, by=ada)
    seen = {who: set(AuditEntry.objects.visible_to(again(who))) for who in (ada, cora, carl, stranger)}
    assert of_a_conversation in seen[stranger]
    assert seen[ada] == seen[cora] == seen[stranger] - {of_a_conversation}
    assert seen[carl] == set()


def test_the_audit_speaks_in_sentences_and_is_filtered_by_person_verb_and_day(client_of, ada, carl, pr):
    actions.found_department("Legal", by=ada)
    actions.give_role(carl, pr, Role.READER, by=ada)
    client = client_of(ada)
    everything = client.get(reverse("audit")).content.decode()
    assert "Ada Brandt made Carl Okafor reader of PR" in everything
    mine = client.get(reverse("audit"), {"person": ada.pk, "verb": "role_given"}).content.decode()
    assert "Carl Okafor reader of PR" in mine and "founded Legal" in everything and "founded Legal" not in mine
    assert "Carl Okafor" not in client.get(reverse("audit"), {"day": "2020-01-01"}).content.decode().split("<tbody>")[1]


def test_the_audit_is_read_page_by_page_and_no_entry_twice(client_of, ada, django_assert_max_num_queries):
    for _ in range(60):
        record("signed_in", ada, by=ada)
    client = client_of(ada)
    first = client.get(reverse("audit"))
    with django_assert_max_num_queries(12):
        second = client.get(reverse("audit") + first.context["next_url"])
    pages = [[line["entry"].pk for line in page.context["lines"]] for page in (first, second)]
    assert pages[0][-1] == pages[1][0] + 1 and len(pages[0]) == 50


# One's own ------------------------------------------------------------------------------------------------------


def test_carl_sets_his_zone_and_reads_times_in_it(client_of, carl):
    client = client_of(carl)
    form = {"name": "Carl", "time_zone": "Asia/Tokyo", "theme": "dark", "shortcuts": "", "away_until": ""}
    assert client.post(reverse("me"), form).status_code == 302
    carl = again(carl)
    assert (carl.time_zone, carl.theme, carl.shortcuts) == ("Asia/Tokyo", "dark", False)


def test_carl_changes_his_password_and_his_other_devices_are_out(client_of, carl):
    carl.set_password("the old password")
    carl.save()
    here, there = client_of(carl), client_of(carl)
    form = {
        "old_password": "the old password",
        "new_password1": "quite another one",
        "new_password2": "quite another one",
    }
    assert here.post(reverse("me-password"), form).status_code == 302
    assert here.get(reverse("me")).status_code == 200
    assert there.get(reverse("me")).status_code == 302


def test_carl_makes_a_token_that_is_shown_once(client_of, carl):
    client = client_of(carl)
    page = client.post(reverse("token-make"), {"name": "Report", "scopes": ["read"], "life": "30"}).content.decode()
    secret = page.split('value="sh_')[1].split('"')[0]
    token = carl.tokens.get()
    assert token.scopes == ["read"] and secret not in client.get(reverse("me")).content.decode()
    assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 302
    assert carl.tokens.get().revoked_at is not None


def test_nobody_revokes_or_finds_a_token_of_somebody_else(client_of, carl, pia, ada):
    client_of(carl).post(reverse("token-make"), {"name": "Report", "scopes": ["read"], "life": "30"})
    address = reverse("token-revoke", args=[carl.tokens.get().pk])
    assert client_of(pia).post(address).status_code == 404
    assert carl.tokens.get().revoked_at is None
    assert client_of(ada).post(address).status_code == 302
    assert carl.tokens.get().revoked_at is not None
