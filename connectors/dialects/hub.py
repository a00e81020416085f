"""What Meta delivers: who signed it, whether the address is ours, and the events that stand in it. Pure.

Meta signs the very bytes with the app's secret and sends a delivery again until it is answered with 200, so the same
bytes are the same delivery. Several secrets may be good at once, so that a new one can be handed over before the old
one is retired.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.errors import Forged

HEADER = "x-hub-signature-256"
MOST_SECRETS = 10  # nobody hands over more than that, and each costs time
SECOND_LEAST = 1e11  # Meta tells some times in seconds and some in thousandths

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One thing that happened to an account of ours: a change of one of its `field`s, or a message. `at` is when Meta
    told of it."""

    account: str
    field: str
    value: Mapping[str, Any]
    at: datetime


def verify(headers: Mapping[str, str], body: bytes, secrets: str) -> str:
    """The id of a delivery that one of these secrets signed: the digest of its bytes. Raises Forged."""
    claimed = headers.get(HEADER, "")
    known = secrets.split()[:MOST_SECRETS]
    right = [f"sha256={hmac.new(each.encode(), body, hashlib.sha256).hexdigest()}" for each in known]
    # Every one is compared, each in constant time, so that the time that it took tells nothing.
    if not claimed.isascii() or not sum(hmac.compare_digest(each, claimed) for each in right):
        raise Forged("no signature fits")
    return hashlib.sha256(body).hexdigest()


def handshake(params: Mapping[str, str], token: str) -> str:
    """The answer that proves the address ours, for whoever knows the verify token. Raises Forged."""
    asked = params.get("hub.verify_token", "")
    if params.get("hub.mode") != "subscribe" or not token:
        raise Forged("not a question that is answered")
    if not hmac.compare_digest(asked.encode("utf-8", "replace"), token.encode()):
        raise Forged("the verify token is wrong")
    challenge = params.get("hub.challenge", "")
    if not (challenge.isascii() and challenge.isalnum() and len(challenge) <= 200):
        raise Forged("the challenge can not be repeated")
    return challenge


def events_in(body: bytes, about: str) -> Iterator[Event]:
    """The events of a delivery about this kind of object ("page", "instagram"), in the order in which they stand there.
    What is none is passed over and counted in the log. Raises nothing: what was signed is Meta's."""
    said = _json(body)
    ignored = 0
    for each in said if isinstance(said, list) else [said]:
        if not isinstance(each, dict) or each.get("object") != about:
            ignored += 1
            continue
        for entry in _objects(each.get("entry")):
            yield from _events(entry)
    if ignored:
        logger.info("A delivery held %s things that are not about %s.", ignored, about)


def moment(told: Any, otherwise: Any) -> Any:
    """A time in seconds or thousandths since 1970, or as text."""
    if isinstance(told, str) and not told.isdigit():
        try:
            read = datetime.fromisoformat(told)
        except ValueError:
            return otherwise
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    try:
        number = float(told)
        return datetime.fromtimestamp(number / 1000 if number > SECOND_LEAST else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise


def _events(entry: Mapping[str, Any]) -> Iterator[Event]:
    account, at = str(entry.get("id") or ""), moment(entry.get("time"), datetime.now(UTC))
    for change in _objects(entry.get("changes")):
        if isinstance(change.get("value"), dict):
            yield Event(account, str(change.get("field") or ""), change["value"], at)
    if isinstance(entry.get("value"), dict):  # some deliveries of Instagram have no list of changes
        yield Event(account, str(entry.get("field") or ""), entry["value"], at)
    for name in ("messaging", "standby"):
        for message in _objects(entry.get(name)):
            yield Event(account, "messages", message, at)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _objects(said: Any) -> list[Mapping[str, Any]]:
    return [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
