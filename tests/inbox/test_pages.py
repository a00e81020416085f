"""The inbox in the browser: what each person sees of it, and what their clicks do."""

import json
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connectors.contract import Sent
from departments import roles
from departments.models import AuditEntry
from departments.roles import Role
from inbox import actions, listing, outbox
from inbox.models import Message, QueueItem, Reply
from inbox.paging import URGENT, Cursor, page
from socialhub.templatetags import look
from tests.make import answer_in, item_of, make_channel, make_conversation, make_item, make_post, receive

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TALK = {**HTMX, "HX-Target": "talk"}


def fresh(item):
    return QueueItem.objects.get(pk=item.pk)


def verb_url(item, verb):
    return f"/inbox/items/{item.pk}/{verb}/"


def told(answer):
    """The texts of the messages that the person gets, and where Undo posts to."""
    return [(str(each), each.extra_tags) for each in get_messages(answer.wsgi_request)]


def ids(answer):
    return [item.pk for item in answer.context["items"]]


def toast(answer):
    return json.loads(answer["HX-Trigger"])["toast"]


def sentences(answer):
    return [
        step["text"] for entry in answer.context["entries"] if entry["type"] == "steps" for step in entry["sentences"]
    ]


def entries(answer, kind):
    return [entry for entry in answer.context["entries"] if entry["type"] == kind]


# Queues ---------------------------------------------------------------------------------------------------------------
def test_carl_sees_his_queue_and_what_waits_in_it(client_of, carl):
    mine = make_item("Where is my parcel?")
    make_item("A journalist asks", "pr", author="ben")
    answer = client_of(carl).get("/inbox/customer-service/")
    assert ids(answer) == [mine.pk]
    assert b"Where is my parcel?" in answer.content
    assert b"A journalist asks" not in answer.content


def test_a_queue_that_one_may_not_see_is_like_one_that_is_not_there(client_of, carl, cora, hana):
    make_item("I apply", "hr")
    for person in (carl, cora):
        answers = [client_of(person).get(f"/inbox/{slug}/") for slug in ("hr", "no-such-queue")]
        assert [each.status_code for each in answers] == [404, 404]
        # What stands on the page (the address asked for apart) does not tell them apart.
        bodies = [re.sub(rb"\b\w{64}\b|\bhr\b|no-such-queue", b"", each.content) for each in answers]
        assert bodies[0] == bodies[1]
    assert client_of(hana).get("/inbox/hr/").status_code == 200


def test_tabs_sort_out_whose_it_is(client_of, carl, carla):
    free, his, waits = (make_item(author=name) for name in ("ana", "ben", "cleo"))
    actions.take(his, by=carl)
    actions.snooze(waits, None, by=carla)
    shown = {
        tab: ids(client_of(carl).get(f"/inbox/customer-service/?tab={tab}"))
        for tab in ("mine", "unassigned", "all", "waiting")
    }
    assert shown == {"mine": [his.pk], "unassigned": [free.pk], "all": [free.pk, his.pk], "waiting": [waits.pk]}


def test_counts_stand_beside_the_tabs_and_are_not_counted_from_what_is_hidden(
    client_of, cora, customer_service, triage
):
    make_item(author="ana"), make_item(author="ben")
    make_item("I apply", "hr", author="cleo")
    answer = client_of(cora).get("/inbox/")
    assert {tab["key"]: tab["count"] for tab in answer.context["tabs"]} == {
        "mine": 0, "unassigned": 2, "all": 2, "waiting": 0,
    }  # fmt: skip


def test_what_presses_is_counted_to_99_and_no_further(client_of, carl, customer_service, monkeypatch):
    """The house is spared making a hundred posts: two are as many, when counting ends there."""
    monkeypatch.setattr("inbox.querysets.MANY", 2)
    monkeypatch.setattr("inbox.desk.MANY", 2)
    monkeypatch.setattr("departments.statements._kept", {})
    for name in ("ana", "ben", "cleo"):
        actions.take(make_item(author=name), by=carl)
    QueueItem.objects.update(due_at=timezone.now() - timedelta(hours=1))
    desk = client_of(carl).get("/inbox/").wsgi_request.desk
    assert (desk.counts[customer_service.pk]["late"], desk.mine(), desk.mine(customer_service)) == (2, 2, 2)
    assert desk.counts[customer_service.pk]["open"] == 3
    assert (look.up_to_99(99), look.up_to_99(100)) == ("99", "99+")


