"""The people outside, as far as each colleague may know them."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.contacts import BY_NAME, people_page, with_handles
from inbox.models import Contact, Identity
from inbox.paging import read
from tests.make import make_channel, make_conversation

pytestmark = pytest.mark.django_db


def contact(handle):
    return Contact.objects.get(identities__handle=f"@{handle}")


def test_carl_knows_the_people_of_his_queue_and_nobody_elses(client_of, carl, pia):
    make_conversation(author="ines")
    make_conversation(department="pr", author="ben")
    make_conversation("just in", None, author="cleo")
    assert [each.name for each in client_of(carl).get("/contacts/").context["contacts"]] == ["Ines"]
    assert [each.name for each in client_of(pia).get("/contacts/").context["contacts"]] == ["Ben"]


def test_an_applicant_is_known_to_hr_alone(client_of, carl, cora, ada, hana):
    make_conversation("I apply", "hr", author="ben")
    hidden = contact("ben")
    for person in (carl, cora, ada):
        assert client_of(person).get("/contacts/").context["contacts"] == []
        assert client_of(person).get(f"/contacts/{hidden.pk}/").status_code == 404
        assert client_of(person).get(f"/contacts/{uuid4()}/").status_code == 404
    assert client_of(hana).get(f"/contacts/{hidden.pk}/").status_code == 200


def test_a_handle_that_is_known_to_hr_alone_does_not_show_on_the_persons_page(client_of, carl, hana):
    """Ana writes to customer service on one network and applies on another: one person, two handles."""
    make_conversation(author="ana")
    make_conversation("I apply", "hr", author="ana_privately", channel=make_channel("other"))
    Identity.objects.filter(handle="@ana_privately").update(contact=contact("ana"))
    ana = contact("ana")
    assert [each.handle for each in client_of(carl).get(f"/contacts/{ana.pk}/").context["handles"]] == ["@ana"]
    assert [each.handle for each in client_of(hana).get(f"/contacts/{ana.pk}/").context["handles"]] == [
        "@ana_privately"
    ]
    assert b"ana_privately" not in client_of(carl).get("/contacts/?q=privately").content
    assert client_of(carl).get("/contacts/?q=privately").context["contacts"] == []


def test_the_page_of_a_person_shows_their_conversations_newest_first(client_of, carl):
    older = make_conversation("The first parcel", author="ana", minutes_ago=90)
    newer = make_conversation("The second parcel", author="ana", minutes_ago=30)
    make_conversation("I apply", "hr", author="ana")
    answer = client_of(carl).get(f"/contacts/{contact('ana').pk}/")
    assert answer.context["conversations"] == [newer, older]
    assert answer.context["conversations"][0].lead_item.department.slug == "customer-service"
    assert b"I apply" not in answer.content


def test_people_come_in_pages_by_name(carl):
    for name in ("dora", "ana", "cleo", "ben", "eve"):
        make_conversation(author=name)
    first = people_page(carl, size=2)
    second = people_page(carl, size=2, cursor=read(str(first.next), BY_NAME))
    last = people_page(carl, size=2, cursor=second.next)
    assert [each.name for page in (first, second, last) for each in page.rows] == ["Ana", "Ben", "Cleo", "Dora", "Eve"]
    assert last.next is None


def test_people_with_the_same_name_all_come_once(carl):
    for number in range(5):
        make_conversation(author=f"a{number}")
    Contact.objects.update(name="")
    shown, cursor = [], None
    while True:
        page = people_page(carl, size=2, cursor=cursor)
        shown += [each.pk for each in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(shown) == sorted(Contact.objects.values_list("pk", flat=True))


def test_part_of_a_name_or_handle_finds_them_and_wildcards_find_nobody(client_of, carl):
    make_conversation(author="ines")
    make_conversation(author="ben")
    found = {
        typed: [each.name for each in client_of(carl).get("/contacts/", {"q": typed}).context["contacts"]]
        for typed in ("NES", "@ine", "%", "_", "\0")
    }
    assert found == {"NES": ["Ines"], "@ine": ["Ines"], "%": [], "_": [], "\0": ["Ben", "Ines"]}


def test_a_list_of_people_takes_as_many_queries_at_any_length(client_of, carl):
    client = client_of(carl)
    client.get("/contacts/")

    def queries():
        with CaptureQueriesContext(connection) as caught:
            client.get("/contacts/")
        return len(caught)

    make_conversation(author="ana")
    few = queries()
    for number in range(8):
        make_conversation(author=f"a{number}")
    assert queries() == few


def test_somebody_whom_one_does_not_know_has_no_handles(carl):
    make_conversation("I apply", "hr", author="ben")
    assert with_handles([contact("ben")], carl)[0].handles == []
