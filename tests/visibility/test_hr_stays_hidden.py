"""A customer service agent never learns that an HR conversation exists. Nor does a coordinator, an admin, or the lead
of customer service who had it before HR accepted it."""

from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from departments import roles
from departments.models import Department, User
from departments.roles import Role
from departments.tokens import make_token
from inbox import actions
from tests.make import find, item_of
from tests.visibility.policy import POLICY, ask, routes
from tests.visibility.walking import (
    OF_MACHINES,
    addresses,
    everything_stored,
    guessed_ids,
    hidden_ids,
    known_ids,
    of_what,
    parameters,
    readable,
    said,
    standing_time,
    walk,
)
from tests.visibility.world import BAITS, CANARIES, hide

pytestmark = pytest.mark.django_db

#: Carl works in customer service, Carla leads it and had one of them, Cora coordinates, Ada runs the house.
WITHOUT_SIGHT = ("carl", "carla", "cora", "ada")
#: An auditor is told that something was done, and never what was said.
OTHERS = (*WITHOUT_SIGHT, "otto")
WAYS = ({}, {"HX-Request": "true", "HX-Target": "talk"}, {"Accept": "text/event-stream", "Accept-Language": "pt"})


# What is written in it ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("person", OTHERS)
def test_no_word_of_it_stands_in_anything_that_can_be_read(person, hidden, signed_in):
    client = signed_in(person)
    for address in walk(known_ids(hidden), hidden_ids(hidden)):
        answer = client.get(address)
        assert answer.status_code < 500, address
        assert not spoken(said(answer)), address


def test_hana_reads_every_word_of_it(hidden, signed_in):
    """Else the test before could not fail."""
    client = signed_in("hana")
    heard = set()
    for address in walk(hidden_ids(hidden)):
        heard |= spoken(said(client.get(address)))
    assert set(CANARIES) - heard == {"handed on: note with it"}, "that one is read while it is offered"


def spoken(answer: bytes) -> set[str]:
    return {where for where, canary in CANARIES.items() if canary.lower().encode() in answer.lower()}


# That it is there at all --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("person", WITHOUT_SIGHT)
def test_the_house_answers_byte_for_byte_as_if_it_were_not_there(person, world, signed_in):
    """Lists, counts, tabs, rail, search, board, pages of people, API: with it and without it."""
    client = signed_in(person)
    ids = known_ids(world)
    asked = list(walk(ids, {"department": ["hr"]}, without=OF_MACHINES))
    with standing_time():
        for address in addresses("conversation", ids):
            client.get(address)  # from now on they are read
        without = {address: said(client.get(address)) for address in asked}
        hide(world)
        for address in asked:
            assert said(client.get(address)) == without[address], address


@pytest.mark.parametrize("person", WITHOUT_SIGHT)
def test_an_id_that_was_guessed_is_answered_like_one_drawn_by_lot(person, hidden, signed_in):
    """Whatever is done with it, in whichever form the answer is wanted."""
    client = signed_in(person)
    with standing_time():
        for _, method, real, random in guesses(hidden):
            for way in WAYS if person == "carl" else WAYS[:1]:
                found, drawn = (tried(client, method, each, way) for each in (real, random))
                assert found == drawn, (method, real, way)
                assert found[0] in (404, 406), (method, real, way)


def guesses(world):
    """Each route that takes the id of something hidden: the address with it, and one with an id that never was."""
    hidden = guessed_ids(world)
    nothing = {"number": [10**9], "department": ["no-such"]}
    for name, stated in POLICY.items():
        ids = {of_what(name, each) for each in parameters(name)}
        if not ids & set(hidden) or name.startswith("department"):
            continue  # which departments there are, and who works in them, is no secret before an admin
        for method in sorted({use.method for use in stated}):
            for address in addresses(name, hidden, {"slug": ["brand"]}):
                random = next(addresses(name, nothing, {"slug": ["brand"]}))
                yield name, method, address, random


def tried(client, method, address, way):
    send = getattr(client, method.lower())
    data = {} if method == "GET" else {"text": "x", "seen": str(uuid4()), "reason": "other", "to": "pr"}
    answer = send(address, data, headers=way)
    ids = [part for part in address.split("/") if "-" in part]
    return answer.status_code, said(answer, without=(address, *ids))


