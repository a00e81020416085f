"""What the bytes of a feed say, be it RSS, Atom or JSON Feed: its entries, all in one form. Pure; asks nobody.

Feeds in the wild are seldom well-formed (24 of 40 that we looked at were not), so whatever carries entries is read, and
an entry that can not be understood harms none of its neighbours.
"""

import codecs
import hashlib
import io
import json
import re
import time
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.sax import SAXException

import feedparser
from defusedxml.common import DefusedXmlException, EntitiesForbidden
from defusedxml.expatreader import DefusedExpatParser
from feedparser.encodings import convert_to_utf8
from feedparser.sanitizer import replace_doctype

from connectors.contract import Unreadable
from connectors.errors import ConnectorError, HostileFeed, MakesNoSense, NotAFeed, TooLarge
from connectors.normalise import LONGEST_ID, LONGEST_TEXT
from connectors.plain import one_line, plain_text, tidy

MOST_ENTRIES = 2_000
MOST_COUNTED = 20_000  # entries; a feed with more is none
DEEPEST = 5_000
MOST_SECONDS = 10  # of computing: elements in one another without end take feedparser hours
MOST_UNFOLDED = 1_000_000  # characters that entities of the feed's own may add to it
#: Encodings that are not made for documents; to decode one of them can take hours.
STRANGE = frozenset(("punycode", "idna", "utf-7", "unicode_escape", "raw_unicode_escape"))
#: Who begins with such a mark says for certain how it is written; the longer ones first.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_declared = re.compile(rb"""(?i)(?:encoding|charset)\s*=\s*["']?([a-z0-9_.:-]+)""")
_numbered = re.compile(rb"&#(?:[xX]0*([0-9a-fA-F]*)|0*([0-9]*));?")
_unkeepable = re.compile("[\0\ud800-\udfff]")
_reference = re.compile(r"&(?!#)")


@dataclass(frozen=True)
class Entry:
    """One entry as its feed tells it. `guid` and `link` may be empty, missing times are None, `stamp` is the time of
    publishing as it was written."""

    guid: str = ""
    link: str = ""
    title: str = ""
    text: str = ""
    stamp: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    author: str = ""
    author_url: str = ""
    avatar_url: str = ""
    lang: str = ""
    media: tuple[tuple[str, str], ...] = ()
    answers: str = ""
    answers_link: str = ""


@dataclass(frozen=True)
class Feed:
    """`kind` in words ("RSS 2.0"); `found` is how many entries it holds, should they be more than were read."""

    kind: str
    title: str = ""
    link: str = ""
    entries: Sequence[Entry | Unreadable] = field(default_factory=tuple)
    found: int = 0

    @property
    def readable(self) -> list[Entry]:
        return [each for each in self.entries if isinstance(each, Entry)]


def read(body: bytes, content_type: str = "", url: str = "") -> Feed:
    """The feed that these bytes are. Raises NotAFeed, or HostileFeed for what is made to harm its reader."""
    begins = body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    return _from_json(body, url) if begins[:1] in (b"{", b"[") else _from_xml(body, content_type, url)


# Which entry is which -----------------------------------------------------------------------------------------------


def doubtful(entries: Sequence[Entry]) -> set[str]:
    """The guids and links that this feed gives to different entries, so that they name none of them."""
    return {_mark(name, group[0]) for name in ("guid", "link") for group in _sharing(entries, name) if _differ(group)}


def _mark(name: str, entry: Entry) -> str:
    return f"{name} {digest(secured(getattr(entry, name)))[:12]}"


