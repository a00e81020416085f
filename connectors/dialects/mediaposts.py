"""What Instagram tells, as posts: comments and answers to them, our own media, and mentions, which stand where only the
network's answer about the mention shows them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.dialects.hub import Event
from connectors.dialects.messenger import Us
from connectors.dialects.meta import made, objects

NO_OBJECT = "A post has to be a JSON object."
HIDDEN = "It is hidden, and Instagram takes no answers to hidden comments: show it again first."
LIVE = "Instagram takes no public answers to comments on a live video; it can be answered in private."
PHOTO = "Instagram lets no program comment on a photo in which we are only tagged."
UNTOLD = "Somebody mentioned this account; Instagram does not tell what they wrote."


def comment(raw: Any, us: Us, media: str, above: str = "") -> Post | Unreadable:
    """A comment below one of our media; `above` is the comment that it answers, where it does not say so itself."""
    if not isinstance(raw, dict):
        return Unreadable(raw, NO_OBJECT)
    of = raw.get("media")
    media = media or str((of.get("id") if isinstance(of, dict) else "") or "")
    who = author_of(raw)
    return made(
        raw | {"from": who},
        us,
        time="timestamp",
        kind="comment",
        text=raw.get("text") or "",
        in_reply_to=str(raw.get("parent_id") or above or media) or None,
        thread=media or None,
        reply_closed=HIDDEN if raw.get("hidden") is True else "",
    )


def with_answers(raw: Any, us: Us, media: str) -> Iterator[Post | Unreadable]:
    """A comment and the answers that came along with it."""
    yield comment(raw, us, media)
    for each in objects(raw.get("replies")) if isinstance(raw, dict) else ():
        yield comment(each, us, media, str(raw.get("id") or ""))


def medium(raw: Any, us: Us) -> Post | Unreadable:
    """One of our own media, whose caption begins a thread."""
    if not isinstance(raw, dict):
        return Unreadable(raw, NO_OBJECT)
    ours = {"kind": "post", "direction": "out", "author": None}
    return made(raw, us, time="timestamp", **_caption(raw), **ours, thread=str(raw.get("id") or "") or None)


def tagged(raw: Any, us: Us) -> Post | Unreadable:
    """Somebody's media in which we are tagged; only where the caption names us it can be answered."""
    if not isinstance(raw, dict):
        return Unreadable(raw, NO_OBJECT)
    id = mention_id(str(raw.get("id") or ""))
    named = bool(us.handle) and us.handle.lower() in str(raw.get("caption") or "").lower()
    facts = {"kind": "mention", "id": id, "global_id": id, "thread": id, "reply_closed": "" if named else PHOTO}
    return made(raw | {"from": author_of(raw)}, us, time="timestamp", **_caption(raw), **facts)


def mentioning(raw: Mapping[str, Any], us: Us, media: str) -> Post | Unreadable:
    """Somebody's comment that mentions us, below media that are not ours."""
    id = mention_id(media, str(raw.get("id") or ""))
    facts = {"kind": "mention", "id": id, "global_id": id, "thread": mention_id(media), "text": raw.get("text") or ""}
    return made(raw | {"from": author_of(raw)}, us, time="timestamp", **facts)


def untold(event: Event, media: str, comment: str) -> Post | Unreadable:
    """A mention of which Instagram tells that it happened, and not to every app what it says."""
    id = mention_id(media, comment)
    facts = {"id": id, "global_id": id, "kind": "mention", "text": "", "title": UNTOLD, "thread": mention_id(media)}
    return made(event.value | {"at": event.at.isoformat()}, Us(frozenset()), time="at", **facts)


def delivered(event: Event, us: Us) -> Post | Unreadable:
    """A comment as it is delivered: without its own time, so the delivery's stands for it."""
    of = event.value.get("media")
    media = str((of.get("id") if isinstance(of, dict) else "") or "")
    found = comment(dict(event.value) | {"timestamp": event.at.isoformat()}, us, media)
    return replace(found, reply_closed=LIVE) if event.field == "live_comments" and isinstance(found, Post) else found


def author_of(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Who wrote it: an older answer tells only the name, by which they are known then."""
    who = raw.get("from")
    told = dict(who) if isinstance(who, dict) else {}
    return told | {"username": told.get("username") or raw.get("username") or ""}


def mention_id(media: str, comment: str = "") -> str:
    """A mention can be answered and read only by its media and its comment together; both stand in its id."""
    return f"{media}:{comment}" if media else ""


def mentioned(id: str) -> tuple[str, str] | None:
    """Media and comment of the mention that has this id; None when it is none."""
    media, colon, comment = id.partition(":")
    return (media, comment) if colon else None


def _caption(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Text, address and picture of media."""
    video = raw.get("media_type") == "VIDEO"
    url = raw.get("media_url")
    media = [{"url": str(url), "type": "video" if video else "image"}] if url else []
    return {"text": raw.get("caption") or "", "url": str(raw.get("permalink") or ""), "media": media}
