"""The inbox for programs: what a token of each person gets, and what it may do."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from departments.models import ApiToken, AuditEntry
from departments.tokens import make_token
from inbox import actions, asked, shapes
from inbox.models import Message, QueueItem, Reply
from inbox.paging import Cursor
from tests.make import answer_in, item_of, make_conversation, make_item

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.inbox.urls")]
API = "/api/v1"


class Program:
    """A program that acts for a person by a token."""

    def __init__(self, person, **limits):
        _, secret = make_token(person, "test", by=person, **limits)
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, path, **query):
        return self.client.get(f"{API}{path}", query)

    def post(self, path, **body):
        return self.client.post(f"{API}{path}", body, content_type="application/json")


def item_path(item, verb=""):
    return f"/queue-items/{item.pk}/" + (f"{verb}/" if verb else "")


def results(answer):
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert set(body) == {"next", "previous", "results"}
    return body["results"]


def fresh(item):
    return QueueItem.objects.get(pk=item.pk)


# Departments and queues -----------------------------------------------------------------------------------------------
def test_every_department_is_named_and_only_ones_own_are_counted(carl):
    make_item()
    make_item(department="pr", author="ben")
    QueueItem.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    named = {each["slug"]: each for each in results(Program(carl).get("/departments/"))}
    assert set(named) == {"customer-service", "pr", "marketing", "hr", "rnd", "triage"}
    own = named["customer-service"]
    assert (own["open"], own["unassigned"], own["overdue"]) == (1, 1, 1)
    for other in ("pr", "hr"):
        assert not {"open", "unassigned", "overdue"} & set(named[other])


def test_a_token_for_one_department_knows_no_counts_of_another(mia, triage):
    make_item(), make_item("Hm?", "triage", author="ben")
    named = {each["slug"]: each for each in results(Program(mia, departments=[triage]).get("/departments/"))}
    assert named["triage"]["open"] == 1 and "open" not in named["customer-service"]


def test_a_queue_lists_its_items_most_urgent_first_by_status(carl, carla):
    items = [make_item(author=name) for name in ("ana", "ben", "cleo", "dora")]
    actions.snooze(items[1], None, by=carla)
    actions.resolve(items[2], "spam", by=carla)
    program = Program(carl)

    def listed(**query):
        return [each["id"] for each in results(program.get("/queues/customer-service/items/", **query))]

    assert listed(status="open") == [str(items[0].pk), str(items[3].pk)]
    assert listed(status="snoozed") == [str(items[1].pk)]
    assert listed(status="resolved") == [str(items[2].pk)]
    assert set(listed()) == {str(items[0].pk), str(items[1].pk), str(items[3].pk)}
    assert program.get("/queues/customer-service/items/", status="weird").status_code == 400


def test_what_is_probably_nothing_is_open_and_says_so(mia):
    nothing = make_item("lol", "triage", probably_nothing=True)
    (only,) = results(Program(mia).get("/queues/triage/items/", status="open"))
    assert (only["id"], only["probably_nothing"]) == (str(nothing.pk), True)


def test_a_hidden_queue_is_like_one_that_is_not_there(carl, cora):
    make_item("I apply", "hr")
    for person in (carl, cora):
        answers = [Program(person).get(f"/queues/{slug}/items/") for slug in ("hr", "no-such-queue")]
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].content == answers[1].content


def test_pages_lead_on_and_back_without_gap_or_repetition(carl):
    made = [str(make_item(author=f"a{n}").pk) for n in range(7)]
    QueueItem.objects.update(sort_at=timezone.now())
    program, seen, address = Program(carl), [], f"{API}/queues/customer-service/items/?status=open&limit=3"
    while address:
        body = program.client.get(address).json()
        seen.append([each["id"] for each in body["results"]])
        last, address = body, body["next"]
    assert sorted(sum(seen, [])) == sorted(made) and [len(page) for page in seen] == [3, 3, 1]
    back = program.client.get(last["previous"]).json()
    assert [each["id"] for each in back["results"]] == seen[1]


@pytest.mark.parametrize("cursor", ["x", "%00", "PjE", "é"])
def test_a_cursor_that_makes_no_sense_is_the_first_page(carl, cursor):
    item = make_item()
    assert [each["id"] for each in results(Program(carl).get("/queues/customer-service/items/", cursor=cursor))] == [
        str(item.pk)
    ]


def test_a_list_takes_as_many_queries_at_any_length(carl):
    program = Program(carl)
    program.get("/departments/")  # notes the use of the token, once a minute

    def queries(path):
        with CaptureQueriesContext(connection) as caught:
            assert program.get(path).status_code == 200
        return len(caught)

    paths = ["/queues/customer-service/items/", "/contacts/", "/search/?q=parcel", "/departments/"]
    make_conversation(joins=("pr",))
    few = [queries(path) for path in paths]
    for n in range(8):
        actions.take(item_of(make_conversation(author=f"a{n}", joins=("pr",)), "customer-service"), by=carl)
    assert [queries(path) for path in paths] == few
    assert few[0] <= 5, "token, its limits, rights, departments, items"


# Items and verbs ------------------------------------------------------------------------------------------------------
def test_a_program_takes_assigns_and_undoes(carla, carl):
    item, program = make_item(), Program(carla)
    assert program.post(item_path(item, "take")).json()["assignee"]["username"] == "carla"
    assert program.post(item_path(item, "assign"), to="carl").json()["assignee"]["id"] == str(carl.pk)
    assert program.post(item_path(item, "assign"), to=str(carla.pk)).json()["assignee"]["username"] == "carla"
    assert program.post(item_path(item, "assign"), to=None).json()["assignee"] is None
    assert program.post(item_path(item, "undo")).json()["assignee"]["username"] == "carla"


def test_work_passes_from_department_to_department(carl, pia):
    item = make_item()
    answer = Program(carl).post(item_path(item, "hand-off"), to="pr", reason="expertise", note="a journalist")
    assert (answer.status_code, answer.json()["handed_to"]) == (200, "pr")
    offered = item_of(item.conversation, "pr")
    told = Program(pia).get(item_path(offered)).json()["offer"]
    assert (told["from"], told["reason"], told["note"]) == ("customer-service", "expertise", "a journalist")
    assert Program(pia).post(item_path(offered, "accept")).json()["lead"] is True
    assert fresh(item).status == "resolved"


def test_declining_gives_it_back_and_the_decliner_sees_it_no_more(carl, pia):
    item = make_item()
    Program(carl).post(item_path(item, "hand-off"), to="pr", reason="other")
    offered = item_of(item.conversation, "pr")
    assert Program(pia).post(item_path(offered, "decline"), note="not ours").status_code == 204
    assert Program(pia).get(item_path(offered)).status_code == 404
    assert fresh(item).handed_to is None


def test_every_other_verb_answers_with_the_item_as_it_is_then(mia):
    item, program = make_item("Hm?", "triage"), Program(mia)
    until = (timezone.now() + timedelta(days=1)).isoformat()
    assert program.post(item_path(item, "snooze"), until=until).json()["status"] == "snoozed"
    assert program.post(item_path(item, "snooze"), until=None).json()["snoozed_until"] is None
    assert program.post(item_path(item, "resolve"), resolution="spam").json()["resolution"] == "spam"
    assert program.post(item_path(item, "reopen")).json()["status"] == "open"
    assert program.post(item_path(item, "prioritise"), priority=2).json()["priority"] == 2
    assert program.post(item_path(item, "add-department"), department="rnd").status_code == 200
    assert program.post(item_path(item, "tag"), names=["outage"]).status_code == 200
    assert program.post(item_path(item, "move"), department="marketing").json()["resolution"] == "handled_elsewhere"
    told = program.get(f"/conversations/{item.conversation_id}/").json()
    assert [(each["department"], each["lead"]) for each in told["items"] if each["status"] == "open"] == [
        ("marketing", True),
        ("rnd", False),
    ]
    assert told["tags"] == ["outage"]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("take", {"force": True}, "force"),
        ("assign", {}, "to"),
        ("assign", {"to": "nobody-of-this-name"}, "to"),
        ("assign", {"to": 7}, "to"),
        ("assign", {"to": "\ud800"}, "to"),
        ("assign", {"to": "a\0"}, "to"),
        ("hand-off", {"to": "\ud800", "reason": "other"}, "to"),
        ("hand-off", {"to": "pr\0", "reason": "other"}, "to"),
        ("hand-off", {"to": "pr", "reason": "other", "note": "\ud800"}, "note"),
        ("decline", {"note": "a\0"}, "note"),
        ("assign", {"to": ["carl"]}, "to"),
        ("hand-off", {"to": "pr"}, "reason"),
        ("hand-off", {"to": "no-such", "reason": "other"}, "to"),
        ("hand-off", {"to": {"slug": "pr"}, "reason": "other"}, "to"),
        ("snooze", {}, "until"),
        ("snooze", {"until": "soon"}, "until"),
        ("resolve", {"resolution": "magic"}, "resolution"),
        ("resolve", {"resolution": "spam", "by": "ada"}, "by"),
    ],
)
def test_what_can_not_be_used_is_named(carla, verb, body, field):
    item = make_item()
    answer = Program(carla).post(item_path(item, verb), **body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["fields"]
    assert fresh(item).version == item.version


def test_what_can_not_be_done_now_is_a_conflict_with_a_sentence(carl):
    answer = Program(carl).post(item_path(make_item(), "accept"))
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Nothing waits to be accepted here."


def test_hidden_items_are_404_like_random_ids_for_every_verb(carl, cora, ada):
    hidden = make_item("I apply", "hr")
    before = AuditEntry.objects.filter(verb__contains="item").count()
    verbs = ["take", "undo", "accept", "reopen", "assign", "hand-off", "resolve"]
    for person in (carl, cora, ada):
        program = Program(person)
        for verb in verbs:
            answers = [program.post(f"/queue-items/{pk}/{verb}/") for pk in (hidden.pk, uuid4())]
            assert [each.status_code for each in answers] == [404, 404], verb
            assert answers[0].content == answers[1].content
        assert program.get(item_path(hidden)).content == program.get(f"/queue-items/{uuid4()}/").content
    assert AuditEntry.objects.filter(verb__contains="item").count() == before
    assert fresh(hidden).version == hidden.version


def test_who_only_reads_is_told_so(ada):
    answer = Program(ada).post(item_path(make_item(), "take"))
    assert answer.status_code == 403 and "read" in answer.json()["detail"]


def test_a_token_does_only_what_its_scopes_say(carl):
    item, conversation = make_item(), make_conversation(author="ben")
    reads = Program(carl, scopes=[ApiToken.Scope.READ])
    works = Program(carl, scopes=[ApiToken.Scope.READ, ApiToken.Scope.WORK])
    assert reads.get(item_path(item)).status_code == 200
    assert reads.post(item_path(item, "take")).status_code == 403
    assert works.post(item_path(item, "take")).status_code == 200
    path = f"/conversations/{conversation.pk}"
    assert reads.post(f"{path}/notes/", text="x").status_code == 403
    assert works.post(f"{path}/notes/", text="x").status_code == 201
    assert works.post(f"{path}/replies/", text="x", seen=str(uuid4())).status_code == 403
    assert not Reply.objects.exists()


def test_nobody_gets_anything_without_a_token():
    for path in ("/departments/", "/contacts/", "/search/?q=x", f"/conversations/{uuid4()}/"):
        assert Client().get(f"{API}{path}").status_code == 401


# Conversations --------------------------------------------------------------------------------------------------------
def test_a_conversation_tells_who_works_on_it_and_what_to_name_as_seen(carl):
    conversation = make_conversation(joins=("pr",), tags=("outage",))
    newer = answer_in(conversation, "Hello??")
    body = Program(carl).get(f"/conversations/{conversation.pk}/").json()
    assert [each["department"] for each in body["items"]] == ["customer-service", "pr"]
    assert (body["tags"], body["last_message"], body["author"]["handle"]) == (["outage"], str(newer.pk), "@ana")


def test_messages_notes_replies_and_timeline_stand_oldest_first(carl):
    conversation = make_conversation()
    answer_in(conversation, "Hello??")
    actions.note(conversation, "She wrote last week too", by=carl)
    actions.take(item_of(conversation, "customer-service"), by=carl)
    program, path = Program(carl), f"/conversations/{conversation.pk}"
    assert [each["text"] for each in results(program.get(f"{path}/messages/"))] == ["Where is my parcel?", "Hello??"]
    assert [each["text"] for each in results(program.get(f"{path}/notes/"))] == ["She wrote last week too"]
    assert [each["verb"] for each in results(program.get(f"{path}/timeline/"))] == ["item_placed", "item_taken"]
    assert results(program.get(f"{path}/replies/")) == []


def test_hidden_conversations_are_404_in_every_part(carl, cora, ada):
    hidden = make_conversation("I apply", "hr")
    for person in (carl, cora, ada):
        for part in ("", "messages/", "notes/", "replies/", "timeline/"):
            answers = [Program(person).get(f"/conversations/{pk}/{part}") for pk in (hidden.pk, uuid4())]
            assert [each.status_code for each in answers] == [404, 404]
        assert Program(person).post(f"/conversations/{hidden.pk}/notes/", text="x").status_code == 404
        assert (
            Program(person).post(f"/conversations/{hidden.pk}/replies/", text="x", seen=str(uuid4())).status_code == 404
        )


def test_a_note_is_written_for_ones_own_department_and_read_by_it_alone(carl, pia):
    conversation = make_conversation(joins=("pr",))
    path = f"/conversations/{conversation.pk}/notes/"
    written = Program(carl).post(path, text="for us", audience="customer-service")
    assert (written.status_code, written.json()["audience"]) == (201, "customer-service")
    assert Program(carl).post(path, text="for them", audience="pr").status_code == 409
    assert results(Program(pia).get(path)) == []
    assert "for us" not in Program(pia).get(f"/conversations/{conversation.pk}/timeline/").content.decode()


def test_a_reply_is_accepted_with_its_state(carl):
    conversation = make_conversation()
    path, seen = f"/conversations/{conversation.pk}/replies/", str(conversation.messages.get().pk)
    answer = Program(carl).post(path, text="On its way.", seen=seen, resolve=True)
    body = answer.json()
    assert answer.status_code == 202
    assert (body["state"], body["text"], body["resolve"], body["in_reply_to"]) == (
        "approved",
        "On its way.",
        True,
        seen,
    )
    assert [each["id"] for each in results(Program(carl).get(path))] == [body["id"]]


def test_a_reply_past_something_newer_is_a_conflict_with_the_difference(carl):
    conversation = make_conversation()
    path, seen = f"/conversations/{conversation.pk}/replies/", str(conversation.messages.get().pk)
    Message.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    answer_in(conversation, "It has come, thank you!")
    answer = Program(carl).post(path, text="Where is it?", seen=seen)
    assert answer.status_code == 409
    assert [(each["type"], each["text"]) for each in answer.json()["newer"]] == [("message", "It has come, thank you!")]
    assert not Reply.objects.exists()


@pytest.mark.parametrize("seen", [str(UUID(int=7)), "", "x", None])
def test_a_reply_names_a_message_that_its_author_saw(carl, seen):
    conversation = make_conversation()
    answer = Program(carl).post(f"/conversations/{conversation.pk}/replies/", text="x", seen=seen)
    assert answer.status_code in (400, 409) and not Reply.objects.exists()


def test_a_message_of_another_conversation_is_neither_seen_nor_answered(carl):
    """Neither of a hidden one nor of one's own: an id from elsewhere is as one that is not there."""
    conversation, hidden = make_conversation(), make_conversation("I apply", "hr", author="ben")
    own, other = conversation.messages.get().pk, hidden.messages.get().pk
    program, path = Program(carl), f"/conversations/{conversation.pk}/replies/"
    told = [program.post(path, text="x", seen=str(pk)).content for pk in (other, uuid4())]
    assert told[0] == told[1]
    answers = [program.post(path, text="x", seen=str(own), in_reply_to=str(pk)).content for pk in (other, uuid4())]
    assert answers[0] == answers[1] and not Reply.objects.exists()