def _sharing(entries: Sequence[Entry], name: str) -> list[list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for each in entries:
        groups.setdefault(secured(getattr(each, name)), []).append(each)
    return [group for value, group in groups.items() if value and len(group) > 1]


def _differ(entries: list[Entry]) -> bool:
    """Whether these are several entries, or several versions of one: those share their address, and title or time."""
    links, titles, stamps = ({getattr(each, name) for each in entries} for name in ("link", "title", "stamp"))
    return len(set(map(secured, links))) > 1 or (len(titles) > 1 and (len(stamps) > 1 or stamps == {""}))


def identity(entry: Entry, without: Container[str] = ()) -> str:
    """What stays when an entry is edited: its guid, else its link, but for those that are `doubtful`, else what it says
    of itself; never its text, but for an entry that has nothing else."""
    for name in ("guid", "link"):
        if (value := getattr(entry, name)) and _mark(name, entry) not in without:
            return short(secured(value))
    told = (entry.title, secured(entry.link), entry.stamp)
    return f"sha256:{digest(*told, *(() if any(told) else (entry.text, repr(entry.media))))}"


def likeness(entry: Entry) -> str:
    """Under which an entry is known again when its feed gives all of them new guids; empty when too little is told."""
    told = (entry.title, secured(entry.link), entry.stamp)
    return digest(*told)[:16] if entry.stamp and any(told[:2]) else ""


def secured(address: str) -> str:
    """A feed that moves to https has the same entries as before."""
    scheme, colon, rest = address.partition("://")
    return f"https://{rest}" if colon and scheme.lower() in ("http", "https") else address


def short(identifier: str) -> str:
    """The same where it is too long to be kept, or holds what a database does not (NUL, half a character)."""
    fits = len(identifier) <= LONGEST_ID and not _unkeepable.search(identifier)
    return identifier if fits else f"sha256:{digest(identifier)}"


def digest(*told: str) -> str:
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()


# RSS and Atom -------------------------------------------------------------------------------------------------------


def _from_xml(body: bytes, content_type: str, url: str) -> Feed:
    parsed = _parsed(_decoded(body, content_type))
    if not parsed.version and not parsed.entries:
        raise NotAFeed("There is neither RSS nor Atom nor JSON Feed at this address.")
    about = parsed.feed
    default = _words(about.get("language"))
    entries = [_safely(_from_parsed, each, default, url) for each in parsed.entries[:MOST_ENTRIES]]
    return Feed(
        kind=feedparser.api.SUPPORTED_VERSIONS.get(parsed.version) or "unknown",
        title=_line(about, "title"),
        link=_address(about.get("link"), url),
        entries=entries,
        found=len(parsed.entries),
    )


def _decoded(body: bytes, content_type: str) -> bytes:
    """As UTF-8, by feedparser's own rules, so that what is looked at here is what it will read. What stands before the
    declaration is left out, or nobody would believe it."""
    body = body[max(0, body[:1000].find(b"<?xml")) :]
    for mark, name in _MARKS.items():
        if body.startswith(mark):
            with suppress(UnicodeDecodeError):
                body, content_type = body.decode(name).encode(), "application/xml; charset=utf-8"
            break
    for name in (*_declared.findall(body[:1000].replace(b"\0", b"")), *_declared.findall(content_type.encode())):
        with suppress(LookupError, ValueError):
            if codecs.lookup(name.decode()).name in STRANGE:
                raise NotAFeed(f"A feed is not written in {name.decode()}.")
    headers = {"content-type": content_type or "application/xml"}
    return _numbered.sub(_possible, convert_to_utf8(headers, body, {}))


def _possible(found: re.Match[bytes]) -> bytes:
    """A character by its number; one that can not be would cost feedparser the whole feed."""
    hexadecimal, decimal = found.groups()
    digits, base = (hexadecimal, 16) if hexadecimal is not None else (decimal, 10)
    number = int(digits, base) if 0 < len(digits) < 8 else -1
    is_one = 0 < number < 0xD800 or 0xE000 <= number <= 0x10FFFF
    return found[0] if is_one else "\ufffd".encode()


def _parsed(data: bytes) -> feedparser.FeedParserDict:
    _look_for_bombs(data)
    # Without an address to begin from, so that guids stay as they were written; links find their place later.
    headers = {"content-type": "application/xml; charset=utf-8"}
    try:
        # As a stream: a plain value it might take for the name of a file. Its HTML is only read for its text.
        return feedparser.parse(
            io.BytesIO(data), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except ConnectorError:
        raise
    except Exception as error:
        raise NotAFeed(f"The feed can not be read ({type(error).__name__}).") from None


class _Bounded:
    """feedparser's two parsers with an end: they come by here with every element."""

    until = 0.0
    depth = 0

    def unknown_starttag(self, tag, attrs):
        self.until = self.until or time.thread_time() + MOST_SECONDS
        self.depth += 1
        if self.depth > DEEPEST or time.thread_time() > self.until:
            raise HostileFeed("The feed’s elements lie in one another without end.")
        if len(self.entries) > MOST_COUNTED:
            raise TooLarge(f"The feed holds more than {MOST_COUNTED:,} entries.")
        super().unknown_starttag(tag, attrs)

    def unknown_endtag(self, tag):
        self.depth -= 1
        super().unknown_endtag(tag)


for _name in ("StrictFeedParser", "LooseFeedParser"):
    setattr(feedparser.api, _name, type(_name, (_Bounded, getattr(feedparser.api, _name)), {}))


class _Look(DefusedExpatParser):
    """Reads on past entities that are a mere character or word, as old feeds have them for accents, and past those of
    a document type that nobody fetches; refuses those that hold others or stand for a file."""

    def defused_entity_decl(self, name, is_parameter_entity, value, base, sysid, pubid, notation_name):
        if is_parameter_entity and value is None:
            return
        if value is None or _reference.search(value):
            raise EntitiesForbidden(name, value, base, sysid, pubid, notation_name)


def _look_for_bombs(data: bytes) -> None:
    if b"<!ENTITY" not in data:
        return
    _, _, entities = replace_doctype(data)
    if sum(len(value) * data.count(f"&{name};".encode()) for name, value in entities.items()) > MOST_UNFOLDED:
        raise HostileFeed("The feed’s entities would unfold to many times its size.")
    looking = _Look(forbid_dtd=False, forbid_entities=True, forbid_external=False)
    try:
        looking.parse(io.BytesIO(data))
    except DefusedXmlException:
        raise HostileFeed("The feed declares entities that hold others or stand for files.") from None
    except (SAXException, ValueError):
        pass  # not well-formed, like most feeds


def _from_parsed(entry: Mapping[str, Any], lang: str, url: str) -> Entry:
    author = _author(entry)
    answers, answers_link = _answered(entry)
    return Entry(
        guid=_words(entry.get("id")),
        link=_address(entry.get("link"), url),
        title=_line(entry, "title"),
        text=_text(entry),
        stamp=_words(dict.get(entry, "published")) or _words(dict.get(entry, "updated")),
        published=_moment(dict.get(entry, "published_parsed")) or _moment(dict.get(entry, "created_parsed")),
        updated=_moment(dict.get(entry, "updated_parsed")),
        author=author[0],
        author_url=author[1],
        lang=_language(entry) or lang,
        media=tuple((_address(where, url), kind) for where, kind in _enclosed(entry).items()),
        answers=answers,
        answers_link=_address(answers_link, url),
    )


def _text(entry: Mapping[str, Any]) -> str:
    """The whole text where the feed gives it, else the summary, else whatever it says of what it encloses."""
    parts = [*(entry.get("content") or []), entry.get("summary_detail"), entry.get("subtitle_detail")]
    for part in parts:
        if isinstance(part, Mapping) and (text := _plain(part)):
            return text
    return _words(entry.get("media_description"))


def _plain(part: Mapping[str, Any]) -> str:
    value = _words(part.get("value"))
    return _cut(tidy(value.strip()) if part.get("type") == "text/plain" else plain_text(value))


def _line(told: Mapping[str, Any], name: str) -> str:
    value, detail = _words(told.get(name)), told.get(f"{name}_detail")
    is_plain = isinstance(detail, Mapping) and detail.get("type") == "text/plain"
    return " ".join(value.split()) if is_plain else one_line(value)


def _author(entry: Mapping[str, Any]) -> tuple[str, str]:
    detail = entry.get("author_detail") or {}
    name = _words(detail.get("name")) or _words(entry.get("author"))
    return one_line(name), _words(detail.get("href"))


def _answered(entry: Mapping[str, Any]) -> tuple[str, str]:
    """What this entry is a comment on, by RFC 4685 or by the address that WordPress gives to comments."""
    told = entry.get("thr_in-reply-to")
    if isinstance(told, Mapping) and (told.get("ref") or told.get("href")):
        return _words(told.get("ref")), _words(told.get("href"))
    link, _, fragment = _words(entry.get("link")).partition("#")
    return ("", link) if re.match(r"comment-?\d+\Z", fragment) else ("", "")


def _enclosed(entry: Mapping[str, Any]) -> dict[str, str]:
    given = [*(entry.get("enclosures") or []), *(entry.get("media_content") or [])]
    given += [{"medium": "image", **each} for each in entry.get("media_thumbnail") or []]
    found: dict[str, str] = {}
    for each in given:
        if where := _words(each.get("href")) or _words(each.get("url")):
            found.setdefault(where, _words(each.get("type")) or _words(each.get("medium")))
    return found


def _language(entry: Mapping[str, Any]) -> str:
    parts = [*(entry.get("content") or []), entry.get("summary_detail"), entry.get("title_detail")]
    return next((_words(each["language"]) for each in parts if isinstance(each, Mapping) and each.get("language")), "")


def _moment(told: Any) -> datetime | None:
    """feedparser's nine numbers, in UTC; None when there are none or they name no moment."""
    with suppress(TypeError, ValueError, OverflowError):
        return datetime(*told[:6], tzinfo=UTC)
    return None


# JSON Feed ----------------------------------------------------------------------------------------------------------


def _from_json(body: bytes, url: str) -> Feed:
    try:
        told = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise MakesNoSense("The feed is not JSON, or only a part of it.") from None
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list):
        raise NotAFeed("There is JSON at this address, but no JSON Feed.")
    version = re.search(r"jsonfeed\.org/version/([\d.]+)\Z", _words(told.get("version")))
    return Feed(
        kind=f"JSON Feed {version[1]}" if version else "JSON Feed",
        title=one_line(_words(told.get("title"))),
        link=_words(told.get("home_page_url")),
        entries=[_safely(_from_item, each, told, url) for each in items[:MOST_ENTRIES]],
        found=len(items),
    )


def _from_item(item: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> Entry:
    html, plain = _words(item.get("content_html")), _words(item.get("content_text"))
    author = _first_author(item) or _first_author(feed) or {}
    return Entry(
        guid=_words(item.get("id")),
        link=_address(item.get("url"), url) or _address(item.get("external_url"), url),
        title=" ".join(_words(item.get("title")).split()),
        text=_cut(tidy(plain) or plain_text(html) or tidy(_words(item.get("summary")))),
        stamp=_words(item.get("date_published")),
        published=_iso(item.get("date_published")),
        updated=_iso(item.get("date_modified")),
        author=one_line(_words(author.get("name"))),
        author_url=_words(author.get("url")),
        avatar_url=_words(author.get("avatar")),
        lang=_words(item.get("language")) or _words(feed.get("language")),
        media=_attached(item, url),
    )


def _first_author(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """`authors` since version 1.1, `author` before."""
    several = told.get("authors")
    one = several[0] if isinstance(several, list) and several else told.get("author")
    return one if isinstance(one, dict) else None


def _attached(item: Mapping[str, Any], url: str) -> tuple[tuple[str, str], ...]:
    listed = item.get("attachments") if isinstance(item.get("attachments"), list) else []
    found = {_words(each.get("url")): _words(each.get("mime_type")) for each in listed if isinstance(each, dict)}
    found |= {_words(item.get(name)): "image" for name in ("image", "banner_image")}
    return tuple((_address(where, url), kind) for where, kind in found.items() if where)


def _iso(told: Any) -> datetime | None:
    with suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(told.strip()) if isinstance(told, str) else None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return None


# What both need -----------------------------------------------------------------------------------------------------


def _safely(how, told: Any, *rest: Any) -> Entry | Unreadable:
    """Whatever stands in an entry, it is the entry's trouble alone."""
    try:
        return how(told, *rest)
    except Exception as error:
        return Unreadable(told, f"The entry could not be read ({type(error).__name__}).")


def _words(told: Any) -> str:
    """Text; numbers as text, for some feeds count their entries; nothing else."""
    if isinstance(told, str):
        return told.strip()
    return str(told) if isinstance(told, int | float) and not isinstance(told, bool) else ""


def _address(told: Any, base: str) -> str:
    """A link as a whole address."""
    link = _words(told)
    with suppress(ValueError):
        return urljoin(base, link) if link else ""
    return ""


def _cut(text: str) -> str:
    """A feed may hold books; their beginning is enough here."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def host_of(address: str) -> str:
    with suppress(ValueError):
        return (urlsplit(address).hostname or "").removeprefix("www.")
    return ""
