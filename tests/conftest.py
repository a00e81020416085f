"""The people of the tests, and the departments they work in. They are the demo's, moved in once for a whole run."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from departments.models import Department, User
from socialhub import demo


def pytest_configure():
    # Argon2 is slow on purpose, and the manifest of static files is made by the launcher.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def pytest_collection_finish(session):
    """What belongs to one group has to run in one process; where xdist can not tell, it would run by halves in two."""
    if getattr(session.config.option, "loadgroup", False):
        grouped = (item for item in session.items if item.get_closest_marker("xdist_group"))
        astray = [item.nodeid for item in grouped if "@" not in item.nodeid.rpartition("]")[2]]
        assert not astray, f"pytest and xdist do not fit together: {astray[0]} has lost its group"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        demo.settle()


@pytest.fixture(autouse=True)
def nothing_remembered():
    """What a process remembers for a while must not reach from one test into the next."""
    cache.clear()


@pytest.fixture
def house(db):
    """Everybody, as they moved in. A test that commits is cleaned up after, so they may have to move in anew."""
    if not Department.objects.exists():
        demo.settle()


@pytest.fixture
def empty_house(db):
    """Nobody works here yet, and there are no departments: the first run."""
    from django.db import connection

    tables = ", ".join(model._meta.db_table for model in (User, Department, Group))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _person(username):
    @pytest.fixture(name=username)
    def person(house):
        return User.objects.get(username=username)

    return person


def _department(slug):
    @pytest.fixture(name=slug.replace("-", "_"))
    def department(house):
        return Department.objects.get(slug=slug)

    return department


mia, carl, carla, pia, mara, hana, ravi, cora, ada = map(_person, "mia carl carla pia mara hana ravi cora ada".split())
customer_service, pr, marketing, hr, rnd, triage = map(
    _department, "customer-service pr marketing hr rnd triage".split()
)


@pytest.fixture
def stranger(house):
    """Somebody who can sign in and has no role at all."""
    return User.objects.create_user("stranger", name="Sten Stranger")


@pytest.fixture
def client_of():
    """`client_of(carl)`: a browser in which Carl is signed in."""

    def signed_in(person) -> Client:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