# People and search ----------------------------------------------------------------------------------------------------
def test_people_and_search_answer_for_what_one_sees(carl, hana):
    mine, hidden = make_conversation("parcel", author="ana"), make_conversation("parcel too", "hr", author="ben")
    assert [each["name"] for each in results(Program(carl).get("/contacts/"))] == ["Ana"]
    found = results(Program(carl).get("/search/", q="parcel"))
    assert [(each["conversation"], each["snippet"]) for each in found] == [(str(mine.pk), "parcel")]
    assert [each["conversation"] for each in results(Program(hana).get("/search/", q="parcel"))] == [str(hidden.pk)]
    ana = mine.identity.contact_id
    body = Program(carl).get(f"/contacts/{ana}/").json()
    assert [each["id"] for each in body["conversations"]] == [str(mine.pk)]
    for pk in (hidden.identity.contact_id, uuid4()):
        assert Program(carl).get(f"/contacts/{pk}/").status_code == 404


def test_search_results_lead_on(carl):
    made = {str(make_conversation("parcel", author=f"a{n}").pk) for n in range(5)}
    program, seen, address = Program(carl), [], f"{API}/search/?q=parcel&limit=2"
    while address:
        body = program.client.get(address).json()
        seen += [each["conversation"] for each in body["results"]]
        address = body["next"]
    assert sorted(seen) == sorted(made)


