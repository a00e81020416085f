"""Feeds: RSS, Atom and JSON Feed of blogs, newspapers, forums and podcasts, and the comments below them.

A feed is a snapshot of its newest entries in no promised order, and what appears in it late may carry an old date (a
comment that had to be approved). So there is no place to go on from: we remember what we saw, four snapshots deep, and
take what is not among it. Where nothing of a snapshot was seen before, entries may have come and gone in between, and
the ledger says so. A WordPress can then be asked for all that was written, if the channel is set so; and now and then
for comments that were approved so late that its feed never shows them.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urldefrag

from connectors import feeds, http
from connectors.contract import Batch, Capabilities, Checked, Connector, Post, Setting, Unreadable
from connectors.dialects import wordpress
from connectors.errors import Gone, MakesNoSense, NotAuthorized, NotThere
from connectors.feeds import Entry, Feed
from connectors.normalise import EARLIEST, LONGEST_NAME, LONGEST_TITLE, kept, post_from

PAGE = 500
SNAPSHOTS = 4  # how many are remembered
LEAST_REMEMBERED = 200
FRESH = timedelta(hours=4)  # what is older when we first look is history: nobody is late with it
LONGEST_REST = timedelta(hours=1)  # however long a feed calls itself fresh
LONGEST_TAG = 500
SETTLED = timedelta(seconds=2)
WHOLE_EVERY = timedelta(hours=1)  # a feed of comments is read whatever it calls its age
MOST_OF_A_SITE = 500  # comments that are remembered of a WordPress


@dataclass(frozen=True)
class FeedReader(Connector):
    network = "feed"
    name = "Feed"
    capabilities = Capabilities(
        reads=frozenset(("article", "comment")),
        edits=True,
        missing={
            "hooks": "not yet: few feeds have a hub (WebSub) that would tell of news",
            "searches": "cannot: a feed is all that it holds; rules pick out the words",
            **dict.fromkeys(
                ("replies", "private_replies", "likes", "hides", "removes", "removes_of_others", "native_idempotency"),
                "cannot: a feed can only be read",
            ),
            "deletions": "cannot: an entry that is not in a feed any more may only be old",
            "lookups": "cannot: a feed shows its newest entries and no other",
            "signs_in": "cannot: a feed that is not public asks for a name and a password",
        },
    )
    asks = (
        Setting("url", "Address of the feed", "url", help="RSS, Atom or JSON Feed", required=True),
        Setting("poll_seconds", "Seconds between two looks", "number", 900, least=1, most=86_400),
        Setting(
            "wordpress",
            "Ask WordPress for lost comments",
            "flag",
            False,
            "For the feed of a site’s comments: what the feed lost or never showed is asked for from the site itself",
        ),
    )
    heeds = frozenset(("poll_seconds", "allow_private_hosts"))
    secrets = (
        Setting("username", "User name", help="Only for a feed that asks for one, or a WordPress that does"),
        Setting("password", "Password", help="Of a WordPress an application password, from the user’s profile there"),
    )

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        cursor = dict(cursor) if cursor.get("url") == self.settings["url"] else {"url": self.settings["url"]}
        now = datetime.now(UTC)
        if "walk" in cursor:
            return self._ask_wordpress(cursor, now)
        answer = self._get(cursor, now)
        visit: dict[str, Any] = {"note": _moved(answer), "not_before": _rest(answer, now)}
        if answer.status == 304:
            return self._and_wordpress(Batch((), cursor | {"at": now.isoformat()}, **visit), now)
        feed = feeds.read(answer.body, answer.headers.get("content-type", ""), answer.url)
        visit["note"] += _too_many(feed)
        return self._and_wordpress(_Snapshot(feed, cursor, answer, now).batch(**visit), now)

    def check(self) -> Checked:
        answer = self._get({}, datetime.now(UTC))
        feed = feeds.read(answer.body, answer.headers.get("content-type", ""), answer.url)
        dates = [moment for each in feed.readable if (moment := each.published or each.updated)]
        newest = f", the newest of {max(dates):%-d %B %Y}" if dates else ""
        entries = "1 entry" if feed.found == 1 else f"{feed.found:,} entries"
        return Checked(f"{feed.kind}, {entries}{newest}.")

    def _get(self, cursor: Mapping[str, Any], now: datetime) -> http.Answer:
        """The feed, if it changed since. Raises what `http.fetch` does, NotThere and Gone."""
        headers = {"accept": ACCEPT, **self._signed()}
        # A comment that is approved late does not change what WordPress calls the age of its feed.
        if not (whole := cursor.get("whole")) or now - datetime.fromisoformat(whole) < WHOLE_EVERY:
            headers |= {name: cursor[key] for key, name in CONDITIONS.items() if cursor.get(key)}
        answer = http.fetch(self.settings["url"], own=http.own_servers(self.settings), headers=headers)
        if answer.status == 410:
            raise Gone("The server says that the feed is gone for good: find its new address, or close the channel.")
        if answer.status == 404:
            raise NotThere("The server answered 404: there is no feed at this address.")
        if not answer.ok and answer.status != 304:
            raise MakesNoSense(f"The server answered {answer.status}.")
        return answer

    def _signed(self) -> dict[str, str]:
        user, password = self.credentials.get("username", ""), self.credentials.get("password", "")
        if not user and not password:
            return {}
        return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}

    # What the site of a feed knows ----------------------------------------------------------------------------------

    def _and_wordpress(self, batch: Batch, now: datetime) -> Batch:
        """Go on to ask the site itself when its feed lost something, or when it is time to look for late comments."""
        cursor = dict(batch.cursor)
        is_asked = self.settings.get("wordpress") and cursor.get("api") and not batch.more
        if not is_asked or not ("lost" in cursor or wordpress.is_due(cursor.get("swept"), now)):
            return batch
        last_look = datetime.fromisoformat(cursor["lost"][0] if "lost" in cursor else cursor["at"])
        return replace(batch, cursor=cursor | {"walk": wordpress.begin(now, last_look)}, more=True)

    def _ask_wordpress(self, cursor: dict[str, Any], now: datetime) -> Batch:
        """The next comments of the walk: those of them that the feed did not show."""
        walk, lost = cursor.pop("walk"), cursor.get("lost")
        ended = {name: value for name, value in cursor.items() if name != "lost"} | {"swept": now.isoformat()}
        try:
            answer = self._comments(cursor["api"], walk)
            said = _listed(answer)
        except (NotAuthorized, NotThere, MakesNoSense) as error:
            return Batch((), ended, note=f"WordPress does not list its comments: {error.detail}")
        entries = wordpress.entries(said, (each[0] for each in cursor["seen"]), cursor["home"])
        site = _Snapshot(Feed("WordPress", link=cursor["home"], entries=entries), cursor, answer, now)
        new = [each for each in site.found if each.id not in site.seen]
        seen = {"seen": [*cursor["seen"], *(each.remembered for each in new)][-MOST_OF_A_SITE:]}
        page: dict[str, Any] = {"posts": [site._post(each) for each in new], "history": "swept" not in cursor}
        if len(said) == wordpress.TOGETHER:
            return Batch(cursor=cursor | seen | {"walk": wordpress.following(walk)}, more=True, **page)
        covered = (datetime.fromisoformat(lost[0]), datetime.fromisoformat(lost[1])) if lost else None
        return Batch(cursor=ended | seen, covered=covered, **page)

    def _comments(self, api: str, walk: Mapping[str, Any]) -> http.Answer:
        """Raises what `http.fetch` does, and NotThere."""
        signed = self._signed() if wordpress.is_same_server(api, self.settings["url"]) else {}
        headers = {"accept": "application/json", **signed}
        answer = http.fetch(wordpress.address(api, walk), own=http.own_servers(self.settings), headers=headers)
        if answer.status == 404:
            raise NotThere("it has no such list.")
        return answer


ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"
TAGS = {"etag": "etag", "modified": "last-modified"}
CONDITIONS = {"etag": "if-none-match", "modified": "if-modified-since"}


@dataclass
class _Found:
    """An entry of the snapshot: under which name it is kept, and by what a change of it shows."""

    id: str
    entry: Entry | Unreadable
    mark: str
    likeness: str = ""

    @property
    def remembered(self) -> list[str]:
        return [self.id, self.mark, self.likeness]


class _Snapshot:
    """What a feed holds now, beside what we remember of it. The memory is part of the cursor: `[id, mark, likeness]`
    of each entry, those seen last at the end."""

    def __init__(self, feed: Feed, cursor: Mapping[str, Any], answer: http.Answer, now: datetime):
        self.feed, self.cursor, self.answer, self.now = feed, cursor, answer, now
        self.since = datetime.fromisoformat(cursor.get("since", now.isoformat()))
        self.is_first = cursor.get("is_first", "seen" not in cursor)
        self.seen = {each[0]: each for each in cursor.get("seen", ())}
        # What once named two entries never names one again, or that one would be taken for the other.
        self.without = list(dict.fromkeys((*cursor.get("without", ()), *sorted(feeds.doubtful(feed.readable)))))
        self.found = self._named()

    def batch(self, **visit: Any) -> Batch:
        """A page of what is new or changed, the last in the feed first: there the oldest mostly stand."""
        waiting = [each for each in reversed(self.found) if self._is_news(each)]
        page = self._same_age(waiting)[:PAGE]
        more, gap = len(page) < len(waiting), self._gap()
        return Batch(
            posts=[self._post(each) for each in page],
            cursor=self._cursor(page, more, gap),
            more=more,
            gap=gap,
            gap_since=self._last_look if gap else None,
            gap_until=self.now if gap else None,
            history=bool(page) and self._is_history(page[0]),
            **visit,
        )

    def _named(self) -> list[_Found]:
        """Every entry once, under its name; under its old one when the feed has renamed all it holds."""
        alike = {likeness: name for name, _, likeness in self.seen.values() if likeness}
        here = {feeds.identity(each, self.without) for each in self.feed.readable}
        found: dict[str, _Found] = {}
        for entry in self.feed.entries:
            one = self._found(entry)
            old = alike.get(one.likeness, one.id)
            if one.id not in self.seen and old not in here:
                one.id = old
            found.setdefault(one.id, one)
        return list(found.values())

    def _found(self, entry: Entry | Unreadable) -> _Found:
        if isinstance(entry, Unreadable):
            return _Found(f"unreadable:{feeds.digest(kept(entry.raw))}", entry, "")
        # What a feed calls a comment names its article, which may be renamed.
        mark = feeds.digest("" if _is_comment(entry) else entry.title, entry.text)[:12]
        return _Found(feeds.identity(entry, self.without), entry, mark, feeds.likeness(entry))

    def _is_news(self, one: _Found) -> bool:
        return one.id not in self.seen or self.seen[one.id][1] != one.mark

    def _is_history(self, one: _Found) -> bool:
        if not self.is_first or isinstance(one.entry, Unreadable):
            return self.is_first
        moment = one.entry.published or one.entry.updated
        return moment is None or moment < self.since - FRESH

    def _same_age(self, waiting: list[_Found]) -> list[_Found]:
        """Those of them that are history, as long as there are any; else all."""
        return [each for each in waiting if self._is_history(each)] or waiting

    def _gap(self) -> str:
        if not self.seen or not self.found or any(each.id in self.seen for each in self.found):
            return ""
        entries = "the only entry was" if len(self.found) == 1 else f"none of the {len(self.found)} entries was"
        before = self._last_look
        return f"{entries} there at the last look ({before:%-d %B %Y, %H:%M} UTC); others may have come and gone."

    @property
    def _last_look(self) -> datetime:
        return datetime.fromisoformat(self.cursor.get("at", self.now.isoformat()))

    def _cursor(self, page: list[_Found], more: bool, gap: str) -> dict[str, Any]:
        """What to remember. While more waits the feed is asked for again as a whole, so it may not say “unchanged”."""
        there, told = {each.id for each in self.found}, {each.id for each in page}
        stays = [each for each in self.found if each.id in self.seen and each.id not in told]
        seen = [each for name, each in self.seen.items() if name not in there]
        seen += [self.seen[each.id] for each in stays] + [each.remembered for each in page]
        most = max(SNAPSHOTS * len(self.found), LEAST_REMEMBERED)
        conditions = {key: _tag(self.answer, name) for key, name in TAGS.items() if not _is_just_changed(self.answer)}
        return {
            "url": self.cursor["url"],
            "at": self.now.isoformat(),
            "seen": seen[-most:],
            **self._of_the_site(gap),
            **({"without": self.without[-LEAST_REMEMBERED:]} if self.without else {}),
            **({"is_first": self.is_first, "since": self.since.isoformat()} if more else conditions),
        }

    def _of_the_site(self, gap: str) -> dict[str, Any]:
        """What is to be known of the site whose comments these are, until it is asked itself."""
        if not any(map(_is_comment, self.feed.readable)):
            return {}
        lost = [self._last_look.isoformat(), self.now.isoformat()] if gap else self.cursor.get("lost")
        told = {"swept": self.cursor.get("swept"), "lost": lost, "home": self.feed.link}
        told |= {"api": wordpress.api_of(self.answer.headers, self.answer.url), "whole": self.now.isoformat()}
        return {name: value for name, value in told.items() if value}

    # One entry as a post ------------------------------------------------------------------------------------------

    def _post(self, one: _Found) -> Post | Unreadable:
        entry = one.entry
        if isinstance(entry, Unreadable):
            return entry
        created_at = self._moment(entry.published) or self._moment(entry.updated) or self.now
        is_comment = _is_comment(entry)
        return post_from(
            {
                "id": one.id,
                "kind": "comment" if is_comment else "article",
                "text": entry.text,
                "title": entry.title[:LONGEST_TITLE],
                "created_at": created_at.isoformat(),
                "edited_at": self._edited(one, entry, created_at),
                "author": self._author(entry, is_comment),
                "url": entry.link,
                "in_reply_to": feeds.short(feeds.secured(entry.answers)) if entry.answers else None,
                "thread": None if entry.answers or not is_comment else _without_fragment(entry.answers_link),
                "lang": entry.lang,
                "media": [{"url": url, "type": kind} for url, kind in entry.media],
            },
            now=self.now,
        )

    def _moment(self, told: datetime | None) -> datetime | None:
        """A time that can be: nothing was published tomorrow or before there were networks."""
        return told if told and EARLIEST <= told <= self.now else None

    def _edited(self, one: _Found, entry: Entry, created_at: datetime) -> str | None:
        """When the feed tells of an edit, or when we noticed it."""
        updated = self._moment(entry.updated)
        if updated and updated > created_at + timedelta(minutes=1):
            return updated.isoformat()
        return self.now.isoformat() if one.id in self.seen else None

    def _author(self, entry: Entry, is_comment: bool) -> dict[str, Any] | None:
        """Who wrote it. Names are only good within their feed: “admin” writes everywhere. An article that names nobody
        is its publication’s; a comment is not."""
        host = feeds.host_of(self.feed.link) or feeds.host_of(self.cursor["url"])
        name = entry.author or ("" if is_comment else self.feed.title or host)
        if not name:
            return None
        identity = entry.author_url or (f"{host}/{entry.author.casefold()}" if entry.author else host)
        return {
            "id": feeds.short(feeds.secured(identity)),
            "handle": host[:LONGEST_NAME],
            "name": name[:LONGEST_NAME],
            "avatar_url": entry.avatar_url,
        }


def _listed(answer: http.Answer) -> list:
    if not answer.ok or not isinstance(said := answer.json(), list):
        raise MakesNoSense(f"it answered {answer.status}.")
    return said


def _is_comment(entry: Entry) -> bool:
    return bool(entry.answers or entry.answers_link)


def _without_fragment(link: str) -> str:
    return feeds.short(feeds.secured(urldefrag(link).url))


def _tag(answer: http.Answer, name: str) -> str:
    """A header to be sent back, if it can be."""
    value = answer.headers.get(name, "").strip()
    return value if value.isascii() and value.isprintable() and len(value) <= LONGEST_TAG else ""


def _is_just_changed(answer: http.Answer) -> bool:
    """Whether the feed changed in the very second in which it was read: it may change once more within that second and
    would call itself unchanged, for its age is told in whole seconds (RFC 9110, 8.8.2.2)."""
    try:
        read, changed = (parsedate_to_datetime(answer.headers[name]) for name in ("date", "last-modified"))
        return read - changed < SETTLED
    except (KeyError, ValueError, TypeError):
        return False


def _moved(answer: http.Answer) -> str:
    return f"The feed has moved for good; its address is now {_shown(answer.moved_to)}." if answer.moved_to else ""


def _too_many(feed: Feed) -> str:
    read = len(feed.entries)
    return f" It holds {feed.found:,} entries; the first {read:,} are read." if feed.found > read else ""


def _shown(url: str) -> str:
    """An address without its query, which may hold a key."""
    return url.partition("?")[0][:300]


def _rest(answer: http.Answer, now: datetime) -> datetime | None:
    """Until when the feed calls itself fresh, or asks to be left alone."""
    if asked := http.asked_wait(answer.headers, now):
        return asked
    told = re.search(r"(?i)\bmax-age\s*=\s*\"?(\d{1,9})", answer.headers.get("cache-control", ""))
    return now + min(timedelta(seconds=int(told[1])), LONGEST_REST) if told else None