def test_what_is_probably_nothing_has_a_tab_of_its_own_in_triage(client_of, mia):
    unsure = make_item("Hm?", "triage")
    nothing = make_item("lol", "triage", author="ben", probably_nothing=True)
    assert ids(client_of(mia).get("/inbox/triage/")) == [unsure.pk]
    assert ids(client_of(mia).get("/inbox/triage/?tab=nothing")) == [nothing.pk]
    assert "nothing" not in {tab["key"] for tab in client_of(mia).get("/inbox/customer-service/").context["tabs"]}


def test_mia_sees_all_her_queues_in_one_list_most_urgent_first(client_of, mia):
    made = [make_item(author=f"a{n}", department=slug) for n, slug in enumerate(["triage", "customer-service"] * 3)]
    made.append(make_item("Elsewhere", "rnd", author="z"))
    expected = sorted(made[:-1], key=lambda item: (item.sort_at, item.pk))
    assert ids(client_of(mia).get("/inbox/")) == [item.pk for item in expected]


def test_pages_follow_one_another_without_gap_or_repetition(client_of, mia, monkeypatch):
    monkeypatch.setattr(listing, "SIZE", 3)
    same = timezone.now()
    for n in range(8):
        make_item(author=f"a{n}", department=["triage", "customer-service"][n % 2])
    QueueItem.objects.update(sort_at=same)  # the hardest case: all equal
    for sort in ("urgent", "newest"):
        url, seen = f"/inbox/?sort={sort}", []
        while url:
            answer = client_of(mia).get(url)
            seen += ids(answer)
            url = answer.context["next_url"]
        assert sorted(seen) == sorted(QueueItem.objects.values_list("pk", flat=True))


def test_a_page_can_be_read_backwards(carl, customer_service):
    items = [make_item(author=f"a{n}") for n in range(5)]
    expected = sorted(items, key=lambda item: (item.sort_at, item.pk))
    first = page([QueueItem.objects.all()], URGENT, size=2)
    second = page([QueueItem.objects.all()], URGENT, cursor=first.next, size=2)
    back = page([QueueItem.objects.all()], URGENT, cursor=second.previous, size=2)
    assert (first.rows, second.rows, back.rows) == (expected[:2], expected[2:4], expected[:2])
    assert back.previous is None and first.previous is None


@pytest.mark.parametrize(
    "after", ["x", "%", "PjE", "=" * 50, str(Cursor("\0", UUID(int=7))), str(Cursor("2026-01-01", 3)), "é"]
)
def test_a_cursor_that_makes_no_sense_is_the_first_page(client_of, carl, after):
    item = make_item()
    answer = client_of(carl).get("/inbox/customer-service/", {"after": after})
    assert ids(answer) == [item.pk]


def test_htmx_gets_the_rows_alone_and_a_boosted_link_the_page(client_of, carl):
    make_item()
    piece = client_of(carl).get("/inbox/customer-service/", headers=HTMX)
    whole = client_of(carl).get("/inbox/customer-service/", headers={**HTMX, "HX-Boosted": "true"})
    assert b"<html" not in piece.content and b"Where is my parcel?" in piece.content
    assert b"<html" in whole.content
    assert "HX-Request" in piece["Vary"]


def test_rows_name_the_other_departments_on_the_conversation(client_of, carl):
    make_conversation(joins=("pr", "rnd"))
    (item,) = client_of(carl).get("/inbox/customer-service/").context["items"]
    assert sorted(each.slug for each in item.others) == ["pr", "rnd"]