# Shapes ---------------------------------------------------------------------------------------------------------------
def test_what_is_answered_is_what_the_schema_says(carl, pia):
    """Answers are made by hand for speed; this holds them to the serializers that the OpenAPI page is made from."""
    conversation = make_conversation(joins=("pr",))
    item = item_of(conversation, "customer-service")
    actions.hand_off(
        item, item_of(make_conversation("x", "rnd", author="ben"), "rnd").department, reason="other", by=carl
    )
    actions.take(item, by=carl)
    program, path = Program(carl), f"/conversations/{conversation.pk}"
    program.post(f"{path}/replies/", text="Hi", seen=str(conversation.messages.get().pk))
    program.post(f"{path}/notes/", text="x")
    offered = shapes.item(shapes.item_rows(QueueItem.objects.filter(offer__isnull=False)).get())
    for shape, serializer in [
        (program.get(f"{path}/").json(), asked.ConversationShape),
        (program.get(item_path(item)).json(), asked.ItemShape),
        (offered, asked.ItemShape),
        (results(program.get(f"{path}/messages/"))[0], asked.MessageShape),
        (results(program.get(f"{path}/notes/"))[0], asked.NoteShape),
        (results(program.get(f"{path}/replies/"))[0], asked.ReplyShape),
        (results(program.get(f"{path}/timeline/"))[0], asked.StepShape),
        (results(program.get("/departments/"))[0], asked.DepartmentShape),
        (results(program.get("/contacts/"))[0], asked.ContactShape),
        (program.get(f"/contacts/{conversation.identity.contact_id}/").json(), asked.ContactInFullShape),
        (results(program.get("/search/", q="parcel"))[0], asked.FoundShape),
    ]:
        _same(shape, serializer(), serializer.__name__)


