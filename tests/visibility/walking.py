"""Walking through the whole house with everything in one's hands that somebody may have guessed or kept."""

import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import product
from unittest.mock import patch
from uuid import uuid4

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from departments.models import Department, User
from inbox.models import Contact, QueueItem
from socialhub.insights.metrics import METRICS
from tests.visibility.policy import POLICY, routes
from tests.visibility.world import BAITS, World

#: Every narrowing that some page knows, for all pages at once.
NARROWED = "tab=unassigned&department=hr&in=hr&status=resolved&visits=all&q=whistleblow"
TABS = ("tab=unassigned", "tab=waiting", "tab=nothing", "status=resolved", "sort=newest")
#: What streams, what is open to people who are not in yet, and what says only how the API is made.
NOT_WALKED = {"live", "sign-in", "first-admin", "choose-password", "api", "api-schema"}
#: Figures of the whole house for machines; they name no department, and count what nobody has placed yet.
OF_MACHINES = {"metrics", "healthz"}
#: The API calls every id `pk`: of what it is one, by how the route's name begins.
OF_WHAT = {"api-queue-item": "item", "api-contact": "contact", "api-conversation": "conversation"} | {
    "api-decisions": "conversation", "api-rule-set": "rule_set", "api-version": "rule_set", "api-publish": "rule_set",
}  # fmt: skip


def hidden_ids(world: World) -> dict[str, list]:
    """Everything of which the others must not know that it is there, by the names of parameters."""
    conversations = [each for each in (world.secret, world.routed, world.other, world.lost) if each]
    items = list(QueueItem.objects.filter(conversation__in=conversations).values_list("pk", flat=True))
    known = world.open.identity.contact_id
    of_people = Contact.objects.filter(identities__conversations__in=conversations).exclude(pk=known)
    contacts = list(of_people.values_list("pk", flat=True))
    replies = [world.secret_reply.pk] if world.secret_reply else []
    posts = [world.secret_post.pk] if world.secret_post else []
    ids = [each.pk for each in conversations]
    return {
        "conversation": ids,
        "item": items,
        "reply": replies,
        "contact": contacts,
        "number": posts,
        "department": ["hr"],
        "rule_set": [world.rules["hr"].pk],
        "uid": [world.rules["hr"].live.rules[0]["uid"]],
    }


def guessed_ids(world: World) -> dict[str, list]:
    """One of each kind."""
    item = QueueItem.objects.get(conversation=world.secret, department__slug="hr").pk
    kept = QueueItem.objects.get(conversation=world.lost, department__slug="customer-service").pk
    return {name: ids[:1] for name, ids in hidden_ids(world).items()} | {
        "item": [item, kept],
        "conversation": [world.secret.pk, world.lost.pk],
    }


def known_ids(world: World) -> dict[str, list]:
    """What everybody may try, whether they may see it or not."""
    items = QueueItem.objects.filter(conversation__in=[world.open, world.lying]).values_list("pk", flat=True)
    contact = world.open.identity.contact_id
    return {
        "conversation": [world.open.pk, world.lying.pk],
        "item": list(items),
        "reply": [world.reply.pk],
        "contact": [contact],
        "number": [world.post.pk],
        "department": [each.slug for each in Department.objects.all() if each.slug != "hr"],
        "slug": ["brand", "demo"],
        "rule_set": [world.rules["house"].pk, world.rules["customer-service"].pk],
        "uid": ["press"],
        "person": [User.objects.get(username="carl").pk],
        "token": [world.tokens["carl"].pk],
        "metric": list(METRICS),
    }


def readable() -> Iterator[str]:
    """The routes that answer with something to read."""
    for name, stated in POLICY.items():
        if name in routes() and name not in NOT_WALKED and any(use.method == "GET" for use in stated):
            yield name


def addresses(name: str, *ids: dict[str, list]) -> Iterator[str]:
    """Every address of the route that these ids make."""
    named = {one: _choices(name, one, ids) for one in parameters(name)}
    for chosen in product(*named.values()):
        yield reverse(name, kwargs=dict(zip(named, chosen, strict=True)))


def parameters(name: str) -> list[str]:
    pattern = routes()[name][1].pattern
    return list(pattern.converters or pattern.regex.groupindex)


def of_what(name: str, parameter: str) -> str:
    """Of what the parameter is the id: `item`, `conversation` …"""
    begins = (what for start, what in OF_WHAT.items() if name.startswith(start))
    return next(begins, parameter) if parameter == "pk" else parameter


def _choices(name: str, parameter: str, ids) -> list:
    if parameter == "number" and "outside" not in name:
        return [1, 2]  # of a version
    found = [each for given in ids for each in given.get(of_what(name, parameter), [])]
    return found or (["take"] if parameter == "verb" else [uuid4()])


def walk(*ids: dict[str, list], without: Collection[str] = ()) -> Iterator[str]:
    """Every address that can be read, with the questions that somebody may ask there."""
    for name in filter(lambda name: name not in without, readable()):
        plain = list(addresses(name, *ids))
        yield from plain
        if not set(parameters(name)) - {"department", "metric"}:
            yield from (f"{address}?{NARROWED}" for address in plain)
        if "search" in name or "contact" in name:
            yield from (f"{plain[0]}?{urlencode({'q': bait, 'limit': 1})}" for bait in BAITS)
        if name in ("inbox", "queue", "api-queue-items"):
            yield from (f"{address}?{tab}" for address in plain for tab in TABS)


# What an answer says ------------------------------------------------------------------------------------------------

_MASKS = (
    (rb'(name="csrfmiddlewaretoken" value=")[^"]*', rb"\1"),
    (rb'("X-CSRFToken": ?")[^"]*', rb"\1"),
    (rb"(csrf[-_]?token[^>]{0,40}?(?:value|content)=[\"'])[^\"']*", rb"\1"),
    (rb'(nonce=")[^"]*', rb"\1"),
)
_PASSING_HEADERS = {"X-Request-ID", "Expires", "Content-Length", "Content-Security-Policy", "Set-Cookie"}


def said(answer, *, without: tuple = ()) -> bytes:
    """All that an answer tells: its status, its headers, its body, without what is drawn by lot each time."""
    if answer.streaming:
        return str(answer.status_code).encode()
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in _PASSING_HEADERS)
    whole = repr((answer.status_code, headers)).encode() + b"\n" + answer.content
    for pattern, put in _MASKS:
        whole = re.sub(pattern, put, whole)
    for each in without:
        whole = whole.replace(str(each).encode(), b"*")
    return whole


def standing_time():
    """Time stands still, so that two answers differ in nothing but what they tell."""
    moment = timezone.now()
    return patch.object(timezone, "now", lambda: moment)


def everything_stored() -> dict[str, str]:
    """A digest of every table but those that remember who is signed in and when they were last here."""
    digests = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in {"django_session", "departments_user"}:
                continue
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            digests[table] = sha256("\n".join(row[0] for row in cursor.fetchall()).encode()).hexdigest()
    return digests
