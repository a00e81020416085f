"""Who may use each address of the house. A route that is not stated here fails the suite, and so does a way to use one.

Three answers there are. Who may gets something; who may know of it but not do that is refused (403, or 409 with a
sentence); for everybody else nothing is there (404, the same as for an address that never was). Who is not signed in is
sent to the door (302; 401 in the API), whatever they ask for, but for the few addresses that are open.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.urls import URLPattern, get_resolver

from inbox.views.verbs import VERBS
from routing.views import VERBS as RULE_VERBS
from routing.views.versions import VERBS as VERSION_VERBS
from tests.visibility.world import World

ALL = frozenset("mia carl carla pia mara hana ravi cora ada otto stranger".split())
NOBODY: frozenset[str] = frozenset()
MEMBERS = ALL - {"stranger"}
CUSTOMER_SERVICE = frozenset(("mia", "carl", "carla"))
TRIAGE = frozenset(("mia", "cora"))
HR, COORDINATOR, ADMIN, AUDITOR = (frozenset((name,)) for name in ("hana", "cora", "ada", "otto"))
#: Coordinator and admin read every conversation that is not confidential; the coordinator works there too.
HOUSE = COORDINATOR | ADMIN
READ_CUSTOMER_SERVICE, WORK_CUSTOMER_SERVICE = CUSTOMER_SERVICE | HOUSE, CUSTOMER_SERVICE | COORDINATOR
LEADS = frozenset(("carla", "pia", "mara", "hana", "ravi", "cora"))
BRAND = CUSTOMER_SERVICE | {"pia"} | HOUSE | AUDITOR  # customer service speaks through it, PR monitors it
NO_SUCH_ID = UUID("00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Use:
    """One way to use a route. `who` may; `refused` may know of it, and not do that. `given` makes the parameters of the
    address, `sent` what is sent along. `open`: nobody asks who it is."""

    method: str
    who: frozenset[str]
    refused: frozenset[str] = NOBODY
    given: Callable[[World], dict] = lambda world: {}
    sent: Callable[[World], dict] = lambda world: {}
    query: str = ""
    open: bool = False


def get(who, given=lambda world: {}, **more) -> Use:
    return Use("GET", who, given=given, **more)


def post(who, given=lambda world: {}, **more) -> Use:
    return Use("POST", who, given=given, **more)


def named(**parameters) -> Callable[[World], dict]:
    return lambda world: parameters


def of_open(world: World) -> dict:
    return {"conversation": world.open.pk}


def of_secret(world: World) -> dict:
    return {"conversation": world.secret.pk}


def of_lost(world: World) -> dict:
    return {"conversation": world.lost.pk}


def item(of: str, verb: str, department: str = "customer-service") -> Callable[[World], dict]:
    return lambda world: {"item": world.item(of, department).pk, "verb": verb}


def pk(of: Callable[[World], object]) -> Callable[[World], dict]:
    return lambda world: {"pk": of(world)}


def answer(of: str) -> Callable[[World], dict]:
    def sent(world: World) -> dict:
        last = getattr(world, of).messages.order_by("received_at").last()
        return {"text": "Thank you.", "seen": str(last.pk)}

    return sent


def hide(of: str) -> Callable[[World], dict]:
    return lambda world: {"message": str(getattr(world, of).messages.first().pk), "act": "hide"}


def message_of(of: str) -> Callable[[World], dict]:
    def given(world: World) -> dict:
        return {"message": getattr(world, of).messages.order_by("received_at").first().pk, "act": "hide"}

    return given


def hidden_verbs() -> Iterator[Use]:
    for verb in VERBS:
        yield post(HR, item("secret", verb, "hr"))
        yield post(NOBODY, item("lost", verb, "customer-service"))


def taker(department: str, who: str) -> Callable[[World], dict]:
    return lambda world: {"department": department, "person": _id(who)}


CS, IN_HR = named(department="customer-service"), named(department="hr")
THE_BRAND = named(slug="brand")

PAGES: dict[str, list[Use]] = {
    # The door, and what machines ask
    "home": [get(ALL)],
    "sign-in": [get(ALL, open=True), post(ALL, open=True)],
    "sign-out": [post(ALL)],
    "healthz": [get(ALL, open=True)],
    "metrics": [get(ALL, open=True)],
    "choose-password": [
        get(ALL, named(uidb64="x", token="y-z"), open=True),
        post(ALL, named(uidb64="x", token="y-z"), open=True),
    ],
    # The first run: over, once there is an admin
    "first-admin": [
        get(NOBODY, named(token="x"), open=True),
        post(NOBODY, named(token="x"), open=True),
    ],
    "set-up-departments": [get(ADMIN), post(ADMIN)],
    "set-up-channel": [get(ADMIN)],
    "restored": [get(ADMIN), post(ADMIN)],
    # The demo's outside world: what one may see in the inbox, or wrote oneself
    "outside": [get(ALL), post(ALL)],
    "outside-thread": [
        get(READ_CUSTOMER_SERVICE, lambda world: {"number": world.post.pk}),
        get(HR, lambda world: {"number": world.secret_post.pk}),
        post(READ_CUSTOMER_SERVICE, lambda world: {"number": world.post.pk}),
        post(HR, lambda world: {"number": world.secret_post.pk}),
    ],
    "live": [get(ALL)],
    # Departments and people
    "departments": [get(MEMBERS)],
    "department-new": [get(ADMIN), post(ADMIN)],
    "department": [
        get(READ_CUSTOMER_SERVICE, CS),
        get(HR | ADMIN, IN_HR),
        post({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        post(HR | ADMIN, IN_HR),
    ],
    "department-dismiss": [
        post({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}, sent=lambda world: {"person": _id("carl")}),
        post(HR | ADMIN, IN_HR, sent=lambda world: {"person": _id("hana")}),
    ],
    # How it gives out its work, and what its people hold: its leads, and the house where it is not confidential
    "department-assignment": [
        get({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        post({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        get(HR, IN_HR, refused=ADMIN),
        post(HR, IN_HR, refused=ADMIN),
    ],
    "department-capacity": [
        post({"carla", "cora", "ada"}, taker("customer-service", "carl"), refused={"mia", "carl"}),
        post(NOBODY, taker("customer-service", "hana"), refused={"mia", "carl"}),
        post(HR, taker("hr", "hana"), refused=ADMIN),
    ],
    "department-edit": [get(ADMIN, CS), get(ADMIN, IN_HR), post(ADMIN, CS), post(ADMIN, IN_HR)],
    "department-hours": [
        get({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        post({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        get(HR | ADMIN, IN_HR),
        post(HR | ADMIN, IN_HR),
    ],
    "department-close": [post(ADMIN, CS), post(ADMIN, IN_HR)],
    "people": [get(ADMIN)],
    "person-invite": [get(ADMIN), post(ADMIN)],
    "person": [get(ADMIN, lambda world: {"person": _id("hana")}), post(ADMIN, lambda world: {"person": _id("hana")})],
    "person-link": [
        post(ADMIN, lambda world: {"person": _id("carl")}),
        # Who holds such a link can sign in as Hana, and read what HR keeps.
        post(NOBODY, lambda world: {"person": _id("hana")}, refused=ADMIN),
    ],
    "person-close": [post(ADMIN, lambda world: {"person": _id("hana")})],
    "me": [get(ALL), post(ALL)],
    "me-password": [post(ALL)],
    "token-make": [post(ALL)],
    "token-revoke": [
        post({"carl", "ada"}, lambda world: {"token": world.tokens["carl"].pk}),
        post({"hana", "ada"}, lambda world: {"token": world.tokens["hana"].pk}),
    ],
    "audit": [get(HOUSE | AUDITOR)],
    # The inbox
    "inbox": [get(ALL)],
    "queue": [
        get(READ_CUSTOMER_SERVICE, CS),
        get(TRIAGE | ADMIN, named(department="triage")),
        get({"pia", "cora", "ada"}, named(department="pr")),
        get(HR, IN_HR),
        get(NOBODY, named(department="no-such")),
    ],
    "bulk": [post(ALL, sent=lambda world: {"verb": "take", "items": [str(NO_SUCH_ID)]})],
    "conversation": [
        get(READ_CUSTOMER_SERVICE, of_open),
        get(TRIAGE | ADMIN, lambda world: {"conversation": world.lying.pk}),
        get(HR, of_secret),
        get(HR, of_lost),
        get(NOBODY, named(conversation=NO_SUCH_ID)),
    ],
    "routing-grounds": [
        get(READ_CUSTOMER_SERVICE, of_open),
        get(TRIAGE | ADMIN, lambda world: {"conversation": world.lying.pk}),
        get(HR, of_secret),
        get(HR, of_lost),
        get(NOBODY, named(conversation=NO_SUCH_ID)),
    ],
    "conversation-reply": [
        # An answer is on its way already: a second one is refused with a sentence.
        post(NOBODY, of_open, sent=answer("open"), refused=READ_CUSTOMER_SERVICE),
        post(TRIAGE, lambda world: {"conversation": world.lying.pk}, sent=answer("lying"), refused=ADMIN),
        post(NOBODY, of_secret, sent=answer("secret"), refused=HR),
        post(HR, of_lost, sent=answer("lost")),
    ],
    "conversation-note": [
        post(WORK_CUSTOMER_SERVICE, of_open, sent=named(text="So it is."), refused=ADMIN),
        post(HR, of_secret, sent=named(text="So it is.")),
        post(HR, of_lost, sent=named(text="So it is.")),
    ],
    "item-verb": [
        post(WORK_CUSTOMER_SERVICE, item("open", "take"), refused=ADMIN),
        post(TRIAGE, item("lying", "move", "triage"), sent=named(department="pr"), refused=ADMIN),
        post(NOBODY, item("open", "explode")),
        *hidden_verbs(),
    ],
    "message-act": [
        post(WORK_CUSTOMER_SERVICE, message_of("open"), refused=ADMIN),
        post(HR, message_of("secret")),
        post(HR, message_of("lost")),
        post(NOBODY, lambda world: {"message": NO_SUCH_ID, "act": "hide"}),
    ],
    "reply-verb": [
        post(WORK_CUSTOMER_SERVICE, lambda world: {"reply": world.reply.pk, "verb": "cancel"}, refused=ADMIN),
        post(HR, lambda world: {"reply": world.secret_reply.pk, "verb": "confirm"}),
        # Nothing waits for approval here: who may decide about it is told so.
        *(
            post(
                {"carla", "cora"},
                lambda world, verb=verb: {"reply": world.reply.pk, "verb": verb},
                sent=named(body_hash="x"),
                refused={"mia", "carl", "ada"},
            )
            for verb in ("approve", "send-back")
        ),
        post(HR, lambda world: {"reply": world.secret_reply.pk, "verb": "approve"}, sent=named(body_hash="x")),
    ],
    "notices": [get(ALL), post(ALL)],
    "contacts": [get(ALL)],
    "contact": [
        get(READ_CUSTOMER_SERVICE | HR, lambda world: {"contact": world.open.identity.contact_id}),
        get(HR, lambda world: {"contact": world.secret.identity.contact_id}),
        get(HR, lambda world: {"contact": world.lost.identity.contact_id}),
        get(NOBODY, named(contact=NO_SUCH_ID)),
    ],
    "search": [get(ALL), get(ALL, query="q=parcel")],
    # Channels
    "channels": [get(MEMBERS)],
    "channel-new": [get(ADMIN), post(ADMIN)],
    "channel": [get(BRAND, THE_BRAND), get(NOBODY, named(slug="no-such"))],
    "channel-edit": [get(ADMIN, THE_BRAND), post(ADMIN, THE_BRAND)],
    "channel-connect": [post(ADMIN, THE_BRAND)],
    "channel-secret": [post(ADMIN, THE_BRAND)],
    "channel-estimate": [post(ADMIN, query="network=demo"), post(NOBODY, query="network=none")],
    # The brand's network has no page to sign in on: for nobody there is a way to it.
    "channel-sign-in": [post(NOBODY, THE_BRAND)],
    "channel-signed-in": [get(ADMIN)],
    "channel-guides": [get(ADMIN)],
    "channel-guide": [get(NOBODY, named(network="none"))],
    "channel-choose": [get(ADMIN, named(key="none")), post(ADMIN, named(key="none"))],
    "channel-check": [post(ADMIN, THE_BRAND)],
    "channel-ledger": [get(HOUSE | AUDITOR, THE_BRAND, refused=BRAND - HOUSE - AUDITOR)],
    "hook": [
        post(ALL, THE_BRAND, open=True),
        # A question that proves nothing.
        get(NOBODY, THE_BRAND, refused=ALL, open=True),
    ],
    "channel-replay": [post(ADMIN, THE_BRAND, refused=BRAND - ADMIN)],
    "channel-verb": [post(HOUSE, named(slug="brand", verb="pause"), refused=BRAND - HOUSE)],
    # The board
    "overview": [get(LEADS | ADMIN)],
    "overview-rows": [
        get(LEADS | ADMIN, named(metric="open")),
        get({"carla", "cora", "ada"}, named(metric="open"), query="department=customer-service"),
        get(HR, named(metric="open"), query="department=hr"),
        get(NOBODY, named(metric="no-such")),
    ],
}  # fmt: skip

#: Every way in which an item of the queue is worked on by programs.
ITEM_VERBS = "take assign hand-off accept decline add-department move snooze resolve reopen prioritise tag undo".split()

#: Carl has the item: others than he and his lead do not take it from him.
LEFT_TO_LEADS = {"assign": frozenset(("mia",))}


#: How programs decide about a reply; in this world none waits for it, which who may is told (409).
REPLY_DECISIONS = {"approve": {"body_hash": "x"}, "send-back": {}}


def api_items() -> dict[str, list[Use]]:
    return {
        f"api-queue-item-{verb}": [
            post(
                WORK_CUSTOMER_SERVICE - LEFT_TO_LEADS.get(verb, NOBODY),
                pk(lambda world: world.item("open").pk),
                refused=ADMIN | LEFT_TO_LEADS.get(verb, NOBODY),
                sent=_sent_with(verb),
            ),
            post(HR, pk(lambda world: world.item("secret", "hr").pk), sent=_sent_with(verb)),
            post(NOBODY, pk(lambda world: world.item("lost").pk), sent=_sent_with(verb)),
        ]
        for verb in ITEM_VERBS
    }


def _sent_with(verb: str) -> Callable[[World], dict]:
    sent = {
        "assign": {"to": None},
        "hand-off": {"to": "pr", "reason": "expertise"},
        "add-department": {"department": "pr"},
        "move": {"department": "pr"},
        "snooze": {"until": None},
        "resolve": {"resolution": "no_reply_needed"},
        "prioritise": {"priority": 1},
        "tag": {"names": ["parcel"]},
    }
    return named(**sent.get(verb, {}))


def _in_conversation(of: str) -> Callable[[World], dict]:
    return pk(lambda world: getattr(world, of).pk)


def _read_conversation() -> list[Use]:
    return [
        get(READ_CUSTOMER_SERVICE, _in_conversation("open")),
        get(HR, _in_conversation("secret")),
        get(HR, _in_conversation("lost")),
    ]


WORKERS = MEMBERS - AUDITOR


def rules(of: str, number: int | None = None) -> Callable[[World], dict]:
    return lambda world: {"pk": world.rules[of].pk} | ({"number": number} if number else {})


def rule(of: str, **more) -> Callable[[World], dict]:
    return lambda world: {"rule_set": world.rules[of].pk} | more


def changing() -> list[Use]:
    """What is done to a whole set of rules, by those who change it."""
    return [
        post(HOUSE, rule("house"), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, rule("customer-service"), refused={"mia", "carl"}),
        post(HR, rule("hr")),
    ]


PAGES |= {
    # Rules: read by those who work by them, changed by coordinator and admin; a department's own by its lead as well
    "rules": [get(WORKERS)],
    "rules-try": [get(WORKERS), post(WORKERS)],
    "rules-order": changing(),
    "rules-health": [get(WORKERS)],
    # Without a finding or suggestion there is nothing to mend or to take: for who may change the rules it is a 404.
    "rules-mend": [
        post(NOBODY, rule("house"), refused=WORKERS - HOUSE),
        post(NOBODY, rule("customer-service"), refused={"mia", "carl"}),
    ],
    "rules-suggestion": [post(NOBODY, refused=WORKERS - HOUSE)],
    "rules-count": changing(),
    "rules-draft-begin": changing(),
    "rules-draft": [
        get(HOUSE | {"carla"}, rule("customer-service", number=2), refused={"mia", "carl"}),
        get(HR, rule("hr", number=2)),
        get(NOBODY, rule("house", number=1), refused=WORKERS - HOUSE),
    ],
    "rules-begin": [post(HOUSE | {"carla"}, CS), post(HR, IN_HR), post(NOBODY, named(department="no-such"))],
    "rule-new": [
        get(HOUSE, rule("house"), refused=WORKERS - HOUSE),
        post(HOUSE, rule("house"), refused=WORKERS - HOUSE),
        get(HOUSE | {"carla"}, rule("customer-service"), refused={"mia", "carl"}),
        post(HOUSE | {"carla"}, rule("customer-service"), refused={"mia", "carl"}),
        get(HR, rule("hr")),
        post(HR, rule("hr")),
    ],
    "rule": [
        get(HOUSE, rule("house", uid="press"), refused=WORKERS - HOUSE),
        post(HOUSE, rule("house", uid="press"), refused=WORKERS - HOUSE),
        get(NOBODY, rule("house", uid="no-such"), refused=WORKERS - HOUSE),
    ],
    "rule-verb": [
        *(post(HOUSE, rule("house", uid="press", verb=verb), refused=WORKERS - HOUSE) for verb in RULE_VERBS),
        post(NOBODY, rule("house", uid="press", verb="no-such"), refused=WORKERS - HOUSE),
        post(NOBODY, rule("hr", uid="no-such", verb="up")),
    ],
    "rules-version": [
        get(WORKERS, rule("house", number=1)),
        get(READ_CUSTOMER_SERVICE, rule("customer-service", number=1)),
        get(HR, rule("hr", number=1)),
        get(NOBODY, rule("house", number=99)),
    ],
    "rules-restore": [
        post(HOUSE, rule("house", number=1), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, rule("customer-service", number=1), refused={"mia", "carl"}),
        post(HR, rule("hr", number=1)),
    ],
}


def of_version(sent: dict, **verb) -> list[Use]:
    """What only who may change the rules does to a version; who reads them may know of it. Version 2 of a department’s
    is a draft."""
    own = rule("customer-service", number=2, **verb)
    return [
        post(HOUSE, rule("house", number=1, **verb), refused=WORKERS - HOUSE, sent=named(**sent)),
        post(HOUSE | {"carla"}, own, refused={"mia", "carl"}, sent=named(**sent)),
        post(HR, rule("hr", number=2, **verb), sent=named(**sent)),
    ]


def read_version() -> list[Use]:
    return [
        get(WORKERS, rule("house", number=1)),
        get(READ_CUSTOMER_SERVICE, rule("customer-service", number=2)),
        get(HR, rule("hr", number=2)),
        get(NOBODY, rule("house", number=99)),
    ]


def trial(of: str) -> Callable[[World], dict]:
    return lambda world: {"trial": world.trials[of].pk}


def shadowed(of: str) -> Callable[[World], dict]:
    return lambda world: {"rule_set": world.rules[of].pk, "number": world.shadows[of].number}


PAGES |= {
    "rules-versions": [get(WORKERS)],
    "rules-export": read_version(),
    # No file comes along: those who may are told so.
    "rules-import": [
        post(HOUSE, rule("house"), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, rule("customer-service"), refused={"mia", "carl"}),
        post(HR, rule("hr")),
    ],
    "rules-version-verb": [
        *(use for verb in VERSION_VERBS for use in of_version({}, verb=verb)),
        post(NOBODY, rule("house", number=1, verb="no-such"), refused=WORKERS - HOUSE),
        post(NOBODY, rule("house", number=99, verb="publish")),
    ],
    "rules-shadow": [
        get(READ_CUSTOMER_SERVICE, shadowed("customer-service")),
        get(HR, shadowed("hr")),
        get(NOBODY, rule("house", number=1)),
    ],
    "back-test-begin": of_version({"scope": "posts 1000"}),
    # A trial is its asker’s: it counts what that person may see.
    "back-test": [
        get({"carla"}, trial("customer-service")),
        get(HR, trial("hr")),
        get(NOBODY, named(trial=NO_SUCH_ID)),
    ],
    "back-test-cancel": [post({"carla"}, trial("customer-service")), post(HR, trial("hr"))],
}

LIST, CAMPAIGN = named(slug="press"), named(slug="spring")
PEOPLE, TELLING = named(name="Press", handles=["ines"]), named(name="Spring", hashtags=["spring"])

PAGES |= {
    # What rules name is no more secret than the house's rules, and kept by those who change these
    "lists": [get(WORKERS)],
    "list-new": [get(HOUSE, refused=WORKERS - HOUSE), post(HOUSE, refused=WORKERS - HOUSE)],
    "list": [get(WORKERS, LIST), post(HOUSE, LIST, refused=WORKERS - HOUSE), get(NOBODY, named(slug="no-such"))],
    "list-delete": [post(HOUSE, LIST, refused=WORKERS - HOUSE)],
    "campaigns": [get(WORKERS)],
    "campaign-new": [get(HOUSE, refused=WORKERS - HOUSE), post(HOUSE, refused=WORKERS - HOUSE)],
    "campaign": [
        get(WORKERS, CAMPAIGN),
        post(HOUSE, CAMPAIGN, refused=WORKERS - HOUSE),
        get(NOBODY, named(slug="no-such")),
    ],
    "campaign-delete": [post(HOUSE, CAMPAIGN, refused=WORKERS - HOUSE)],
}


def kept(sent: Callable[[World], dict], given: Callable[[World], dict]) -> list[Use]:
    """Read by who reads rules, put and deleted by who changes the house's."""
    rest = WORKERS - HOUSE
    return [
        get(WORKERS, given),
        Use("PUT", HOUSE, rest, given, sent),
        Use("DELETE", HOUSE, rest, given),
    ]


