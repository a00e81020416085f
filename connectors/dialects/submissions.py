"""Reddit’s submissions and comments, as JSON, into our posts, and what it means by its refusals. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import http
from connectors.contract import Limits, Post, Unreadable
from connectors.errors import (
    ConnectorError,
    MakesNoSense,
    MaybeSent,
    MissingScope,
    NotAllowed,
    NotAuthorized,
    NotThere,
    RateLimited,
    Rejected,
    ServerFailed,
    WindowClosed,
)
from connectors.normalise import LONGEST_TITLE, post_from

WWW = "https://www.reddit.com"
TOLD = {"username_mention": "mention", "comment_reply": "reply", "post_reply": "comment"}
GONE = ("[deleted]", "[removed]")
ARCHIVED = "Reddit has archived this post: nobody can answer it any more."
LOCKED = "The moderators have locked this post: nobody can answer it."


def as_post(raw: Any, me: str) -> Post | Unreadable:
    """A comment or a submission of Reddit's as ours; what can not be understood is Unreadable."""
    try:
        return post_from(_said(raw["kind"], raw["data"], me), global_ids=True)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return Unreadable(raw, "It does not look like a post of Reddit.")


def _said(kind: str, data: Mapping[str, Any], me: str) -> dict[str, Any]:
    if kind not in ("t1", "t3"):
        raise ValueError(kind)
    is_comment, author = kind == "t1", data.get("author")
    author = "" if author in (None, *GONE) else author
    edited = data.get("edited")
    return {
        "id": data["name"],
        "global_id": f"reddit:{data['name']}",
        "kind": _kind(data) if is_comment else "post",
        "text": data["body"] if is_comment else data.get("selftext") or data.get("url") or "",
        "title": "" if is_comment else str(data.get("title") or "")[:LONGEST_TITLE],
        "created_at": _time(data["created_utc"]),
        "edited_at": _time(edited) if isinstance(edited, int | float) and not isinstance(edited, bool) else None,
        "author": {"id": author, "handle": author, "name": author} if author else None,
        "direction": "out" if author and author == me else "in",
        "url": _address(data),
        "in_reply_to": data.get("parent_id") if is_comment else None,
        "thread": _thread(data) if is_comment else data["name"],
        "reply_closed": ARCHIVED if data.get("archived") is True else LOCKED if data.get("locked") is True else "",
    }


def _kind(data: Mapping[str, Any]) -> str:
    if data.get("type") in TOLD:
        return TOLD[data["type"]]
    return "reply" if str(data.get("parent_id", "")).startswith("t1_") else "comment"


def _thread(data: Mapping[str, Any]) -> str | None:
    """The submission that a comment stands below. In an inbox only its address names it."""
    if data.get("link_id"):
        return data["link_id"]
    parts = str(data.get("context") or "").split("/")
    return f"t3_{parts[parts.index('comments') + 1]}" if "comments" in parts[:-1] else None


def _address(data: Mapping[str, Any]) -> str:
    path = str(data.get("permalink") or data.get("context") or "").partition("?")[0]
    if not path and data.get("subreddit") and data.get("link_id"):
        path = f"/r/{data['subreddit']}/comments/{data['link_id'][3:]}/_/{data['id']}/"
    return f"{WWW}{path}" if path.startswith("/") else ""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def children(said: Mapping[str, Any]) -> list[Any]:
    data = said.get("data")
    children = data.get("children") if isinstance(data, dict) else None
    if not isinstance(children, list):
        raise MakesNoSense("Reddit did not answer with a list.")
    # What was said in private is not ours to keep, wherever it turns up.
    return [each for each in children if not isinstance(each, dict) or each.get("kind") != "t4"]


def first_thing(said: Any) -> Any:
    """What Reddit made of what we wrote; None where it does not say."""
    things = _object(_object(said, "json"), "data").get("things")
    return things[0] if isinstance(things, list) and things else None


def _object(said: Any, name: str) -> dict[str, Any]:
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, dict) else {}


