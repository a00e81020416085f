"""The raven network itself, on loopback."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors import registry
from tests.connectors.stages import TROUBLES, Asked, Delivered, Stage, Written

registry.NETWORKS["raven"] = "tests.connectors.raven.network.Raven"


@dataclass
class RavenStage(Stage):
    access: str = "canary-token"
    refresh: str = "canary-refresh"

    network = "raven"
    kinds = ("mention", "comment", "dm")
    troubles = TROUBLES
    anonymous = True
    secrets = ("canary-new-secret", "canary-old-secret")
    dates_deliveries = True

    @property
    def credentials(self):
        return {"access_token": self.access, "refresh_token": self.refresh, "secret": " ".join(self.secrets)}

    def answer(self, asked: Asked):
        if asked.path == "/token":
            return self._renewed(asked)
        if asked.headers.get("authorization") != f"Bearer {self.access}":
            return 401, {"error": "token"}
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["me"]:
                return 200, {"name": "Mirabelo"}
            case "GET", ["posts"]:
                return self._listed(asked.query)
            case "POST", ["posts"]:
                return self._published(asked.json)
            case "POST", ["posts", id, "like"]:
                self.posts[id].liked = True
            case "POST", ["posts", id, "hide"]:
                self.posts[id].hidden = asked.json["hidden"]
            case "DELETE", ["posts", id]:
                self.delete(id)
            case _:
                return 404, {"error": "nothing here"}
        return 200, {}

    def _renewed(self, asked: Asked):
        if asked.json["refresh"] != self.refresh:
            return 401, {"error": "used up"}
        self.access, self.refresh = f"{self.access}-again", f"{self.refresh}-again"
        return 200, {"access": self.access, "refresh": self.refresh, "seconds": 7200}

    def _listed(self, query):
        if ids := query.get("ids"):
            return 200, {"posts": [self.told(self.posts[id]) for id in ids.split(",") if id in self.posts]}
        if key := query.get("key"):
            return 200, {"posts": [self.told(each) for each in self.published if self.keys[each.id] == key]}
        shown = [each for each in self._everything if query.get("query", "") in each.text]
        if before := query.get("before"):
            shown = shown[[each.id for each in shown].index(before) + 1 :] if before in self.posts else []
        page = shown[: self.page]
        more = {"next": page[-1].id} if len(shown) > self.page else {}
        return 200, {"posts": [self.told(each) for each in page], **more}

    @property
    def _everything(self):
        ours = [each for each in self.posts.values() if each.ours]
        return sorted([*self.newest_first, *ours], key=lambda each: (each.at, each.id), reverse=True)

    def _published(self, said):
        if len(said["text"]) > 300:
            return 400, {"error": "It is too long."}
        facts = {"answers": said["answers"], "ours": True}
        facts |= {"visibility": "direct", "kind": "dm"} if said["direct"] else {"kind": "comment"}
        post = self.write(said["text"], **facts)
        self.keys[post.id] = said["key"]
        return 201, self.told(post)

    def __post_init__(self):
        self.keys = {}

    def told(self, post: Written):
        said = {
            "id": post.id,
            "kind": post.kind,
            "text": post.text,
            "created_at": post.at.isoformat(),
            "direction": "out" if post.ours else "in",
            "url": f"https://raven.example/{post.id}",
            "visibility": post.visibility,
            "deleted": post.id not in self.posts,
        }
        said |= {"author": {"id": post.author, "handle": post.author}} if post.author and not post.ours else {}
        said |= {"in_reply_to": post.answers} if post.answers else {}
        return said | ({"edited_at": post.edited_at.isoformat()} if post.edited_at else {})

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        moment = str((at or datetime.now(UTC)).timestamp())
        body = json.dumps({"posts": [self.told(each) for each in posts]}).encode()
        signature = hmac.new((secret or self.secrets[0]).encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return Delivered(body, {"x-raven-signature": signature.hexdigest(), "x-raven-time": moment})

    def question(self, good: bool = True):
        return {"word": self.secrets[0] if good else "guessed", "challenge": "4711"}, "4711"
