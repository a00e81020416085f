"""A small house with something in it for everybody, and with things that most must never learn of.

Every word of what is hidden holds a canary: a word that stands nowhere else. The baits beside them are what somebody
who guesses would look for; they are asked for, canaries never are, so that a page may echo a question.
"""

from dataclasses import dataclass, field, replace

from django.utils import timezone

from connectors.contract import Media
from connectors.demo import server
from connectors.models import Channel, DemoPost
from departments import actions as people
from departments.models import Department, User
from departments.roles import HouseRole
from departments.tokens import make_token
from inbox import actions
from inbox.models import Conversation, Message, QueueItem, Reply
from routing import actions as routing
from routing import engine, starter
from routing.models import AuthorList, BackTest, Campaign, DepartmentExample, RoutingModel, RuleSet, RuleSetVersion
from socialhub.models import Pulse
from tests.make import find, item_of, make_conversation, make_item

#: Where each of them stands.
CANARIES = {
    "text": "canarytext",
    "title": "canarytitle",
    "earlier text": "canaryrevision",
    "name": "Canaryname",
    "handle": "canaryhandle",
    "note": "canarynote",
    "reply": "canaryreply",
    "tag": "canarytag",
    "why": "canarywhy",
    "media": "canarymedia",
    "second handle": "canaryother",
    "placed by a rule: text": "canaryrouted",
    "own rule": "canaryrule",
    "handed on: text": "canarylost",
    "handed on: note with it": "canarypassed",
    "handed on: note before it": "canarybefore",
    "example": "canaryexample",
}
#: Words of what is hidden that somebody may guess.
BAITS = ("whistleblow", "Secretsurname", "baithandle", "from:baithandle", "in:hr", "is:open whistleblow", "tag:baittag")


@dataclass
class World:
    """What the addresses lead to. `open` lies in customer service, `secret` in HR; `lost` was customer service's until
    HR accepted it."""

    channel: Channel
    demo: Channel
    open: Conversation
    lying: Conversation
    reply: Reply
    post: DemoPost
    rules: dict[str, RuleSet]
    tokens: dict = field(default_factory=dict)
    shadows: dict[str, RuleSetVersion] = field(default_factory=dict)
    trials: dict[str, BackTest] = field(default_factory=dict)
    secret: Conversation | None = None
    routed: Conversation | None = None
    other: Conversation | None = None
    lost: Conversation | None = None
    secret_post: DemoPost | None = None
    secret_reply: Reply | None = None
    examples: dict[str, DepartmentExample] = field(default_factory=dict)

    def item(self, of: str, department: str = "customer-service") -> QueueItem:
        return item_of(getattr(self, of), department)


def build(settings) -> World:
    """The house as everybody knows it: an ordinary conversation with all that belongs to one, one in Triage."""
    settings.DEMO = True
    departments = {each.slug: each for each in Department.objects.all()}
    brand = Channel.objects.create(slug="brand", name="Brand", network="quiet")
    brand.speakers.set([departments["customer-service"]])
    brand.monitors.set([departments["pr"]])
    demo = Channel.objects.create(
        slug="demo", name="Mirabelo", network="demo", settings={"story": False, "rate": 0, "calm": False}
    )
    demo.speakers.set([departments["customer-service"], departments["hr"]])
    Pulse.objects.create(name="worker", at=timezone.now())
    AuthorList.objects.create(slug="press", name="Press", handles=["ines_p"])
    Campaign.objects.create(slug="spring", name="Spring", hashtags=["spring"])
    carl, hana = User.objects.get(username="carl"), User.objects.get(username="hana")
    known, post = written(demo, "customer-service", "My parcel is late", handle="ines_p", name="Ines Pires")
    actions.note(known, "She wrote before.", by=carl)
    reply = _reply(known, "customer-service", "It is on its way.", carl)
    lying = make_conversation("Hm?", "triage", author="tomas", channel=brand)
    tokens = {name: make_token(person, "a program", by=person)[0] for name, person in (("carl", carl), ("hana", hana))}
    rules = {"house": starter.found(by="system"), "customer-service": _own_rules("customer-service", "Parcels first")}
    rules["hr"] = _own_rules("hr", CANARIES["own rule"])
    RoutingModel.objects.create(number=1, artefact=b"", sha256="")  # it holds nothing
    world = World(
        channel=brand, demo=demo, open=known, lying=lying, reply=reply, post=post, rules=rules, tokens=tokens,
        examples={"customer-service": _typical("customer-service", "Where is my parcel?")},
    )  # fmt: skip
    _try_versions(world, "customer-service", User.objects.get(username="carla"))
    _try_versions(world, "hr", hana)
    return world


def _try_versions(world: World, of: str, by: User) -> None:
    """The department's lead lets a third version run in the shadow, and tries it on what came in before."""
    version = routing.draft(world.rules[of], world.rules[of].live.rules, by=by)
    world.shadows[of] = routing.shadow(version, by=by)
    world.trials[of] = routing.back_test(version, {"days": 30}, by=by)