def test_the_first_page_takes_eight_queries_at_any_size(client_of, mia, customer_service):
    client = client_of(mia)
    client.get("/inbox/")  # notes that she is here, once a minute

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as caught:
            answer = client.get("/inbox/")
        assert answer.status_code == 200
        return len(caught), "\n".join(each["sql"][:160] for each in caught)

    make_conversation(joins=("pr",))
    few, _ = queries()
    for n in range(12):
        actions.take(item_of(make_conversation(author=f"a{n}", joins=("pr", "rnd")), customer_service), by=mia)
    many, which = queries()
    assert few == many <= 8, which


# The conversation -----------------------------------------------------------------------------------------------------
def test_carl_reads_what_was_said_in_the_order_of_time(client_of, carl):
    conversation = make_conversation("Where is my parcel?", minutes_ago=60)
    actions.note(conversation, "She wrote last week too", by=carl)
    answer_in(conversation, "Hello??")
    answer = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    kinds = [entry["type"] for entry in answer.context["entries"]]
    assert kinds[0] == "day"
    assert [entry["message"].text for entry in entries(answer, "message")] == ["Where is my parcel?", "Hello??"]
    assert entries(answer, "note")[0]["note"].text == "She wrote last week too"
    assert any("put this in Customer service" in text for text in sentences(answer))


def test_a_hidden_conversation_is_like_one_that_is_not_there(client_of, carl, cora, ada, stranger):
    hidden = make_conversation("I apply", "hr")
    unrouted = make_conversation("just in", None, author="ben")
    for person in (carl, cora, ada, stranger):
        answers = [client_of(person).get(f"/inbox/c/{pk}/") for pk in (hidden.pk, unrouted.pk, uuid4())]
        assert [each.status_code for each in answers] == [404] * 3


def test_opening_marks_the_own_item_read_and_nobody_elses(client_of, carl, ada):
    conversation = make_conversation(joins=("pr",))
    client_of(ada).get(f"/inbox/c/{conversation.pk}/")
    assert item_of(conversation, "customer-service").unread
    client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    assert not item_of(conversation, "customer-service").unread
    assert item_of(conversation, "pr").unread


def test_one_works_through_the_own_departments_share(client_of, carl, pia, ada, cora):
    conversation = make_conversation(joins=("pr",))
    shares = {
        person: client_of(person).get(f"/inbox/c/{conversation.pk}/").context["item"]
        for person in (carl, pia, cora, ada)
    }
    assert shares[carl].department.slug == "customer-service"
    assert shares[pia].department.slug == "pr"
    assert shares[cora].department.slug == "customer-service"  # the lead's, because she works everywhere
    assert shares[ada] is None  # an admin reads
    chosen = client_of(cora).get(f"/inbox/c/{conversation.pk}/?in=pr").context["item"]
    assert chosen.department.slug == "pr"


def test_an_admin_reads_and_can_do_nothing_here(client_of, ada):
    answer = client_of(ada).get(f"/inbox/c/{make_conversation().pk}/")
    assert not any(answer.context["can"].values())
    assert answer.context["reply_blocked"]


def test_a_note_for_one_department_is_shown_to_it_alone(client_of, carl, pia, customer_service):
    conversation = make_conversation(joins=("pr",))
    actions.note(conversation, "the walrus lady", audience=customer_service, by=carl)
    seen = [client_of(person).get(f"/inbox/c/{conversation.pk}/").content for person in (carl, pia)]
    assert b"walrus" in seen[0]
    assert b"walrus" not in seen[1]


def test_edits_are_shown_word_by_word(client_of, carl):
    conversation = make_conversation("missing for two days", id="p1")
    receive(make_post("missing for three days", id="p1", edited_at=timezone.now()))
    (entry,) = entries(client_of(carl).get(f"/inbox/c/{conversation.pk}/"), "message")
    (edit,) = entry["revisions"]
    assert [(each["change"], each["text"]) for each in edit["pieces"] if each["change"]] == [
        ("del", "two"),
        ("ins", "three"),
    ]


def test_a_tombstone_shows_that_something_was_there_and_not_what(client_of, carl):
    conversation = make_conversation("embarrassing words", id="p1")
    receive(make_post("", id="p1", deleted=True))
    answer = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    assert b"embarrassing" not in answer.content
    assert entries(answer, "message")[0]["message"].deleted_at
    assert not answer.context["can"]["reply"]


