"""What several of the channels' pages say in the same way."""

from uuid import UUID

from django.http import Http404, HttpRequest

from connectors import guides, registry
from connectors.contract import Connector
from connectors.errors import Misconfigured


def network_of(code: str) -> type[Connector]:
    """The network of this code; Http404 when there is none."""
    try:
        return registry.connector_class(code)
    except Misconfigured:
        raise Http404 from None


def shown(network: type[Connector]) -> dict[str, str | bool]:
    """What pages say of a network. Templates would call the class itself."""
    code, signs_in = network.network, network.capabilities.signs_in
    return {"code": code, "name": network.name, "signs_in": signs_in, "guided": code in guides.there_are()}


def whole_or_piece(request: HttpRequest, name: str) -> str:
    """The page, or only what changes in it, drawn from the same piece."""
    return f"connectors/_{name}.html" if request.htmx else f"connectors/{name}.html"


def uuid_in(given: str | None) -> UUID | None:
    try:
        return UUID(given)
    except (TypeError, ValueError):
        return None