def _own_rules(department: str, name: str) -> RuleSet:
    """A department's own rules: one in force, one drafted."""
    rule_set = routing.found_rule_set(find(department), by="system")
    rule = {
        "name": name,
        "when": {"field": "text", "op": "any", "value": ["urgent"]},
        "then": {"priority": "high"},
    }
    routing.publish(rule_set, [rule], by="system")
    routing.draft(rule_set, [], by="system")
    return rule_set


def hide(world: World) -> World:
    """Now something happens of which only HR may know."""
    hana, carla = User.objects.get(username="hana"), User.objects.get(username="carla")
    world.secret, world.secret_post = written(
        world.demo, "hr", f"{CANARIES['earlier text']} whistleblow",
        handle=f"{CANARIES['handle']}_baithandle", name=f"{CANARIES['name']} Secretsurname",
        title=CANARIES["title"], media=CANARIES["media"], why=CANARIES["why"],
        tags=[f"{CANARIES['tag']}-baittag", "baittag"],
    )  # fmt: skip
    server.edit(world.secret_post, f"{CANARIES['text']} whistleblow at the works")
    _take_in(world.demo, world.secret_post, title=CANARIES["title"], media=CANARIES["media"])
    world.secret.refresh_from_db()
    actions.note(world.secret, f"{CANARIES['note']} whistleblow", by=hana)
    world.secret_reply = _reply(world.secret, "hr", f"{CANARIES['reply']} whistleblow", hana)
    Reply.objects.filter(pk=world.secret_reply.pk).update(state="needs_person", send_after=None)
    _by_a_rule(world)
    world.examples["hr"] = _typical("hr", f"{CANARIES['example']} whistleblow")
    _second_handle(world)
    _hand_on(world, carla, hana)
    return world


def _by_a_rule(world: World) -> None:
    """An applicant whom the starter rules bring to HR, as it happens every day."""
    post = server.write_as(f"{CANARIES['handle']}_two", f"{CANARIES['placed by a rule: text']} vacancies? whistleblow")
    message = _take_in(world.demo, post)
    engine.route()
    world.routed = Conversation.objects.get(pk=message.conversation_id)
    assert item_of(world.routed, "hr").lead


def _typical(department: str, text: str) -> DepartmentExample:
    """A post that a department wrote down as typical of it."""
    return DepartmentExample.objects.create(department=find(department), text=text)


def _second_handle(world: World) -> None:
    """Somebody whom customer service knows writes to HR under another handle; HR found that they are one person."""
    handle = f"{CANARIES['second handle']}_baithandle"
    world.other, _ = written(world.demo, "hr", "Something else, whistleblow", handle=handle, name="Ines")
    world.other.identity.contact = world.open.identity.contact
    world.other.identity.save()


def _hand_on(world: World, carla: User, hana: User) -> None:
    """Customer service had it, wrote about it, and handed it on to HR, which accepted."""
    item = make_item(f"{CANARIES['handed on: text']} whistleblow", author="leo", channel=world.channel)
    world.lost = item.conversation
    actions.note(world.lost, f"{CANARIES['handed on: note before it']} whistleblow", by=carla)
    actions.hand_off(item, find("hr"), reason="wrong_department", note=CANARIES["handed on: note with it"], by=carla)
    actions.accept(item_of(world.lost, "hr"), by=hana)
    world.lost.refresh_from_db()


def written(channel: Channel, department: str, text: str, *, handle: str, name: str, title="", media="", **placing):
    """Somebody writes on the demo network, and it is placed: the conversation, and the post as it stands there."""
    author = server.join(handle)
    author.name = name
    author.save()
    post = server.write_as(author, text, "mention", title=title)
    message = _take_in(channel, post, title=title, media=media)
    said = {"message": message, "because": "of its words", "rule": "A rule"}
    actions.place(message.conversation, find(department), **said, **placing)
    Message.objects.filter(pk=message.pk).update(routed_at=message.received_at)
    return Conversation.objects.select_related("identity__contact").get(pk=message.conversation_id), post


def _take_in(channel: Channel, post: DemoPost, *, title="", media="") -> Message:
    from inbox.intake import take_in

    shown = server.as_post(post)
    pictures = (Media(f"https://pictures.example/{media}.png", "image"),) if media else ()
    taken = take_in(channel, [replace(shown, title=title, media=pictures)])
    assert not taken.refused, taken.refused
    kept = Message.objects.select_related("conversation", "channel", "identity")
    return kept.get(external_id=shown.id, channel=channel)


def _reply(conversation: Conversation, department: str, text: str, by: User) -> Reply:
    seen = conversation.messages.order_by("received_at").last()
    return actions.reply(item_of(conversation, department), text, seen=seen.pk, by=by)


def auditor() -> User:
    """Otto reads the audit and nothing else. The demo has nobody for that."""
    otto = User.objects.create_user("otto", name="Otto Auditor")
    people.give_house_role(otto, HouseRole.AUDITOR, by="system")
    return otto