def test_a_parent_in_a_hidden_conversation_is_not_quoted(client_of, carl, hana):
    """Ben answers, in public, what Ana wrote to HR: Carl reads Ben's words and not hers."""
    secret = make_conversation("I was fired for this", "hr", author="ana", id="secret")
    child = make_conversation("I saw that too", "customer-service", author="ben", in_reply_to="secret", kind="reply")
    assert child != secret
    answer = client_of(carl).get(f"/inbox/c/{child.pk}/")
    assert entries(answer, "message")[0]["parent"] is None
    assert b"fired" not in answer.content


def test_what_they_answered_is_quoted_when_it_can_be_seen(client_of, carl):
    make_conversation("The tracker is down", author="ana", id="first")
    child = make_conversation("Same here", author="ben", in_reply_to="first", kind="reply")
    (entry,) = entries(client_of(carl).get(f"/inbox/c/{child.pk}/"), "message")
    assert entry["parent"].text == "The tracker is down"


def test_the_reason_is_asked_of_whoever_knows_it_and_its_words_are_marked(rf, carl):
    from inbox.views.talk import talk

    conversation = make_conversation("My parcel is lost")
    message = conversation.messages.get()
    request = rf.get("/")
    request.user = carl

    def explain(asked, user):
        assert (asked, user) == (conversation, carl)
        return {"label": "Parcels first", "because": "the text contains “parcel”", "spans": {str(message.pk): [(3, 9)]}}

    context = talk(request, conversation, explain)
    said = next(entry for entry in context["entries"] if entry["type"] == "message")
    assert context["why"]["label"] == "Parcels first" and context["why"]["not"] == []
    assert [piece["text"] for piece in said["pieces"] if piece["hit"]] == ["parcel"]


def test_earlier_conversations_are_shown_as_far_as_they_may_be_seen(client_of, carl):
    earlier = make_conversation("Last month’s parcel", author="ana", minutes_ago=60)
    make_conversation("I apply", "hr", author="ana", minutes_ago=50)
    now = make_conversation("And again", author="ana")
    answer = client_of(carl).get(f"/inbox/c/{now.pk}/")
    assert answer.context["earlier"] == [earlier]
    assert b"I apply" not in answer.content


def test_a_joined_conversations_old_address_leads_to_the_whole(client_of, carl):
    part = make_conversation(author="ana")
    whole = make_conversation(author="ben")
    type(part).objects.filter(pk=part.pk).update(merged_into=whole)
    answer = client_of(carl).get(f"/inbox/c/{part.pk}/")
    assert answer["Location"] == whole.get_absolute_url()


def test_older_messages_are_a_page_of_their_own(client_of, carl, monkeypatch):
    from inbox import thread

    monkeypatch.setattr(thread, "SHOWN", 3)
    conversation = make_conversation("word 0", minutes_ago=60)
    for n in range(1, 5):
        answer_in(conversation, f"word {n}", minutes_ago=60 - n)
    newest = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    older = client_of(carl).get(newest.context["older_url"])
    assert [e["message"].text for e in entries(newest, "message")] == ["word 2", "word 3", "word 4"]
    assert [e["message"].text for e in entries(older, "message")] == ["word 0", "word 1"]
    assert older.context["older_url"] == "" and not older.context["can"]["reply"]


def test_a_conversation_takes_as_many_queries_however_much_was_said(client_of, carl, customer_service):
    client = client_of(carl)
    conversation = make_conversation(joins=("pr",), tags=("one",))

    def grow(n):
        answer_in(conversation, f"word {n}")
        actions.note(conversation, f"note {n}", by=carl)
        actions.take(item_of(conversation, customer_service), by=carl)
        actions.assign(item_of(conversation, customer_service), None, by=carl)
        make_conversation(author="ana", minutes_ago=100 + n)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/inbox/c/{conversation.pk}/").status_code == 200
        return len(caught)

    grow(0)
    client.get(f"/inbox/c/{conversation.pk}/")
    few = queries()
    for n in range(1, 9):
        grow(n)
    client.get(f"/inbox/c/{conversation.pk}/")  # the first look marks it read
    assert queries() == few