API: dict[str, list[Use]] = {
    "api-author-lists": [get(ALL), post(HOUSE, sent=PEOPLE, refused=WORKERS - HOUSE)],
    "api-author-list": kept(PEOPLE, LIST),
    "api-campaigns": [get(ALL), post(HOUSE, sent=TELLING, refused=WORKERS - HOUSE)],
    "api-campaign": kept(TELLING, CAMPAIGN),
    "api": [get(ALL)],
    "api-schema": [get(ALL)],
    "api-department-list": [get(ALL)],
    "api-queue-items": [get(READ_CUSTOMER_SERVICE, CS), get(HR, IN_HR), get(NOBODY, named(department="no-such"))],
    "api-queue-item-detail": [
        get(READ_CUSTOMER_SERVICE, pk(lambda world: world.item("open").pk)),
        get(HR, pk(lambda world: world.item("secret", "hr").pk)),
        get(NOBODY, pk(lambda world: world.item("lost").pk)),
    ],
    **api_items(),
    "api-conversation-detail": _read_conversation(),
    "api-conversation-messages": _read_conversation(),
    "api-conversation-timeline": _read_conversation(),
    "api-conversation-notes": [
        *_read_conversation(),
        post(WORK_CUSTOMER_SERVICE, _in_conversation("open"), sent=named(text="So it is."), refused=ADMIN),
        post(HR, _in_conversation("secret"), sent=named(text="So it is.")),
    ],
    "api-conversation-replies": [
        *_read_conversation(),
        post(NOBODY, _in_conversation("open"), sent=answer("open"), refused=READ_CUSTOMER_SERVICE),
        post(HR, _in_conversation("lost"), sent=answer("lost")),
    ],
    "api-conversation-moderations": [
        *_read_conversation(),
        # What comes by files can not be hidden there: refused with a sentence.
        post(NOBODY, _in_conversation("open"), sent=hide("open"), refused=READ_CUSTOMER_SERVICE),
        post(NOBODY, _in_conversation("lost"), sent=hide("lost"), refused=HR),
    ],
    **{
        f"api-reply-{verb}": [
            post(NOBODY, pk(lambda world: world.reply.pk), sent=named(**sent), refused=READ_CUSTOMER_SERVICE),
            post(NOBODY, pk(lambda world: world.secret_reply.pk), sent=named(**sent), refused=HR),
        ]
        for verb, sent in REPLY_DECISIONS.items()
    },
    # Carl wrote it, and nothing has left.
    "api-reply-revise": [
        post(
            frozenset(("carl",)),
            pk(lambda world: world.reply.pk),
            sent=named(text="So it is."),
            refused=READ_CUSTOMER_SERVICE - {"carl"},
        ),
        post(NOBODY, pk(lambda world: world.secret_reply.pk), sent=named(text="So it is."), refused=HR),
    ],
    "api-decisions": [*_read_conversation(), get(HR, _in_conversation("routed"))],
    "api-contact-list": [get(ALL)],
    "api-contact-detail": [
        get(READ_CUSTOMER_SERVICE | HR, pk(lambda world: world.open.identity.contact_id)),
        get(HR, pk(lambda world: world.secret.identity.contact_id)),
    ],
    "api-search-list": [get(ALL), get(ALL, query="q=parcel")],
    "api-assignment": [
        get({"carla", "cora", "ada"}, named(slug="customer-service"), refused={"mia", "carl"}),
        Use("PUT", HOUSE | {"carla"}, given=named(slug="customer-service"), refused=frozenset(("mia", "carl"))),
        get(HR, named(slug="hr"), refused=ADMIN),
        Use("PUT", HR, given=named(slug="hr"), refused=ADMIN),
    ],
    "api-channels": [get(ALL), post(ADMIN, refused=ALL - ADMIN)],
    "api-channel": [
        get(BRAND, THE_BRAND),
        Use("PATCH", ADMIN, given=THE_BRAND, refused=BRAND - ADMIN),
    ],
    "api-channel-posts": [post(HOUSE, THE_BRAND, sent=named(posts=[]), refused=BRAND - HOUSE)],
    "api-channel-poll": [post(HOUSE, named(slug="demo"), refused=frozenset(("mia", "carl", "carla", "hana", "otto")))],
    "api-channel-check": [post(ADMIN, THE_BRAND, refused=BRAND - ADMIN)],
    "api-channel-fetch-runs": [get(HOUSE | AUDITOR, THE_BRAND, refused=BRAND - HOUSE - AUDITOR)],
    "api-channel-quarantine": [get(HOUSE | AUDITOR, THE_BRAND, refused=BRAND - HOUSE - AUDITOR)],
    # Rules: the house's are no secret, those of a department belong to whoever reads its queue
    "api-rule-sets": [get(ALL)],
    "api-rules-schema": [get(ALL)],
    "api-rule-set": [
        get(WORKERS, rules("house")),
        get(READ_CUSTOMER_SERVICE, rules("customer-service")),
        get(HR, rules("hr")),
    ],
    "api-versions": [
        post(HOUSE, rules("house"), sent=named(rules=[]), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, rules("customer-service"), sent=named(rules=[]), refused={"mia", "carl"}),
        post(HR, rules("hr"), sent=named(rules=[])),
    ],
    "api-version": [
        get(WORKERS, rules("house", 1)),
        get(READ_CUSTOMER_SERVICE, rules("customer-service", 2)),
        get(HR, rules("hr", 1)),
        get(NOBODY, rules("house", 99)),
    ],
    "api-publish": [
        post(HOUSE, rules("house", 1), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, rules("customer-service", 2), refused={"mia", "carl"}),
        post(HR, rules("hr", 2)),
    ],
    # The board's figures
    "api-reports-overview": [get(LEADS | ADMIN)],
    "api-preview": [post(MEMBERS, sent=named(posts=[]), refused={"stranger"})],
}


