"""Posts and rules for these tests, in a line each."""

from datetime import UTC, datetime

from routing.deciding import Book, Named, RuleSets
from routing.facts import Facts
from routing.rules import Known, read_rule

NAMES = {
    "customer-service": "Customer service",
    "pr": "PR",
    "marketing": "Marketing",
    "hr": "HR",
    "rnd": "R&D",
    "triage": "Triage",
}
KNOWN = Known(
    NAMES,
    people=frozenset(["carl", "carla", "pia"]),
    lists=frozenset(["press", "vip"]),
    campaigns=frozenset(["summer"]),
)
DEPARTMENTS = {slug: Named(name, confidential=slug == "hr") for slug, name in NAMES.items()}


def facts(text="", **more) -> Facts:
    """A mention on X on Monday the 4th of May 2026, 22:00 UTC, unless something else is said."""
    usual = {"network": "x", "channel": "acme-x", "kind": "mention", "created_at": datetime(2026, 5, 4, 22, tzinfo=UTC)}
    return Facts(text=text, **usual | more)


def says(*terms, op="any"):
    return {"field": "text", "op": op, "value": list(terms)}


def rule(name, when, *, own=False, on=True, uid=None, **then):
    """A rule as it is read from JSON: `rule("Parcels", says("parcel"), place="customer-service")`."""
    data = {"uid": uid or name.lower().replace(" ", "-"), "name": name, "on": on, "when": when, "then": then}
    return read_rule(data, KNOWN, own=own)


def house(*rules, own=None) -> RuleSets:
    """What is in force: the house's rules and, by slug, those of departments."""
    books = {slug: Book(f"own-{slug}", 1, each) for slug, each in (own or {}).items()}
    return RuleSets(house=Book("house-1", 1, rules), departments=DEPARTMENTS, own=books)
