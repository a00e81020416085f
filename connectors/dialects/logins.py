"""Signing in at Meta's networks. All answer a code with a token that lasts for an hour; Facebook gives one that gives
Pages for it, Instagram and Threads one of 60 days, which is renewed before its end and never after.

What only we may know goes in a body or a header, also where Meta's documents put it into the address.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import tokens
from connectors.dialects.graph import Graph
from connectors.dialects.meta import objects
from connectors.errors import MakesNoSense, NotAuthorized, NotThere

MOST_LISTS, PAGES = 10, 100
DAYS_60 = 60 * 24 * 3600
AGAIN = "The network does not take this sign-in: begin it once more."


def token_for(graph: Graph, **form: str) -> Mapping[str, Any]:
    """What a network says to a code, with its token. Raises NotAuthorized when it does not take it."""
    try:
        said = graph.ask("oauth/access_token", **form).said
    except (MakesNoSense, NotThere):
        raise NotAuthorized(AGAIN) from None
    told = said.get("data")
    if isinstance(told, list) and told and isinstance(told[0], dict):  # as Instagram's documents have it
        said = told[0]
    if not isinstance(said.get("access_token"), str) or not said["access_token"]:
        raise NotAuthorized(AGAIN)
    return said


def of_sixty_days(graph: Graph, grant: str, secret: str) -> dict[str, str]:
    """Credentials of 60 days for the hour's token with which `graph` asks. `grant` is "ig" or "th"."""
    asked = {"grant_type": f"{grant}_exchange_token", "client_secret": secret, "method": "get"}
    return _lasting(graph.ask("access_token", version="", **asked).said)


def entered(credentials: Mapping[str, str]) -> dict[str, str]:
    """Credentials whose token an admin entered. Nobody says how long it lasts, so it is renewed in a day: not before,
    for the network wants it to be a day old, and then its end is known."""
    if not credentials.get("access_token"):
        return dict(credentials)
    issued = datetime.now(UTC) + timedelta(days=1) - tokens.RENEW_AT * timedelta(seconds=DAYS_60)
    return dict(credentials) | tokens.lasting(DAYS_60, issued)


def renewed(graph: Graph, grant: str, before: Mapping[str, str]) -> dict[str, str]:
    """All credentials with another 60 days. Raises NotAuthorized when the network wants a person: the token is not yet
    a day old, or its time is over."""
    try:
        said = graph.get("refresh_access_token", version="", grant_type=f"{grant}_refresh_token").said
    except (MakesNoSense, NotThere) as error:
        if isinstance(error, NotThere) or error.detail.startswith("The network answered with error"):
            raise NotAuthorized("The network does not renew the access token.") from None
        raise
    return {name: value for name, value in before.items() if name not in tokens.LIFE} | _lasting(said)


def pages(graph: Graph, fields: str) -> list[Mapping[str, Any]]:
    """The Facebook Pages that were granted, each with a token of its own."""
    place: Mapping[str, str] = {}
    found: list[Mapping[str, Any]] = []
    for _ in range(MOST_LISTS):
        heard = graph.get("me/accounts", fields=f"id,name,access_token,{fields}", limit=PAGES, **place)
        found += [each for each in objects(heard.said) if each.get("id") and each.get("access_token")]
        if not (place := heard.following):
            break
    return found


def _lasting(said: Mapping[str, Any]) -> dict[str, str]:
    token, seconds = said.get("access_token"), said.get("expires_in")
    if not isinstance(token, str) or not token:
        raise MakesNoSense("The network did not say a token.")
    told = isinstance(seconds, int) and 0 < seconds <= 10 * DAYS_60
    return {"access_token": token} | tokens.lasting(seconds if told else DAYS_60)
