"""What the logs tell: enough to find what happened, and nothing that somebody wrote, nor a secret."""

import io
import json
import logging

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import include, path, reverse

from connectors import vault
from connectors.models import Channel
from connectors.networks.demo import Demo
from departments.models import Department, User
from departments.tokens import make_token
from inbox import actions, outbox
from inbox.models import Note
from socialhub import journal, pipeline, urls
from tests.make import make_channel, make_conversation, make_item

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.house.test_journal")]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500
CANARY = "canary-7f3a"


def breaks_on_its_input(request, word=""):
    said = request.POST.get("text", "") + request.GET.get("q", "") + word + request.headers.get("Authorization", "")
    int(said)


@transaction.atomic
def breaks_in_the_database(request):
    User.objects.create(username=f"{CANARY}-twin", name=CANARY)
    User.objects.create(username=f"{CANARY}-twin", name=CANARY)


urlpatterns = [
    path("breaks/<str:word>/", breaks_on_its_input),
    path("breaks/", breaks_on_its_input),
    path("api/v1/breaks/", breaks_on_its_input),
    path("twin/", breaks_in_the_database),
    path("", include("socialhub.urls")),
]


@pytest.fixture(params=["json", "text"])
def log(request):
    """Everything that is logged, at the most talkative level that can be set, as the processes would write it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(journal.Line(request.param))
    names = ("", *journal.OURS, *journal.LOUD, "django.request")
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).handlers) for name in names}
    for name, settings in journal.configuration(request.param, "DEBUG")["loggers"].items():
        logging.getLogger(name).setLevel(settings["level"])
    logging.getLogger().handlers = [*before[""][1], handler]
    yield lambda: written.getvalue()
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers = handlers


@pytest.fixture
def desk(carl):
    desk = Client(raise_request_exception=False)
    desk.force_login(carl, backend="django.contrib.auth.backends.ModelBackend")
    return desk


def test_a_request_is_one_line_with_its_id_who_asked_and_which_door(log, desk, carl):
    answer = desk.get(reverse("search"), {"q": CANARY}, headers={"X-Request-ID": "from-the-proxy-1"})
    assert answer["X-Request-ID"] == "from-the-proxy-1"
    (line,) = log().splitlines()
    assert "from-the-proxy-1" in line and str(carl.pk) in line and "search/" in line and CANARY not in line
    if line.startswith("{"):
        told = json.loads(line)
        assert (told["level"], told["status"], told["method"], told["user"]) == ("info", 200, "GET", str(carl.pk))


def test_an_id_that_is_none_is_not_taken_over(log, desk):
    answer = desk.get("/me/", headers={"X-Request-ID": f"{CANARY}\r\n"})
    assert CANARY not in answer["X-Request-ID"] and CANARY not in log()


def test_no_request_that_breaks_tells_what_was_sent(log, desk, carl):
    _, secret = make_token(carl, "robot", by=carl)
    desk.post("/breaks/", {"text": CANARY, "password": CANARY})
    desk.get(f"/breaks/{CANARY}/?q={CANARY}")
    desk.post("/api/v1/breaks/", {"text": CANARY}, headers={"Authorization": f"Bearer {secret}"})
    desk.get("/twin/")
    desk.get("/me/", headers={"Host": f"{CANARY}.example"})
    Client(enforce_csrf_checks=True).post("/sign-in/", {"username": CANARY, "password": CANARY})
    Client().post("/sign-in/", {"username": CANARY, "password": CANARY})
    Client().get(f"/welcome/{CANARY}/")
    said = log()
    assert CANARY not in said and secret not in said
    assert said.count("A request was answered with an error") == 4
    assert "builtins.ValueError" in said and "test_journal.py" in said  # what it was, and where
    assert "23505 departments_user" in said  # and of the database which of its rules


def test_an_exception_of_the_database_is_told_without_the_row(log, house):
    wrong = [
        lambda: Department.objects.create(slug=CANARY, name=CANARY) and Department.objects.create(slug=CANARY),
        lambda: connection.cursor().execute("SELECT %s::uuid", [CANARY]),
        lambda: connection.cursor().execute("SELECT cast(%s AS varchar(3))::int", [CANARY]),
        lambda: Note.objects.create(text=CANARY),
    ]
    for each in wrong:
        try:
            with transaction.atomic():
                each()
        except (IntegrityError, DataError):
            logging.getLogger("inbox.intake").exception("A post could not be taken in.")
    assert log().count("A post could not be taken in.") == len(wrong)
    assert CANARY not in log() and "22P02" in log() and "23502 inbox_note" in log()


def test_what_comes_in_and_goes_out_leaves_no_word_behind(log, customer_service, carl, monkeypatch):
    channel = make_channel(network="demo", settings={"story": False, "rate": 0}, sealed=vault.seal({"token": CANARY}))

    def fails(self, *given, **named):
        raise RuntimeError(f"{CANARY} {given}", channel.credentials)

    for name in ("fetch", "send", "find_sent"):
        monkeypatch.setattr(Demo, name, fails)
    item = make_item(f"{CANARY} is what I wrote", author=CANARY, channel=channel)
    actions.note(item.conversation, f"{CANARY} is what we think", by=carl)
    reply = actions.reply(item, f"{CANARY} is what we say", seen=item.conversation.messages.last().pk, by=carl)
    type(reply).objects.update(send_after="2020-01-01T00:00Z")
    outbox.send_due()
    Channel.objects.update(next_poll_at="2020-01-01T00:00Z")
    pipeline.fetch()
    monkeypatch.setattr("routing.engine.decide", fails)
    make_conversation(f"{CANARY} again", None, channel=channel)
    pipeline.route()
    said = log()
    assert f"Reply {reply.pk} is not confirmed" in said and "could not be decided" in said
    assert channel.slug in said
    assert CANARY not in said


def test_libraries_say_their_sentence_and_not_what_they_put_into_it(log):
    logging.getLogger("celery.app.trace").error("Task raised: %(exc)s", {"exc": CANARY, "args": [CANARY]})
    logging.getLogger("httpx").warning("HTTP Request: %s %s", "GET", f"https://x.example/?token={CANARY}")
    logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: <Task {CANARY}>")
    logging.getLogger("py.warnings").warning("%s", f"/lib/site-packages/a/b.py:3: UserWarning: {CANARY}\n  {CANARY}")
    logging.getLogger("redis").info(f"AUTH {CANARY}")
    logging.getLogger("django.db.backends").debug("(0.001) SELECT %s", CANARY)
    assert log().count("\n") == 4 and CANARY not in log()
    assert "Python warned: UserWarning at a/b.py:3" in log()


def test_an_exception_with_causes_is_told_to_its_beginning(log):
    try:
        try:
            int(CANARY)
        except ValueError as error:
            raise OSError(28, "No space left on device", f"/{CANARY}") from error
    except OSError:
        logging.getLogger("connectors.polling").exception("A visit failed")
    assert "OSError: No space left on device" in log() and "builtins.ValueError" in log() and CANARY not in log()
