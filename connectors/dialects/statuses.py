"""What servers of the Mastodon API say of posts and people in our own words, and our words as they want them. Pure:
works on their JSON, whoever fetched it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import regex

from connectors.contract import Post, Unreadable
from connectors.normalise import LONGEST_ID, post_from
from connectors.plain import one_line, plain_text

#: Kinds of notifications that somebody’s words come with.
TOLD = ("mention", "quote", "status")
#: Who may see a post, from the widest to the narrowest; and what we call it.
CIRCLES = ("public", "unlisted", "private", "direct")
CALLED = {"private": "followers", "limited": "followers"}
_CIRCLE = {"followers": "private"}

_link = re.compile(r"https?://[^\s<>\"]+[^\s<>\"'.,;:!?)\]}]", re.IGNORECASE)
_far_name = re.compile(r"(?<![\w/])@(\w+)@[\w.-]+\w")


def posts_in(listed: Iterable[Any], me: Mapping[str, Any]) -> list[Post | Unreadable]:
    """The posts in a list of posts or of notifications. A notification of something else, or of a post that is not
    there any more, holds none; some servers list all kinds whatever is asked for."""
    posts = []
    for each in listed:
        if not isinstance(each, dict) or "type" not in each:
            posts.append(as_post(each, me))
        elif each["type"] in TOLD and each.get("status"):
            posts.append(as_post(each["status"], me, quotes_us=each["type"] == "quote"))
    return posts


def as_post(status: Any, me: Mapping[str, Any], *, quotes_us: bool = False) -> Post | Unreadable:
    """The post that this status is. `me` is our own account: its `id` there and the `domain` of its server."""
    try:
        return post_from(_said(status, me, quotes_us), global_ids=True)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable(status, "It does not have the form of a post that servers of this kind document.")


def has_id(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), str) and 0 < len(one["id"]) <= LONGEST_ID


def is_status(one: Any) -> bool:
    """Whether this is a post, as far as we rely on it before it is understood."""
    named = ("uri", "visibility")
    return has_id(one) and all(isinstance(one.get(each), str) for each in named) and has_id(one.get("account"))


def moment_of(one: Any, otherwise: datetime) -> datetime:
    """When it was posted or told, by the server’s clock."""
    said = one.get("created_at") if isinstance(one, dict) else None
    return said.astimezone(UTC) if isinstance(said, datetime) else otherwise


def handle_of(account: Mapping[str, Any], domain: str) -> str:
    """The name under which everybody everywhere knows this account: name@server."""
    acct = account["acct"]
    return (acct if "@" in acct else f"{acct}@{domain}").lower()


def length(text: str, per_url: int) -> int:
    """As a server counts: what people see as one character is one, every link has the same length, and of somebody's
    name only the part before the server (Mastodon’s StatusLengthValidator)."""
    counted = _far_name.sub(r"@\1", _link.sub("x" * per_url, text))
    return len(regex.findall(r"\X", counted))


def addressed(text: str, account: Mapping[str, Any]) -> str:
    """The text as a reply to this account, which sees it only when it is named."""
    name = f"@{account['acct']}"
    if re.search(rf"(?<![\w/]){re.escape(name)}(?!\.?[\w@-])", text, re.IGNORECASE):
        return text
    return f"{name} {text}"


def narrowest(*circles: str) -> str:
    """The smallest of these circles; one that nobody knows counts as the smallest of all."""
    known = [_CIRCLE.get(each, each) for each in circles if each]
    return max((each if each in CIRCLES else "direct" for each in known), key=CIRCLES.index, default="direct")


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same but for blanks and for the names before them."""
    return _bare(one) == _bare(other)


def limits(instance: Any) -> dict[str, int]:
    """How long a post may be on this server, how a link counts there and which version of Mastodon's own API it
    speaks, as far as it says so; Pleroma has a word of its own for the first."""
    if not isinstance(instance, dict):
        return {}
    configured = instance.get("configuration")
    posts = configured.get("statuses") if isinstance(configured, dict) else None
    posts = posts if isinstance(posts, dict) else {}
    found = {
        "longest": posts.get("max_characters") or instance.get("max_toot_chars"),
        "per_url": posts.get("characters_reserved_per_url"),
        "api": versions.get("mastodon") if isinstance(versions := instance.get("api_versions"), dict) else None,
    }
    return {name: value for name, value in found.items() if isinstance(value, int) and value > 0}


def domain(instance: Any) -> str:
    """The name by which others know this server; its address may be another."""
    said = (instance.get("domain") or instance.get("uri")) if isinstance(instance, dict) else ""
    return urlsplit(said if "//" in said else f"//{said}").hostname or "" if isinstance(said, str) else ""


def _bare(text: str) -> str:
    without = re.sub(r"^(\s*@[\w.-]+(@[\w.-]+)?)+", "", text)
    return " ".join(re.sub(r"@(\w+)@[\w.-]+", r"@\1", without).split())


def _said(status: Mapping[str, Any], me: Mapping[str, Any], quotes_us: bool) -> dict[str, Any]:
    account, ours = status["account"], status["account"]["id"] == me["id"]
    visibility = status["visibility"]
    return {
        "id": status["id"],
        "kind": _kind(status, me, ours, quotes_us),
        "text": _text(status, ours),
        "title": one_line(status.get("spoiler_text") or ""),
        "created_at": _moment(status["created_at"]),
        "edited_at": _moment(status.get("edited_at")),
        "direction": "out" if ours else "in",
        "author": _author(account, me["domain"]),
        "url": status.get("url") or status["uri"],
        "in_reply_to": status.get("in_reply_to_id"),
        "lang": status.get("language"),
        "visibility": CALLED.get(visibility, visibility),
        "global_id": status["uri"],
        "media": [
            {"url": each.get("url") or each.get("remote_url"), "type": each.get("type")}
            for each in status.get("media_attachments") or ()
        ],
    }


def _kind(status: Mapping[str, Any], me: Mapping[str, Any], ours: bool, quotes_us: bool) -> str:
    if status["visibility"] == "direct":
        return "dm"
    if ours:
        return "reply" if status.get("in_reply_to_id") else "post"
    if status.get("in_reply_to_account_id") == me["id"]:
        return "reply"
    named = {each["id"] for each in status.get("mentions") or ()}
    return "mention" if me["id"] in named or quotes_us else "post"


def _text(status: Mapping[str, Any], ours: bool) -> str | None:
    """What was written. Before our own the name stands that `addressed` put there: it is no part of our words."""
    if status.get("content") is None:
        return None
    text = plain_text(status["content"])
    if not ours or not status.get("in_reply_to_account_id"):
        return text
    answered = [each for each in status.get("mentions") or () if each["id"] == status["in_reply_to_account_id"]]
    for each in answered:
        text = re.sub(rf"^@{re.escape(each['username'])}(@[\w.-]+)?\s+", "", text, flags=re.IGNORECASE)
    return text


def _author(account: Mapping[str, Any], domain: str) -> dict[str, Any]:
    name = handle_of(account, domain)
    followers = account.get("followers_count")
    return {
        "id": name,
        "handle": f"@{name}",
        "name": account.get("display_name") or account.get("username"),
        # A server that hides the number says -1.
        "followers": followers if isinstance(followers, int) and followers >= 0 else None,
        "avatar_url": account.get("avatar"),
    }


def _moment(said: Any) -> str | None:
    return said.isoformat() if hasattr(said, "isoformat") else said
