"""Direct messages of Facebook Pages and Instagram accounts, which Meta reads, delivers and sends in one way.

A talk is with one person: its thread is named after them, for only polling knows the talk's own id. They open a window
of 24 hours with each message, in which we may answer.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unicodedata import normalize

from connectors.contract import Outgoing, Post, Sent, Unreadable
from connectors.dialects.graph import Graph, Heard, node
from connectors.dialects.hub import Event, moment
from connectors.errors import MaybeSent, NotAllowed
from connectors.normalise import post_from
from connectors.walking import Page

WINDOW = timedelta(hours=24)
TOLD = 20  # messages of a talk that Meta gives the text of, the newest
MESSAGE = "id,created_time,from,to,message,attachments{mime_type,name,image_data,video_data,file_url},shares{link}"
FIELDS = f"id,updated_time,participants,messages.limit({TOLD}){{{MESSAGE}}}"
TALKS = 25  # on a page
#: What is kept of a message that can not be read; the rest may hold links to further pages with our token in them.
KEPT = ("id", "created_time", "from", "to", "message")


@dataclass(frozen=True)
class Us:
    """Our account: every id by which the network may call it, and its handle where it has one."""

    ids: frozenset[str]
    handle: str = ""

    def is_me(self, who: Any) -> bool:
        who = who if isinstance(who, dict) else {}
        return str(who.get("id") or "") in self.ids or bool(self.handle and who.get("username") == self.handle)


# Reading ----------------------------------------------------------------------------------------------------------


def talks(graph: Graph, platform: str, place: Mapping[str, str]) -> Heard:
    """A page of our talks with their newest messages, the talk that was busy last first."""
    return graph.get("me/conversations", platform=platform, fields=FIELDS, limit=TALKS, **place)


def page_of(heard: Heard, us: Us, since: datetime) -> Page:
    """The messages since then in a page of talks, and a gap where a talk has had more of them than Meta tells."""
    posts: list[Post | Unreadable] = []
    page = Page(following=heard.following, at=heard.at, limits=heard.limits)
    for talk in heard.items:
        if not isinstance(talk, dict):
            continue
        page.reached = page.reached or moment(talk.get("updated_time"), heard.at) < since
        found = list(_messages(talk, us, heard.at))
        posts += [post for post, at in found if at >= since]
        if len(found) >= TOLD and found[0][1] >= since:
            page.gap = f"A talk has had more messages than the newest {TOLD}, of which alone the network tells."
            page.gap_until = found[0][1]
    page.posts = list(reversed(posts))
    return page


def _messages(talk: Mapping[str, Any], us: Us, now: datetime) -> Iterator[tuple[Post | Unreadable, datetime]]:
    """A talk's messages with their times, oldest first; ours answer what was last said to us."""
    person, last = _person(talk, us), ""
    for raw in reversed(_list(talk.get("messages"))):
        at = moment(raw.get("created_time"), now)
        ours = us.is_me(raw.get("from"))
        yield post_of(raw, person or whom(raw, us), ours, last if ours else ""), at
        last = last if ours else str(raw.get("id") or "")


def post_of(raw: Mapping[str, Any], person: Mapping[str, Any], ours: bool, answers: str = "") -> Post | Unreadable:
    """One message as the network's conversations tell it."""
    return _post(
        id=raw.get("id"),
        text=raw.get("message") or "",
        at=raw.get("created_time"),
        person=person,
        ours=ours,
        answers=answers,
        media=list(_told_media(raw)),
        raw={name: raw[name] for name in KEPT if name in raw},
    )


def from_event(event: Event) -> list[Post | Unreadable]:
    """The messages in an event; what people do besides writing (reading, reacting …) is none."""
    edit, message = event.value.get("message_edit"), event.value.get("message")
    if isinstance(edit, dict):
        return [_delivered(event, {"mid": edit.get("mid"), "text": edit.get("text")}, edited=True)]
    return [_delivered(event, message)] if isinstance(message, dict) else []


def _delivered(event: Event, message: Mapping[str, Any], edited: bool = False) -> Post | Unreadable:
    ours = bool(message.get("is_echo")) or str(_get(event.value, "sender", "id")) == event.account
    person = event.value.get("recipient" if ours else "sender")
    at = moment(event.value.get("timestamp"), event.at)
    return _post(
        id=message.get("mid"),
        text=message.get("text") or _without_words(message),
        at=at.isoformat(),
        edited_at=at.isoformat() if edited else None,
        deleted=bool(message.get("is_deleted")),
        person=person if isinstance(person, dict) else {},
        ours=ours,
        answers=_get(message, "reply_to", "mid"),
        media=list(_delivered_media(message)),
        title="An answer to a story" if _get(message, "reply_to", "story") else "",
        raw=event.value,
    )


