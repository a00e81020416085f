"""What Meta's networks refuse, by code and subcode, in our words. Pure.

`reading` and `writing` differ in doubt: what could not be read is asked again, what may have been written never is.
Nothing of the token or of the app's secret stands in any error, though Meta likes to repeat them.

Codes: developers.facebook.com, "Handling errors" and "Common error codes" of the Messenger Platform, March 2026.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.dialects import meters
from connectors.errors import (
    ConnectorError,
    DuplicateContent,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotSent,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
    WindowClosed,
)
from connectors.http import Answer

TOKEN = frozenset((102, 190, 467))
LIMITS = frozenset((4, 17, 32, 613, *range(80_000, 80_015)))
SCOPES = frozenset((3, 10, *range(200, 300)))
PASSING = frozenset((-1, 1, 2, 341, 1200))
BLOCKED, DUPLICATE, WITHDRAWN, WRONG = 368, 506, 12, 100
#: Code 10 says "not allowed"; these of its subcodes say that it is too late.
TOO_LATE = frozenset((2018065, 2018278, 2534022))
#: The person takes no messages from us: blocked, gone, or never wrote.
NOT_REACHED = {(10, 2018108), (551, 1545041), (200, 1545041), (100, 2018001), (551, 0), (100, 2534014)}
RESTRICTED = (10, 1893063)
ANSWERED, UNANSWERABLE = 10900, 10903  # private replies to comments
GONE = {(100, 33), (803, 0), (100, 2018047)}
UNPUBLISHED = (24, 2207006, 2207027, 4279009)  # a container that Threads does not know, or not yet

WHY_LOST = {
    458: "the app was removed from the account of the person who connected it",
    459: "the person who connected it has to sign in to Facebook and confirm something there",
    460: "the person who connected it has changed their password",
    463: "its time is over",
    464: "the account of the person who connected it is not confirmed",
    467: "the person who connected it has signed out or withdrawn it",
    492: "the person who connected it has no role on the Page any more",
}
LONGEST = 200

_scope = re.compile(r"\b(?:pages|instagram|threads|business)_[a-z_]+\b")


def reading(error: Exception, answer: Answer | None, hidden: Iterable[str] = ()) -> ConnectorError:
    """What a refusal to be read means."""
    said, status = _told(error), answer.status if answer else 0
    code, subcode = _codes(said)
    if known := _always(said, answer, hidden):
        return known
    if code in PASSING or status >= 500:
        return ServerFailed(f"The network answered {status or 'an error'}.")
    if not said:
        return MakesNoSense(f"What the network answered ({status}) is no JSON.")
    if (code, subcode) in GONE or code == WITHDRAWN:
        return NotThere(_sentence(said, hidden))
    if code == BLOCKED:
        return RateLimited(f"The network has blocked this app or account for a while: {_sentence(said, hidden)}")
    return MakesNoSense(f"The network answered with error {code}: {_sentence(said, hidden)}")


def writing(error: Exception, answer: Answer | None, hidden: Iterable[str] = ()) -> ConnectorError:
    """What a refusal to be written to means: a Rejected, RateLimited or NotAuthorized is certain, the rest is doubt."""
    said, status = _told(error), answer.status if answer else 0
    code, subcode = _codes(said)
    if refused := _refused(code, subcode):
        return refused
    if known := _always(said, answer, hidden):
        return known
    if not said or code in PASSING or status >= 500:
        return MaybeSent(f"The network answered {status or 'an error'}.")
    if (code, subcode) in GONE:
        return Rejected("What this is about is not there any more, or can not be seen by us.")
    return Rejected(_sentence(said, hidden))


@contextmanager
def before_writing() -> Iterator[None]:
    """What has to be looked up before something is written: whatever goes wrong there, nothing was written yet."""
    try:
        yield
    except (Rejected, RateLimited, NotAuthorized):
        raise
    except NotThere:
        raise Rejected("What this is about is not there any more, or can not be seen by us.") from None
    except ConnectorError as error:
        raise NotSent(error.detail or error.sentence) from None


class NotKnown(Rejected):
    """The network does not know what this is about, or, of a container, not yet: nothing was published."""


def _refused(code: int, subcode: int) -> ConnectorError | None:
    """What only writing meets."""
    if subcode in TOO_LATE:
        return WindowClosed("It is more than 24 hours since they wrote: the network takes no answer any more.")
    if (code, subcode) == RESTRICTED:
        return NotAllowed("Facebook does not let this Page send messages for now; its admins find why in Page Quality.")
    if (code, subcode) in NOT_REACHED:
        return NotAllowed("This person takes no messages from us.")
    if code == ANSWERED:
        return NotAllowed("It was answered privately before, and the network allows that once.")
    if code == UNANSWERABLE:
        return NotAllowed("The network does not allow a private answer to this.")
    if code == UNPUBLISHED[0] or subcode in UNPUBLISHED[1:]:
        return NotKnown("What this is about is not there any more, or can not be seen by us.")
    if code == DUPLICATE:
        return DuplicateContent("The network refused it because it says the same as one before.")
    if code == BLOCKED:
        return NotAllowed("The network has blocked this for a while, because it takes it for a breach of its rules.")
    return None


def _always(said: Mapping[str, Any], answer: Answer | None, hidden: Iterable[str]) -> ConnectorError | None:
    """What means the same whether we read or write."""
    code, subcode = _codes(said)
    status = answer.status if answer else 0
    if code in LIMITS or status == 429:
        return RateLimited("The network asks us to wait.", until=meters.regained(answer.headers) if answer else None)
    if code in TOKEN or (not said and status == 401):
        why = WHY_LOST.get(subcode, "it was withdrawn or is too old")
        return NotAuthorized(f"The access token is not good any more: {why}.")
    sentence = _sentence(said, hidden)
    if code in SCOPES or (code == WRONG and "permission" in sentence and _scope.search(sentence)):
        return MissingScope(sentence, scopes=dict.fromkeys(_scope.findall(sentence)))
    return None


def _told(error: Exception) -> Mapping[str, Any]:
    """The error object of the answer, which the library keeps but does not read; empty when there is none."""
    result = getattr(error, "result", None)
    said = result.get("error") if isinstance(result, dict) else None
    return said if isinstance(said, dict) else {}


def _codes(said: Mapping[str, Any]) -> tuple[int, int]:
    code, subcode = said.get("code"), said.get("error_subcode")
    return (code if isinstance(code, int) else 0), (subcode if isinstance(subcode, int) else 0)


def _sentence(said: Mapping[str, Any], hidden: Iterable[str]) -> str:
    """What the network says itself, for people if it says that, without our secrets."""
    text = " ".join(str(said.get("error_user_msg") or said.get("message") or "it does not say why").split())
    for secret in filter(None, hidden):
        text = text.replace(secret, "•••")
    return text[:LONGEST]