def example(of: str) -> Callable[[World], dict]:
    return lambda world: {"department": of, "example": world.examples[of].pk}


TYPICAL = named(texts="My parcel never came")
PAGES |= {
    # What people taught: the house chooses, leads see their part; examples are the lead's, of HR nobody else's
    "quality": [get(LEADS | ADMIN)],
    "quality-threshold": [post(HOUSE, sent=named(label="pr", percent="80"), refused=LEADS - HOUSE)],
    "model-live": [post(HOUSE, named(model=1), refused=LEADS - HOUSE), post(NOBODY, named(model=99))],
    "model-back": [post(HOUSE, refused=LEADS - HOUSE)],
    "conversation-confirm": [
        post(WORK_CUSTOMER_SERVICE, of_open, refused=ADMIN),
        post(HR, of_secret),
        post(HR, of_lost),
        post(NOBODY, named(conversation=NO_SUCH_ID)),
    ],
    "department-examples": [
        get({"carla", "cora", "ada"}, CS, refused={"mia", "carl"}),
        post({"carla", "cora", "ada"}, CS, sent=TYPICAL, refused={"mia", "carl"}),
        get(HR, IN_HR, refused=ADMIN),
        post(HR, IN_HR, sent=TYPICAL, refused=ADMIN),
    ],
    "department-example-remove": [
        post({"carla", "cora", "ada"}, example("customer-service"), refused={"mia", "carl"}),
        post(HR, example("hr"), refused=ADMIN),
    ],
}
API |= {
    "api-routing-quality": [get(LEADS | ADMIN)],
    "api-routing-models": [get(LEADS | ADMIN)],
    # The one there is holds nothing: refused with a sentence to those who choose.
    "api-routing-model-activate": [post(NOBODY, named(model=1), refused=LEADS | ADMIN)],
    "api-conversation-confirm-routing": [
        post(WORK_CUSTOMER_SERVICE, _in_conversation("open"), refused=ADMIN),
        post(HR, _in_conversation("secret")),
        post(HR, _in_conversation("lost")),
    ],
}


