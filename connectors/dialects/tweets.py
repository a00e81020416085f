"""X's posts (API v2, as JSON) into ours, and what reading and writing them costs. Pure.

A post is edited by writing a new one: all its versions are kept under the id of the first. Ids hold the time at which
they were given. X shortens links and escapes three characters; both are undone.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

from connectors.contract import Post, Unreadable
from connectors.normalise import post_from

#: What is asked for with each post.
FIELDS = {
    "tweet_fields": [
        *("created_at", "author_id", "conversation_id", "in_reply_to_user_id", "referenced_tweets", "entities"),
        *("edit_history_tweet_ids", "lang", "attachments", "note_tweet"),
    ],
    "user_fields": ["username", "name", "verified", "profile_image_url", "public_metrics"],
    "media_fields": ["type", "url", "preview_image_url"],
    "expansions": ["author_id", "attachments.media_keys"],
}

#: US$, by the price list of August 2026. Who owns the app pays less for reading the own account.
POST_READ, USER_READ, OWNED_READ = 0.005, 0.010, 0.001
WRITE_WITH_LINK, WRITE_SUMMONED, WRITE = 0.200, 0.010, 0.015

#: Why a post can not be answered: since 23 February 2026, for all who have no Enterprise contract.
NOT_ADDRESSED = (
    "X lets us answer through its interface only who mentioned or quoted our account, and this post did neither. "
    "Answer it on X itself."
)
EPOCH = 1_288_834_974_657  # milliseconds, of the first id that holds its time
FIRST_WITH_TIME = 1 << 45


@dataclass(frozen=True)
class Account:
    """Who we are on X; `answers_all` for those to whom the rule above does not apply."""

    id: str
    handle: str = ""
    answers_all: bool = False


@dataclass
class Meter:
    """What pages cost. X counts a post or a person once in a day (UTC) however often it is read; `paid` remembers whom
    it counted today, as far back as pages overlap."""

    paid: Mapping[str, Any] = field(default_factory=dict)
    authors: bool = True
    used: float = 0
    most: int = 300

    def count(self, said: Mapping[str, Any], price: float) -> None:
        """A page with its posts, at this price each, and their authors."""
        people = dict.fromkeys(_ids(_object(said, "includes").get("users")), USER_READ) if self.authors else {}
        for one, cost in (dict.fromkeys(_ids(said.get("data")), price) | people).items():
            self._add(one, cost)

    def _add(self, one: str, cost: float) -> None:
        if one not in self.ids:
            self.used += cost
            self.paid = {"day": _today(), "ids": [*self.ids, one][-self.most :]}

    @property
    def ids(self) -> list[str]:
        return list(self.paid.get("ids", ())) if self.paid.get("day") == _today() else []


def as_post(raw: Any, includes: Mapping[str, Any], me: Account, is_for_us: bool = False) -> Post | Unreadable:
    """A post of ours from X's; what can not be understood is Unreadable. `is_for_us`: X itself says that its author
    meant us."""
    try:
        return post_from(_said(raw, includes, me, is_for_us), global_ids=True)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return Unreadable(raw, "It does not look like a post of X.")


def posts_of(said: Mapping[str, Any], me: Account, is_for_us: bool = False) -> list[Post | Unreadable]:
    """The posts of a page, as X orders them."""
    data, includes = said.get("data") or [], _object(said, "includes")
    return [as_post(each, includes, me, is_for_us) for each in (data if isinstance(data, list) else [data])]


def listed(said: Mapping[str, Any], name: str = "data") -> list[dict[str, Any]]:
    """The objects that X lists under this name."""
    return _objects(said, name)


def version_of(raw: Any) -> str:
    """The id of this version of a post; empty where there is none."""
    return raw["id"] if isinstance(raw, dict) and isinstance(raw.get("id"), str) else ""


def versions(raw: Mapping[str, Any]) -> list[str]:
    """The ids of all versions of a post, the first at the head."""
    told = raw.get("edit_history_tweet_ids")
    found = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
    return found or [raw["id"]]


def written_at(raw: Any) -> datetime | None:
    """When this version was written, as X says; None where it says nothing."""
    try:
        return _moment(raw["created_at"])
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def address_of(id: str, handle: str = "") -> str:
    """Where people see it."""
    return f"https://x.com/{handle or 'i'}/status/{id}"


def key_of(id: str) -> str:
    """Under which every channel sees the same post."""
    return f"x:{id}"


def alike(one: Mapping[str, Any], text: str) -> bool:
    """Whether this post of ours says that, names at its beginning aside: X puts those of a reply there."""
    try:
        return _bare(_text(one)) == _bare(text)
    except (AttributeError, KeyError, TypeError):
        return False


def delivered(body: bytes, answers_all: bool, handle: str = "") -> Iterator[Post | Unreadable]:
    """The posts in a delivery of the X Activity API; what else it tells of is passed over. Raises nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        yield Unreadable(body, "The delivery is not JSON.")
        return
    event = said.get("data") if isinstance(said, dict) else None
    if not isinstance(event, dict) or not isinstance(event.get("payload"), dict):
        return
    kind, payload = str(event.get("event_type")), event["payload"]
    me = Account(str(_object(event, "filter").get("user_id") or ""), handle, answers_all)
    if kind in TOLD:
        yield as_post(payload, _included(event), me, is_for_us=kind != "post.create")
    elif kind == "post.delete":
        yield _deleted(payload)


#: Events that hold a post: ours, and those of others that are meant for us.
TOLD = frozenset(("post.create", "post.mention.create", "post.reply.create", "post.quote.create"))


