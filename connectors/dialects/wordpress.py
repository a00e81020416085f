"""WordPress' own list of the comments on its site (its REST API), for what its feed does not show: that holds the ten
newest by their time, and a comment that had to be approved keeps the time at which it was written. Pure; asks nobody.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from connectors.contract import Unreadable
from connectors.feeds import Entry
from connectors.plain import one_line, plain_text

TOGETHER = 100  # comments in one answer, which is the most that it gives
STEP = 90  # so that some that are deleted between two answers leave none out
BACK = timedelta(days=14)  # so long a comment may wait to be approved
EVERY = timedelta(hours=6)  # how often is looked for such comments

_api = re.compile(r'<([^<>]+)>\s*;\s*rel="https://api\.w\.org/"')
_named = re.compile(r"((.*/)\?(?:[\w-]+=[\w-]+&(?:#038;|amp;)?)*(?:p|page_id)=(\d+))#comment-\d+\Z")


def api_of(headers: Mapping[str, str], url: str) -> str:
    """Where the site that sent these headers with its feed has its API; empty when it names none of its own server."""
    found = _api.search(headers.get("link", ""))
    return found[1] if found and is_same_server(found[1], url) else ""


def is_same_server(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def is_due(swept: str | None, now: datetime) -> bool:
    """Whether it is time to look for comments that were approved late."""
    return swept is None or now - datetime.fromisoformat(swept) >= EVERY


def begin(now: datetime, last_look: datetime) -> dict[str, Any]:
    """A walk through what was written lately: after BACK, or after the last look if that is longer ago."""
    return {"since": min(last_look, now - BACK).isoformat(timespec="seconds"), "done": 0}


def following(walk: Mapping[str, Any]) -> dict[str, Any]:
    """The same walk a step further."""
    return {**walk, "done": walk["done"] + STEP}


def address(api: str, walk: Mapping[str, Any]) -> str:
    """Where the next comments of this walk stand. Sites without fine addresses name their API in the query."""
    asked = {"after": walk["since"], "order": "asc", "orderby": "id", "per_page": TOGETHER, "offset": walk["done"]}
    parts = urlsplit(api)
    if parts.query:
        return urlunsplit(parts._replace(query=f"{parts.query}wp/v2/comments&{urlencode(asked)}"))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/wp/v2/comments", query=urlencode(asked)))


def entries(said: list, known: Iterable[str], home: str) -> list[Entry | Unreadable]:
    """These comments as the site's feed would tell them, under the names that they have or would have there. `known`
    are the names of others in that feed, `home` is the site's own address."""
    names = _Names(known, home)
    return [_entry(each, names) for each in said]


class _Names:
    """How the feed names a comment: by the post's own name, which never changes, and the comment's number."""

    def __init__(self, known: Iterable[str], home: str):
        found = [match for each in known if (match := _named.match(each))]
        self.posts = {each[3]: each[1] for each in found}
        self.home = found[-1][2] if found else f"{home.rstrip('/')}/"

    def of(self, comment: Mapping[str, Any]) -> str:
        post = str(comment["post"])
        kind = "page_id" if _kind_of_post(comment) == "page" else "p"
        return f"{self.posts.get(post) or f'{self.home}?{kind}={post}'}#comment-{comment['id']:d}"


def _kind_of_post(comment: Mapping[str, Any]) -> str:
    try:
        return comment["_links"]["up"][0]["post_type"]
    except (KeyError, IndexError, TypeError):
        return "post"


def _entry(comment: Any, names: _Names) -> Entry | Unreadable:
    try:
        written = datetime.fromisoformat(comment["date_gmt"]).replace(tzinfo=UTC)
        return Entry(
            guid=names.of(comment),
            link=comment["link"],
            text=plain_text(comment["content"]["rendered"]),
            published=written,
            author=one_line(comment.get("author_name") or ""),
            answers_link=comment["link"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Unreadable(comment, "WordPress described this comment in a way that can not be understood.")