# Verbs ----------------------------------------------------------------------------------------------------------------
def test_carl_takes_an_item_and_can_undo_it(client_of, carl):
    item = make_item()
    answer = client_of(carl).post(verb_url(item, "take"))
    assert answer["Location"] == f"/inbox/c/{item.conversation_id}/"
    assert told(answer) == [("It is yours.", verb_url(item, "undo"))]
    assert fresh(item).assignee == carl
    client_of(carl).post(told(answer)[0][1])
    assert fresh(item).assignee is None


@pytest.mark.parametrize(
    ("verb", "data", "expected"),
    [
        ("snooze", {}, {"status": "snoozed", "snoozed_until": None}),
        ("resolve", {"resolution": "no_reply_needed"}, {"status": "resolved", "resolution": "no_reply_needed"}),
        ("prioritise", {"priority": "2"}, {"priority": 2}),
        ("hand-off", {"to": "pr", "reason": "wrong_department", "note": "a journalist"}, {"handed_to__slug": "pr"}),
    ],
)
def test_a_form_does_what_its_verb_says_and_undo_takes_it_back(client_of, carl, verb, data, expected):
    item = make_item()
    before = QueueItem.objects.filter(pk=item.pk).values(*expected).get()
    client_of(carl).post(verb_url(item, verb), data)
    assert QueueItem.objects.filter(pk=item.pk).values(*expected).get() == expected
    client_of(carl).post(verb_url(item, "undo"))
    assert QueueItem.objects.filter(pk=item.pk).values(*expected).get() == before


def test_snoozing_until_a_time_is_read_by_the_persons_own_clock(client_of, carl):
    carl.time_zone = "Europe/Lisbon"
    carl.save()
    item = make_item()
    day = (timezone.now() + timedelta(days=2)).date()
    client_of(carl).post(verb_url(item, "snooze"), {"until": f"{day}T09:00"})
    assert timezone.localtime(fresh(item).snoozed_until, timezone.zoneinfo.ZoneInfo("Europe/Lisbon")).hour == 9


def test_pr_accepts_what_customer_service_hands_off(client_of, carl, pia):
    item = make_item()
    client_of(carl).post(verb_url(item, "hand-off"), {"to": "pr", "reason": "expertise"})
    offered = item_of(item.conversation, "pr")
    assert client_of(pia).get(f"/inbox/c/{item.conversation_id}/").context["can"]["accept"]
    client_of(pia).post(verb_url(offered, "accept"))
    assert fresh(offered).lead and not fresh(item).lead


def test_mia_places_a_triage_item_with_one_key(client_of, mia):
    item = make_item("Hm?", "triage")
    answer = client_of(mia).post(verb_url(item, "move"), {"department": "customer-service"}, headers=TALK)
    assert toast(answer) == {"text": "Placed in Customer service.", "undo_url": verb_url(item, "undo"), "kind": "done"}
    assert item_of(item.conversation, "customer-service").lead


def test_who_places_it_in_confidence_loses_sight_of_it_and_comes_back_to_the_queue(client_of, mia):
    item = make_item("They fired me", "triage")
    answer = client_of(mia).post(verb_url(item, "move"), {"department": "hr"}, headers=TALK)
    assert toast(answer) == {"text": "Placed in HR.", "undo_url": "", "kind": "done"}
    assert b"not here any more" in answer.content and b"They fired me" not in answer.content
    assert client_of(mia).get(f"/inbox/c/{item.conversation_id}/").status_code == 404
    plain = make_item("They fired me too", "triage", author="ben")
    assert client_of(mia).post(verb_url(plain, "move"), {"department": "hr"})["Location"] == "/inbox/triage/"


def test_a_verb_answers_htmx_with_the_piece_it_was_asked_from(client_of, carl):
    item = make_item()
    talk = client_of(carl).post(verb_url(item, "take"), headers=TALK)
    row = client_of(carl).post(
        verb_url(item, "prioritise"), {"priority": 1}, headers={**HTMX, "HX-Target": f"row-{item.pk}"}
    )
    other = client_of(carl).post(verb_url(item, "read"), headers={**HTMX, "HX-Target": "rows"})
    gone = client_of(carl).post(
        verb_url(item, "resolve"), {"resolution": "spam"}, headers={**HTMX, "HX-Target": f"row-{item.pk}"}
    )
    assert b"Where is my parcel?" in talk.content and b"<html" not in talk.content
    assert b"Where is my parcel?" in row.content
    assert other["HX-Reswap"] == "none"
    assert b"Where is my parcel?" not in gone.content


