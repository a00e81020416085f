"""How often a page asks the database: as often for a house full of work as for a quiet one, and never more than said.

The house is filled once, measured at both sizes and emptied again; each page then is one line of the table.
"""

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connectors import actions as channels
from connectors import ledger
from connectors.models import Channel, FetchRun
from departments import actions as departments
from departments.models import Department, User
from departments.roles import Role
from departments.tokens import make_token
from inbox import actions
from inbox.models import Contact, Conversation, QueueItem
from routing import actions as rules
from routing import engine
from socialhub import demo
from socialhub.models import House as HouseRow
from tests.make import answer_in, find, make_channel, make_post, receive

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("budget")]  # one house for all of them
FEW, MANY = 5, 40
QUIET = {"story": False, "rate": 0, "calm": False}

#: Who looks, at what, and how often that may ask. `{…}` is filled with what lies in the house.
PAGES = [
    ("mia", "/inbox/", 8),
    ("carl", "/inbox/", 8),
    ("cora", "/inbox/", 8),
    ("carl", "/inbox/?tab=mine", 8),
    ("mia", "/inbox/?tab=unassigned&sort=newest", 8),
    ("carl", "/inbox/?tab=waiting", 8),
    ("carl", "/inbox/customer-service/", 8),
    ("mia", "/inbox/triage/", 8),
    ("cora", "/inbox/triage/?tab=nothing", 8),
    ("carl", "/inbox/c/{talk}/", 27),
    ("cora", "/inbox/c/{talk}/", 27),
    ("carl", "/notices/", 9),
    ("carl", "/contacts/", 8),
    ("carl", "/contacts/?q=person", 8),
    ("carl", "/contacts/{ana}/", 10),
    ("carl", "/search/?q=parcel", 10),
    ("cora", "/search/?q=parcel+is:open", 10),
    ("cora", "/overview/", 17),
    ("carla", "/overview/", 17),
    ("cora", "/overview/open/", 8),
    ("ada", "/channels/", 10),
    ("carl", "/channels/", 10),
    ("ada", "/channels/first/", 15),
    ("ada", "/channels/first/ledger/", 12),
    ("carl", "/routing/", 16),
    ("ada", "/routing/", 16),
    ("ada", "/departments/", 10),
    ("ada", "/departments/customer-service/", 11),
    ("ada", "/people/", 10),
    ("ada", "/audit/", 10),
    ("carl", "/me/", 10),
    ("carl", "/api/v1/departments/", 6),
    ("carl", "/api/v1/queues/customer-service/items/", 6),
    ("carl", "/api/v1/conversations/{talk}/", 8),
    ("carl", "/api/v1/conversations/{talk}/messages/", 6),
    ("carl", "/api/v1/conversations/{talk}/notes/", 6),
    ("carl", "/api/v1/conversations/{talk}/replies/", 6),
    ("carl", "/api/v1/conversations/{talk}/timeline/", 6),
    ("carl", "/api/v1/conversations/{talk}/decisions/", 6),
    ("carl", "/api/v1/contacts/", 6),
    ("carl", "/api/v1/search/?q=parcel", 7),
    ("ada", "/api/v1/channels/", 7),
    ("ada", "/api/v1/channels/first/fetch-runs/", 8),
    ("carl", "/api/v1/rule-sets/", 6),
    ("cora", "/api/v1/reports/overview/", 13),
]


