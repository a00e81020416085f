"""The house's door: who is let in, what those outside learn, and what every page carries."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connections
from django.test import AsyncClient, override_settings
from django.urls import path, reverse
from django.utils import timezone

from departments.models import AuditEntry, User
from departments.roles import HouseRole
from socialhub import demo, urls
from socialhub.middleware import OPEN

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.house.test_door")]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500


async def whoever(request):
    """An async view behind the whole chain."""
    from django.http import HttpResponse

    user = await request.auser()
    return HttpResponse(f"{user} {timezone.get_current_timezone_name()}")


async def broken(request):
    raise RuntimeError("on purpose")


urlpatterns = [path("whoever/", whoever), path("broken/", broken), path("api/v1/broken/", broken), *urls.urlpatterns]


@pytest.mark.parametrize(
    "address", ["/", "/inbox/", "/people/", "/departments/hr/", "/never/was/", "/live/", "/sign-out/"]
)
def test_who_is_not_signed_in_is_sent_to_the_door_from_everywhere_alike(client, house, address):
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer.url == ("/sign-in/" if address == "/" else f"/sign-in/?next={address.replace('/', '%2F')}")


def test_a_form_that_is_sent_after_the_session_ended_does_not_come_back_as_an_address(client, house):
    assert client.post("/people/invite/", {"username": "x"}).url == "/sign-in/"


def test_a_piece_of_a_page_sends_the_whole_page_to_the_door(client, house):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/inbox/?tab=all"}
    answer = client.get("/inbox/", headers=headers)
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Finbox%2F%3Ftab%3Dall"
    elsewhere = client.get("/inbox/", headers=headers | {"HX-Current-URL": "https://evil.example/x"})
    assert elsewhere["HX-Redirect"] == "/sign-in/"


def test_the_door_leads_back_into_this_house_only(client, carl):
    carl.set_password("the right password")
    carl.save()
    form = {"username": "carl", "password": "the right password"}
    assert client.post("/sign-in/?next=//evil.example/", form).url == "/inbox/"
    assert client.post("/sign-in/?next=/me/", form).url == "/me/"


def test_every_open_address_is_named_and_none_is_a_page_of_the_inbox(house):
    assert not any(
        reverse(name).startswith(OPEN)
        for name in ("inbox", "people", "departments", "me", "audit", "channels", "overview")
    )


def test_signing_in_and_out_is_audited_and_ends_the_session(client, carl):
    carl.set_password("the right password")
    carl.save()
    client.post("/sign-in/", {"username": "Carl", "password": "the right password"})
    assert client.get("/me/").status_code == 200
    assert AuditEntry.objects.filter(verb="signed_in", by=carl).count() == 1
    client.post("/sign-out/")
    assert client.get("/me/").status_code == 302


def test_a_wrong_name_a_wrong_password_and_a_closed_account_read_alike(client, carl, pia):
    for person in (carl, pia):
        person.set_password("the right password")
        person.save()
    User.objects.filter(pk=pia.pk).update(is_active=False)
    answers = {
        client.post("/sign-in/", {"username": name, "password": password}).context["form"].non_field_errors().as_text()
        for name, password in (("nobody", "x"), ("carl", "x"), ("pia", "the right password"))
    }
    assert answers == {"* This name and this password do not belong together."}


def test_ten_wrong_passwords_lock_that_name_for_that_computer_and_nobody_else(client, carl, pia):
    for person in (carl, pia):
        person.set_password("the right password")
        person.save()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/sign-in/", {"username": "carl", "password": "wrong"})
    assert "Locked for a while" in answer.content.decode()
    answer = client.post("/sign-in/", {"username": "carl", "password": "the right password"})
    assert answer.status_code == 429 and "Locked for a while" in answer.content.decode()
    assert client.post("/sign-in/", {"username": "pia", "password": "the right password"}).status_code == 302
    elsewhere = client.post(
        "/sign-in/", {"username": "carl", "password": "the right password"}, REMOTE_ADDR="192.0.2.7"
    )
    assert elsewhere.status_code == 302


# The demo's people ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "demo_mode, address, let_in", [(True, "127.0.0.1", True), (True, "192.0.2.7", False), (False, "127.0.0.1", False)]
)
def test_the_password_that_everybody_knows_opens_the_door_on_this_machine_in_demo_mode_only(
    client, mia, demo_mode, address, let_in
):
    with override_settings(DEMO=demo_mode):
        page = client.get("/sign-in/", REMOTE_ADDR=address)
        assert ("Mia Lindqvist" in page.content.decode()) == let_in
        answer = client.post("/sign-in/", {"username": "mia", "password": demo.PASSWORD}, REMOTE_ADDR=address)
        assert (answer.status_code == 302) == let_in


def test_the_demos_people_are_what_the_sign_in_page_says(house):
    from departments.access import is_community_manager, rights

    people = {each.username: each for each in User.objects.filter(username__in=[one.username for one in demo.PEOPLE])}
    assert len(people) == len(demo.PEOPLE) == 9
    assert is_community_manager(people["mia"]) and not is_community_manager(people["carla"])
    assert rights(people["cora"]).coordinator and rights(people["ada"]).admin
    assert not rights(people["ada"]).roles
    before = User.objects.count(), Group.objects.count(), AuditEntry.objects.count()
    demo.settle()
    assert (User.objects.count(), Group.objects.count(), AuditEntry.objects.count()) == before
    assert {role.value for role in HouseRole} == {"coordinator", "admin", "auditor"}


# What every page carries ----------------------------------------------------------------------------------------


def test_nothing_that_was_seen_is_stored_by_browsers_or_proxies(client, client_of, carl):
    signed_in = client_of(carl)
    for answer in (client.get("/inbox/"), client.get("/sign-in/"), signed_in.get("/me/"), signed_in.get("/never/was/")):
        assert answer["Cache-Control"] == "private, no-store"


def test_times_stand_in_the_persons_own_zone_and_in_nobody_elses(client_of, client, carl, pia):
    User.objects.filter(pk=carl.pk).update(time_zone="Asia/Tokyo")
    assert "Asia/Tokyo" in client_of(carl).get("/whoever/").content.decode()
    assert "UTC" in client_of(pia).get("/whoever/").content.decode()
    client_of(carl).get("/me/")
    client.get("/sign-in/")
    assert timezone.get_current_timezone_name() == "UTC"


def test_it_is_noted_once_a_minute_that_somebody_is_here(client_of, carl):
    client = client_of(carl)
    client.get("/me/")
    seen = User.objects.get(pk=carl.pk).last_seen_at
    assert seen is not None
    client.get("/me/")
    assert User.objects.get(pk=carl.pk).last_seen_at == seen
    User.objects.filter(pk=carl.pk).update(last_seen_at=seen - timedelta(minutes=2))
    client.get("/me/")
    assert User.objects.get(pk=carl.pk).last_seen_at > seen


def test_what_breaks_is_told_as_a_page_or_as_a_problem(client_of, carl):
    client = client_of(carl)
    client.raise_request_exception = False
    assert "Something broke on our side" in client.get("/broken/").content.decode()
    assert client.get("/api/v1/broken/")["Content-Type"] == "application/problem+json"


@pytest.mark.django_db(transaction=True)
def test_async_views_pass_the_same_door(house, carl):
    """The whole chain as uvicorn runs it: signed out to the door, signed in with their own clock, nothing stored."""
    User.objects.filter(pk=carl.pk).update(time_zone="Asia/Tokyo")

    async def visit():
        client = AsyncClient()
        outside = await client.get("/whoever/")
        await client.aforce_login(carl, backend="django.contrib.auth.backends.ModelBackend")
        inside = await client.get("/whoever/")
        await sync_to_async(connections.close_all)()
        return outside, inside

    outside, inside = asyncio.run(visit())
    assert outside.url == "/sign-in/?next=%2Fwhoever%2F"
    assert inside.content.decode() == "Carl Okafor Asia/Tokyo"
    assert outside["Cache-Control"] == inside["Cache-Control"] == "private, no-store"
