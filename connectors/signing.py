"""Deliveries signed as Standard Webhooks asks (standardwebhooks.com): the sender's HMAC over id, time and the very
bytes of the body, in three headers. Pure: knows no request and no database.

Several secrets may be good at once, so that a new one can be handed over before the old one is retired.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.errors import Forged

PREFIX = "whsec_"
WINDOW = timedelta(minutes=5)  # how far a sender's clock, and a delivery's way to us, may be off
LONGEST_ID = 255
SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes, as the specification says
MOST_SIGNATURES = 10  # nobody hands over more secrets than that, and each costs time


@dataclass(frozen=True)
class Signed:
    """A delivery whose signature is right. `id` is the same whenever it is sent again."""

    id: str
    at: datetime


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secrets_in(text: str) -> list[str]:
    """The secrets that stand here, spaces or commas between them. Raises ValueError, which repeats none of them."""
    found = text.replace(",", " ").split()
    for each in found:
        _key(each)
    return found


def sign(secret: str, body: bytes, *, id: str, at: datetime) -> dict[str, str]:
    """The headers that go with this body. `at` has a zone."""
    moment = str(int(at.timestamp()))
    return {
        "webhook-id": id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{_signature(_key(secret), id, moment, body)}",
    }


def verify(headers: Mapping[str, str], body: bytes, known: Iterable[str], *, now: datetime | None = None) -> Signed:
    """The delivery, if one of the known secrets signed exactly this, and lately. Raises Forged with the reason, which
    is for our own log: a sender learns none."""
    id, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = [each.partition(",") for each in headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]]
    claimed = [signature for version, _, signature in given if version == "v1" and signature.isascii()]
    right = [_signature(_key(each), id, moment, body) for each in known]
    # Every pair is compared, each in constant time, so that the time that it took tells nothing.
    if not sum(hmac.compare_digest(ours, theirs) for ours in right for theirs in claimed):
        raise Forged("no signature fits")
    # A dot in it would let the same signed bytes be cut into another id, time and body.
    if not 0 < len(id) <= LONGEST_ID or not id.isascii() or not id.isprintable() or "." in id:
        raise Forged("the id can not be used")
    at = _moment(moment)
    if abs(at - (now or datetime.now(UTC))) > WINDOW:
        raise Forged("signed too long ago, or in the future")
    return Signed(id, at)


def _moment(said: str) -> datetime:
    if not (said.isascii() and said.isdigit() and len(said) < 12):
        raise Forged("the time can not be read")
    return datetime.fromtimestamp(int(said), UTC)


def _signature(key: bytes, id: str, moment: str, body: bytes) -> str:
    content = f"{id}.{moment}.".encode("utf-8", "surrogateescape") + body
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError(
            f"A signing secret is {PREFIX} and {SHORTEST_SECRET} to {LONGEST_SECRET} random bytes in base64."
        )
    return key
