"""The API's front door: tokens, scopes, errors in one shape, keys that make a POST safe to send twice."""

import asyncio
import json
import re
import uuid
from datetime import timedelta
from threading import Event, Thread

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connection, connections
from django.test import AsyncClient
from django.urls import include, path
from django.utils import timezone
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from departments import actions
from departments.access import departments_for, rights
from departments.api import StrictSerializer
from departments.models import ApiToken, Department, User
from departments.roles import Role
from departments.tokens import digest, make_token, revoke_token
from socialhub import urls
from socialhub.models import IdempotencyKey

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.house.test_api")]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500


class Wish(StrictSerializer):
    name = serializers.CharField(max_length=20)


class Counter(APIView):
    """Founds a department a time, so that a POST that is done twice leaves two."""

    schema = None

    def get(self, request):
        return Response({"slugs": [each.slug for each in departments_for(request.user)]})

    def post(self, request):
        wish = Wish(data=request.data)
        wish.is_valid(raise_exception=True)
        made = Department.objects.create(name=f"{wish.validated_data['name']} {uuid.uuid4()}", slug=uuid.uuid4().hex)
        if made.name.startswith("break"):
            raise RuntimeError("after the work, before the answer")
        return Response({"id": made.pk}, status=201)


class Wrong(APIView):
    schema = None

    def get(self, request, kind):
        raise {
            "denied": PermissionDenied("HR is confidential."),
            "invalid": ValidationError({"slug": ["Choose another."]}),
            "plain": ValidationError("Triage stays open."),
            "throttled": exceptions.Throttled(wait=3),
        }[kind]


urlpatterns = [
    path("api/v1/counter/", Counter.as_view()),
    path("api/v1/wrong/<str:kind>/", Wrong.as_view()),
    path("", include(urls)),
]


@pytest.fixture
def program(client):
    """`program(carl, scopes=["read"])`: a program with a token of Carl's."""

    class Program:
        def __init__(self, person, **limits):
            self.token, secret = make_token(person, "test", by=person, **limits)
            self.headers = {"authorization": f"Bearer {secret}"}

        def get(self, address):
            return client.get(address, headers=self.headers)

        def post(self, address, body, key=None, **more):
            headers = self.headers | ({"idempotency-key": key} if key else {})
            return client.post(address, json.dumps(body), content_type="application/json", headers=headers, **more)

    return Program


def problem(answer, status):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "detail"} <= body.keys()
    return body


# Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_long_and_kept_only_as_its_fingerprint(carl):
    token, secret = make_token(carl, "Report", by=carl)
    assert len(secret) > 40 and token.sha256 == digest(secret)
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)


def test_the_command_prints_a_token_and_nothing_else(carl, client, capsys):
    call_command("api_token", "carl")
    secret = capsys.readouterr().out
    assert re.fullmatch(r"sh_\S{40,}\n", secret)
    assert client.get("/api/v1/counter/", headers={"authorization": f"Bearer {secret.strip()}"}).status_code == 200


def test_nobody_gets_in_without_a_living_token(client, program, carl, ada):
    assert problem(client.get("/api/v1/counter/"), 401)["title"] == "Unauthorized"
    assert client.get("/api/v1/counter/")["WWW-Authenticate"] == "Bearer"
    for header in ("Bearer", "Bearer x y", "Bearer sh_unknown", "Bearer \u00e9"):
        problem(client.get("/api/v1/counter/", headers={"authorization": header}), 401)
    expired, revoked = program(carl), program(carl)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())
    revoke_token(revoked.token, by=ada)
    for gone in (expired, revoked):
        assert "unknown, expired or revoked" in problem(gone.get("/api/v1/counter/"), 401)["detail"]


def test_a_deactivated_person_is_out_at_once_with_session_and_token(client_of, program, carl, ada):
    browser, bot = client_of(carl), program(carl)
    assert browser.get("/me/").status_code == bot.get("/api/v1/counter/").status_code == 200
    actions.deactivate(carl, by=ada)
    assert browser.get("/me/").url.startswith("/sign-in/")
    assert bot.get("/api/v1/counter/").status_code == 401
    actions.reactivate(carl, by=ada)
    assert browser.get("/me/").url.startswith("/sign-in/")
    assert bot.get("/api/v1/counter/").status_code == 401


