"""Posts as JSON into `contract.Post` and back. Whatever can not be understood comes out as `Unreadable`
with a reason in words; nothing is guessed, nothing is lost, and nothing here raises.

Text is kept as it was written, `<script>` and right-to-left marks and all: pages show it escaped. Only its Unicode
form is made one (NFC), so that equal words are equal. What PostgreSQL can not hold at all (NUL, half a surrogate
pair) is refused.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unicodedata import combining, normalize

from connectors.contract import KINDS, Author, Media, Post, Unreadable

LONGEST_TEXT = 100_000  # characters; an article of 15,000 words fits
LONGEST_ID = 255
LONGEST_URL = 2_000
LONGEST_NAME = 200
LONGEST_TITLE = 500
LONGEST_REASON = 300
LONGEST_LINE = 8 * 1024 * 1024  # bytes of one line of a file
MOST_MEDIA = 50
MOST_MARKS = 64  # accents on one letter: more is an attack on whoever has to draw or sort them
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LEEWAY = timedelta(days=1)  # clocks of others go wrong by time zones, not by weeks
MOST_FOLLOWERS = 2**31 - 1
REQUIRED = ("id", "kind", "text", "created_at")

_halves = re.compile("[\ud800-\udfff]")
_lang = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}\Z")


class _Wrong(Exception):
    """The sentence that says why a post can not be used."""


def post_from(raw: Any, *, global_ids: bool = False, now: datetime | None = None) -> Post | Unreadable:
    """The post that this JSON object says, or why it says none.

    `global_ids`: believe its `global_id`. Only for what we fetched ourselves: who pushes posts could otherwise write
    over those of another channel.
    """
    try:
        return _post(raw, global_ids, now or datetime.now(UTC))
    except _Wrong as wrong:
        return Unreadable(raw, str(wrong))


def post_from_line(line: bytes | str, **how: Any) -> Post | Unreadable:
    """The post that one line of JSON says. A line that is no JSON keeps its bytes and can be tried again."""
    try:
        raw = json.loads(line)
    except UnicodeDecodeError:
        return Unreadable(line, "The line is not UTF-8 text.")
    except (ValueError, RecursionError):
        return Unreadable(line, "The line is not JSON.")
    return post_from(raw, **how)


def as_json(post: Post) -> dict[str, Any]:
    """The post as JSON, without what it does not say."""
    said = {name: getattr(post, name) for name in _PLAIN if getattr(post, name) not in ("", None, False)}
    said |= {"id": post.id, "kind": post.kind, "text": post.text, "created_at": post.created_at.isoformat()}
    if post.edited_at:
        said["edited_at"] = post.edited_at.isoformat()
    if post.reply_until:
        said["reply_until"] = post.reply_until.isoformat()
    if post.author:
        said["author"] = {name: getattr(post.author, name) for name in Author.__slots__}
    if post.media:
        said["media"] = [{"url": each.url, "type": each.type} for each in post.media]
    return said


_PLAIN = (
    *("deleted", "direction", "url", "in_reply_to", "thread", "lang", "title", "rating", "visibility", "global_id"),
    "reply_closed",
)


def kept(raw: Any) -> str:
    """Anything at all as text that PostgreSQL holds, from which `read_again` makes the same thing."""
    if isinstance(raw, Post):
        raw = as_json(raw)
    if isinstance(raw, bytes):
        raw = raw.decode("utf-8", "surrogateescape")
    try:
        return json.dumps(raw, ensure_ascii=True, default=str)
    except (ValueError, RecursionError):
        return json.dumps(repr(raw)[:LONGEST_TEXT])


def read_again(text: str, **how: Any) -> Post | Unreadable:
    """Try what `kept` kept once more."""
    raw = json.loads(text)
    if isinstance(raw, str):
        return post_from_line(raw.encode("utf-8", "surrogateescape"), **how)
    return post_from(raw, **how)


# The parts of a post --------------------------------------------------------------------------------------------


def _post(raw: Any, global_ids: bool, now: datetime) -> Post:
    if not isinstance(raw, dict):
        raise _Wrong("A post has to be a JSON object.")
    if missing := [key for key in REQUIRED if raw.get(key) is None]:
        raise _Wrong(f"There is no “{'”, no “'.join(missing)}”.")
    kind = _text(raw, "kind")
    if kind not in KINDS:
        raise _Wrong(f"“kind” has to be one of {', '.join(sorted(KINDS))}.")
    created_at = _moment(raw, "created_at", now)
    return Post(
        id=_id(raw, "id"),
        kind=kind,  # type: ignore[arg-type]
        text=_written(raw, "text", LONGEST_TEXT),
        created_at=created_at,
        author=_author(raw),
        edited_at=_moment(raw, "edited_at", now) if raw.get("edited_at") is not None else None,
        deleted=_flag(raw, "deleted"),
        direction=_direction(raw),
        url=_url(raw, "url"),
        in_reply_to=_id(raw, "in_reply_to") if raw.get("in_reply_to") is not None else "",
        thread=_id(raw, "thread") if raw.get("thread") is not None else "",
        lang=_language(raw),
        title=_shown(raw, "title", LONGEST_TITLE),
        rating=_rating(raw),
        media=_media(raw),
        visibility=_visibility(raw),
        global_id=_id(raw, "global_id") if global_ids and raw.get("global_id") is not None else "",
        reply_closed=_shown(raw, "reply_closed", LONGEST_REASON),
        reply_until=_until(raw, "reply_until") if raw.get("reply_until") is not None else None,
    )


def _text(raw: Mapping, key: str, inside: str = "") -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Wrong(f"“{inside}{key}” has to be text.")
    if "\0" in value:
        raise _Wrong(f"“{inside}{key}” holds a NUL character.")
    if not value.isascii() and _halves.search(value):
        raise _Wrong(f"“{inside}{key}” holds half a character (a lone surrogate).")
    return value


def _id(raw: Mapping, key: str, inside: str = "") -> str:
    value = _text(raw, key, inside)
    if not value.strip():
        raise _Wrong(f"“{inside}{key}” is empty.")
    if len(value) > LONGEST_ID:
        raise _Wrong(f"“{inside}{key}” is longer than {LONGEST_ID} characters.")
    return value


def _written(raw: Mapping, key: str, longest: int, inside: str = "") -> str:
    value = _text(raw, key, inside)
    if len(value) > longest:
        raise _Wrong(f"“{inside}{key}” has {len(value):,} characters; {longest:,} are kept.")
    if value.isascii():
        return value
    if _heap().search(value):
        raise _Wrong(f"“{inside}{key}” heaps more than {MOST_MARKS} accents on one letter.")
    return normalize("NFC", value)


@cache
def _heap() -> re.Pattern:
    """Too many marks in a row. Bringing 100,000 of them into order takes Python 20 seconds, so it is never begun."""
    marks = (chr(code) for code in range(0x300, 0x1F000) if not 0xD800 <= code <= 0xDFFF)
    return re.compile(f"[{''.join(each for each in marks if combining(normalize('NFD', each)[0]))}]{{{MOST_MARKS},}}")


def _shown(raw: Mapping, key: str, longest: int, inside: str = "") -> str:
    """A name or title: too long a one is cut, for it would be a pity to lose the post for it."""
    value = _text(raw, key, inside)
    value = _written({key: value[:longest]}, key, longest, inside)
    return value[:longest]


def _moment(raw: Mapping, key: str, now: datetime) -> datetime:
    value = raw[key]
    if not isinstance(value, str):
        raise _Wrong(f"“{key}” has to be a time as text (ISO 8601).")
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong(f"“{key}” is not a time that can be read (ISO 8601, for example 2026-11-22T14:06:00Z).") from None
    if not EARLIEST <= moment <= now + LEEWAY:
        raise _Wrong(f"“{key}” lies {'before 1970' if moment < EARLIEST else 'in the future'}.")
    return moment


def _until(raw: Mapping, key: str) -> datetime:
    """A time that may lie ahead."""
    return _moment(raw, key, datetime.max.replace(tzinfo=UTC) - 2 * LEEWAY)


def _author(raw: Mapping) -> Author | None:
    value = raw.get("author")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _Wrong("“author” has to be a JSON object.")
    identity = _id(value, "id", "author.")
    return Author(
        id=identity,
        handle=_shown(value, "handle", LONGEST_NAME, "author.") or identity[:LONGEST_NAME],
        name=_shown(value, "name", LONGEST_NAME, "author."),
        followers=_whole(value, "followers", 0, MOST_FOLLOWERS, "author."),
        verified=_flag(value, "verified", "author."),
        avatar_url=_url(value, "avatar_url", "author."),
    )


def _whole(raw: Mapping, key: str, least: int, most: int, inside: str = "") -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _Wrong(f"“{inside}{key}” has to be a whole number from {least:,} to {most:,}.")
    return value


def _rating(raw: Mapping) -> int | None:
    return _whole(raw, "rating", 1, 5)


def _flag(raw: Mapping, key: str, inside: str = "") -> bool:
    value = raw.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _Wrong(f"“{inside}{key}” has to be true or false.")
    return value


def _direction(raw: Mapping) -> Any:
    value = _text(raw, "direction") or "in"
    if value not in ("in", "out"):
        raise _Wrong("“direction” has to be in or out.")
    return value


def _visibility(raw: Mapping) -> str:
    value = _text(raw, "visibility") or "public"
    if len(value) > 20:
        raise _Wrong("“visibility” has to be public, unlisted, followers or direct.")
    return value


def _language(raw: Mapping) -> str:
    """A wrong language is no reason to lose a post: it is found out from the text again."""
    value = _text(raw, "lang")
    return value if _lang.match(value) and len(value) <= 35 else ""


def _url(raw: Mapping, key: str, inside: str = "") -> str:
    """An address that a browser may open; anything else (`javascript:`, `data:`) is left out."""
    value = _text(raw, key, inside).strip()
    return value if len(value) <= LONGEST_URL and value.lower().startswith(("https://", "http://")) else ""


def _media(raw: Mapping) -> tuple[Media, ...]:
    value = raw.get("media")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise _Wrong("“media” has to be a list of JSON objects.")
    found = (Media(_url(each, "url", "media."), _text(each, "type", "media.")[:40]) for each in value[:MOST_MEDIA])
    return tuple(each for each in found if each.url)
