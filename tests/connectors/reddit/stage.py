"""Reddit on loopback, as its API documents say: listings newest first by `after`, refusals inside of a 200, deleted
posts that are still told of."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.stages import Asked, Stage, Written

US = "mirabelo"
LINK = "t3_1j7g9uj"
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
TYPES = {"mention": "username_mention", "reply": "comment_reply", "comment": "post_reply"}


@dataclass
class RedditStage(Stage):
    deleted: dict[str, Written] = field(default_factory=dict)
    #: Which errors the next comment is answered with, as Reddit lists them.
    refuses: list[list[str]] = field(default_factory=list)
    archived: set[str] = field(default_factory=set)
    scope: str = "identity privatemessages history read submit edit"
    tokens: set[str] = field(default_factory=lambda: {"canary-token"})

    network = "reddit"
    kinds = ("mention", "reply", "comment")
    late = timedelta(minutes=50)
    finds_all = False

    @property
    def credentials(self):
        return {
            "access_token": "canary-token",
            "refresh_token": "canary-refresh",
            "client_id": "canary-client",
            "client_secret": "canary-client-secret",
        }

    def new_id(self) -> str:
        return f"t1_{self.numbers:x}"

    def delete(self, id: str) -> None:
        self.deleted[id] = self.posts.pop(id)

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                headers = {"x-ratelimit-remaining": "0", "x-ratelimit-used": "100", "x-ratelimit-reset": "90"}
                return 429, {"message": "Too Many Requests", "error": 429}, headers
            case "limited silently":
                return 429, {"message": "Too Many Requests", "error": 429}
            case "expired":
                said = {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}
                return 401, {"message": "Unauthorized", "error": 401}, said
            case _:
                said = {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
                return 403, {"message": "Forbidden", "error": 403}, said

    def answer(self, asked: Asked):
        if asked.path == "/api/v1/access_token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("bearer ") not in self.tokens:
            return 401, {"message": "Unauthorized", "error": 401}
        assert asked.query.get("raw_json") == "1"
        headers = {"x-ratelimit-remaining": "99.0", "x-ratelimit-used": "1", "x-ratelimit-reset": "300"}
        return 200, self._answer(asked), headers

    def _answer(self, asked: Asked) -> Any:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["api", "v1", "me"]:
                return {"name": US, "id": "abc"}
            case "GET", ["message", which]:
                kind = {"mentions": "mention", "comments": "reply", "selfreply": "comment"}[which]
                return self._listing(asked, [each for each in self.newest_first if each.kind == kind])
            case "GET", ["user", name, "comments"]:
                assert name == US
                return self._listing(asked, sorted(self.published, key=lambda each: each.at, reverse=True))
            case "GET", ["r", subreddit, "search"]:
                assert (subreddit == "all") == ("restrict_sr" not in asked.query)
                found = [each for each in self.newest_first if asked.query["q"] in each.text]
                return self._listing(asked, found, submissions=True)
            case "GET", ["api", "info"]:
                ids = asked.query["id"].split(",")
                known = self.posts | self.deleted
                return listing([self.told(known[each], looked_up=True) for each in ids if each in known])
            case "POST", ["api", "comment"]:
                return self._written(asked.form)
            case "POST", ["api", "del"]:
                if self.posts.get(asked.form["id"], Written("", "", FIRST)).ours:
                    self.delete(asked.form["id"])
                return {}
        raise AssertionError(asked.path)

    def _listing(self, asked: Asked, posts: list[Written], submissions: bool = False) -> dict[str, Any]:
        ids = [each.id for each in posts]
        start = ids.index(asked.query["after"]) + 1 if asked.query.get("after") in ids else 0
        page = posts[start : start + self.page]
        told = [self.submission(each) if submissions else self.told(each) for each in page]
        return listing(told, page[-1].id if len(posts) > start + len(page) else None)

    def _written(self, form: dict[str, str]) -> dict[str, Any]:
        assert form["api_type"] == "json"
        if self.refuses:
            return {"json": {"errors": self.refuses, "ratelimit": 120.0}}
        post = self.write(form["text"], kind="reply", answers=form["thing_id"], ours=True)
        return {"json": {"errors": [], "data": {"things": [self.told(post, looked_up=True)]}}}

    def _token(self, asked: Asked):
        basic = base64.b64encode(b"canary-client:canary-client-secret").decode()
        assert asked.headers["authorization"] == f"Basic {basic}"
        form = asked.form
        if form.get("refresh_token") != "canary-refresh" and form.get("code") != "good":
            return 400, {"message": "Bad Request", "error": 400}
        self.numbers += 1
        token = f"canary-token-{self.numbers}"
        self.tokens.add(token)
        said = {"access_token": token, "token_type": "bearer", "expires_in": 86_400, "scope": self.scope}
        return 200, said | {"refresh_token": "canary-refresh"}

    # Posts ----------------------------------------------------------------------------------------------------------

    def told(self, post: Written, looked_up: bool = False) -> dict[str, Any]:
        """A comment; an inbox leaves out what a look-up tells."""
        gone = post.id in self.deleted
        author = US if post.ours else post.author
        data = {
            "id": post.id.removeprefix("t1_"),
            "name": post.id,
            "body": "[deleted]" if gone else post.text,
            "author": "[deleted]" if gone else author,
            "author_fullname": f"t2_{author}",
            "created_utc": post.at.timestamp(),
            "parent_id": post.answers or ("t1_parent" if post.kind == "reply" else LINK),
            "subreddit": "ebikes",
            "score": 1,
        }
        if looked_up or post.ours:
            edited = post.edited_at.timestamp() if post.edited_at else False
            data |= {"link_id": LINK, "edited": edited, "permalink": f"/r/ebikes/comments/1j7g9uj/title/{data['id']}/"}
            data |= {"archived": post.id in self.archived, "locked": False}
        else:
            data |= {"type": TYPES[post.kind], "was_comment": True, "subject": "username mention", "dest": US}
            data["context"] = f"/r/ebikes/comments/1j7g9uj/title/{data['id']}/?context=3"
        return {"kind": "t1", "data": data}

    def submission(self, post: Written) -> dict[str, Any]:
        name = post.id.replace("t1_", "t3_")
        data = {"name": name, "title": post.text[:300], "selftext": post.text, "author": post.author, "edited": False}
        data |= {"created_utc": post.at.timestamp(), "permalink": f"/r/ebikes/comments/{name[3:]}/title/"}
        return {"kind": "t3", "data": data | {"archived": False, "locked": False, "url": "https://example.org/"}}


def listing(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": after, "before": None, "dist": len(children), "children": children}}
