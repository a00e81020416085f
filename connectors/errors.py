"""What can go wrong with a network, named after what to do next. The docstring is the sentence that people read, and
`todo` what they are told to do about it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar, Literal

WAIT = "Nothing has to be done: it is tried again by itself, at growing distances."


class ConnectorError(Exception):
    """The network could not be used."""

    #: What an admin can do about it, and where on our pages that is done: by connecting again, or in the settings.
    todo: ClassVar[str] = WAIT
    mended_in: ClassVar[Literal["", "connection", "settings"]] = ""

    def __init__(self, detail: str = ""):
        self.detail = detail
        super().__init__(detail or self.sentence)

    @property
    def sentence(self) -> str:
        return " ".join((type(self).__doc__ or "").split())


class Unreachable(ConnectorError):
    """No answer, or an answer that makes no sense: trying again later."""

    todo = f"{WAIT} If it lasts, look at the network’s own status page."


class NoSuchHost(Unreachable):
    """No server is known by the name in this address."""

    todo = "Look whether the address in the settings is spelled right, and whether the server still exists."
    mended_in = "settings"


class NotTrusted(Unreachable):
    """The server can not prove who it is (its certificate is wrong or too old), so nothing was asked."""

    todo = "Ask whoever runs the server to renew its certificate; until then nothing is asked."


class AddressRefused(Unreachable):
    """The address leads into a private or reserved network, so it was not opened. If the server stands in your own
    network, allow private addresses in the settings."""

    todo = "Correct the address in the settings, or allow private addresses there."
    mended_in = "settings"


class PortRefused(AddressRefused):
    """The address names a port other than 80 and 443, so it was not opened. If the server stands in your own network,
    allow private addresses in the settings."""


class RedirectRefused(Unreachable):
    """The network sends us on to an address that must not be opened: a private one, a port of its own, or none of the
    web."""

    todo = "Look where the address leads, and set it to where it should."
    mended_in = "settings"


class TooManyRedirects(Unreachable):
    """The network sends us on from address to address without end."""

    todo = "Look where the address leads, and set it to where it should."
    mended_in = "settings"


class TooSlow(Unreachable):
    """The answer was not there in the time that we wait, so we let go."""

    todo = f"{WAIT} If it lasts, the server is overloaded or far away: ask whoever runs it."


class TooLarge(Unreachable):
    """The answer is larger than we read, so it was not taken in."""

    todo = "Ask whoever runs the server for a smaller page, such as a feed with fewer entries."
    mended_in = "settings"


class MakesNoSense(Unreachable):
    """The answer can not be understood."""

    todo = f"{WAIT} If it lasts, the network has changed what it answers: a newer Social Hub may know it."


class NotThere(Unreachable):
    """The network says that there is nothing at this address."""

    todo = "Look whether the address in the settings is right and whether the account or page still exists."
    mended_in = "settings"


class NotAFeed(Unreachable):
    """What stands at this address is no feed (RSS, Atom or JSON Feed)."""

    todo = "Set the address of the feed itself; pages often name it behind a sign for RSS."
    mended_in = "settings"


class HostileFeed(Unreachable):
    """The feed is made so that reading it takes time or memory without end, or reaches for files; it was not read."""

    todo = "Tell whoever runs the feed. Until it is mended, pause this channel."


class ServerFailed(Unreachable):
    """The network says that it has trouble of its own."""

    todo = f"{WAIT} The network’s own status page often says how long it will take."


class RateLimited(ConnectorError):
    """The network asks us to wait."""

    todo = "Nothing has to be done: we wait as long as it asks. If it happens often, look less often."
    mended_in = "settings"

    def __init__(self, detail: str = "", until: datetime | None = None):
        super().__init__(detail)
        self.until = until


class QuotaExhausted(RateLimited):
    """The network’s quota for our program is used up: it goes on when the network begins to count anew."""

    todo = "Look less often or ask the network for more quota; else it goes on by itself."


class BudgetSpent(RateLimited):
    """What this channel may cost is spent: it goes on in the next period, or when an admin raises the budget."""

    todo = "Raise the budget in the settings, look less often, or wait for the next period."


class CreditsUsedUp(RateLimited):
    """The credits with the network are used up, so it answers nothing: somebody has to top them up there. We look again
    every hour."""

    todo = "Top up the credits in the network’s own console; then press Look now."
    mended_in = ""


class NotAuthorized(ConnectorError):
    """The network does not accept our credentials: somebody has to connect the channel again."""

    todo = "Connect the channel again; it goes on from where it stopped."
    mended_in = "connection"


class NotConnected(NotAuthorized):
    """Nobody has connected this channel yet."""

    todo = "Connect it; what is read then goes back as many days as its settings say."


class MissingScope(NotAuthorized):
    """The network does not allow this channel enough: somebody has to connect it again and grant what is missing."""

    todo = "Connect the channel again and grant on the network’s page all that is asked for."

    def __init__(self, detail: str = "", scopes: Iterable[str] = ()):
        super().__init__(detail)
        self.scopes = tuple(scopes)


class Misconfigured(ConnectorError):
    """The channel's settings can not be used: somebody has to correct them."""

    todo = "Correct the settings; it goes on from where it stopped."
    mended_in = "settings"

    def __init__(self, detail: str = "", fields: Mapping[str, str] | None = None):
        super().__init__(detail or " ".join((fields or {}).values()))
        self.fields = dict(fields or {})


class Gone(Misconfigured):
    """The network says that what stood at this address is gone for good: somebody has to find its new address or close
    the channel."""

    todo = "Find the new address and set it, or pause this channel."


class WrongKey(NotAuthorized):
    """The channel's credentials were encrypted with a key that is not among CREDENTIAL_KEYS any more: put that key
    back, or enter the credentials again."""

    todo = "Put the old key back among CREDENTIAL_KEYS and start anew, or connect the channel again."


class Rejected(ConnectorError):
    """The network refused this reply."""

    todo = "Read the reason, change the reply, and send it again from the conversation."


class DuplicateContent(Rejected):
    """The network refused this reply because it says the same as one before."""

    todo = "Say it in other words, and send it again from the conversation."


class WindowClosed(Rejected):
    """The time in which the network lets us answer this message is over."""

    todo = "Answer in another way, such as on a public post or by e-mail."


class NotAllowed(Rejected):
    """The network does not allow us to answer this message."""

    todo = "Answer on the network itself, or in another way."


class NotSent(ConnectorError):
    """The reply certainly did not leave: it will be sent later."""

    todo = "Nothing has to be done: the reply is sent when the network can be reached."


class MaybeSent(ConnectorError):
    """Nobody knows whether the network took the reply."""

    todo = "We look for it on the network; if it is not found, somebody is asked in the conversation."


class Forged(ConnectorError):
    """A delivery was not signed by anybody whom we know."""

    todo = "If deliveries are missing, enter the same secret here and at the network."
    mended_in = "connection"


def named(code: str) -> type[ConnectorError] | None:
    """The error of this name, as it is kept beside a channel; None for one that is not the network's."""
    return next((each for each in _all(ConnectorError) if each.__name__ == code), None)


def _all(kind: type[ConnectorError]) -> Iterator[type[ConnectorError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all(each)
