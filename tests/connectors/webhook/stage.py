"""Another program on loopback: it delivers posts, signed as Standard Webhooks asks, and takes replies."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from connectors import signing
from connectors.contract import KINDS
from tests.connectors.stages import TROUBLES, Asked, Delivered, Stage, Written

#: "canary", over and over, is base64 too.
NEW, OLD = (f"{signing.PREFIX}{letter}{'canary' * 8}" for letter in ("AAA", "BBB"))
NEW, OLD = (f"{each[: len(signing.PREFIX) + 48]}" for each in (NEW, OLD))


@dataclass
class WebhookStage(Stage):
    keys: dict[str, str] = field(default_factory=dict)

    network = "webhook"
    kinds = tuple(sorted(KINDS))
    troubles = tuple(each for each in TROUBLES if each not in ("scope", "unpaid"))
    anonymous = True
    secrets = (NEW, OLD)
    dates_deliveries = True

    @property
    def settings(self):
        return {"reply_url": f"{self.web.url}/replies", "allow_private_hosts": True}

    @property
    def credentials(self):
        return {"secret": f"{NEW} {OLD}"}

    def answer(self, asked: Asked):
        if asked.method == "GET":
            found = [id for id, key in self.keys.items() if key == asked.query["client_key"]]
            return (200, {"id": found[0]}) if found else (404, {})
        said = asked.json
        # Which post is answered says who may see the answer.
        facts = {"answers": said["in_reply_to"], "visibility": self.posts[said["in_reply_to"]].visibility}
        post = self.write(said["text"], kind="reply", ours=True, **facts)
        self.keys[post.id] = said["id"]
        return 200, {"id": post.id}

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        body = json.dumps({"posts": [self._told(each) for each in posts]}).encode()
        headers = signing.sign(secret or NEW, body, id=sha256(body).hexdigest(), at=at or datetime.now(UTC))
        return Delivered(body, headers)

    def _told(self, post: Written):
        said = {"id": post.id, "kind": post.kind, "text": post.text, "created_at": post.at.isoformat()}
        said |= {"visibility": post.visibility, "direction": "out" if post.ours else "in"}
        said |= {"author": {"id": post.author, "handle": post.author}} if post.author else {}
        said |= {"in_reply_to": post.answers} if post.answers else {}
        said |= {"edited_at": post.edited_at.isoformat()} if post.edited_at else {}
        return said | {"deleted": post.id not in self.posts} | ({"unheard": {"of": 1}} if self.strange else {})
