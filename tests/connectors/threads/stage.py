"""Threads on loopback, as developers.facebook.com says of the Threads API: lists newest first, answers that are made
and then published, a search without pages, one-sided names of authors, deliveries in a shape of their own."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.metas import MetaStage, error, moment
from tests.connectors.stages import Asked, Delivered, Written

US, HANDLE = "25000000000000001", "mirabelo"
ROOT = "18100000000000001"  # a post of ours
SCOPES = (
    "threads_basic",
    "threads_content_publish",
    "threads_read_replies",
    "threads_manage_replies",
    "threads_manage_mentions",
    "threads_delete",
    "threads_keyword_search",
)


@dataclass
class ThreadsStage(MetaStage):
    scopes: tuple[str, ...] = SCOPES
    #: Posts of ours: id → when.
    roots: dict[str, datetime] = field(default_factory=lambda: {ROOT: datetime.now(UTC) - timedelta(days=10)})
    containers: dict[str, dict[str, str]] = field(default_factory=dict)
    ready: bool = True
    answered: int = 0

    network = "threads"
    kinds = ("reply", "mention")
    grant = "th"

    def new_id(self) -> str:
        return f"1800000000000{self.numbers}"

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                usage = {"4711": [{"call_count": 100, "type": "threads", "estimated_time_to_regain_access": 2}]}
                return (
                    400,
                    error(80012, "There have been too many calls."),
                    {"X-Business-Use-Case-Usage": json.dumps(usage)},
                )
            case "limited silently":
                return 400, error(4, "Application request limit reached")
            case "expired":
                return 400, error(190, "Error validating access token: Session has expired", 463)
            case _:
                return 400, error(10, "Application does not have permission for this action")

    # Answers --------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked):
        if said := self.signing_in(asked):
            return said
        if not self.is_known(asked):
            return 400, error(190, "Invalid OAuth access token - Cannot parse access token")
        status, said = self._answer(asked, asked.path.strip("/").split("/"))
        return status, said, {"X-App-Usage": json.dumps({"call_count": 7, "total_cputime": 3, "total_time": 4})}

    def brief(self) -> dict[str, Any]:
        return {"access_token": "canary-brief", "user_id": US}

    def _answer(self, asked: Asked, path: list[str]) -> tuple[int, Any]:
        assert path[0] == "v1.0"
        match asked.method, path[1:]:
            case "GET", ["me"]:
                return 200, {"id": US, "username": HANDLE}
            case "POST", ["debug_token"]:
                assert asked.form["method"] == "get"
                end = int((datetime.now(UTC) + timedelta(days=50)).timestamp())
                return 200, {"data": {"is_valid": True, "scopes": list(self.scopes), "expires_at": end, "user_id": US}}
            case "GET", ["me", "threads_publishing_limit"]:
                config = {"quota_total": 1000, "quota_duration": 86400}
                return 200, {"data": [{"reply_quota_usage": self.answered, "reply_config": config}]}
            case "GET", ["me", "threads"]:
                roots = sorted(self.roots.items(), key=lambda each: each[1], reverse=True)
                return 200, self._page(asked, [self._root(*each) for each in roots])
            case "GET", ["me", "replies"]:
                return 200, self._listed(asked, self.published)
            case "GET", ["me", "mentions"]:
                return 200, self._listed(asked, [each for each in self.newest_first if each.kind == "mention"])
            case "GET", ["keyword_search"]:
                return 200, self._searched(asked)
            case "GET", [id, "conversation"]:
                assert asked.query["reverse"] == "true"
                return 200, self._listed(asked, [each for each in self._shown() if self._root_of(each) == id])
            case "GET", [id, "replies"]:
                return 200, self._listed(asked, [each for each in self._shown() if each.answers == id])
            case "POST", ["me", "threads"]:
                return self._made(asked.form)
            case "POST", ["me", "threads_publish"]:
                return self._published(asked.form["creation_id"])
        return self._one(asked, path[1:])

    def _one(self, asked: Asked, path: list[str]) -> tuple[int, Any]:
        id = path[0]
        if id not in self.posts:
            return 400, error(100, f"Unsupported get request. Object with ID '{id}' does not exist", 33)
        match asked.method, path[1:]:
            case "GET", []:
                return 200, self.told(self.posts[id])
            case "POST", ["manage_reply"]:
                self.posts[id] = replace(self.posts[id], hidden=asked.form["hide"] == "true")
            case "DELETE", []:
                if not self.posts[id].ours:
                    return 400, error(10, "Application does not have permission for this action")
                self.delete(id)
        return 200, {"success": True}

    def _shown(self) -> list[Written]:
        return [*self.newest_first, *self.published]

    def _listed(self, asked: Asked, posts: list[Written]) -> dict[str, Any]:
        posts = sorted(posts, key=lambda each: each.at, reverse=True)
        return self._page(asked, [self.told(each) for each in posts])

    def _page(self, asked: Asked, items: list[dict[str, Any]]) -> dict[str, Any]:
        """From the item in the cursor on: what is new meanwhile shows at the head alone."""
        assert int(asked.query["limit"]) <= 100
        ids = [each["id"] for each in items]
        after = asked.query.get("after", "")
        start = ids.index(after) + 1 if after in ids else 0
        page = items[start : start + self.page]
        if not page:
            return {"data": []}
        paging: dict[str, Any] = {"cursors": {"before": page[0]["id"], "after": page[-1]["id"]}}
        if start + self.page < len(items):
            paging["next"] = f"https://graph.threads.com/v1.0/x?access_token=theirs&after={page[-1]['id']}"
        return {"data": page, "paging": paging}

    def _searched(self, asked: Asked) -> dict[str, Any]:
        assert asked.query["search_type"] == "RECENT"
        since, until = (float(asked.query.get(name) or 4e9) for name in ("since", "until"))
        found = [each for each in self.newest_first if asked.query["q"] in each.text]
        found = [each for each in found if since <= int(each.at.timestamp()) < until]
        return {"data": [self.told(each) for each in found[: int(asked.query["limit"])]]}

    # Posts ----------------------------------------------------------------------------------------------------------

    def _root_of(self, post: Written) -> str:
        while post.answers in self.posts:
            post = self.posts[post.answers]
        return "" if post.kind == "mention" else post.answers or ROOT

    def _root(self, id: str, at: datetime) -> dict[str, Any]:
        said = {"id": id, "username": HANDLE, "text": "A new wheel", "timestamp": moment(at), "media_type": "TEXT_POST"}
        return said | {"permalink": f"https://www.threads.com/@{HANDLE}/post/A", "has_replies": True}

    def told(self, post: Written) -> dict[str, Any]:
        name = HANDLE if post.ours else post.author
        said = {"id": post.id, "text": post.text, "timestamp": moment(post.at), "media_type": "TEXT_POST"}
        said |= {"username": name, "permalink": f"https://www.threads.com/@{name}/post/{post.id}"}
        said["has_replies"] = any(each.answers == post.id for each in self.posts.values())
        if post.kind != "reply":
            return said | {"is_reply": False}
        above = post.answers or ROOT
        said |= {"root_post": {"id": self._root_of(post) or above}, "replied_to": {"id": above}, "is_reply": True}
        return said | {"hide_status": "HIDDEN" if post.hidden else "NOT_HUSHED"}

    def _made(self, form: dict[str, str]) -> tuple[int, Any]:
        assert form["media_type"] == "TEXT" and len(form["text"]) <= 500
        if form["reply_to_id"] not in self.posts:
            return 400, error(24, "The requested resource does not exist", 4279009)
        self.numbers += 1
        self.containers[id := f"1790000000000{self.numbers}"] = form
        return 200, {"id": id}

    def _published(self, container: str) -> tuple[int, Any]:
        if not self.ready or container not in self.containers:
            return 400, error(24, "The requested resource does not exist", 4279009)
        form = self.containers.pop(container)
        self.answered += 1
        return 200, {"id": self.write(form["text"], kind="reply", answers=form["reply_to_id"], ours=True).id}

    def is_write(self, asked: Asked) -> bool:
        """What hangs up after it was done is the step that publishes."""
        return asked.path.endswith("threads_publish")

    # Deliveries -----------------------------------------------------------------------------------------------------

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        return self.delivering([self._event(each) for each in posts], secret)

    def delivering(self, said: Any, secret: str = "") -> Delivered:
        said = said[0] if isinstance(said, list) and len(said) == 1 else said
        body = json.dumps(said).replace("/", "\\/").encode()
        return Delivered(body, {"X-Hub-Signature-256": self.signature(body, secret)})

    def _event(self, post: Written) -> dict[str, Any]:
        mention = post.kind == "mention"
        values = {"value": self.told(post), "field": "mentions" if mention else "replies"}
        said = {"app_id": "4711", "topic": "interaction" if mention else "moderate", "time": int(post.at.timestamp())}
        return said | {"target_id": US if mention else post.id, "has_uid_field": False, "values": values}