class House:
    """A house that fills: mentions for customer service with R&D beside it, for Triage and for nobody, and one
    conversation of ana's in which much is said."""

    def __init__(self):
        if not Department.objects.exists():
            demo.settle()
        self.people = {each.username: each for each in User.objects.all()}
        self.size = 0
        self.rule_set = rules.found_rule_set(by="system")
        self.open("first")
        self.grow(1)
        self.talk = Conversation.objects.get(items__department=find("customer-service"), items__lead=True)
        self.clients = {}

    def grow(self, size: int) -> None:
        numbers = range(self.size, size)
        self.size = size
        rules.publish(self.rule_set, [rule(number) for number in range(size)], by="system", why=f"{size} of them")
        receive(*[post(self.who(number), text) for number in numbers for text in TEXTS], channel=make_channel())
        while engine.route():
            pass
        for number in numbers:
            self.happens(number)

    def happens(self, number: int) -> None:
        """What people do meanwhile: some is taken, some shared, some waits; somebody starts; a channel is opened."""
        carl, carla = self.people["carl"], self.people["carla"]
        items = QueueItem.objects.filter(conversation__identity__handle=f"@{self.who(number)}", lead=True)
        item = items.select_related("conversation", "department").get(department=find("customer-service"))
        actions.add_department(item, find("marketing"), by=carla)
        actions.tag(item, [f"tag{number % 3}"], by=carl)
        if number % 2:
            actions.take(item, by=carl)
        if number % 3 == 2:
            actions.snooze(item, None, by=carla)
        if number % 5 == 3:
            actions.hand_off(item, find("pr"), reason="expertise", by=carla)
        if number:
            self.say(number)
            self.open(f"channel{number}")
        ledger.finish(ledger.start(Channel.objects.get(slug="first"), FetchRun.Via.POLL))
        person = departments.invite(f"new{number}", name=f"New {number}", password="a long enough one", by="system")
        departments.give_role(person, find("customer-service"), Role.AGENT, by="system")
        make_token(carl, f"program {number}", by=carl)

    def say(self, number: int) -> None:
        """In the long conversation another word of theirs and a note; and somewhere else ana writes, too."""
        answer_in(self.talk, f"parcel, word {number}", author="ana", minutes_ago=9 - number / 10)
        receive(post("ana", "My parcel, again"), channel=self.talk.channel)
        while engine.route():
            pass
        actions.note(self.talk, f"note {number}", by=self.people["carl"])

    def who(self, number: int) -> str:
        return f"person{number}" if number else "ana"

    def open(self, slug: str) -> None:
        channels.open_channel(network="demo", slug=slug, name=slug.title(), settings=QUIET, by="system")

    def asks(self, who: str, path: str) -> tuple[int, str]:
        """How often the page asks the second time it is opened: at first it notes who is here and what is read."""
        ana = Contact.objects.get(identities__handle="@ana")
        address, client = path.format(talk=self.talk.pk, ana=ana.pk), self.client(who, path)
        assert client.get(address).status_code == 200, (who, address)
        with CaptureQueriesContext(connection) as caught:
            assert client.get(address).status_code == 200
        return len(caught), "\n".join(each["sql"][:200] for each in caught)

    def client(self, who: str, path: str) -> Client:
        kind = "program" if path.startswith("/api/") else "browser"
        if (who, kind) not in self.clients:
            self.clients[who, kind] = getattr(self, kind)(self.people[who])
        return self.clients[who, kind]

    def browser(self, person) -> Client:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def program(self, person) -> Client:
        return Client(headers={"Authorization": f"Bearer {make_token(person, 'budget', by=person)[1]}"})


TEXTS = ("Where is my parcel?", "Hm, well", "give away")


def post(author: str, text: str):
    return make_post(f"{text} {author}", author)


def rule(number: int) -> dict:
    """The first rules place; the others fit nothing and stand there to be read."""
    says, then = (
        [
            ("parcel", {"place": "customer-service", "join": ["rnd"], "tags": ["box"]}),
            ("give away", {"probably_nothing": True}),
        ][number]
        if number < 2
        else (f"never{number}", {"place": "pr"})
    )
    when = {"field": "text", "op": "any", "value": [says]}
    return {"uid": f"rule{number}", "name": f"Rule {number}", "when": when, "then": then}


def _analyse() -> None:
    """What tests before rolled back, the planner may have noted as empty tables; then it takes minutes for them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker):
    """(who, path) → what it asked for few and for many."""
    with django_db_blocker.unblock(), transaction.atomic():
        house, found = House(), {}
        for size in (FEW, MANY):
            house.grow(size)
            _analyse()
            # Its name, and whether sends are held, are asked for every few seconds, and not by each page.
            cache.set("house", HouseRow.objects.as_it_stands(), 600)
            for who, path, _ in PAGES:
                found.setdefault((who, path), []).append(house.asks(who, path))
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize(("who", "path", "most"), PAGES, ids=[f"{who} {path}" for who, path, _ in PAGES])
def test_a_page_asks_as_often_for_much_as_for_little(measured, who, path, most):
    (few, _), (many, which) = measured[who, path]
    assert few == many <= most, which
