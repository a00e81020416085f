"""Being let to a Facebook Page: what the app has to be granted, from the code that the browser brings back to the Pages
that a person manages, each with a token of its own, and what Facebook delivers of one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Account
from connectors.dialects import logins
from connectors.dialects.graph import Graph, node
from connectors.dialects.meta import objects
from connectors.errors import MissingScope, NotAuthorized

#: What the app has to be granted, and what for.
SCOPES = {
    "pages_show_list": "find the Page",
    "pages_manage_metadata": "be told by Facebook at once",
    "pages_read_engagement": "read the Page’s own posts",
    "pages_read_user_content": "read comments, visitors’ posts and reviews",
    "pages_manage_engagement": "answer, like, hide and remove comments",
    "pages_messaging": "read and answer messages",
}
#: What a part of the Page is read with, where Facebook refuses it without saying so.
NEEDS, NEEDED = {"messages": "pages_messaging"}, "pages_read_user_content"
DELIVERED = ("feed", "mention", "ratings")
DELIVERED_MESSAGES = ("messages", "message_echoes", "message_edits", "standby")


def needed(messages: bool) -> dict[str, str]:
    """What has to be granted, with messages or without."""
    return {each: what for each, what in SCOPES.items() if messages or each != NEEDS["messages"]}


def wanted(messages: bool) -> tuple[str, ...]:
    """What Facebook is to deliver."""
    return DELIVERED + (DELIVERED_MESSAGES if messages else ())


def not_delivered(graph: Graph, page: str, app: str, fields: Iterable[str]) -> list[str]:
    """Which of these Facebook was not told to deliver of this Page to our app, if it is known which app that is. All of
    them when we may not know; none when it delivers to us and does not say what."""
    try:
        heard = graph.get(node(page, "subscribed_apps"), fields="id,subscribed_fields")
    except MissingScope:
        return list(fields)
    ours = [each for each in objects(heard.said) if not app or str(each.get("id")) == app]
    told = [each["subscribed_fields"] for each in ours if isinstance(each.get("subscribed_fields"), list)]
    if len(told) < len(ours):
        return []
    return [each for each in fields if not any(each in one for one in told)]


def managed(way: Graph, app: str, code: str, back: str) -> list[Mapping[str, Any]]:
    """The Pages of whoever brings this code, as far as they allowed them. `way` leads to Facebook without a token, with
    the app's secret. Raises NotAuthorized when there are none, and when the code is not taken."""
    own = {"client_id": app, "client_secret": way.secret}
    brief = logins.token_for(way, code=code, redirect_uri=back, **own)["access_token"]
    lasting = logins.token_for(way, grant_type="fb_exchange_token", fb_exchange_token=brief, **own)["access_token"]
    found = logins.pages(replace(way, token=lasting), "tasks")
    if not found:
        raise NotAuthorized("No Page was granted: choose one on Facebook’s page, and allow all that is asked for.")
    return found


def account(page: Mapping[str, Any], ends: datetime | None) -> Account:
    """A Page to choose. Its token has no end of its own; what ends is Meta's permission to use it."""
    id, name = str(page["id"]), str(page.get("name") or page["id"])
    now = datetime.now(UTC).isoformat()
    lasts = {"issued_at": now, "expires_at": ends.isoformat(), "renewable": "no"} if ends else {}
    return Account(name, {"page": id}, {"access_token": str(page["access_token"]), **lasts})
