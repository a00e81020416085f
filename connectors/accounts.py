"""Which account a channel’s credentials are for: asked of its network once, then known. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

from connectors.contract import Connector


def told(connector: Connector, name: str) -> Mapping[str, Any] | None:
    """Where the account stands under this name: among the credentials that a sign-in gave, or in what the network said
    to these very credentials; None when it has to be asked."""
    if connector.credentials.get(name):
        return connector.credentials
    is_known = connector.known.get(name) and connector.known.get("of") == mark(connector)
    return connector.known if is_known else None


def mark(connector: Connector) -> str:
    """By which to know credentials again (`known["of"]`); none of them can be told from it."""
    token = connector.credentials.get("refresh_token") or connector.credentials.get("access_token", "")
    return hashlib.sha256(f"{connector.network} {token}".encode()).hexdigest()[:12]
