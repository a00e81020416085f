"""The people before whom things are hidden, and the world in which they look for them."""

import pytest
from django.test import Client

from departments.models import User
from tests.visibility import world as worlds

NAMES = "mia carl carla pia mara hana ravi cora ada otto stranger".split()


@pytest.fixture
def everybody(house, stranger) -> dict[str, User]:
    """All people by their names, with an auditor and a stranger."""
    worlds.auditor()
    return {name: User.objects.get(username=name) for name in NAMES}


@pytest.fixture
def world(everybody, settings) -> worlds.World:
    """The house as everybody knows it."""
    return worlds.build(settings)


@pytest.fixture
def hidden(world) -> worlds.World:
    """The house, and in it what only HR may know of."""
    return worlds.hide(world)


@pytest.fixture
def signed_in(everybody, client_of):
    """`signed_in("carl")`: a browser in which Carl is signed in; `signed_in("signed out")`: one in which nobody is."""

    def open_one(name: str) -> Client:
        client = Client() if name == "signed out" else client_of(everybody[name])
        client.raise_request_exception = False
        return client

    return open_one
