"""The hatch: the same answers as by the ordinary way, to whom they belong, and a word when nothing has changed."""

import asyncio
import json
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from unittest.mock import patch

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from departments import actions as departments
from departments.models import ApiToken, User
from departments.prepared import Form, Statement, mark_of
from departments.roles import Role
from departments.tokens import make_token, revoke_token
from inbox import actions, reads
from inbox.models import Identity, QueueItem
from socialhub import hatch, serving
from tests.make import answer_in, find, item_of, make_conversation, make_item, make_post, receive

pytestmark = pytest.mark.django_db
#: What the ordinary way says besides, and what is drawn by lot.
ONLY_THERE = {"Allow", "X-Request-ID", "Content-Length"}


class Program:
    """A program with a token, that asks at the hatch and by the ordinary way."""

    def __init__(self, person, **limits):
        self.token, self.secret = make_token(person, "test", by=person, **limits)

    def scope(self, address: str, **headers) -> dict:
        path, _, query = address.partition("?")
        given = {"host": "testserver", "authorization": f"Bearer {self.secret}", **headers}
        return {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "scheme": "http",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip

    def at_the_hatch(self, address: str, **headers):
        scope = self.scope(address, **headers)
        return hatch.hand_out(scope) if hatch.is_plain(scope) else None

    def by_the_way(self, address: str, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(headers={"authorization": f"Bearer {self.secret}", **given}).get(address)


def queue(query: str = "", department: str = "customer-service") -> str:
    return f"/api/v1/queues/{department}/items/" + (f"?{query}" if query else "")


def talk(conversation, what: str = "") -> str:
    return f"/api/v1/conversations/{conversation.pk}/" + (f"{what}/" if what else "")


def reads_of(program: Program, address: str) -> reads.Read:
    """What is read for this address, not made yet."""
    match = resolve(address.partition("?")[0])
    return hatch.SERVED[match.url_name](program.token.user, f"http://testserver{address}", {}, **match.kwargs)


@pytest.fixture
def ana(house):
    """What Ana asked, and what was said since."""
    conversation = make_conversation(joins=("rnd",), tags=("parcel",))
    answer_in(conversation, "And now?", author="ana", minutes_ago=5)
    return conversation


def of(conversation) -> list[str]:
    return [queue("status=open"), talk(conversation), talk(conversation, "messages")]


def test_both_doors_say_the_same(carl, ana):
    for name in ("ben", "cleo", "dora"):
        actions.take(make_item(author=name), by=carl)
    actions.hand_off(item_of(ana, "customer-service"), find("pr"), reason="expertise", by=carl)
    program = Program(carl)
    first = queue("status=open&limit=2")
    more = program.by_the_way(first).json()["next"].removeprefix("http://testserver")
    for address in (*of(ana), queue(), queue("sort=newest"), first, more, talk(ana, "messages") + "?limit=1"):
        for headers in ({}, {"if_none_match": program.by_the_way(address)["ETag"]}):
            here, there = program.at_the_hatch(address, **headers), program.by_the_way(address, **headers)
            assert (here.status_code, here.content) == (there.status_code, there.content), address
            assert here.status_code == (304 if headers else 200)
            heads = [{name: value for name, value in each.items() if name not in ONLY_THERE} for each in (here, there)]
            assert heads[0] == heads[1]
            assert here["Cache-Control"] == "private, no-cache" and here["Vary"] == "Authorization, Cookie"


def test_an_answer_is_drawn_from_nothing_but_what_its_mark_tells_of(carl, ana):
    program = Program(carl)
    for address in of(ana):
        found = reads_of(program, address)
        rows = [each.rows()[0] for each in found.selections]
        with CaptureQueriesContext(connection) as asked:
            first = found.draw(*rows)
        with patch.object(timezone, "now", lambda: ana.created_at + timedelta(days=400)):
            assert found.draw(*rows) == first
        assert not len(asked)


def test_what_is_not_plain_goes_the_ordinary_way(carl, ana):
    program, address = Program(carl), queue()
    for unusual in ({"cookie": "a=b"}, {"accept": "text/html"}, {"host": "elsewhere"}, {"authorization": "Basic x"}):
        assert program.at_the_hatch(address, **unusual) is None
    for elsewhere in (queue("status=weird"), queue("format=xml"), "/api/v1/queues/", talk(ana, "notes"), "/inbox/"):
        assert program.at_the_hatch(elsewhere) is None
    assert program.at_the_hatch(address).status_code == 200


# The mark -------------------------------------------------------------------------------------------------------------
def _renamed(model, **more):
    model.objects.filter(**more).update(name="Somebody else")


#: What people and networks do, and in which of the three answers of `of` it shows.
CHANGES = {
    "somebody takes it": (lambda c, carl, carla: actions.take(item_of(c, "customer-service"), by=carl), "qc"),
    "somebody assigns it": (
        lambda c, carl, carla: actions.assign(item_of(c, "customer-service"), carl, by=carla),
        "qc",
    ),
    "it waits": (lambda c, carl, carla: actions.snooze(item_of(c, "customer-service"), None, by=carl), "qc"),
    "it presses": (lambda c, carl, carla: actions.prioritise(item_of(c, "customer-service"), 2, by=carl), "qc"),
    "somebody tags it": (lambda c, carl, carla: actions.tag(item_of(c, "customer-service"), ["box"], by=carl), "qc"),
    "somebody else asks": (lambda c, carl, carla: make_item(author="ben"), "q"),
    "she writes again": (lambda c, carl, carla: answer_in(c, "Hello?", author="ana", minutes_ago=1), "qcm"),
    "she has a new name": (lambda c, carl, carla: _renamed(Identity, handle="@ana"), "cm"),
    "a colleague has a new name": (lambda c, carl, carla: _renamed(User, username="carla"), ""),
    "something happens elsewhere": (lambda c, carl, carla: make_item(author="ben", department="hr"), ""),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_mark_is_another_one_when_the_answer_is_and_only_then(what, carl, carla, ana):
    program, (change, shown) = Program(carl), CHANGES[what]
    before = [program.at_the_hatch(address) for address in of(ana)]
    change(ana, carl, carla)
    told = ""
    for letter, address, old in zip("qcm", of(ana), before, strict=True):
        again = program.at_the_hatch(address, if_none_match=old["ETag"])
        now = program.at_the_hatch(address)
        assert (again.status_code == 304) == (now["ETag"] == old["ETag"]) == (now.content == old.content), address
        told += letter if again.status_code == 200 else ""
    assert told == shown


def test_the_name_of_whoever_has_it_is_part_of_the_answer(carl, ana):
    actions.take(item_of(ana, "customer-service"), by=carl)
    program = Program(carl)
    known = program.at_the_hatch(queue())["ETag"]
    User.objects.filter(username="carl").update(name="Carlo")
    again = program.at_the_hatch(queue(), if_none_match=known)
    assert again.status_code == 200 and b"Carlo" in again.content


def test_an_edited_post_is_said_anew(carl):
    post = make_post("Where is my parcel?")
    message = receive(post)[0]
    actions.place(message.conversation, find("customer-service"), message=message, because="", why="")
    program, address = Program(carl), talk(message.conversation, "messages")
    known = program.at_the_hatch(address)["ETag"]
    edited = make_post("Where is my box?", id=post.id, created_at=post.created_at, edited_at=timezone.now())
    receive(edited)
    assert b"my box" in program.at_the_hatch(address, if_none_match=known).content


def test_a_mark_is_known_in_a_list_and_made_weak_by_a_proxy_or_not(carl, ana):
    program = Program(carl)
    mark = program.at_the_hatch(queue())["ETag"]
    for known in (f'"other", {mark}', mark.removeprefix("W/"), "*"):
        assert program.at_the_hatch(queue(), if_none_match=known).status_code == 304
    assert program.at_the_hatch(queue("sort=newest"), if_none_match=mark).status_code == 200, "of another address"


# Whom it belongs to ---------------------------------------------------------------------------------------------------
def test_whoever_lost_sight_is_never_told_that_nothing_changed(carl, ada, ana, customer_service):
    program = Program(carl)
    known = {address: program.at_the_hatch(address)["ETag"] for address in of(ana)}
    departments.take_role(carl, customer_service, by=ada)
    for address, mark in known.items():
        assert program.at_the_hatch(address, if_none_match=mark) is None
        assert program.by_the_way(address, if_none_match=mark).status_code == 404
    departments.give_role(carl, customer_service, Role.AGENT, by=ada)
    assert program.at_the_hatch(queue("status=open"), if_none_match=known[queue("status=open")]).status_code == 304


def test_what_a_confidential_department_accepted_is_gone_for_the_others(carl, hana, carla, ana):
    program = Program(carl)
    known = {address: program.at_the_hatch(address)["ETag"] for address in of(ana)}
    actions.hand_off(item_of(ana, "customer-service"), find("hr"), reason="expertise", by=carla)
    actions.accept(item_of(ana, "hr"), by=hana)
    first, *rest = known
    assert json.loads(program.at_the_hatch(first, if_none_match=known[first]).content)["results"] == []
    for address in rest:
        assert program.at_the_hatch(address, if_none_match=known[address]) is None
        assert program.by_the_way(address, if_none_match=known[address]).status_code == 404


def test_nobody_without_a_living_token_is_told_anything(carl, ada, ana):
    program, expired, closed = Program(carl), Program(carl), Program(ada)
    known = program.at_the_hatch(queue())["ETag"]
    assert closed.at_the_hatch(queue()).status_code == 200
    revoke_token(program.token, by=carl)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    User.objects.filter(pk=ada.pk).update(is_active=False)
    for each in (program, expired, closed):
        assert each.at_the_hatch(queue(), if_none_match=known) is None
        assert each.by_the_way(queue(), if_none_match=known).status_code == 401


def test_a_token_is_told_no_more_than_it_may(mia, carl, triage, ana):
    assert Program(carl, scopes=["work"]).at_the_hatch(queue()) is None
    assert Program(carl, scopes=["work"]).by_the_way(queue()).status_code == 403
    whole, limited = Program(mia), Program(mia, departments=[triage])
    known = whole.at_the_hatch(talk(ana))["ETag"]
    assert limited.at_the_hatch(talk(ana), if_none_match=known) is None
    assert limited.at_the_hatch(queue(), if_none_match=known) is None


def test_a_hidden_queue_and_conversation_are_like_ones_that_are_not_there(carl, cora):
    secret = item_of(make_conversation("I apply", "hr"), "hr").conversation
    for person in (carl, cora):
        for address in (queue(department="hr"), talk(secret), talk(secret, "messages")):
            assert Program(person).at_the_hatch(address, if_none_match="*") is None


# Statements that the database plans once ------------------------------------------------------------------------------
def test_the_mark_of_rows_is_the_one_that_the_database_makes(carl, ana):
    statement = Statement(*QueueItem.objects.order_by("pk").values_list("pk", "preview").query.sql_with_params())
    marked = statement.ask(form=Form.MARKED)
    assert len(marked) == 2 and [row[:-1] for row in marked] == statement.ask()
    assert statement.ask(form=Form.MARK) == [(mark_of([row[-1] for row in marked]),)]
    assert mark_of([]) is None


def test_words_stay_words_whatever_signs_are_in_them(house):
    signs = "100 % of it's %s $1 \\ “ü” {}"
    make_item(signs)
    found = QueueItem.objects.filter(preview=signs, confidential=False, placed_at__lte=timezone.now())
    assert Statement(*found.values_list("preview").query.sql_with_params()).ask() == [(signs,)]


# Lines and transactions -----------------------------------------------------------------------------------------------
@contextmanager
def not_committed_yet(act):
    """Somebody else does this, and commits it when the block ends."""
    done, may_end = Event(), Event()

    def work():
        with transaction.atomic():
            act()
            done.set()
            may_end.wait(10)
        connection.close()

    thread = Thread(target=work)
    thread.start()
    assert done.wait(10)
    yield
    may_end.set()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_what_began_earlier_and_was_committed_later_is_told_as_well(carl, carla):
    early, late = make_item(author="ana"), make_item(author="ben")
    program = Program(carl)
    with not_committed_yet(lambda: actions.take(early, by=carla)):
        actions.take(late, by=carl)
        known = program.at_the_hatch(queue())
        assert b"carla" not in known.content
        assert program.at_the_hatch(queue(), if_none_match=known["ETag"]).status_code == 304
    again = program.at_the_hatch(queue(), if_none_match=known["ETag"])
    assert again.status_code == 200 and b"carla" in again.content


@pytest.fixture
def kept_line(monkeypatch):
    """The test's own line to the database is kept, as those of the web process are."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 60)
    connection.close()  # with what an earlier test had prepared on it
    yield
    connection.close()


def _sql(statement: str) -> list:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.django_db(transaction=True)
def test_statements_are_prepared_on_a_kept_line_and_asked_in_full_when_it_forgot_them(carl, kept_line):
    conversation, program = make_item().conversation, Program(carl)
    first = [program.at_the_hatch(address).content for address in of(conversation)]
    assert len(_sql("SELECT name FROM pg_prepared_statements")) > len(first)
    _sql("DEALLOCATE ALL")
    assert [program.at_the_hatch(address).content for address in of(conversation)] == first


@pytest.mark.django_db(transaction=True)
def test_a_statement_whose_columns_became_others_is_asked_in_full(kept_line):
    _sql("CREATE TEMPORARY TABLE words AS SELECT 1 AS word")
    statement = Statement("SELECT * FROM words", ())
    assert statement.ask() == [(1,)]
    _sql("ALTER TABLE words ALTER word TYPE text")
    assert statement.ask() == [("1",)]


@pytest.mark.django_db(transaction=True)
def test_after_a_line_broke_the_answer_comes_all_the_same(carl, monkeypatch):
    for name, value in serving.KEPT.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    make_item()
    program, pages = Program(carl), serving.Pages()

    async def ask() -> tuple[int, bytes]:
        asked = ApplicationCommunicator(pages, program.scope(queue()) | {"http_version": "1.1"})
        await asked.send_input({"type": "http.request"})
        began, sent = await asked.receive_output(5), await asked.receive_output(5)
        await asked.wait()
        return began["status"], sent["body"]

    assert (first := asyncio.run(ask()))[0] == 200
    _sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
         " WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
    assert asyncio.run(ask()) == first
    asyncio.run(serving.in_thread(connections.close_all)())
