"""Being let to a Facebook Page: what the app has to be granted, from the code that the browser brings back to the Pages
that a person manages, each with a token of its own, and what Facebook delivers of one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Account
from connectors.errors import MakesNoSense, MissingScope, NotAuthorized, NotThere
from connectors.graph import Graph, node
from connectors.meta import objects

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
AT_ONCE, MOST_LISTS = 100, 10


def needed(messages: bool) -> dict[str, str]:
    """What has to be granted, with messages or without."""
    return {each: what for each, what in SCOPES.items() if messages or each != NEEDS["messages"]}


def wanted(messages: bool) -> tuple[str, ...]:
    """What Facebook is to deliver."""
    return DELIVERED + (DELIVERED_MESSAGES if messages else ())


def delivered(graph: Graph, page: str, app: str) -> set[str]:
    """What Facebook was told to deliver of this Page to our app, if it is known which that is; nothing when we may not
    know."""
    try:
        heard = graph.get(node(page, "subscribed_apps"), fields="id,subscribed_fields")
    except MissingScope:
        return set()
    apps = [each for each in objects(heard.said) if not app or str(each.get("id")) == app]
    return {str(field) for each in apps for field in each.get("subscribed_fields") or ()}


def token(graph: Graph, app: str, **form: str) -> str:
    """A token of the person, for a code or for a token that lasts an hour. What only we may know goes in the body.
    Raises NotAuthorized when Facebook does not take it."""
    try:
        said = graph.ask("oauth/access_token", client_id=app, client_secret=graph.secret, **form).said
    except (MakesNoSense, NotThere):
        raise NotAuthorized("Facebook does not take this sign-in: begin it once more.") from None
    if not isinstance(told := said.get("access_token"), str) or not told:
        raise MakesNoSense("Facebook did not say a token.")
    return told


def managed(graph: Graph) -> list[Mapping[str, Any]]:
    """The Pages of the person whose token this is, as far as they allowed them. Raises NotAuthorized when they are
    none."""
    place: dict[str, str] = {}
    found: list[Mapping[str, Any]] = []
    for _ in range(MOST_LISTS):
        heard = graph.get("me/accounts", fields="id,name,access_token", limit=AT_ONCE, **place)
        found += [each for each in objects(heard.said) if each.get("id") and each.get("access_token")]
        if not (place := heard.following):
            break
    if not found:
        raise NotAuthorized("No Page was granted: choose one on Facebook’s page, and allow all that is asked for.")
    return found


def account(page: Mapping[str, Any], ends: datetime | None) -> Account:
    """A Page to choose. Its token has no end of its own; what ends is Meta's permission to use it."""
    id, name = str(page["id"]), str(page.get("name") or page["id"])
    now = datetime.now(UTC).isoformat()
    lasts = {"issued_at": now, "expires_at": ends.isoformat(), "renewable": "no"} if ends else {}
    return Account(name, {"page": id}, {"access_token": str(page["access_token"]), **lasts})
