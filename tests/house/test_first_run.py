"""From an empty house to the first channel, by a link that works once."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from departments.access import rights
from departments.models import Department, User
from socialhub import first_run
from socialhub.models import House

FORM = {"organisation": "Northwind Air", "name": "Ada Brandt", "username": "ada", "password": "a long enough one"}


@pytest.fixture
def link(empty_house, capsys):
    call_command("first_admin_link")
    return capsys.readouterr().out.strip().removeprefix("http://127.0.0.1:8000")


@pytest.mark.django_db
def test_the_command_prints_a_link_and_nothing_else_and_keeps_only_its_fingerprint(link):
    assert link.startswith("/welcome/") and len(link) > 45
    assert link.split("/")[2] not in str(House.objects.values())


@pytest.mark.django_db
def test_when_there_is_an_admin_no_link_is_printed(ada, capsys):
    call_command("first_admin_link")
    assert capsys.readouterr().out == ""


@pytest.mark.django_db
def test_the_first_admin_comes_in_by_the_link_once(client, link):
    assert client.get(link).status_code == 200
    assert client.post(link, FORM).url == reverse("set-up-departments")
    ada = User.objects.get()
    assert rights(ada).admin and ada.check_password(FORM["password"])
    assert House.objects.the().name == "Northwind Air"
    assert client.get(reverse("people")).status_code == 200
    another = Client()
    assert another.get(link).status_code == another.post(link, FORM | {"username": "eve"}).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "password123", "ada brandt"])
def test_a_weak_password_keeps_the_link_alive(client, link, password):
    assert client.post(link, FORM | {"password": password}).context["form"].errors["password"]
    assert not User.objects.exists()
    assert client.post(link, FORM).status_code == 302


@pytest.mark.django_db
def test_a_link_is_void_after_a_day_after_a_newer_one_and_by_guessing(client, link):
    assert client.get("/welcome/x/").status_code == client.get(link[:-2] + "/").status_code == 404
    first_run.make_link()
    assert client.get(link).status_code == 404
    newest = first_run.make_link().removeprefix("http://127.0.0.1:8000")
    House.objects.update(first_admin_until=timezone.now())
    assert client.get(newest).status_code == 404


@pytest.mark.django_db
def test_an_old_link_does_not_open_a_house_that_has_an_admin(client, ada):
    House.objects.the()
    House.objects.update(first_admin_sha256="", first_admin_until=timezone.now() + timedelta(hours=1))
    assert client.get("/welcome/-/").status_code == client.get("/welcome/x/").status_code == 404


@pytest.mark.django_db
def test_the_admin_chooses_departments_renames_them_and_adds_their_own(client, link):
    client.post(link, FORM)
    page = client.get(reverse("set-up-departments")).content.decode()
    assert page.count("checked") == 6  # five presets, and that the admin coordinates for now
    form = {
        "with-customer-service": "on",
        "name-customer-service": "Help desk",
        "with-hr": "on",
        "name-hr": "",
        "own": "Legal\n\nLegal\n",
    }
    assert client.post(reverse("set-up-departments"), form | {"coordinate": "on"}).url == reverse("set-up-channel")
    assert {(each.slug, each.name) for each in Department.objects.all()} == {
        ("customer-service", "Help desk"), ("hr", "HR"), ("triage", "Triage"), ("legal", "Legal"),
    }  # fmt: skip
    assert rights(User.objects.get()).coordinator
    assert "Help desk, HR, Triage, Legal" in client.get(reverse("set-up-channel")).content.decode()
    assert "No channel is connected yet" in str(client.get(reverse("inbox")).context["house"].hint)


@pytest.mark.django_db
def test_a_name_that_can_not_be_used_founds_nothing_at_all(client, link):
    client.post(link, FORM)
    answer = client.post(
        reverse("set-up-departments"), {"with-pr": "on", "name-pr": "Press", "own": "Press office\nnew"}
    )
    assert "address of the house itself" in answer.content.decode()
    assert not Department.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_the_link_at_once_one_becomes_admin():
    """Not the people of the other tests: this one commits, so it begins by emptying the house."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE departments_user, departments_department, auth_group CASCADE")
    token = first_run.make_link().split("/")[-2]
    start, let_in, refused = Barrier(2), [], []

    def come_in(username):
        start.wait()
        try:
            let_in.append(first_run.create_first_admin(token, **(FORM | {"username": username})))
        except ValidationError as error:
            refused.append(error)
        finally:
            connection.close()

    both = [Thread(target=come_in, args=[name]) for name in ("ada", "eve")]
    [each.start() for each in both]
    [each.join() for each in both]
    assert len(let_in) == len(refused) == 1
    assert User.objects.admins().count() == User.objects.count() == 1