def test_a_refusal_is_a_sentence_and_changes_nothing(client_of, carl):
    item = make_item()
    plain = client_of(carl).post(verb_url(item, "resolve"), {"resolution": "magic"})
    piece = client_of(carl).post(verb_url(item, "accept"), headers=TALK)
    assert told(plain) == [("Say how it ends.", "")]
    assert piece.status_code == 409
    assert toast(piece) == {"text": "Nothing waits to be accepted here.", "undo_url": "", "kind": "refused"}
    assert fresh(item).version == item.version


@pytest.mark.parametrize("verb", ["take", "resolve", "undo", "hand-off", "read"])
def test_verbs_on_a_hidden_item_are_404_and_leave_no_trace(client_of, carl, cora, verb):
    hidden = make_item("I apply", "hr")
    before = AuditEntry.objects.count()
    for person in (carl, cora):
        for pk in (hidden.pk, uuid4()):
            assert client_of(person).post(f"/inbox/items/{pk}/{verb}/", {"resolution": "spam"}).status_code == 404
    assert AuditEntry.objects.count() == before
    assert fresh(hidden).version == hidden.version


def test_who_only_reads_does_not_act(client_of, ada):
    item = make_item()
    assert client_of(ada).post(verb_url(item, "take")).status_code == 403
    assert fresh(item).assignee is None


def test_verbs_come_by_post_alone_and_unknown_ones_lead_nowhere(client_of, carl):
    item = make_item()
    assert client_of(carl).get(verb_url(item, "take")).status_code == 405
    assert client_of(carl).post(verb_url(item, "explode")).status_code == 404


def test_a_form_never_leads_out_of_the_house(client_of, carl):
    item = make_item()
    for wanted in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert (
            client_of(carl).post(verb_url(item, "take"), {"next": wanted})["Location"]
            == f"/inbox/c/{item.conversation_id}/"
        )
    assert client_of(carl).post(verb_url(item, "take"), {"next": "/inbox/?tab=mine"})["Location"] == "/inbox/?tab=mine"


# Several at once ------------------------------------------------------------------------------------------------------
def test_several_items_are_resolved_at_once_and_taken_back_at_once(client_of, carl):
    items = [make_item(author=name) for name in ("ana", "ben", "cleo")]
    answer = client_of(carl).post(
        "/inbox/bulk/", {"items": [each.pk for each in items], "verb": "resolve", "resolution": "spam"}, headers=HTMX
    )
    assert toast(answer)["text"] == "3 resolved."
    assert {fresh(each).status for each in items} == {"resolved"}
    client_of(carl).post(toast(answer)["undo_url"], headers=HTMX)
    assert {fresh(each).status for each in items} == {"open"}


def test_hidden_items_among_many_are_left_out_as_if_they_were_not_there(client_of, carl):
    mine, hidden = make_item(), make_item("I apply", "hr", author="ben")
    answer = client_of(carl).post(
        "/inbox/bulk/", {"items": [mine.pk, hidden.pk, uuid4(), "x"], "verb": "take"}, headers=HTMX
    )
    assert toast(answer)["text"] == "1 taken."
    assert fresh(hidden).assignee is None


def test_what_one_refuses_does_not_hold_up_the_others(client_of, carl):
    open_one, handed = make_item(), make_item(author="ben")
    client_of(carl).post(verb_url(handed, "hand-off"), {"to": "pr", "reason": "expertise"})
    answer = client_of(carl).post(
        "/inbox/bulk/", {"items": [open_one.pk, handed.pk], "verb": "resolve", "resolution": "spam"}, headers=HTMX
    )
    assert fresh(open_one).status == "resolved" and fresh(handed).status == "open"
    assert b"1 resolved." in answer.content and b"1 could not be resolved" in answer.content


