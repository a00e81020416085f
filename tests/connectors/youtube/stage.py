"""YouTube on loopback, as developers.google.com/youtube/v3 says: threads by when they were begun, answers below them by
a list of their own, moderation, and Google's way to refuse."""

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.connectors.stages import Asked, Stage, Written

US = "UCmirabelo"
VIDEO = "dQw4w9WgXcQ"


@dataclass
class YouTubeStage(Stage):
    #: What is held back for review, and what was rejected for good.
    held: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    #: How many answers come along with a thread.
    inline: int = 2
    testing: bool = False
    tokens: set[str] = field(default_factory=lambda: {"canary-token"})

    network = "youtube"
    kinds = ("comment", "reply")
    late = timedelta(minutes=50)
    anonymous = True

    @property
    def credentials(self):
        return {
            "access_token": "canary-token",
            "refresh_token": "canary-refresh",
            "client_id": "canary-client",
            "client_secret": "canary-client-secret",
        }

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        """An answer stands below a thread, an old one unless another is named, and its id begins with the thread's."""
        at = at or datetime.now(UTC)
        self.numbers += 1
        if facts.get("kind") == "reply" and not facts.get("answers"):
            facts["answers"] = self.write("Look at this", at - timedelta(days=8), kind="comment").id
        id = f"{facts['answers']}.{self.numbers}" if facts.get("answers") else f"Ug{self.numbers}"
        post = Written(id, text, at, **{"kind": "comment"} | facts)
        self.posts[post.id] = post
        return post

    @property
    def published(self) -> list[Written]:
        return [each for each in self.posts.values() if each.ours and each.answers]

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                return 403, error(403, "quotaExceeded", "The request cannot be completed.", "youtube.quota")
            case "limited silently":
                return 403, error(403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")
            case "expired":
                return 401, error(401, "authError", "Invalid Credentials")
            case _:
                return 403, error(403, "insufficientPermissions", "Insufficient Permission")

    def answer(self, asked: Asked):
        if asked.path == "/token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, error(401, "authError", "Invalid Credentials")
        match asked.method, asked.path:
            case "GET", "/youtube/v3/channels":
                assert asked.query["mine"] == "true"
                return 200, {"items": [{"kind": "youtube#channel", "id": US, "snippet": {"title": "Mirabelo"}}]}
            case "GET", "/youtube/v3/commentThreads":
                return 200, self._threads(asked.query)
            case "GET", "/youtube/v3/comments":
                return 200, self._comments(asked.query)
            case "POST", "/youtube/v3/comments":
                return self._written(asked.json["snippet"])
            case "POST", "/youtube/v3/comments/setModerationStatus":
                return self._moderated(asked.query["id"], asked.query["moderationStatus"])
            case "DELETE", "/youtube/v3/comments":
                return self._deleted(asked.query["id"])
        return 404, error(404, "notFound", "Not Found")

    def _threads(self, query: dict[str, str]) -> dict[str, Any]:
        assert query["allThreadsRelatedToChannelId"] == US and query["order"] == "time"
        assert query["textFormat"] == "plainText"
        wanted = query["moderationStatus"] == "heldForReview"
        begun = [each for each in self.posts.values() if not each.answers and each.id not in self.rejected]
        begun = sorted(begun, key=lambda each: (each.at, each.id), reverse=True)[: self.deepest]
        shown = [each for each in begun if (each.id in self.held or each.hidden) == wanted]
        page, following = self._paged(shown, query)
        return {"kind": "youtube#commentThreadListResponse", "items": [self.thread(each) for each in page], **following}

    def _comments(self, query: dict[str, str]) -> dict[str, Any]:
        if "id" in query:
            assert len(query["id"].split(",")) <= 50
            found = [self.posts[each] for each in query["id"].split(",") if each in self.posts]
            return {"items": [self.told(each) for each in found]}
        page, following = self._paged(self.answers_to(query["parentId"]), query)
        return {"items": [self.told(each) for each in page], **following}

    def _paged(self, posts: list[Written], query: dict[str, str]) -> tuple[list[Written], dict[str, str]]:
        """A token names the post after which its page begins."""
        ids = [each.id for each in posts]
        start = ids.index(query["pageToken"]) + 1 if query.get("pageToken") in ids else 0
        page = posts[start : start + self.page]
        more = len(posts) > start + len(page)
        return page, {"nextPageToken": page[-1].id} if more and page else {}

    def _written(self, snippet: dict[str, str]):
        if snippet["parentId"] not in self.posts:
            return 404, error(404, "parentCommentNotFound", "The parent comment is gone.")
        post = self.write(snippet["textOriginal"], kind="reply", answers=snippet["parentId"], ours=True)
        return 200, self.told(post)

    def _moderated(self, id: str, status: str):
        if id not in self.posts:
            return 404, error(404, "commentNotFound", "Not there.")
        self.posts[id] = replace(self.posts[id], hidden=status != "published")
        self.held.discard(id)
        if status == "rejected":
            self.rejected.add(id)
        return 204, b""

    def _deleted(self, id: str):
        if not self.posts[id].ours:
            return 403, error(403, "forbidden", "Only its author may.")
        self.delete(id)
        return 204, b""

    def _token(self, asked: Asked):
        basic = base64.b64encode(b"canary-client:canary-client-secret").decode()
        assert asked.headers["authorization"] == f"Basic {basic}"
        form = asked.form
        if form.get("refresh_token") != "canary-refresh" and form.get("code") != "good":
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        self.numbers += 1
        token = f"canary-token-{self.numbers}"
        self.tokens.add(token)
        said = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        said["scope"] = "https://www.googleapis.com/auth/youtube.force-ssl"
        more = {"refresh_token": "canary-refresh"} if "code" in form else {}
        more |= {"refresh_token_expires_in": 604_799} if self.testing and "code" in form else {}
        return 200, said | more

    # Comments -------------------------------------------------------------------------------------------------------

    def answers_to(self, id: str) -> list[Written]:
        return [each for each in self.posts.values() if each.answers == id]

    def thread(self, top: Written) -> dict[str, Any]:
        answers = self.answers_to(top.id)
        snippet = {"channelId": US, "videoId": VIDEO, "topLevelComment": self.told(top), "canReply": True}
        said = {"kind": "youtube#commentThread", "id": top.id}
        said["snippet"] = snippet | {"totalReplyCount": len(answers), "isPublic": top.id not in self.held}
        if answers and self.inline:
            said["replies"] = {"comments": [self.told(each) for each in answers[-self.inline :]]}
        return said

    def told(self, post: Written) -> dict[str, Any]:
        author = "mirabelo" if post.ours else post.author
        snippet = {
            "channelId": US,
            "videoId": VIDEO,
            "textDisplay": post.text,
            "textOriginal": post.text,
            "authorDisplayName": f"@{author}" if author else "",
            "authorProfileImageUrl": "https://yt3.ggpht.com/a/photo.jpg",
            "canRate": True,
            "likeCount": 0,
            "publishedAt": _moment(post.at),
            "updatedAt": _moment(post.edited_at or post.at),
        }
        if author:
            snippet["authorChannelId"] = {"value": US if post.ours else f"UC{author}"}
        if post.answers:
            snippet["parentId"] = post.answers
        return {"kind": "youtube#comment", "etag": "etag", "id": post.id, "snippet": snippet}


def error(code: int, reason: str, message: str, domain: str = "youtube.comment") -> dict[str, Any]:
    why = {"message": message, "domain": domain, "reason": reason}
    return {"error": {"code": code, "message": message, "errors": [why]}}


def midnight_pacific() -> datetime:
    here = datetime.now(ZoneInfo("America/Los_Angeles"))
    return datetime.combine((here + timedelta(days=1)).date(), datetime.min.time(), here.tzinfo)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
