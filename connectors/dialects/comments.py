"""YouTube’s comments and threads of comments, as JSON, into our posts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Post, Unreadable
from connectors.errors import MakesNoSense
from connectors.normalise import post_from


def as_post(raw: Any, me: str, video: str = "") -> Post | Unreadable:
    """A comment of YouTube's as ours; what can not be understood is Unreadable. `video` is where it stands: lists of
    answers do not say."""
    try:
        return post_from(_said(raw, me, video), global_ids=True)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable(raw, "It does not look like a comment of YouTube.")


def thread_of(id: str) -> str:
    """The comment that began the thread: ids of answers begin with its id."""
    return id.partition(".")[0]


def _said(raw: Mapping[str, Any], me: str, video: str) -> dict[str, Any]:
    id, snippet = raw["id"], raw["snippet"]
    parent = thread_of(id) if "." in id else snippet.get("parentId")
    author = (snippet.get("authorChannelId") or {}).get("value")
    edited = snippet.get("updatedAt") if snippet.get("updatedAt") != snippet["publishedAt"] else None
    return {
        "id": id,
        "global_id": f"youtube:{id}",
        "kind": "reply" if parent else "comment",
        "text": snippet.get("textOriginal") or snippet.get("textDisplay") or "",
        "created_at": snippet["publishedAt"],
        "edited_at": edited,
        "author": _author(author, snippet) if author else None,
        "direction": "out" if author and author == me else "in",
        "url": _address(id, video_of(raw) or video),
        "in_reply_to": parent,
        "thread": parent or id,
    }


def _author(id: str, snippet: Mapping[str, Any]) -> dict[str, Any]:
    name = snippet.get("authorDisplayName") or ""
    avatar = snippet.get("authorProfileImageUrl") or ""
    return {"id": id, "handle": name, "name": name.removeprefix("@"), "avatar_url": avatar}


def video_of(comment: Mapping[str, Any]) -> str:
    return comment["snippet"].get("videoId") or ""


def _address(id: str, video: str) -> str:
    return f"https://www.youtube.com/watch?v={video}&lc={id}" if video else ""


def top_of(thread: Any) -> Any:
    snippet = thread.get("snippet") if isinstance(thread, dict) else None
    top = snippet.get("topLevelComment") if isinstance(snippet, dict) else None
    return top if isinstance(top, dict) else thread


def items(said: Any) -> list[Any]:
    items = said.get("items", [])
    if not isinstance(items, list):
        raise MakesNoSense("YouTube did not answer with a list.")
    return items


def gone(ids: Sequence[str], said: Mapping[str, Any]) -> set[str]:
    """Which of these comments are not among those that YouTube lists. One that is listed in a form that we do not
    understand is there, and an answer that lists nothing tells of nothing. Raises MakesNoSense."""
    if "items" not in said and not str(said.get("kind", "")).startswith("youtube#"):
        raise MakesNoSense("YouTube did not answer with a list.")
    there = [each.get("id") if isinstance(each, dict) else None for each in items(said)]
    return set(ids) - set(there) if all(isinstance(each, str) for each in there) else set()


def answers_of(thread: Any) -> tuple[int, list[Any]]:
    """How many answers a thread has, and those that came along with it."""
    thread = thread if isinstance(thread, dict) else {}
    snippet, replies = thread.get("snippet"), thread.get("replies")
    count = snippet.get("totalReplyCount") if isinstance(snippet, dict) else None
    inline = replies.get("comments") if isinstance(replies, dict) else None
    return count if isinstance(count, int) else 0, inline if isinstance(inline, list) else []


def following(said: Mapping[str, Any]) -> str:
    token = said.get("nextPageToken")
    return token if isinstance(token, str) else ""


def edited(post: Post) -> str:
    return post.edited_at.isoformat() if post.edited_at else ""