def test_who_only_reads_one_of_several_is_told_and_does_the_rest(client_of, carl, pr):
    roles.give(carl, pr, Role.READER)
    mine, read = make_item(), make_item(department="pr", author="ben")
    answer = client_of(carl).post("/inbox/bulk/", {"items": [mine.pk, read.pk], "verb": "take"}, headers=HTMX)
    assert (fresh(mine).assignee, fresh(read).assignee) == (carl, None)
    assert b"1 could not be taken" in answer.content


# Writing --------------------------------------------------------------------------------------------------------------
def reply_url(conversation):
    return f"/inbox/c/{conversation.pk}/reply/"


def seen(conversation):
    return str(conversation.messages.order_by("-received_at").first().pk)


def test_carl_answers_and_the_reply_is_on_its_way(client_of, carl):
    conversation = make_conversation()
    answer = client_of(carl).post(
        reply_url(conversation), {"text": "On its way.", "seen": seen(conversation)}, headers=TALK
    )
    written = Reply.objects.get()
    assert (written.text, written.author, written.state) == ("On its way.", carl, "approved")
    assert toast(answer)["undo_url"]
    client_of(carl).post(toast(answer)["undo_url"], headers=TALK)
    assert Reply.objects.get().state == "cancelled"


def test_a_reply_that_was_sent_stands_in_the_thread_with_its_writer(client_of, carl):
    conversation = make_conversation()
    client_of(carl).post(reply_url(conversation), {"text": "On its way.", "seen": seen(conversation)})
    outbox.settle_sent(Reply.objects.get(), Sent("r1"))
    answer = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    assert [e["reply"].author for e in entries(answer, "message") if e["reply"]] == [carl]
    assert entries(answer, "reply") == []


def test_what_came_meanwhile_is_shown_and_the_text_is_kept(client_of, carl):
    conversation = make_conversation()
    known = seen(conversation)
    Message.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    newer = answer_in(conversation, "It has come, thank you!")
    answer = client_of(carl).post(reply_url(conversation), {"text": "My long answer", "seen": known}, headers=TALK)
    assert answer.status_code == 409
    assert b"My long answer" in answer.content and b"It has come" in answer.content
    assert [each["message"] for each in answer.context["newer"]] == [newer]
    assert not Reply.objects.exists()
    again = answer.context["reply_form"].data["seen"]
    assert (
        client_of(carl).post(reply_url(conversation), {"text": "Good!", "seen": again}, headers=TALK).status_code == 200
    )


def test_a_colleagues_answer_on_its_way_is_shown_before_a_second_one_goes_out(client_of, carl, carla):
    conversation = make_conversation()
    client_of(carla).post(reply_url(conversation), {"text": "First", "seen": seen(conversation)})
    answer = client_of(carl).post(reply_url(conversation), {"text": "Second", "seen": seen(conversation)})
    assert answer.status_code == 409
    assert str(carla) in answer.context["refused"]
    assert [each["reply"].text for each in answer.context["newer"]] == ["First"]
    assert Reply.objects.count() == 1


def test_while_a_reply_is_on_its_way_everybody_sees_whose_and_writes_no_other(client_of, carl, carla):
    conversation = make_conversation()
    client_of(carla).post(reply_url(conversation), {"text": "First", "seen": seen(conversation)})
    blocked = [client_of(who).get(f"/inbox/c/{conversation.pk}/").context["reply_blocked"] for who in (carl, carla)]
    assert blocked == [
        f"The reply of {carla} (Customer service) goes out in a moment. One at a time goes out.",
        "Your reply goes out in a moment. One at a time goes out.",
    ]


@pytest.mark.parametrize(("text", "status"), [("", 422), ("   ", 422), ("x" * 281, 409)])
def test_blank_and_too_long_replies_come_back_with_their_text(client_of, carl, text, status):
    conversation = make_conversation()
    answer = client_of(carl).post(reply_url(conversation), {"text": text, "seen": seen(conversation)}, headers=TALK)
    assert answer.status_code == status
    assert answer.context["refused"] and answer.context["reply_form"].data["text"] == text
    assert not Reply.objects.exists()


