"""The journey of one post: from somebody outside to the queue it belongs to, to an answer that arrives once, and onto
the coordinator's board. Every step is the real one; only the clock of the worker is turned by hand."""

import pytest
from django.urls import reverse

from connectors.models import Channel
from inbox.models import Conversation, Message, QueueItem, Reply
from routing.models import Decision, RuleSet
from socialhub import pipeline
from tests.make import item_of
from tests.routing.test_pages import sent_by_a_browser

pytestmark = pytest.mark.django_db

ANGRY = "@mirabelo three weeks late and nobody answers. Where is my order? I want a refund now."


def conversation_of(post) -> Conversation:
    return Message.objects.get(channel__slug="demo", external_id=str(post.pk)).conversation


def board(client) -> dict[str, dict[str, int]]:
    """What the coordinator's board says: department → figure → number."""
    shown = client.get("/overview/").context["board"]
    return {row.department.slug: {each.metric.key: each.value for each in row.figures} for row in shown.rows}


def test_an_angry_post_reaches_carl_he_answers_it_arrives_once_and_the_board_moves(
    arrives, answers_to, client_of, carl, cora
):
    before = board(client_of(cora))["customer-service"]
    post = arrives("jonas_l", ANGRY)
    conversation = conversation_of(post)
    carls = client_of(carl)

    # It lies in his queue, with the reason.
    (row,) = carls.get("/inbox/customer-service/").context["items"]
    assert row.conversation_id == conversation.pk and row.author_handle == "jonas_l"
    decision = Decision.objects.get(message__conversation=conversation)
    page = carls.get(conversation.get_absolute_url())
    assert row.why == decision.label and decision.rule_name
    assert decision.because == page.context["why"]["because"]
    assert board(client_of(cora))["customer-service"]["open"] == before["open"] + 1

    # He answers; it arrives once, however often the worker looks.
    said = {"text": "Sorry, Jonas. Your refund is on its way.", "seen": page.context["seen"]}
    assert carls.post(reverse("conversation-reply", args=[conversation.pk]), said).status_code == 302
    assert pipeline.send() == 1 and pipeline.send() == 0
    (answer,) = answers_to(post)
    assert answer.text == said["text"] and answer.client_key == str(Reply.objects.get().client_key)

    # The network brings our own answer back to us: it is the one that we have.
    Channel.objects.update(next_poll_at=post.created_at)
    pipeline.fetch()
    assert [each.direction for each in conversation.messages.all()] == ["in", "out"]

    # Now it is their turn, and the board says so.
    assert item_of(conversation, "customer-service").status == "pending"
    assert board(client_of(cora))["customer-service"]["open"] == before["open"]
    assert carls.get("/inbox/customer-service/").context["items"] == []


def test_they_write_again_and_it_comes_back_to_the_same_queue(arrives, client_of, carl):
    post = arrives("jonas_l", ANGRY)
    conversation = conversation_of(post)
    QueueItem.objects.update(status="pending")
    arrives("jonas_l", "Still nothing here.", "reply", in_reply_to=post)
    assert Conversation.objects.get() == conversation
    (row,) = client_of(carl).get("/inbox/customer-service/").context["items"]
    assert (row.preview, row.status) == ("Still nothing here.", "open")


def test_mia_places_what_nobody_owns_and_mara_has_it(arrives, client_of, mia, mara):
    conversation = conversation_of(arrives("tinka", "@mirabelo hm."))
    item = item_of(conversation, "triage")
    assert [each.pk for each in client_of(mia).get("/inbox/triage/").context["items"]] == [item.pk]
    client_of(mia).post(reverse("item-verb", args=[item.pk, "move"]), {"department": "marketing"})
    assert [each.conversation_id for each in client_of(mara).get("/inbox/").context["items"]] == [conversation.pk]


def test_carla_hands_off_to_rnd_and_ravi_who_accepts_answers_it(arrives, answers_to, client_of, carla, ravi, cora):
    post = arrives("jonas_l", ANGRY)
    conversation = conversation_of(post)
    hers = item_of(conversation, "customer-service")
    given = {"to": "rnd", "reason": "their_turn", "note": "The tracker lost the parcel again."}
    client_of(carla).post(reverse("item-verb", args=[hers.pk, "hand-off"]), given)
    offered = item_of(conversation, "rnd")
    assert given["note"] in client_of(ravi).get(conversation.get_absolute_url()).content.decode()
    assert item_of(conversation, "customer-service").status == "open"

    client_of(ravi).post(reverse("item-verb", args=[offered.pk, "accept"]))
    assert item_of(conversation, "rnd").lead
    assert item_of(conversation, "customer-service").resolution == "handled_elsewhere"
    seen = client_of(ravi).get(conversation.get_absolute_url()).context["seen"]
    client_of(ravi).post(reverse("conversation-reply", args=[conversation.pk]), {"text": "Found it.", "seen": seen})
    pipeline.send()
    assert [each.text for each in answers_to(post)] == ["Found it."]
    flows = client_of(cora).get("/overview/").context["board"].flows
    assert [flow.number for flow in flows] == [1]


def test_hana_sees_the_applicant_whom_customer_service_never_sees(arrives, client_of, hana, carl, cora):
    conversation = conversation_of(arrives("amara_o", "@mirabelo do you have any vacancies for mechanics in Utrecht?"))
    assert conversation.confidential
    assert [each.conversation_id for each in client_of(hana).get("/inbox/hr/").context["items"]] == [conversation.pk]
    for person in (carl, cora):
        assert client_of(person).get(conversation.get_absolute_url()).status_code == 404
        assert client_of(person).get("/inbox/").context["items"] == []


def test_ada_edits_a_rule_and_the_next_post_follows_it(arrives, client_of, ada):
    """By the form, as a browser sends it. What was routed before stays where it lies."""
    text = "@mirabelo three weeks late, where is my order?"
    before = conversation_of(arrives("jonas_l", text))
    assert item_of(before, "customer-service").lead
    rule_set = RuleSet.objects.get(department=None)
    uid = Decision.objects.get(message__conversation=before).rule_uid
    address = reverse("rule", args=[rule_set.pk, uid])
    client = client_of(ada)
    form = sent_by_a_browser(client.get(address).context)
    assert client.post(address, form | {"place": "marketing"}).status_code == 302

    after = conversation_of(arrives("sanne_fietst", text))
    assert item_of(after, "marketing").lead
    assert item_of(before, "customer-service").lead
    assert Decision.objects.get(message__conversation=after).versions == [rule_set.live.pk]