def _same(shape, serializer, where):
    fields = serializer.get_fields()
    wanted = {name for name, field in fields.items() if field.required}
    assert wanted <= set(shape) <= set(fields), where
    for name, field in fields.items():
        inner = getattr(field, "child", field)
        if hasattr(inner, "get_fields") and shape.get(name):
            part = shape[name][0] if isinstance(shape[name], list) else shape[name]
            _same(part, inner, f"{where}.{name}")


@pytest.mark.parametrize("value", [datetime.min, datetime.max, datetime(2026, 1, 1)])
@pytest.mark.parametrize("pk", [3, 10**18, uuid4()])
@pytest.mark.parametrize("zone", [UTC, timezone.get_fixed_timezone(-839), timezone.get_fixed_timezone(839)])
def test_a_forged_cursor_breaks_nothing(carl, value, pk, zone):
    conversation = make_conversation()
    cursor = str(Cursor(value.replace(tzinfo=zone), pk))
    for path in ("/queues/customer-service/items/", f"/conversations/{conversation.pk}/timeline/", "/contacts/"):
        assert Program(carl).get(path, cursor=cursor).status_code == 200


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "7", "{", ""])
def test_what_is_no_object_is_refused(carl, body):
    program, item = Program(carl), make_item()
    answer = program.client.post(f"{API}{item_path(item, 'resolve')}", body, content_type="application/json")
    assert answer.status_code == 400 and fresh(item).version == item.version


def test_what_is_no_id_leads_nowhere(carl):
    for path in ("/queue-items/1/", "/conversations/x/", "/contacts/../", "/queue-items/%00/"):
        assert Program(carl).get(path).status_code == 404
    assert resolve(f"{API}/queue-items/{uuid4()}/take/")
