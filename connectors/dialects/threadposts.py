"""What Threads tells, as posts: its lists tell all of them alike, its deliveries come in a shape of their own. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.dialects.messenger import Us
from connectors.dialects.meta import made

TYPES = {"IMAGE": "image", "VIDEO": "video", "AUDIO": "audio"}


def post_of(raw: Any, us: Us, kind: str = "", **facts: Any) -> Post | Unreadable:
    """A post, an answer where it answers something, or what the list is of that shows it. Its author is told by name
    alone."""
    if not isinstance(raw, dict):
        return Unreadable(raw, "A post has to be a JSON object.")
    name, above, url = str(raw.get("username") or ""), above_of(raw), raw.get("media_url")
    who = {"id": name, "username": name} if name else {}
    plain = "reply" if above or raw.get("is_reply") is True else "post"
    said = {
        "kind": plain if us.is_me(who) else kind or plain,
        "text": raw.get("text") or "",
        "url": str(raw.get("permalink") or ""),
        "in_reply_to": above or None,
        "thread": _id(raw, "root_post") or str(raw.get("id") or "") or None,
        "media": [{"url": str(url), "type": TYPES.get(str(raw.get("media_type")), "file")}] if url else [],
    }
    return made({**raw, "from": who}, us, time="timestamp", **said | facts)


def above_of(raw: Mapping[str, Any]) -> str:
    """What it answers."""
    return _id(raw, "replied_to")


def delivered(body: bytes, us: Us) -> Iterator[Post | Unreadable]:
    """Answers, mentions, and what we deleted. Several accounts of one app share an address: what is about another is
    its own channel's. What we publish is delivered without its words, so it is left to the next look."""
    for field, value, target in _events(body):
        if field == "replies" and (not us.handle or _get(value, "root_post", "username") in (None, us.handle)):
            yield post_of(value, us, "reply")
        elif field == "mentions" and (not us.ids or target in us.ids):
            yield post_of(value, us, "mention")
        elif field == "delete" and us.handle == value.get("username"):
            yield post_of(value, us, text="", deleted=True)


def _events(body: bytes) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """What a delivery tells of: which field, what, and of whom. Threads packs one or several of them."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return
    for each in said if isinstance(said, list) else [said]:
        values = each.get("values") if isinstance(each, dict) else None
        for one in values if isinstance(values, list) else [values]:
            if isinstance(one, dict) and isinstance(one.get("value"), dict):
                yield str(one.get("field") or ""), one["value"], str(each.get("target_id") or "")


def _id(raw: Mapping[str, Any], name: str) -> str:
    return str(_get(raw, name, "id") or "")


def _get(said: Any, *names: str) -> Any:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said
