"""The words of the AT protocol, on which Bluesky runs, in our own, and ours in its: addresses, keys, times, marked-up
text, posts. Pure.

Offsets in marked-up text count bytes of UTF-8, keys of records are written in an alphabet of 32 letters that sorts as
the numbers do (https://atproto.com/specs/tid).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import regex

from connectors.contract import Post, Unreadable
from connectors.cursors import Entry
from connectors.normalise import EARLIEST, post_from

POST, LIKE, GATE = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.threadgate"
CLOSED = "Its author has decided who may answer it, and we may not."

_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
#: A key holds a time. Ours hold one between these, so that none of them ever lies ahead.
_FIRST, _SPAN = datetime(2023, 7, 1, tzinfo=UTC), timedelta(days=3 * 365)
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_handle = re.compile(rf"(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?\Z")
_name = re.compile(r"(?:^|(?<=[\s(]))@([a-zA-Z0-9.-]*[a-zA-Z0-9])")
_link = re.compile(r"(?:^|(?<=[\s(]))https?://\S+", re.IGNORECASE)
_tag = regex.compile(
    r"(?:^|(?<=\s))[#＃]((?:\p{L}|\p{Extended_Pictographic})[\p{L}\p{M}\p{N}\p{Extended_Pictographic}_-]*)"
)
_address = re.compile(
    r"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/([A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+){2,})"
    r"/(?!\.{1,2}\Z)([A-Za-z0-9._~:-]{1,512})\Z"
)
LONGEST_TAG, LONGEST_HANDLE = 64, 253


def key_of(name: str) -> str:
    """The key of the record that we call so: the same whenever it is asked for, so that writing twice is once."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    micros = int(_FIRST.timestamp() * 1e6) + (number >> 10) % int(_SPAN.total_seconds() * 1e6)
    return written(micros << 10 | number & 1023)


def written(number: int) -> str:
    """A number of 63 bits as a key."""
    return "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(13)))


def parts_of(address: str) -> tuple[str, str, str] | None:
    """Whose record this is, of which collection, under which key; None for what is no address of a record."""
    found = _address.match(address)
    return (found[1], found[2], found[3]) if found else None


def page_of(address: str) -> str:
    """Where people can see this post."""
    parts = parts_of(address)
    return f"https://bsky.app/profile/{parts[0]}/post/{parts[2]}" if parts else ""


def is_handle(name: str) -> bool:
    """Whether an account can have this name."""
    return len(name) <= LONGEST_HANDLE and bool(_handle.match(name))


def moment(said: Any) -> datetime | None:
    """The time that this text says, in UTC; None when it says none. A time without a zone is taken for UTC, as servers
    do."""
    try:
        found = datetime.fromisoformat(said)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def length(text: str) -> int:
    """As the network counts: what people see as one character is one."""
    return len(regex.findall(r"\X", text))


def as_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Marked-up text ---------------------------------------------------------------------------------------------------


def facets(text: str, resolve: Callable[[str], str]) -> list[dict[str, Any]]:
    """What in this text is a link, somebody's name or a tag. `resolve` gives the id of who has a name, or nothing: then
    it stays text."""
    found = [_facet(text, *_trimmed(each), "link", uri=_trimmed(each)[2]) for each in _link.finditer(text)]
    for each in _name.finditer(text):
        if is_handle(each[1]) and (did := resolve(each[1])):
            found.append(_facet(text, each.start(), each.end(), each[0], "mention", did=did))
    for each in _tag.finditer(text):
        if length(each[1]) <= LONGEST_TAG:
            found.append(_facet(text, each.start(), each.end(), each[0], "tag", tag=each[1]))
    return sorted(found, key=lambda each: each["index"]["byteStart"])


def _trimmed(link: re.Match) -> tuple[int, int, str]:
    """A link without the sentence's punctuation behind it."""
    text = link[0].rstrip(".,;:!?'\"")
    if text.endswith(")") and "(" not in text:
        text = text[:-1].rstrip(".,;:!?'\"")
    return link.start(), link.start() + len(text), text