def _api_version(of: str, number: int) -> Callable[[World], dict]:
    return lambda world: {"pk": world.rules[of].pk, "number": number}


def _api_shadow(of: str) -> Callable[[World], dict]:
    return lambda world: {"pk": world.rules[of].pk, "number": world.shadows[of].number}


def _api_trial(of: str) -> Callable[[World], dict]:
    return pk(lambda world: world.trials[of].pk)


API |= {
    name: [
        get(WORKERS, _api_version("house", 1)),
        get(READ_CUSTOMER_SERVICE, _api_version("customer-service", 2)),
        get(HR, _api_version("hr", 2)),
        get(NOBODY, _api_version("house", 99)),
    ]
    for name in ("api-compare", "api-export")
} | {
    "api-backtest": [
        post(HOUSE, _api_version("house", 1), sent=named(posts=10), refused=WORKERS - HOUSE),
        post(HOUSE | {"carla"}, _api_version("customer-service", 2), sent=named(posts=10), refused={"mia", "carl"}),
        post(HR, _api_version("hr", 2), sent=named(posts=10)),
    ],
    "api-shadow": [
        get(READ_CUSTOMER_SERVICE, _api_shadow("customer-service")),
        get(HR, _api_shadow("hr")),
        get(NOBODY, _api_version("house", 1)),
        # What is live, and what is in the shadow already, can not go there: those who may are told so.
        post(HOUSE, _api_version("house", 1), refused=WORKERS - HOUSE),
        post(HR, _api_shadow("hr")),
        Use("DELETE", HOUSE | {"carla"}, frozenset(("mia", "carl")), _api_shadow("customer-service")),
        Use("DELETE", HR, NOBODY, _api_shadow("hr")),
    ],
    "api-import": [
        post(HOUSE, rules("house"), sent=named(yaml="rules: []"), refused=WORKERS - HOUSE),
        post(HR, rules("hr"), sent=named(yaml="rules: []")),
    ],
    "api-back-tests": [get(ALL)],
    "api-back-test": [
        get({"carla"}, _api_trial("customer-service")),
        get(HR, _api_trial("hr")),
        get(NOBODY, named(pk=NO_SUCH_ID)),
    ],
    "api-back-test-cancel": [post({"carla"}, _api_trial("customer-service")), post(HR, _api_trial("hr"))],
}

POLICY: dict[str, list[Use]] = PAGES | API


@cache
def routes() -> dict[str, tuple[str, URLPattern]]:
    """Every route of the house by its name, with its whole address. One without a name is named by its address, and
    has no policy."""
    return {pattern.name or address: (address, pattern) for address, pattern in _walk(get_resolver())}


def _walk(resolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address, pattern
        else:
            yield from _walk(pattern, address)


def is_api(name: str) -> bool:
    return routes()[name][0].startswith("api/")


def ask(client, address: str, use: Use, world: World):
    """Use the route; whatever it answers."""
    method = getattr(client, use.method.lower())
    sent = use.sent(world)
    if address.startswith("/api/") and use.method != "GET":
        return method(address, json.dumps(sent), content_type="application/json")
    return method(address, sent) if use.method != "GET" else method(address)


def _id(username: str):
    from departments.models import User

    return User.objects.get(username=username).pk