def test_a_token_does_what_its_scopes_name(program, carl):
    reader = program(carl, scopes=["read"])
    assert reader.get("/api/v1/counter/").status_code == 200
    assert "“work”" in problem(reader.post("/api/v1/counter/", {"name": "x"}), 403)["detail"]
    assert program(carl, scopes=["work"]).post("/api/v1/counter/", {"name": "x"}).status_code == 201


def test_a_token_reaches_no_further_than_its_departments_and_its_owner(program, mia, triage, marketing, hr, cora):
    assert program(mia).get("/api/v1/counter/").json()["slugs"] == ["customer-service", "marketing", "triage"]
    assert program(mia, departments=[triage]).get("/api/v1/counter/").json()["slugs"] == ["triage"]
    assert program(cora, departments=[triage]).get("/api/v1/counter/").json()["slugs"] == ["triage"]
    with pytest.raises(ValidationError, match="in which its owner has a role"):
        make_token(mia, "x", departments=[hr], by=mia)


def test_a_token_loses_what_its_owner_loses(program, mia, ada, triage):
    bot = program(mia, departments=[triage])
    actions.take_role(mia, triage, by=ada)
    assert bot.get("/api/v1/counter/").json()["slugs"] == []


def test_nobody_makes_a_token_for_somebody_else(ada, hana):
    with pytest.raises(PermissionDenied):
        make_token(hana, "x", by=ada)


@pytest.mark.parametrize("wrong", [{"life": timedelta(days=4000)}, {"life": timedelta(0)}, {"scopes": ["everything"]}])
def test_a_token_lives_a_year_at_most_and_within_known_scopes(carl, wrong):
    with pytest.raises(ValidationError):
        make_token(carl, "x", by=carl, **wrong)


def test_adas_limited_token_is_no_admins(ada, pr):
    actions.give_role(ada, pr, Role.READER, by=ada)
    limited = User.objects.get(pk=ada.pk)
    limited.token, _ = make_token(ada, "x", departments=[pr], by=ada)
    assert not rights(limited).admin and rights(limited).roles == {pr.pk: Role.READER}


# What is wrong ----------------------------------------------------------------------------------------------------


def test_every_error_is_a_problem_with_its_sentence(client, program, carl):
    bot = program(carl)
    assert problem(bot.get("/api/v1/wrong/denied/"), 403)["detail"] == "HR is confidential."
    assert problem(bot.get("/api/v1/wrong/invalid/"), 400)["fields"] == {"slug": ["Choose another."]}
    assert problem(bot.get("/api/v1/wrong/plain/"), 400)["fields"] == {"non_field_errors": ["Triage stays open."]}
    assert bot.get("/api/v1/wrong/throttled/")["Retry-After"] == "3"
    problem(bot.get("/api/v1/wrong/throttled/"), 429)
    problem(bot.get("/api/v1/never/was/"), 404)
    problem(client.delete("/api/v1/counter/", headers=bot.headers), 405)
    problem(client.post("/api/v1/counter/", "<x/>", content_type="text/xml", headers=bot.headers), 415)
    problem(client.post("/api/v1/counter/", "{", content_type="application/json", headers=bot.headers), 400)


def test_a_field_that_is_not_known_is_named(program, carl):
    assert problem(program(carl).post("/api/v1/counter/", {"name": "x", "admin": True}), 400)["fields"].keys() == {
        "admin"
    }
    assert problem(program(carl).post("/api/v1/counter/", {}), 400)["fields"].keys() == {"name"}


def test_a_signed_in_person_needs_the_token_against_forged_forms(client_of, carl):
    browser = client_of(carl)
    browser.handler.enforce_csrf_checks = True
    assert browser.get("/api/v1/counter/").status_code == 200
    problem(browser.post("/api/v1/counter/", {"name": "x"}, content_type="application/json"), 403)


def test_the_api_describes_itself(program, carl, client_of, client):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")
    schema = program(carl).get("/api/v1/schema/")
    assert schema.status_code == 200 and b"/api/v1/departments/" in schema.content
    page = client_of(carl).get("/api/v1/").content.decode()
    assert "<script src=" in page and not re.search(r"<script>|https?://(?!testserver)", page)
    assert client.get("/api/v1/schema/").status_code == 401