def _post(*, id, text, at, person, ours, answers, media, raw, title="", edited_at=None, deleted=False):
    """`person` is who talks with us, whoever wrote this message."""
    who = str(person.get("id") or "")
    if not who:
        return Unreadable(raw, "The message does not say who talks with us.")
    written = moment(at, None)
    name, handle = str(person.get("name") or ""), str(person.get("username") or "")
    return post_from(
        {
            "id": str(id) if id else None,
            "global_id": str(id) if id else None,
            "kind": "dm",
            "text": "" if deleted else text,
            "title": "" if deleted else title,
            "created_at": written.isoformat() if written else None,
            "edited_at": edited_at,
            "deleted": deleted,
            "direction": "out" if ours else "in",
            "author": None if ours or deleted else {"id": who, "handle": handle, "name": name},
            "in_reply_to": str(answers) if answers else None,
            "thread": thread_of(who),
            "visibility": "direct",
            "media": [] if deleted else media,
            "reply_until": (written.replace(microsecond=0) + WINDOW).isoformat() if written and not ours else None,
        },
        global_ids=True,
    )


def is_message(id: str) -> bool:
    """Whether this is the id of a direct message: what answers one must never go out in public."""
    return id.startswith(("m_", "mid.", "aWdf"))


def thread_of(person: str) -> str:
    return f"dm:{person}"


def _person(talk: Mapping[str, Any], us: Us) -> Mapping[str, Any]:
    return next((each for each in _list(talk.get("participants")) if not us.is_me(each)), {})


def whom(raw: Mapping[str, Any], us: Us) -> Mapping[str, Any]:
    """Whom a message is from or to, besides us."""
    sides = [raw["from"]] if isinstance(raw.get("from"), dict) else []
    return next((each for each in (*sides, *_list(raw.get("to"))) if not us.is_me(each)), {})


def _told_media(raw: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for each in _list(raw.get("attachments")):
        kind = str(each.get("mime_type") or "").partition("/")[0]
        for name, what in (("image_data", "image"), ("video_data", "video")):
            if url := _get(each, name, "url"):
                yield {"url": str(url), "type": what}
        if url := each.get("file_url"):
            yield {"url": str(url), "type": kind or "file"}
    yield from ({"url": str(each["link"]), "type": "link"} for each in _list(raw.get("shares")) if each.get("link"))


def _delivered_media(message: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for each in _plain(message.get("attachments")):
        if url := _get(each, "payload", "url") or each.get("url"):
            yield {"url": str(url), "type": str(each.get("type") or "file")}


def _without_words(message: Mapping[str, Any]) -> str:
    """What a message without text still says: a place, the title of what was shared."""
    for each in _plain(message.get("attachments")):
        place = _get(each, "payload", "coordinates")
        if isinstance(place, dict):
            return f"Location: {place.get('lat')}, {place.get('long')}"
        if title := each.get("title") or _get(each, "payload", "title"):
            return str(title)
    return ""


# Writing ----------------------------------------------------------------------------------------------------------


def send(graph: Graph, recipient: Mapping[str, str], text: str) -> Sent:
    """One message to a person, or privately to who wrote a comment (`comment_id`) or a post (`post_id`)."""
    said = graph.put(
        "me/messages",
        recipient=json.dumps(dict(recipient)),
        message=json.dumps({"text": text}, ensure_ascii=False),
        messaging_type="RESPONSE",
    )
    if not isinstance(id := said.get("message_id"), str) or not id:
        raise MaybeSent("The network did not say under which id it took the message.")
    return Sent(id, global_id=id)


def recipient_of(graph: Graph, reply: Outgoing, us: Us) -> dict[str, str]:
    """Whom a direct message answers. Raises NotAllowed when nobody can be told; never leads to a public answer."""
    if reply.to and reply.to.author:
        return {"id": reply.to.author}
    raw = graph.get(node(reply.in_reply_to), fields="from,to").said
    if not (person := str(whom(raw, us).get("id") or "")):
        raise NotAllowed("The network does not say who wrote this message.")
    return {"id": person}


def find(graph: Graph, platform: str, reply: Outgoing, since: datetime, us: Us) -> Sent | None:
    """Our own message among the newest: same words, to the same person where we know who that is."""
    who = reply.to.author if reply.to else ""
    for talk in _plain(talks(graph, platform, {}).items):
        if who and str(_person(talk, us).get("id") or "") != who:
            continue
        for raw in _list(talk.get("messages")):
            if us.is_me(raw.get("from")) and is_ours(raw, "message", "created_time", reply.text, since):
                return Sent(str(raw["id"]), global_id=str(raw["id"]))
    return None


def is_ours(raw: Mapping[str, Any], text: str, time: str, wanted: str, since: datetime) -> bool:
    """Whether this is what we wanted to say, said since then. Networks change blanks."""
    if not raw.get("id"):
        return False
    at = moment(raw.get(time), since)
    return _even(str(raw.get(text) or "")) == _even(wanted) and at >= since.replace(microsecond=0)


def _even(text: str) -> str:
    return " ".join(normalize("NFC", text).split())


def _list(said: Any) -> list[Mapping[str, Any]]:
    """The objects of an edge that stands inside another answer."""
    return _plain(said.get("data")) if isinstance(said, dict) else []


def _plain(said: Any) -> list[Mapping[str, Any]]:
    return [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []


def _get(said: Any, *names: str) -> Any:
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    return said
