"""The demo organisation: who works there, and what they are. Demo mode only, and only from this machine."""

from dataclasses import dataclass, field

from django.db import transaction

from connectors import actions as connectors
from connectors.demo.people import COMPANY, HOUSE
from connectors.models import Channel
from departments import actions, presets
from departments.models import Department, User
from departments.roles import HouseRole, Role
from routing import starter
from socialhub.models import House

PASSWORD = "social-hub"


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; `role` is how the sign-in page says it."""

    username: str
    name: str
    role: str
    roles: dict[str, Role] = field(default_factory=dict)
    house: tuple[HouseRole, ...] = ()

    @property
    def short(self) -> str:
        return User(name=self.name).short


AGENT, LEAD = Role.AGENT, Role.LEAD
PEOPLE = (
    Person(
        "mia", "Mia Lindqvist", "Community manager", {"triage": AGENT, "customer-service": AGENT, "marketing": AGENT}
    ),
    Person("carl", "Carl Okafor", "Customer service", {"customer-service": AGENT}),
    Person("carla", "Carla Mendes", "Customer service, lead", {"customer-service": LEAD}),
    Person("pia", "Pia Novak", "PR, lead", {"pr": LEAD}),
    Person("mara", "Mara Haddad", "Marketing, lead", {"marketing": LEAD}),
    Person("hana", "Hana Kobayashi", "HR, lead", {"hr": LEAD}),
    Person("ravi", "Ravi Menon", "R&D, lead", {"rnd": LEAD}),
    Person("cora", "Cora Jensen", "Coordinator", {"triage": LEAD}, (HouseRole.COORDINATOR,)),
    Person("ada", "Ada Brandt", "Admin", house=(HouseRole.ADMIN,)),
)


def load() -> None:
    """The whole demo organisation. Twice is once: what stands already is left as people made it."""
    House.objects.filter(pk=House.objects.the().pk, name="").update(name=COMPANY)
    settle()
    starter.found(by="system")
    listen()


def listen() -> None:
    """Its channel on the demo network, through which everybody but HR and Triage speaks."""
    if Channel.objects.exists():
        return
    departments = Department.objects.filter(is_triage=False)
    connectors.open_channel(
        network="demo",
        slug="demo",
        name=HOUSE[0].name,
        speakers=departments,
        monitors=departments,
        by="system",
    )


@transaction.atomic
def settle() -> None:
    """The demo's departments and people."""
    departments = presets.found_all(by="system")
    for person in PEOPLE:
        if not User.objects.filter(username=person.username).exists():
            _move_in(person, departments)


def _move_in(person: Person, departments: dict[str, Department]) -> None:
    user = actions.invite(person.username, name=person.name, password=PASSWORD, by="system")
    for slug, role in person.roles.items():
        actions.give_role(user, departments[slug], role, by="system")
    for role in person.house:
        actions.give_house_role(user, role, by="system")