def following(said: Mapping[str, Any]) -> str:
    after = said["data"].get("after")
    return after if isinstance(after, str) else ""


def missing(ids: Sequence[str], there: Sequence[Any]) -> set[str]:
    """Which of these posts are not there. One in a form that we do not understand is; nothing is missing for certain
    beside one that does not even say its name."""
    data = [each.get("data") if isinstance(each, dict) else None for each in there]
    names = [each.get("name") if isinstance(each, dict) else None for each in data]
    return set(ids) - set(names) if all(isinstance(each, str) for each in names) else set()


def is_gone(raw: Any) -> bool:
    data = raw.get("data") if isinstance(raw, dict) else None
    return isinstance(data, dict) and (data.get("body") in GONE or data.get("selftext") in GONE)


def limits(answer: http.Answer) -> Limits | None:
    said = [answer.headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "used", "reset")]
    try:
        remaining, used, reset = (float(each) for each in said)
    except ValueError:
        return None
    return Limits(int(remaining), int(remaining + used), datetime.now(UTC) + timedelta(seconds=min(reset, 86_400)))


# Its refusals -------------------------------------------------------------------------------------------------------

#: The errors of Reddit's own that say more than no.
ARE_OVER = frozenset(("TOO_OLD", "ARCHIVED"))
ARE_CLOSED = frozenset(("THREAD_LOCKED", "COMMENT_LOCKED", "USER_BLOCKED", "SUBREDDIT_NOTALLOWED"))
ARE_GONE = frozenset(("DELETED_COMMENT", "DELETED_LINK", "COMMENT_DELETED", "DELETED"))


def refused(said: Any) -> ConnectorError | None:
    """What Reddit says in an answer that looks like success; it took nothing then. None when it did."""
    outcome = _object(said, "json")
    errors, seconds = outcome.get("errors"), outcome.get("ratelimit")
    if not errors:
        return None
    first = errors[0] if isinstance(errors, list) and isinstance(errors[0], list) and errors[0] else [""]
    code, told = str(first[0]), str(first[1])[:200] if len(first) > 1 else ""
    if code == "RATELIMIT":
        wait = timedelta(seconds=seconds) if isinstance(seconds, int | float) else None
        return RateLimited("Reddit asks for a pause between two answers.", datetime.now(UTC) + wait if wait else None)
    if code in ARE_OVER:
        return WindowClosed(ARCHIVED)
    if code in ARE_GONE:
        return Rejected("What this answers is not there any more.")
    return (NotAllowed if code in ARE_CLOSED else Rejected)(f"Reddit refused it: “{told or code}”.")


def of_reading(error: Exception, answer: http.Answer | None) -> ConnectorError:
    status = answer.status if answer else 0
    if certain := _certain(answer):
        return certain
    if status == 403:
        return MissingScope("Reddit answered 403.")
    if status == 404:
        return NotThere("Reddit answered 404.")
    return ServerFailed(f"Reddit answered {status}.") if status >= 500 else MakesNoSense(f"Reddit answered {status}.")


def of_writing(error: Exception, answer: http.Answer | None) -> ConnectorError:
    status = answer.status if answer else 0
    if certain := _certain(answer):
        return certain
    if status == 403:
        return NotAllowed("Reddit does not allow it (403).")
    if 300 <= status < 500:
        return Rejected(f"Reddit refused it ({status}).")
    return MaybeSent(f"Reddit answered {status}.")


def _certain(answer: http.Answer | None) -> ConnectorError | None:
    if answer is None:
        return None
    if answer.status == 401:
        return NotAuthorized("Reddit answered 401.")
    if answer.status == 429:
        left, asked = limits(answer), http.asked_wait(answer.headers)
        return RateLimited("Reddit answered 429.", asked or (left.reset if left else None))
    if "insufficient_scope" in answer.headers.get("www-authenticate", ""):
        return MissingScope("Reddit says that a permission is missing.")
    return None