# The same again ---------------------------------------------------------------------------------------------------


def count():
    return Department.objects.count()


def test_the_same_post_with_the_same_key_is_done_once_and_answered_twice(program, carl):
    bot, before = program(carl), count()
    first, again = (bot.post("/api/v1/counter/", {"name": "x"}, key="k") for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert "Idempotency-Replayed" not in first and again["Idempotency-Replayed"] == "true"
    assert again["Content-Type"] == first["Content-Type"]
    assert count() == before + 1


def test_a_refusal_is_kept_as_well(program, carl):
    bot = program(carl)
    first, again = (bot.post("/api/v1/counter/", {"nmae": "x"}, key="k") for _ in range(2))
    assert problem(again, 400) == problem(first, 400) and again["Idempotency-Replayed"] == "true"


def test_the_same_key_with_something_else_in_it_is_refused(program, carl):
    bot = program(carl)
    bot.post("/api/v1/counter/", {"name": "x"}, key="k")
    before = count()
    problem(bot.post("/api/v1/counter/", {"name": "y"}, key="k"), 422)
    assert count() == before


def test_a_key_belongs_to_its_caller(program, carl, pia):
    before = count()
    for bot in (program(carl), program(pia), program(carl)):
        assert "Idempotency-Replayed" not in bot.post("/api/v1/counter/", {"name": "x"}, key="k")
    assert count() == before + 3


def test_what_broke_leaves_nothing_and_may_be_tried_again(program, carl, client):
    bot, before = program(carl), count()
    client.raise_request_exception = False
    assert problem(bot.post("/api/v1/counter/", {"name": "break"}, key="k"), 500)
    assert count() == before and not IdempotencyKey.objects.exists()


def test_a_key_is_forgotten_after_a_day(program, carl):
    bot, before = program(carl), count()
    bot.post("/api/v1/counter/", {"name": "x"}, key="k")
    IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=24))
    assert "Idempotency-Replayed" not in bot.post("/api/v1/counter/", {"name": "x"}, key="k")
    assert count() == before + 2


def test_a_revoked_token_gets_no_kept_answer(program, carl):
    bot = program(carl)
    bot.post("/api/v1/counter/", {"name": "x"}, key="k")
    revoke_token(bot.token, by=carl)
    problem(bot.post("/api/v1/counter/", {"name": "x"}, key="k"), 401)


@pytest.mark.parametrize("key", [" ", "k" * 201])
def test_a_key_has_a_sensible_length(program, carl, key):
    problem(program(carl).post("/api/v1/counter/", {"name": "x"}, key=key), 400)


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_being_worked_on_the_second_waits_its_turn(program, carl, monkeypatch):
    """Two at once: one is done; the other is told to come again, and then gets the answer of the first."""
    at_work, go_on = Event(), Event()
    bot = program(carl)

    def slow(self, request):
        at_work.set()
        go_on.wait(10)
        return Response({"done": True}, status=201)

    monkeypatch.setattr(Counter, "post", slow)
    first = Thread(target=lambda: (bot.post("/api/v1/counter/", {}, key="k"), connection.close()))
    first.start()
    assert at_work.wait(10)
    refused = problem(bot.post("/api/v1/counter/", {}, key="k"), 409)
    go_on.set()
    first.join()
    assert "still being worked on" in refused["detail"]
    assert bot.post("/api/v1/counter/", {}, key="k")["Idempotency-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_under_uvicorn_the_work_and_its_answer_are_one_transaction_too(program, carl):
    bot, before = program(carl), count()

    async def post(name):
        client = AsyncClient(raise_request_exception=False)
        headers = bot.headers | {"idempotency-key": name}
        answer = await client.post("/api/v1/counter/", {"name": name}, content_type="application/json", headers=headers)
        await sync_to_async(connections.close_all)()
        return answer

    assert asyncio.run(post("break")).status_code == 500
    assert count() == before
    first, again = asyncio.run(post("x")), asyncio.run(post("x"))
    assert first.content == again.content and again["Idempotency-Replayed"] == "true"
    assert count() == before + 1
