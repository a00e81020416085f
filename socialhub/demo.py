"""The demo organisation: who works there, and what they are. Demo mode only, and only from this machine."""

from dataclasses import dataclass, field

from django.db import transaction

from connectors import actions as connectors
from connectors.demo.people import COMPANY, HOUSE
from connectors.models import Channel
from departments import actions, presets
from departments.models import Department, User
from departments.roles import HouseRole, Role
from inbox import actions as desk
from inbox.models import Change, QueueItem
from routing import starter
from socialhub import pipeline
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
    work()


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


def work() -> None:
    """What the people of the demo did before its first visitor came, so that the board tells of more than arrivals:
    items taken and resolved, hand-offs accepted, declined and waiting, a department asked to join, notes."""
    pipeline.fetch()
    pipeline.route()
    if Change.objects.exists():
        return
    who = {person.username: User.objects.get(username=person.username) for person in PEOPLE}
    where = {department.slug: department for department in Department.objects.open()}
    service = _lying_in(where["customer-service"])
    for item in service[:3]:
        desk.take(item, by=who["carl"])
    for item in service[3:5]:
        desk.resolve(item, "no_reply_needed", by=who["carla"])
    for item, answer in zip(service[5:9], ("accept", "accept", "decline", ""), strict=False):
        desk.hand_off(
            item, where["rnd"], reason="expertise", note="Is this the lock certificate again?", by=who["carla"]
        )
        _answer(item, where["rnd"], answer, who["ravi"])
    for item in _lying_in(where["marketing"])[:2]:
        desk.hand_off(item, where["pr"], reason="wrong_department", note="A question for the press.", by=who["mara"])
        _answer(item, where["pr"], "accept", who["pia"])
    for item in _lying_in(where["pr"])[:1]:
        desk.take(item, by=who["pia"])
        desk.add_department(item, where["customer-service"], by=who["pia"])
        desk.note(item.conversation, "I ring them after our answer. No sums in public.", by=who["pia"])
    for item in _lying_in(where["triage"])[:1]:
        desk.resolve(item, "spam", by=who["mia"])


def _lying_in(department: Department) -> list[QueueItem]:
    """Its open items that it leads, the oldest first; what is live stays untouched for the visitor."""
    items = QueueItem.objects.filter(department=department, lead=True, conversation__history=True).open()
    return list(items.select_related("conversation", "department").order_by("placed_at", "pk"))


def _answer(item: QueueItem, to: Department, answer: str, by: User) -> None:
    offered = QueueItem.objects.get(conversation=item.conversation, department=to)
    if answer == "accept":
        desk.accept(offered, by=by)
    elif answer == "decline":
        desk.decline(offered, note="It is the app, and customer service has the steps.", by=by)
