"""While the database restarts, is full or takes no writes: people and programs are asked to come again."""

import json
from contextlib import nullcontext

import psycopg2.errors
import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from django.urls import include, path, reverse

from departments.models import User
from departments.tokens import make_token
from inbox.intake import take_in
from inbox.models import Note
from routing import engine
from socialhub import urls
from tests.make import make_channel, make_conversation, make_post

pytestmark = pytest.mark.urls("tests.house.test_away")
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500


def is_full(request):
    raise OperationalError("could not extend file") from psycopg2.errors.DiskFull()


def breaks_a_rule(request):
    raise IntegrityError("duplicate key")


urlpatterns = [
    path("full/", is_full), path("api/v1/full/", is_full), path("hooks/full/", is_full), path("rule/", breaks_a_rule),
    path("", include("socialhub.urls")),
]  # fmt: skip


@pytest.fixture
def desk(carl):
    desk = Client(raise_request_exception=False)
    desk.force_login(carl, backend="django.contrib.auth.backends.ModelBackend")
    return desk


@pytest.mark.django_db
def test_who_comes_while_it_is_full_is_asked_to_come_again(desk):
    page = desk.get("/full/")
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Back in a moment" in page.content.decode()
    for address in ("/api/v1/full/", "/hooks/full/"):
        told = desk.post(address)
        assert (told.status_code, told["Retry-After"]) == (503, "5")
        assert told["Content-Type"] == "application/problem+json" and json.loads(told.content)["detail"]


@pytest.mark.django_db
def test_what_is_wrong_in_itself_is_no_reason_to_come_again(desk):
    assert desk.get("/rule/").status_code == 500


@pytest.mark.django_db(transaction=True)
def test_while_it_only_reads_carl_reads_on_and_keeps_what_he_wrote(house, carl, desk, client):
    conversation = make_conversation()
    address = reverse("conversation-note", args=[conversation.pk])
    _, secret = make_token(carl, "robot", by=carl)
    User.objects.update(last_seen_at=None)
    robot = {"headers": {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}}
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            for read in (reverse("inbox"), conversation.get_absolute_url(), "/api/v1/departments/"):
                assert desk.get(read).status_code == 200
            kept = desk.post(address, {"text": "Ask <Ravi> about it", "in": "customer-service"})
            piece = desk.post(address, {"text": "Ask Ravi"}, headers={"HX-Request": "true"})
            pushed = desk.post(f"/api/v1/conversations/{conversation.pk}/notes/", {"text": "Ask"}, **robot)
        finally:
            cursor.execute("SET default_transaction_read_only = off")
    assert [each.status_code for each in (kept, piece, pushed)] == [503, 503, 503]
    form = kept.content.decode()
    assert "Ask &lt;Ravi&gt; about it</textarea>" in form and 'value="customer-service"' in form
    assert f'action="{address}"' in form
    assert not Note.objects.exists()
    again = desk.post(
        f"/api/v1/conversations/{conversation.pk}/notes/", {"text": "Ask"}, content_type="application/json", **robot
    )
    assert again.status_code == 201 and Note.objects.count() == 1


@pytest.mark.django_db
def test_a_password_is_never_written_back_into_the_page(house, monkeypatch):
    def away(*given, **named):
        raise OperationalError

    monkeypatch.setattr("django.contrib.auth.authenticate", away)
    monkeypatch.setattr("django.contrib.auth.forms.authenticate", away)
    page = Client(raise_request_exception=False).post("/sign-in/", {"username": "carl", "password": "a secret word"})
    assert page.status_code == 503 and b"a secret word" not in page.content


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "away"), [("53100", True), ("25006", True), ("57P01", True), ("54000", False)])
def test_a_page_of_posts_is_not_to_blame_while_the_database_is_away(house, monkeypatch, code, away):
    """Else a full disk would lay good posts aside, and count them as unroutable; a post that no index can hold must
    not hold up the others."""

    class Said(psycopg2.OperationalError):
        pgcode = code

    def fails(*given, **named):
        raise OperationalError("a row is too large") from Said()

    monkeypatch.setattr("inbox.intake._Page.take_in", fails)
    if away:
        with pytest.raises(OperationalError):
            take_in(make_channel(), [make_post()])
    else:
        assert len(take_in(make_channel(), [make_post()]).refused) == 1
    monkeypatch.undo()
    message = make_conversation(department=None).messages.get()
    monkeypatch.setattr("routing.engine.place_many", fails)
    with pytest.raises(OperationalError) if away else nullcontext():
        engine.route()
    message.refresh_from_db()
    assert message.route_attempts == (0 if away else 1)