def test_a_contributor_is_told_who_speaks(client_of, pia):
    conversation = make_conversation(joins=("pr",))
    page = client_of(pia).get(f"/inbox/c/{conversation.pk}/")
    assert "Customer service speaks" in page.context["reply_blocked"]
    sent = client_of(pia).post(reply_url(conversation), {"text": "x", "seen": seen(conversation)})
    assert sent.status_code == 409 and not Reply.objects.exists()


def test_a_frozen_channel_says_so_before_anybody_writes(client_of, carl):
    channel = make_channel("frozen", frozen_at=timezone.now())
    conversation = make_conversation(channel=channel)
    answer = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    assert "stopped" in answer.context["reply_blocked"]
    assert not answer.context["can"]["reply"]


def test_a_channel_that_can_not_be_opened_still_shows_what_was_said(client_of, carl):
    conversation = make_conversation()
    type(conversation.channel).objects.update(network="no-such-network")
    answer = client_of(carl).get(f"/inbox/c/{conversation.pk}/")
    assert answer.status_code == 200
    assert not answer.context["can"]["reply"]


def test_carl_writes_a_note_and_takes_it_back(client_of, carl, pia):
    conversation = make_conversation(joins=("pr",))
    url = f"/inbox/c/{conversation.pk}/note/"
    answer = client_of(carl).post(url, {"text": "for us", "audience": "customer-service"}, headers=TALK)
    assert entries(client_of(carl).get(f"/inbox/c/{conversation.pk}/"), "note")[0]["note"].text == "for us"
    assert entries(client_of(pia).get(f"/inbox/c/{conversation.pk}/"), "note") == []
    client_of(carl).post(toast(answer)["undo_url"], headers=TALK)
    assert entries(client_of(carl).get(f"/inbox/c/{conversation.pk}/"), "note") == []
    refused = client_of(carl).post(url, {"text": "for them", "audience": "pr"}, headers=TALK)
    assert refused.status_code == 422 and b"for them" in refused.content


def test_who_lost_sight_of_a_conversation_writes_nothing_in_it(client_of, carl, hana):
    conversation = make_conversation()
    item = item_of(conversation, "customer-service")
    written = actions.reply(item, "On its way", seen=seen(conversation), by=carl)
    client_of(carl).post(verb_url(item, "hand-off"), {"to": "hr", "reason": "wrong_department"})
    client_of(hana).post(verb_url(item_of(conversation, "hr"), "accept"))
    for url in (reply_url(conversation), f"/inbox/c/{conversation.pk}/note/", f"/inbox/replies/{written.pk}/cancel/"):
        assert client_of(carl).post(url, {"text": "x", "seen": str(uuid4())}).status_code == 404


def test_a_reply_nobody_could_confirm_is_settled_by_a_person(client_of, carl):
    conversation = make_conversation()
    written = actions.reply(item_of(conversation, "customer-service"), "Hi", seen=seen(conversation), by=carl)
    Reply.objects.update(state="needs_person")
    url = f"/inbox/replies/{written.pk}/"
    assert client_of(carl).post(url + "confirm/", {"url": "no address"}, headers=TALK).status_code == 409
    assert client_of(carl).post(url + "send-again/", headers=TALK).status_code == 200
    assert Reply.objects.get().state == "approved"
    assert client_of(carl).post(url + "explode/").status_code == 404
    assert client_of(carl).post(f"/inbox/replies/{uuid4()}/cancel/").status_code == 404


HOSTILE = "<script>alert(1)</script> \u202egnp.exe \u0300\u0301 {{ 7|add:1 }} {% now 'Y' %} & <b>"


def test_what_people_write_is_shown_and_never_done(client_of, carl):
    conversation = make_conversation(HOSTILE, author="<img src=x onerror=alert(1)>")
    actions.note(conversation, HOSTILE, by=carl)
    for url in (f"/inbox/c/{conversation.pk}/", "/inbox/customer-service/", "/search/?q=alert", "/contacts/"):
        body = client_of(carl).get(url).content.decode()
        assert "<script>alert" not in body and "<img src=x" not in body, url