def _facet(text: str, start: int, end: int, _said: str, kind: str, **what: str) -> dict[str, Any]:
    index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:end].encode())}
    return {"index": index, "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **what}]}


def whole(text: str, marked: Any) -> str:
    """The text with its links as they lead, where they were cut for the eye."""
    said = text.encode()
    links = sorted(_cut(said, marked), reverse=True)
    for start, end, uri in links:
        said = said[:start] + uri.encode() + said[end:]
    return said.decode("utf-8", "replace") if links else text


def _cut(said: bytes, marked: Any) -> list[tuple[int, int, str]]:
    found = []
    for each in marked if isinstance(marked, list) else ():
        start, end = each["index"]["byteStart"], each["index"]["byteEnd"]
        shown = said[start:end].decode("utf-8", "replace")
        for feature in each["features"]:
            if shown.endswith(("…", "...")) and isinstance(feature.get("uri"), str):
                found.append((start, end, feature["uri"]))
    return found


# Posts ------------------------------------------------------------------------------------------------------------


def as_post(view: Any, us: str, profiles: Mapping[str, Any], *, reason: str = "") -> Post | Unreadable:
    """The post in this view of it. `us` is our own id, `profiles` what is known of people by theirs, and `reason` why
    we were told of it."""
    try:
        return post_from(_said(view, us, profiles, reason), global_ids=True)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Unreadable(view, "It does not have the form of a post that the network documents.")


def listed_at(view: Mapping[str, Any]) -> datetime | None:
    """The time by which the network puts this post in order: when it says that it was written, unless it was seen
    before that."""
    seen, wrote = moment(view.get("indexedAt")), moment(view["record"].get("createdAt"))
    times = [each for each in (seen, wrote) if each and each >= EARLIEST]
    return min(times, default=None)


def _said(view: Mapping[str, Any], us: str, profiles: Mapping[str, Any], reason: str) -> dict[str, Any]:
    uri, record, author = view["uri"], view["record"], view["author"]
    reply = record.get("reply") or {}
    at = listed_at(view)
    closed = (view.get("viewer") or {}).get("replyDisabled") is True
    return {
        "id": uri,
        "global_id": uri,
        "kind": _kind(record, author["did"], us, reason),
        "text": whole(record["text"], record.get("facets")),
        "created_at": at.isoformat() if at else None,
        "direction": "out" if author["did"] == us else "in",
        "author": _author(author, profiles.get(author["did"]) or {}),
        "url": page_of(uri),
        "in_reply_to": reply["parent"]["uri"] if reply else None,
        "thread": reply["root"]["uri"] if reply else uri,
        "lang": next(iter(record.get("langs") or ()), None),
        "media": _media(view.get("embed")),
        "reply_closed": CLOSED if closed else None,
    }


def _kind(record: Mapping[str, Any], author: str, us: str, reason: str) -> str:
    reply = record.get("reply") or {}
    if author == us:
        return "reply" if reply else "post"
    if reason:
        return {"reply": "reply", "subscribed-post": "post"}.get(reason, "mention")
    if us in {_owner(reply[each]["uri"]) for each in ("parent", "root") if each in reply}:
        return "reply"
    return "mention" if us in _named(record) else "post"


def _named(record: Mapping[str, Any]) -> set[str]:
    """Whose names stand in the text, and whose post is quoted."""
    features = [one for each in record.get("facets") or () for one in each["features"]]
    embed = record.get("embed") or {}
    quoted = embed.get("record") or {}
    quoted = quoted.get("record") or quoted  # beside pictures it lies one deeper
    return {one["did"] for one in features if "did" in one} | {_owner(quoted.get("uri") or "")}


def _owner(address: str) -> str:
    return address.removeprefix("at://").partition("/")[0]


def _author(author: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    verification = profile.get("verification") or author.get("verification") or {}
    states = (verification.get("verifiedStatus"), verification.get("trustedVerifierStatus"))
    return {
        "id": author["did"],
        "handle": f"@{author['handle']}",
        "name": author.get("displayName") or author["handle"],
        "followers": profile.get("followersCount"),
        "verified": "valid" in states,
        "avatar_url": author.get("avatar"),
    }


def _media(embed: Any) -> list[dict[str, Any]]:
    """Pictures, films and cards below a text, as far as the view has addresses for them."""
    if not isinstance(embed, dict):
        return []
    if isinstance(embed.get("media"), dict):
        return _media(embed["media"])
    pictures = [{"url": each.get("fullsize"), "type": "image"} for each in embed.get("images") or ()]
    film = [{"url": embed["playlist"], "type": "video"}] if embed.get("playlist") else []
    card = [{"url": embed["external"]["uri"], "type": "link"}] if isinstance(embed.get("external"), dict) else []
    return [*pictures, *film, *card]


# Lists ------------------------------------------------------------------------------------------------------------


def is_view(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(each), str) for each in ("uri", "cid"))


def root_of(view: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first post of the thread in which this one stands, by its address and hash; None of one that begins it."""
    record = view.get("record")
    reply = record.get("reply") if isinstance(record, dict) else None
    root = reply.get("root") if isinstance(reply, dict) else None
    return root if is_view(root) else None


def reason_of(one: Any) -> str | None:
    return one.get("reason") if isinstance(one, dict) else None


def entries(listed: Iterable[Any], now: datetime) -> Iterator[Entry]:
    """What is listed, with its place in the order. One that does not say its own stands beside its neighbour."""
    at = now
    for each in listed:
        told = each if isinstance(each, dict) else {}
        if "reason" in told:
            at = moment(told.get("indexedAt")) or at
        elif isinstance(told.get("record"), dict):
            at = listed_at(told) or at
        yield Entry(told["uri"] if is_view(told) else f"unreadable {key_of(repr(each))}", at, each)


def with_ties(following: str, token: str) -> str:
    """A cursor that is the time of the last one listed leaves out what has the very same time. One millisecond later
    does not, unless a whole page has it."""
    at = moment(following) if following.endswith("Z") else None
    later = as_time(at + timedelta(milliseconds=1)) if at else following
    return following if later == token else later


def tombstone(uri: str, at: datetime, us: str) -> Post:
    ours = uri.startswith(f"at://{us}/")
    return Post(
        uri, "post" if ours else "mention", "", at, deleted=True, direction="out" if ours else "in", global_id=uri
    )
