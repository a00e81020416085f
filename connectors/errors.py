"""What can go wrong with a network, named after what to do next. The docstring is the sentence that people read."""

from collections.abc import Iterable, Mapping
from datetime import datetime


class ConnectorError(Exception):
    """The network could not be used."""

    def __init__(self, detail: str = ""):
        self.detail = detail
        super().__init__(detail or self.sentence)

    @property
    def sentence(self) -> str:
        return " ".join((type(self).__doc__ or "").split())


class Unreachable(ConnectorError):
    """No answer, or an answer that makes no sense: trying again later."""


class NoSuchHost(Unreachable):
    """No server is known by the name in this address."""


class NotTrusted(Unreachable):
    """The server can not prove who it is (its certificate is wrong or too old), so nothing was asked."""


class AddressRefused(Unreachable):
    """The address leads into a private or reserved network, so it was not opened. If the server stands in your own
    network, allow private addresses in the settings."""


class PortRefused(AddressRefused):
    """The address names a port other than 80 and 443, so it was not opened. If the server stands in your own network,
    allow private addresses in the settings."""


class RedirectRefused(Unreachable):
    """The network sends us on to an address that must not be opened: a private one, a port of its own, or none of the
    web."""


class TooManyRedirects(Unreachable):
    """The network sends us on from address to address without end."""


class TooSlow(Unreachable):
    """The answer was not there in the time that we wait, so we let go."""


class TooLarge(Unreachable):
    """The answer is larger than we read, so it was not taken in."""


class MakesNoSense(Unreachable):
    """The answer can not be understood."""


class NotThere(Unreachable):
    """The network says that there is nothing at this address."""


class NotAFeed(Unreachable):
    """What stands at this address is no feed (RSS, Atom or JSON Feed)."""


class HostileFeed(Unreachable):
    """The feed is made so that reading it takes time or memory without end, or reaches for files; it was not read."""


class ServerFailed(Unreachable):
    """The network says that it has trouble of its own."""


class RateLimited(ConnectorError):
    """The network asks us to wait."""

    def __init__(self, detail: str = "", until: datetime | None = None):
        super().__init__(detail)
        self.until = until


class QuotaExhausted(RateLimited):
    """The network’s quota for our program is used up: it goes on when the network begins to count anew."""


class BudgetSpent(RateLimited):
    """What this channel may cost is spent: it goes on in the next period, or when an admin raises the budget."""


class CreditsUsedUp(RateLimited):
    """The credits with the network are used up, so it answers nothing: somebody has to top them up there. We look again
    every hour."""


class NotAuthorized(ConnectorError):
    """The network does not accept our credentials: somebody has to connect the channel again."""


class MissingScope(NotAuthorized):
    """The network does not allow this channel enough: somebody has to connect it again and grant what is missing."""

    def __init__(self, detail: str = "", scopes: Iterable[str] = ()):
        super().__init__(detail)
        self.scopes = tuple(scopes)


class Misconfigured(ConnectorError):
    """The channel's settings can not be used: somebody has to correct them."""

    def __init__(self, detail: str = "", fields: Mapping[str, str] | None = None):
        super().__init__(detail or " ".join((fields or {}).values()))
        self.fields = dict(fields or {})


class Gone(Misconfigured):
    """The network says that what stood at this address is gone for good: somebody has to find its new address or close
    the channel."""


class WrongKey(NotAuthorized):
    """The channel's credentials were encrypted with a key that is not among CREDENTIAL_KEYS any more: put that key
    back, or enter the credentials again."""


class Rejected(ConnectorError):
    """The network refused this reply."""


class DuplicateContent(Rejected):
    """The network refused this reply because it says the same as one before."""


class WindowClosed(Rejected):
    """The time in which the network lets us answer this message is over."""


class NotAllowed(Rejected):
    """The network does not allow us to answer this message."""


class NotSent(ConnectorError):
    """The reply certainly did not leave: it will be sent later."""


class MaybeSent(ConnectorError):
    """Nobody knows whether the network took the reply."""


class Forged(ConnectorError):
    """A delivery was not signed by anybody whom we know."""