def _included(event: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside a post; people are wrapped once more here and there."""
    includes = _object(event, "includes")
    return includes | {"users": [_object(each, "data") or each for each in _objects(includes, "users")]}


def _deleted(payload: Mapping[str, Any]) -> Post | Unreadable:
    """A post of ours that is gone: X tells of no others."""
    id = payload.get("id")
    written = _given_at(id) if isinstance(id, str) and id.isascii() and id.isdigit() and len(id) < 20 else None
    facts = {"kind": "post", "text": "", "deleted": True, "direction": "out"}
    said = {"id": id, "global_id": key_of(str(id)), **facts}
    return post_from(said | {"created_at": written.isoformat() if written else None}, global_ids=True)


def _said(raw: Mapping[str, Any], includes: Mapping[str, Any], me: Account, is_for_us: bool) -> dict[str, Any]:
    history = versions(raw)
    first = history[0]
    author = _author(raw, includes)
    ours = bool(me.id) and raw.get("author_id") == me.id
    addressed = ours or is_for_us or _addresses(raw, me)
    return {
        "id": first,
        "global_id": key_of(first),
        "kind": _kind(raw, me, addressed),
        "text": _without_names(_text(raw)) if ours and _answered(raw) else _text(raw),
        "created_at": (_given_at(first) or _moment(raw["created_at"])).isoformat(),
        "edited_at": raw["created_at"] if len(history) > 1 and raw["id"] != first else None,
        "author": author,
        "direction": "out" if ours else "in",
        "url": address_of(raw["id"], author["handle"] if author else ""),
        "in_reply_to": _answered(raw),
        "thread": raw.get("conversation_id"),
        "lang": raw.get("lang") if raw.get("lang") not in ("und", "zxx", "qme", "qht") else "",
        "media": _media(raw, includes),
        "reply_closed": "" if addressed or me.answers_all else NOT_ADDRESSED,
    }


def _kind(raw: Mapping[str, Any], me: Account, addressed: bool) -> str:
    if _answered(raw) and (raw.get("in_reply_to_user_id") == me.id or raw.get("author_id") == me.id):
        return "reply"
    return "mention" if addressed and raw.get("author_id") != me.id else "post"


def _addresses(raw: Mapping[str, Any], me: Account) -> bool:
    """Whether its author meant us: by our name, or by quoting us. A quoted post stands in the text as its address."""
    entities = _object(raw, "entities")
    named = _objects(entities, "mentions")
    if any(each.get("id") == me.id or _same(each.get("username"), me.handle) for each in named):
        return True
    links = [str(each.get("expanded_url")) for each in _objects(entities, "urls")]
    is_quote = any(each.get("type") == "quoted" for each in _objects(raw, "referenced_tweets"))
    return is_quote and any(_same(each[1], me.handle) for each in map(_STATUS.match, links) if each)


_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/(\w{1,15})/status/\d+", re.IGNORECASE)


def _same(one: Any, handle: str) -> bool:
    return bool(handle) and isinstance(one, str) and one.casefold() == handle.casefold()


def _answered(raw: Mapping[str, Any]) -> str | None:
    found = (each.get("id") for each in _objects(raw, "referenced_tweets") if each.get("type") == "replied_to")
    return next(found, raw.get("in_reply_to_tweet_id"))


def _text(raw: Mapping[str, Any]) -> str:
    """What was written, long texts whole, with the addresses that links lead to; those of its own media are left
    out."""
    note = _object(raw, "note_tweet")
    whole = note if note.get("text") else raw
    text = whole["text"]
    for link in _objects(_object(whole, "entities"), "urls"):
        short, long = link.get("url"), link.get("expanded_url")
        if short and isinstance(short, str) and isinstance(long, str):
            text = text.replace(short, "" if link.get("media_key") else long)
    return html.unescape(text).rstrip() if text else text


def _author(raw: Mapping[str, Any], includes: Mapping[str, Any]) -> dict[str, Any] | None:
    id = raw.get("author_id")
    if not id:
        return None
    user = next((each for each in _objects(includes, "users") if each.get("id") == id), {})
    return {
        "id": id,
        "handle": user.get("username") or "",
        "name": user.get("name") or "",
        "followers": _object(user, "public_metrics").get("followers_count"),
        "verified": bool(user.get("verified")),
        "avatar_url": user.get("profile_image_url") or "",
    }


def _media(raw: Mapping[str, Any], includes: Mapping[str, Any]) -> list[dict[str, str]]:
    keys = _object(raw, "attachments").get("media_keys") or ()
    found = [each for each in _objects(includes, "media") if each.get("media_key") in keys]
    return [
        {"url": each.get("url") or each.get("preview_image_url") or "", "type": each.get("type") or ""}
        for each in found
    ]


def _given_at(id: str) -> datetime | None:
    """When this id was given; those of before November 2010 do not say."""
    number = int(id)
    return datetime.fromtimestamp(((number >> 22) + EPOCH) / 1000, UTC) if number >= FIRST_WITH_TIME else None


def _moment(said: str) -> datetime:
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _without_names(text: str) -> str:
    return re.sub(r"\A(?:@\w{1,15}\s+)+", "", text)


def _bare(text: str) -> str:
    return " ".join(_without_names(normalize("NFC", text).strip()).split())


def _object(said: Any, name: str) -> dict[str, Any]:
    """The object of this name, empty when there is none."""
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def _objects(said: Any, name: str) -> list[dict[str, Any]]:
    """The objects in the list of this name, however strange its other neighbours are."""
    found = said.get(name) if isinstance(said, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _ids(listed: Any) -> list[str]:
    listed = listed if isinstance(listed, list) else [listed]
    return [each["id"] for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str)]


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
