"""What can go wrong with a network, named after what to do next. The docstring is the sentence that people read."""

from collections.abc import Mapping
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


class RateLimited(ConnectorError):
    """The network asks us to wait."""

    def __init__(self, detail: str = "", until: datetime | None = None):
        super().__init__(detail)
        self.until = until


class NotAuthorized(ConnectorError):
    """The network does not accept our credentials: somebody has to connect the channel again."""


class Misconfigured(ConnectorError):
    """The channel's settings can not be used: somebody has to correct them."""

    def __init__(self, detail: str = "", fields: Mapping[str, str] | None = None):
        super().__init__(detail or " ".join((fields or {}).values()))
        self.fields = dict(fields or {})


class WrongKey(NotAuthorized):
    """The channel's credentials were encrypted with a key that is not among CREDENTIAL_KEYS any more: put that key
    back, or enter the credentials again."""


class Rejected(ConnectorError):
    """The network refused this reply."""


class NotSent(ConnectorError):
    """The reply certainly did not leave: it will be sent later."""


class MaybeSent(ConnectorError):
    """Nobody knows whether the network took the reply."""
