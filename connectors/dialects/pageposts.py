"""What Facebook tells of a Page as posts: comments, posts, reviews, and what it delivers of them. Pure.

A comment is known by the id of what it stands on and its own, a post by that of its Page and its own, a review by its
story's. Reading and deliveries tell the same ids.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.dialects.hub import Event, moment
from connectors.dialects.messenger import Us
from connectors.dialects.meta import made

COMMENT = "id,message,created_time,from,parent{id},permalink_url,attachment{type,url,media},can_comment"
POST = "id,message,story,created_time,from,permalink_url,full_picture"
EITHER = "id,message,created_time,from,permalink_url"  # what both of them know
REVIEW = "reviewer,created_time,rating,review_text,recommendation_type,open_graph_story{id}"

FIELDS = ("feed", "mention", "ratings")
VERBS = frozenset(("add", "edit", "edited", "update", "remove"))
ITEMS = frozenset(("post", "status", "photo", "video", "share", "link"))
SHOWN = {"photo": "image", "video": "video"}  # what a link leads to
RECOMMENDS = {"positive": "Recommends the Page", "negative": "Does not recommend the Page"}
CLOSED = "Facebook takes no answer to this comment."


def comment(raw: Any, us: Us, post: str = "") -> Post | Unreadable:
    """A comment below this post, as an edge tells it."""
    if not isinstance(raw, dict):
        return Unreadable(raw, "A comment has to be a JSON object.")
    return made(
        raw,
        us,
        kind="comment",
        in_reply_to=above(raw) or post or None,
        thread=post or None,
        media=_attached(raw.get("attachment")),
        reply_closed=CLOSED if raw.get("can_comment") is False else "",
    )


def above(comment: Mapping[str, Any]) -> str:
    """The comment that this one answers; empty when it answers a post."""
    parent = comment.get("parent")
    return str(parent.get("id") or "") if isinstance(parent, dict) else ""


def post(raw: Any, us: Us, mention: bool = False) -> Post | Unreadable:
    """A post on the Page, or one elsewhere that tags it."""
    if not isinstance(raw, dict):
        return Unreadable(raw, "A post has to be a JSON object.")
    kind = "mention" if mention and not us.is_me(raw.get("from")) else "post"
    text, media = raw.get("message") or raw.get("story") or "", _media((raw.get("full_picture"), "image"))
    return made(raw, us, kind=kind, text=text, media=media)


def review(raw: Mapping[str, Any], us: Us) -> Post | Unreadable:
    """A review, which comments can be written below: it is known by its story's id."""
    story, who = raw.get("open_graph_story"), raw.get("reviewer")
    id = story.get("id") if isinstance(story, dict) else None
    return made({**raw, "id": id, "from": who}, us, kind="review", **_judged(raw))


def changed(event: Event) -> Iterator[Post | Unreadable]:
    """What a change of the Page brought; likes, hiding and the like bring nothing. Tags and comments below reviews are
    delivered without their words at times: then a look has to bring them."""
    value, item, verb = event.value, str(event.value.get("item")), str(event.value.get("verb"))
    if event.field not in FIELDS or verb not in VERBS or value.get("published") == 0:
        return
    if item == "rating":
        yield _delivered(event, "review", value.get("open_graph_story_id"), **_judged(value))
    elif verb != "remove" and not value.get("message") and not _delivered_media(value):
        return
    elif item == "comment":
        yield _delivered(event, "mention" if event.field == "mention" else "comment", value.get("comment_id"))
    elif item in ITEMS:
        yield _delivered(event, "mention" if event.field == "mention" else "post", value.get("post_id"))


def _delivered(event: Event, kind: str, id: Any, **facts: Any) -> Post | Unreadable:
    value, is_gone = event.value, event.value["verb"] == "remove"
    who, us = _who(value), Us(frozenset((event.account,)))
    at = moment(value.get("created_time"), event.at)
    facts = facts | ({"author": None, "text": "", "title": "", "media": []} if is_gone else {})
    edited_at = event.at.isoformat() if value["verb"] not in ("add", "remove") else None
    said = {"id": id, "from": who, "message": value.get("message"), "created_time": at.isoformat()}
    said["permalink_url"] = _address(value)
    shown = {"media": _delivered_media(value), "edited_at": edited_at, "deleted": is_gone}
    return made(said, us, kind=kind, **_place(event) | shown | facts)


def _place(event: Event) -> dict[str, str]:
    """Where a comment stands. A review is called a post of the reviewer's there."""
    value = event.value
    if value.get("item") != "comment":
        return {}
    whole, parent = str(value.get("post_id") or ""), str(value.get("parent_id") or "")
    review = whole.rpartition("_")[2] if event.field == "ratings" else ""
    said = {"in_reply_to": review if review and parent in ("", whole) else parent or whole, "thread": review or whole}
    return {name: id for name, id in said.items() if id}


def _who(value: Mapping[str, Any]) -> dict[str, Any]:
    """Who did it: newer deliveries say it in one way, older ones and those of reviews in their own."""
    if isinstance(value.get("from"), dict):
        return value["from"]
    id, name = (value.get(f"sender_{what}") or value.get(f"reviewer_{what}") for what in ("id", "name"))
    return {"id": id, "name": name}


def _address(value: Mapping[str, Any]) -> str:
    whole = value.get("post")
    return str((whole.get("permalink_url") if isinstance(whole, dict) else None) or value.get("permalink_url") or "")


def _judged(said: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody thinks of the Page: stars until 2018, a recommendation or none since."""
    stars, recommends = said.get("rating"), str(said.get("recommendation_type") or "").lower()
    is_rated = isinstance(stars, int) and 1 <= stars <= 5
    title = RECOMMENDS.get(recommends, "")
    return {"rating": stars if is_rated else None, "title": title, "text": str(said.get("review_text") or "")}


def _attached(said: Any) -> list[dict[str, str]]:
    """What came along with a comment: a picture, or what a link or video shows of itself and where it leads."""
    if not isinstance(said, dict):
        return []
    picture: Any = said
    for name in ("media", "image", "src"):
        picture = picture.get(name) if isinstance(picture, dict) else None
    leads = str(said.get("type") or "").startswith(("share", "video"))
    return _media((picture, "image"), (said.get("url") if leads else None, "link"))


def _delivered_media(value: Mapping[str, Any]) -> list[dict[str, str]]:
    photos = value.get("photos")
    found = [(each, "image") for each in photos] if isinstance(photos, list) else []
    found += [(value.get(name), what) for name, what in SHOWN.items()]
    return _media(*found, (value.get("link"), SHOWN.get(str(value.get("item")), "link")))


def _media(*found: tuple[Any, str]) -> list[dict[str, str]]:
    return [{"url": url, "type": what} for url, what in found if url and isinstance(url, str)]
