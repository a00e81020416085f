"""Every address of the house, and every person before it: who may use it, who is refused, for whom nothing is there."""

from copy import deepcopy

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.visibility.conftest import NAMES
from tests.visibility.policy import ALL, API, NO_SUCH_ID, POLICY, Use, ask, routes

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def test_every_route_has_a_stated_policy():
    unstated = sorted(set(routes()) - set(POLICY))
    assert not unstated, f"say in tests/visibility/policy.py who may use: {', '.join(unstated)}"
    assert not set(POLICY) - set(routes()), "there is no such route any more"


def test_no_two_routes_share_a_name():
    from tests.visibility.policy import _walk, get_resolver

    names = [pattern.name for _, pattern in _walk(get_resolver())]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("person", NAMES)
def test_a_person_gets_what_is_theirs_and_nothing_else(person, hidden, signed_in):
    client = signed_in(person)
    wrong = [said for name, use in uses() if (said := what_is_wrong(client, person, name, use, hidden))]
    assert not wrong, "\n".join(wrong)


def test_who_is_not_signed_in_is_sent_to_the_door_whatever_they_ask_for(hidden, signed_in):
    client = signed_in("signed out")
    wrong = [said for name, use in uses() if (said := what_is_wrong(client, None, name, use, hidden))]
    assert not wrong, "\n".join(wrong)


def test_what_is_not_stated_can_not_be_done(hidden, signed_in):
    """A method that no policy names is not allowed, not even to somebody who may use the route in another way."""
    found = []
    clients = {person: signed_in(person) for person in ("ada", "cora", "hana")}
    for name, stated in POLICY.items():
        person = min(stated[0].who & set(clients), default="ada")
        for method in set(METHODS) - {use.method for use in stated}:
            status = status_of(clients[person], name, Use(method, ALL, given=stated[0].given), hidden)
            if status not in (404, 405):
                found.append(f"{method} {name} answers {person} with {status}")
    assert not found, "\n".join(found)


def uses():
    for name, stated in POLICY.items():
        for use in stated:
            yield name, use


def what_is_wrong(client: Client, person: str | None, name: str, use: Use, world) -> str:
    """What this person gets that they should not, or the other way round; empty when all is well."""
    status = status_of(client, name, use, world)
    expected = expectation(person, name, use)
    if expected(status):
        return ""
    who = person or "somebody signed out"
    return f"{use.method} {name} {use.given(world)} {use.query} answers {who} with {status}, not {expected.__name__}"


def status_of(client: Client, name: str, use: Use, world) -> int:
    """Ask, and take back whatever it did."""
    address = reverse(name, kwargs=use.given(world)) + (f"?{use.query}" if use.query else "")
    cookies = deepcopy(client.cookies)
    with transaction.atomic():
        status = ask(client, address, use, world).status_code
        transaction.set_rollback(True)
    client.cookies = cookies
    return status


def expectation(person: str | None, name: str, use: Use):
    if use.open:
        return something if use.who else refused if use.refused else nothing
    if person is None:
        return not_known if name in API else the_door
    if person in use.who:
        return something
    return refused if person in use.refused else nothing


def something(status: int) -> bool:
    return status < 500 and status not in (401, 403, 404, 405)


def refused(status: int) -> bool:
    return status in (403, 409)


def nothing(status: int) -> bool:
    return status == 404


def the_door(status: int) -> bool:
    return status == 302


def not_known(status: int) -> bool:
    return status == 401


def test_an_address_that_never_was_is_answered_like_one_that_is_hidden(signed_in):
    for address in ("/no/such/page/", f"/inbox/c/{NO_SUCH_ID}/", "/inbox/hr/"):
        assert signed_in("carl").get(address).status_code == 404
        assert signed_in("signed out").get(address).status_code == 302