# Doing something with it --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("person", WITHOUT_SIGHT)
def test_whatever_is_tried_on_it_changes_nothing(person, hidden, signed_in):
    client = signed_in(person)
    client.get("/inbox/")
    before = everything_stored()
    for name, method, address, _ in guesses(hidden):
        if method != "GET":
            for use in (each for each in POLICY[name] if each.method == method):
                assert ask(client, address, use, hidden).status_code == 404, (method, address)
    assert everything_stored() == before


def test_its_ids_in_what_is_sent_are_like_ids_that_are_not_there(hidden, signed_in):
    """A reply that names one of its messages, many items at once: the same answer as for an id drawn by lot."""
    client = signed_in("carl")
    message, item = hidden.secret.messages.first(), item_of(hidden.secret, "hr")
    here = reverse("conversation-reply", args=[hidden.open.pk])
    answer = {"text": "Thank you.", "seen": hidden.open.messages.first().pk}
    pairs = [
        (here, answer | {"seen": message.pk}, answer | {"seen": uuid4()}),
        (here, answer | {"in_reply_to": message.pk}, answer | {"in_reply_to": uuid4()}),
        ("/inbox/bulk/", {"verb": "take", "items": [item.pk]}, {"verb": "take", "items": [uuid4()]}),
    ]
    actions.cancel_reply(hidden.reply, by=User.objects.get(username="carl"))
    client.get("/inbox/")
    for address, guessed, drawn in pairs:
        before = everything_stored()
        with standing_time():
            answers = [said(client.post(address, given), without=ids_in(given)) for given in (guessed, drawn)]
        assert answers[0] == answers[1], address
        assert everything_stored() == before, address


def ids_in(given: dict) -> list:
    return [each for each in given.values() if isinstance(each, UUID)]


# Programs -----------------------------------------------------------------------------------------------------------
def test_a_token_reads_what_its_owner_reads(hidden, signed_in):
    """As carl's program as carl, and as hana's as hana."""
    for name in ("carl", "hana"):
        person, program = signed_in(name), program_of(User.objects.get(username=name))
        with standing_time():
            for address in api_addresses(hidden):
                mine, its = person.get(address), program.get(address)
                assert (its.status_code, its.content) == (mine.status_code, mine.content), (name, address)


def test_a_token_for_one_department_reads_nothing_of_another(hidden, hana, hr):
    """Hana helps out in customer service; a program that she made for that sees no application."""
    roles.give(hana, find("customer-service"), Role.AGENT)
    program = program_of(hana, departments=[find("customer-service")])
    assert program.get(f"/api/v1/conversations/{hidden.open.pk}/").status_code == 200
    for address in api_addresses(hidden):
        assert not spoken(said(program.get(address))), address


def program_of(person: User, **limits) -> Client:
    _, secret = make_token(User.objects.get(pk=person.pk), "test", by=person, **limits)
    return Client(headers={"Authorization": f"Bearer {secret}"})


def api_addresses(world):
    ids = known_ids(world), hidden_ids(world)
    for name in readable():
        if routes()[name][0].startswith("api/"):
            yield from addresses(name, *ids)
    yield from (f"/api/v1/{what}/?{urlencode({'q': bait})}" for bait in BAITS for what in ("search", "contacts"))


# Losing sight -------------------------------------------------------------------------------------------------------
def test_who_leaves_hr_reads_nothing_more_of_it_with_the_next_request(hidden, signed_in, hana, hr):
    client = signed_in("hana")
    assert client.get(f"/inbox/c/{hidden.secret.pk}/").status_code == 200
    roles.take(hana, hr)
    for address in walk(hidden_ids(hidden)):
        assert not spoken(said(client.get(address))), address


def test_a_colleague_who_is_let_in_reads_it_and_its_lead_alone_can_let_others_in(hidden, signed_in, hana):
    """HR asks R&D to join: Ravi sees that one conversation, and Cora, who reads all of R&D's queue, still does not."""
    actions.add_department(item_of(hidden.secret, "hr"), Department.objects.get(slug="rnd"), by=hana)
    address = f"/inbox/c/{hidden.secret.pk}/"
    assert spoken(said(signed_in("ravi").get(address)))
    assert signed_in("ravi").get(f"/inbox/c/{hidden.other.pk}/").status_code == 404
    for person in ("cora", "ada", "carl"):
        for place in (
            address,
            "/inbox/",
            "/inbox/rnd/",
            "/search/?q=whistleblow",
            "/overview/",
            "/api/v1/queues/rnd/items/",
        ):
            assert not spoken(said(signed_in(person).get(place))), (person, place)
