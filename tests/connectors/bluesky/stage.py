"""A server of the AT protocol on loopback, with Bluesky behind it, as the lexicons say: lists that go back only, with
the time of the last one as their cursor; views of posts; records under keys; sessions that end."""

import base64
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.dialects import atproto
from tests.connectors.stages import Asked, Stage, Written

US = "did:plc:mirabelo"
POST, LIKE, GATE = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.threadgate"
FAMILY = re.compile("(.)(?:\u200d.)*")


@dataclass
class BlueskyStage(Stage):
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: How often a password and a refresh token were taken.
    opened: int = 0
    refreshed: int = 0
    password: str = "canary-app-password"
    #: Posts below which we may not answer; posts whose author hides them from us.
    gated: set[str] = field(default_factory=set)
    hidden_from_us: set[str] = field(default_factory=set)
    #: What a notification is told as; posts that begin the thread of others.
    reasons: dict[str, str] = field(default_factory=dict)

    network = "bluesky"
    kinds = ("reply", "mention", "post")
    troubles = tuple(each for each in Stage.troubles if each != "scope")

    @property
    def settings(self) -> dict[str, Any]:
        return super().settings | {"handle": "mirabelo.example"}

    @property
    def credentials(self) -> dict[str, str]:
        return {"app_password": self.password}

    def new_id(self) -> str:
        return f"at://did:plc:ana/{POST}/{atproto.written(self.numbers << 20)}"

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        post = super().write(text, at, **facts)
        if post.author != "ana":
            self.posts.pop(post.id)
            post = replace(post, id=post.id.replace("did:plc:ana", f"did:plc:{post.author}"))
            self.posts[post.id] = post
        return post

    def is_write(self, asked: Asked) -> bool:
        return asked.path.startswith("/xrpc/com.atproto.repo.") and asked.method == "POST"

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                reset = str(int((datetime.now(UTC) + timedelta(seconds=90)).timestamp()))
                return 429, _error("RateLimitExceeded", "Rate Limit Exceeded"), {"ratelimit-reset": reset}
            case "limited silently":
                return 429, _error("RateLimitExceeded", "Rate Limit Exceeded")
            case _ if asked.path.endswith("createSession"):
                return 401, _error("AuthenticationRequired", "Invalid identifier or password")
            case _:
                return 400, _error("ExpiredToken", "Token has expired")

    def answer(self, asked: Asked):
        method = asked.path.removeprefix("/xrpc/")
        match method:
            case "com.atproto.server.createSession":
                return self._open(asked.json)
            case "com.atproto.server.refreshSession":
                return self._refresh(asked)
        if asked.headers.get("authorization") != f"Bearer {self.access}":
            return 401, _error("AuthMissing", "Authentication Required")
        status, said = self._answer(method, asked)
        reset = str(int((datetime.now(UTC) + timedelta(minutes=5)).timestamp()))
        return status, said, {"ratelimit-limit": "3000", "ratelimit-remaining": "2999", "ratelimit-reset": reset}

    @property
    def access(self) -> str:
        return _token(f"access {self.opened} {self.refreshed}", seconds=7_200)

    @property
    def refresh_token(self) -> str:
        return _token(f"refresh {self.opened} {self.refreshed}", seconds=7_776_000)

    def _open(self, said: Any):
        if said["password"] != self.password or said["identifier"] not in ("mirabelo.example", US):
            return 401, _error("AuthenticationRequired", "Invalid identifier or password")
        self.opened += 1
        return 200, self._session

    def _refresh(self, asked: Asked):
        if asked.headers.get("authorization") != f"Bearer {self.refresh_token}":
            return 400, _error("ExpiredToken", "Token has been revoked")
        self.refreshed += 1
        return 200, self._session

    @property
    def _session(self):
        session = {"did": US, "handle": "mirabelo.example"}
        return session | {"accessJwt": self.access, "refreshJwt": self.refresh_token}

    def _answer(self, method: str, asked: Asked) -> tuple[int, Any]:
        match method:
            case "com.atproto.server.getSession":
                return 200, {"did": US, "handle": "mirabelo.example"}
            case "com.atproto.identity.resolveHandle":
                name = asked.query["handle"].partition(".")[0]
                known = {US, *(f"did:plc:{each.author}" for each in self.posts.values())}
                did = f"did:plc:{name}"
                return (200, {"did": did}) if did in known else (400, _error("InvalidRequest", "Unable to resolve"))
            case "app.bsky.notification.listNotifications":
                return 200, self._paged(self._notifications, asked, "notifications")
            case "app.bsky.feed.getAuthorFeed":
                ours = sorted(self.published, key=lambda each: each.at, reverse=True)
                return 200, self._paged([(each.at, {"post": self.view(each)}) for each in ours], asked, "feed")
            case "app.bsky.feed.searchPosts":
                return 200, self._searched(asked)
            case "app.bsky.feed.getPosts":
                found = [self.posts.get(each) for each in _all(asked, "uris")]
                return 200, {
                    "posts": [self.view(each) for each in found if each and each.id not in self.hidden_from_us]
                }
            case "app.bsky.actor.getProfiles":
                return 200, {"profiles": [self.person(each) for each in _all(asked, "actors")]}
            case "com.atproto.repo.getRecord":
                return self._record("at://{repo}/{collection}/{rkey}".format(**asked.query))
            case "com.atproto.repo.putRecord":
                return self._put(asked.json)
            case "com.atproto.repo.deleteRecord":
                self.posts.pop("at://{repo}/{collection}/{rkey}".format(**asked.json), None)
                return 200, {}
        return 501, _error("MethodNotImplemented", method)

    @property
    def _notifications(self):
        told = []
        for each in self.newest_first:
            reason = self.reasons.get(each.id) or {"post": "subscribed-post"}.get(each.kind, each.kind)
            view = {name: value for name, value in self.view(each).items() if name not in ("embed", "viewer")}
            told.append((each.at, view | {"reason": reason, "isRead": False}))
        return [each for each in told if each[1]["uri"] not in self.hidden_from_us]

    def _paged(self, listed: list[tuple[datetime, Any]], asked: Asked, name: str) -> dict[str, Any]:
        if cursor := asked.query.get("cursor"):
            listed = [each for each in listed if _moment(each[0]) < cursor]
        page = listed[: min(int(asked.query["limit"]), self.page)]
        more = {"cursor": _moment(page[-1][0])} if len(page) == self.page else {}
        return {name: [each for _, each in page], **more}

    def _searched(self, asked: Asked) -> dict[str, Any]:
        found = [each for each in self.newest_first if asked.query["q"] in each.text]
        start = int(asked.query.get("cursor", 0))
        page = found[start : start + self.page]
        more = {"cursor": str(start + self.page)} if len(found) > start + self.page else {}
        return {"posts": [self.view(each) for each in page], "hitsTotal": len(found), **more}

    def _record(self, uri: str) -> tuple[int, Any]:
        if uri in self.posts:
            return 200, {"uri": uri, "cid": cid(self.posts[uri]), "value": self.view(self.posts[uri])["record"]}
        if uri not in self.records:
            return 400, _error("RecordNotFound", f"Could not locate record: {uri}")
        return 200, {"uri": uri, "cid": f"cid-{len(str(self.records[uri]))}", "value": self.records[uri]}

    def _gate(self, uri: str, said: Any) -> tuple[int, Any]:
        """Who may answer below a post, and which answers are hidden; written over only by who has seen it last."""
        stands = self._record(uri)[1].get("cid")
        if stands != said.get("swapRecord"):
            return 400, _error("InvalidSwap", f"Record was at {stands}")
        self.records[uri] = said["record"]
        for each in self.posts.values():
            each.hidden = each.id in said["record"]["hiddenReplies"]
        return 200, {"uri": uri, "cid": "cid-gate"}

    def _put(self, said: Any) -> tuple[int, Any]:
        uri, record = f"at://{said['repo']}/{said['collection']}/{said['rkey']}", said["record"]
        if said["collection"] == GATE:
            return self._gate(uri, said)
        self.records[uri] = record
        if said["collection"] == LIKE:
            self.posts[record["subject"]["uri"]].liked = True
            return 200, {"uri": uri, "cid": "cid-like"}
        if len(FAMILY.findall(record["text"])) > 300 or len(record["text"].encode()) > 3_000:
            return 400, _error("InvalidRequest", "Invalid app.bsky.feed.post record: Record/text must not be longer")
        answered = self.posts[record["reply"]["parent"]["uri"]]
        assert record["reply"]["parent"]["cid"] == cid(answered), "a reply names what stands there now"
        at = datetime.fromisoformat(record["createdAt"])
        self.posts[uri] = Written(uri, record["text"], at, "mirabelo", "reply", answers=answered.id, ours=True)
        return 200, {"uri": uri, "cid": cid(self.posts[uri])}

    def view(self, post: Written) -> dict[str, Any]:
        ours, record = post.ours, {"$type": POST, "text": post.text, "createdAt": _moment(post.at), "langs": ["en"]}
        if post.kind == "reply" or post.answers:
            answers = post.answers or f"at://{US}/{POST}/{atproto.written(1 << 20)}"
            reference = {"uri": answers, "cid": "cid"}
            record["reply"] = {"parent": reference, "root": self.root_of(answers) or reference}
        if post.kind == "mention" and not ours:
            index = {"byteStart": 0, "byteEnd": 1}
            features = [{"$type": "app.bsky.richtext.facet#mention", "did": US}]
            record["facets"] = [{"index": index, "features": features}]
        return {
            "uri": post.id,
            "cid": cid(post),
            "author": self.person(US if ours else f"did:plc:{post.author}"),
            "record": record,
            "indexedAt": _moment(post.at),
            "viewer": {"replyDisabled": True} if post.id in self.gated else {},
        }

    def root_of(self, uri: str) -> dict[str, Any] | None:
        """The first post of the thread, with its hash."""
        while (post := self.posts.get(uri)) and post.answers:
            uri = post.answers
        return {"uri": uri, "cid": cid(post)} if post else None

    def person(self, did: str) -> dict[str, Any]:
        name = did.rpartition(":")[2]
        return {"did": did, "handle": f"{name}.example", "displayName": name.title(), "followersCount": 120}


def cid(post: Written) -> str:
    return f"cid-{abs(hash((post.id, post.text)))}"


def _token(name: str, seconds: int) -> str:
    """A session's token: a JWT of which the second part can be read. Nobody checks its signature."""
    now = 1_790_000_000
    claims = {"scope": "com.atproto.appPass", "sub": name, "iat": now, "exp": now + seconds}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"canary.{body}.canary"


def _error(name: str, message: str) -> dict[str, str]:
    return {"error": name, "message": message}


def _all(asked: Asked, name: str) -> list[str]:
    return asked.queries.get(name, [])


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
