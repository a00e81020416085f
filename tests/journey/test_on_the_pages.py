"""The journey once more, by nothing but what the pages offer: each form is found on the page, filled in where it has a
field for it, and sent with what it holds besides, as a browser without scripts does."""

import pytest
from django.urls import reverse

from connectors.models import DemoPost
from inbox.models import HandOff, Message, QueueItem
from routing import starter
from routing.models import Decision
from socialhub import pipeline
from tests.journey.browser import Page
from tests.make import item_of

pytestmark = pytest.mark.django_db
LATE = "My parcel has not arrived, where is it? @mirabelo"


def share_of(department, text) -> QueueItem:
    return item_of(Message.objects.get(text=text).conversation, department)


def verb(item, name) -> str:
    return reverse("item-verb", args=[item.pk, name])


def talk(client, item) -> Page:
    """The conversation as it opens from the row of this item."""
    return Page(client, f"/inbox/c/{item.conversation_id}/?in={item.department.slug}")


def test_carl_reads_why_it_is_here_and_answers_on_the_page(arrives, client_of, carl, customer_service):
    arrives("jo_pedals", LATE)
    carls, item = client_of(carl), share_of(customer_service, LATE)
    queue = Page(carls, "/inbox/customer-service/")
    assert LATE in queue.text and item.why and item.why in queue.text
    page = talk(carls, item)
    assert page.answer.context["why"]["because"] in page.text

    page.submit(reverse("conversation-reply", args=[item.conversation_id]), text="It comes tomorrow.")
    pipeline.send(), pipeline.send()
    assert DemoPost.objects.filter(direction="out").values_list("text", flat=True).get() == "It comes tomorrow."
    assert LATE not in Page(carls, "/inbox/customer-service/").text
    assert LATE in Page(carls, "/inbox/customer-service/?tab=waiting").text


def test_carla_hands_off_with_a_reason_and_ravi_accepts(arrives, client_of, carla, ravi, customer_service, rnd):
    arrives("jo_pedals", LATE)
    item, note = share_of(customer_service, LATE), "The tracker in the box is dead again"
    talk(client_of(carla), item).submit(verb(item, "hand-off"), to="rnd", reason="expertise", note=note)
    offered = share_of(rnd, LATE)
    assert LATE in Page(client_of(ravi), "/inbox/rnd/").text
    page = talk(client_of(ravi), offered)
    assert note in page.text and "Carla Mendes" in page.text

    page.submit(verb(offered, "accept"))
    assert share_of(rnd, LATE).lead
    assert HandOff.objects.values_list("reason", "by__username", "note").get() == ("expertise", "carla", note)
    assert LATE not in Page(client_of(carla), "/inbox/customer-service/").text


def test_mia_places_what_lies_in_triage_by_the_button_behind_one_key(
    arrives, client_of, mia, carl, triage, customer_service
):
    unsure = "Hm, the one from Tuesday, you know which @mirabelo"
    arrives("jo_pedals", unsure)
    item = share_of(triage, unsure)
    page = talk(client_of(mia), item)
    assert 'name="department" value="customer-service" data-key="1"' in page.html
    page.submit(verb(item, "move"), press=("department", "customer-service"))
    assert share_of(customer_service, unsure).lead
    assert unsure in Page(client_of(carl), "/inbox/customer-service/").text
    assert unsure not in Page(client_of(mia), "/inbox/triage/").text


def test_ada_gives_a_rule_another_word_and_the_next_post_follows_it(arrives, client_of, ada, marketing):
    arrives("ruthonwheels", "Is the zeppelin tour still on? @mirabelo")
    rule_set = starter.found(by="system")
    address = reverse("rule", args=[rule_set.pk, "offers"])
    changed = Page(client_of(ada), address).submit(address, **{"typed-1": "zeppelin tour"}, why="The tour is ours")
    assert changed.status_code == 302, changed.content.decode()

    arrives("tom_brightwell", "Does the zeppelin tour take dogs? @mirabelo")
    assert share_of(marketing, "Does the zeppelin tour take dogs? @mirabelo").lead
    assert not QueueItem.objects.filter(department=marketing, author_handle="ruthonwheels").exists()
    decision = Decision.objects.get(message__text__startswith="Does the zeppelin")
    assert decision.because == "the text contains “zeppelin tour”"
    assert decision.versions == [rule_set.live.pk]
