"""X on loopback, as docs.x.com says: API v2 with pages newest first, look-ups that answer 200 for what is gone, ids
that hold their time, a new id for each edit, and the rule that only who addressed us may be answered."""

import base64
import hashlib
import hmac
import html
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.stages import TROUBLES, Asked, Delivered, Stage, Written

US, HANDLE = "2244994945", "mirabelo"
EPOCH = 1_288_834_974_657
PROBLEM = "https://api.twitter.com/2/problems/"


def id_at(moment: datetime, number: int = 0) -> str:
    return str(((int(moment.timestamp() * 1000) - EPOCH) << 22) + number % (1 << 22))


@dataclass
class XStage(Stage):
    #: Ids of posts that quote one of ours instead of naming us; of posts that are meant for nobody.
    quotes: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    #: Which posts have been edited: the id of the first version → the ids of all.
    history: dict[str, list[str]] = field(default_factory=dict)
    scope: str = "tweet.read users.read tweet.write tweet.moderate.write offline.access"
    tokens: set[str] = field(default_factory=lambda: {"canary-token"})
    refresh: str = "canary-refresh"
    access_level: str = "read-write"

    network = "x"
    kinds = ("mention", "reply")
    troubles = TROUBLES
    late = timedelta(minutes=14)
    secrets = ("canary-consumer-secret",)

    @property
    def credentials(self):
        return {
            "access_token": "canary-token",
            "refresh_token": "canary-refresh",
            "client_id": "canary-client",
            "client_secret": "canary-client-secret",
            "consumer_secret": self.secrets[0],
        }

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        at = at or datetime.now(UTC)
        self.numbers += 1
        post = Written(id_at(at, self.numbers), text, at, **facts)
        self.posts[post.id] = post
        return post

    def edit(self, id: str, text: str) -> None:
        super().edit(id, text)
        self.history.setdefault(id, [id]).append(id_at(datetime.now(UTC), self.numbers))

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                reset = str(int(datetime.now(UTC).timestamp()) + 90)
                headers = {"x-rate-limit-limit": "300", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
                return 429, {"title": "Too Many Requests", "type": "about:blank", "status": 429}, headers
            case "limited silently":
                return 429, {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank"}
            case "expired":
                return 401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
            case "scope":
                said = {"title": "Forbidden", "type": "about:blank", "status": 403}
                return 403, said | {"detail": "You are not permitted to perform this action."}
            case _:
                return 402, {"title": "CreditsDepleted", "type": f"{PROBLEM}credits", "detail": "No credits."}

    # API v2 ---------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked):
        if asked.path == "/2/oauth2/token":
            return self._token(asked)
        signed = asked.headers.get("authorization", "")
        if signed.removeprefix("Bearer ") not in self.tokens and not signed.startswith("OAuth "):
            return 401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
        reset = str(int(datetime.now(UTC).timestamp()) + 900)
        headers = {"x-rate-limit-limit": "300", "x-rate-limit-remaining": "299", "x-rate-limit-reset": reset}
        status, said = self._answer(asked)
        return status, said, headers | {"x-access-level": self.access_level}

    def _answer(self, asked: Asked) -> tuple[int, Any]:
        match asked.method, asked.path.strip("/").split("/")[1:]:
            case "GET", ["users", "me"]:
                return 200, {"data": {"id": US, "name": "Mirabelo", "username": HANDLE}}
            case "GET", ["users", user, "mentions"]:
                assert user == US
                shown = [each for each in self.newest_first if each.id not in self.strangers]
                return 200, self._page(asked, shown, "pagination_token")
            case "GET", ["users", user, "tweets"]:
                assert user == US
                ours = sorted(self.published, key=lambda each: each.at, reverse=True)
                return 200, self._page(asked, ours, "pagination_token")
            case "GET", ["tweets", "search", "recent"]:
                return self._searched(asked)
            case "GET", ["tweets"]:
                return 200, self._looked_up(asked.query["ids"].split(","))
            case "POST", ["tweets"]:
                return self._written(asked.json)
            case "DELETE", ["tweets", id]:
                return self._removed(id)
            case "PUT", ["tweets", id, "hidden"]:
                self.posts[id] = replace(self.posts[id], hidden=asked.json["hidden"])
                return 200, {"data": {"hidden": asked.json["hidden"]}}
        return 404, {"title": "Not Found", "type": f"{PROBLEM}resource-not-found", "detail": "Not Found"}

    def _page(self, asked: Asked, posts: list[Written], token: str) -> dict[str, Any]:
        """From the id in the token on: what is new meanwhile shows at the head alone."""
        assert 5 <= int(asked.query["max_results"]) <= 100
        start = datetime.fromisoformat(asked.query["start_time"])
        posts = [each for each in posts if (each.edited_at or each.at) >= start]
        if after := asked.query.get(token, "").removeprefix("t"):
            posts = [each for each in posts if int(each.id) < int(after)]
        posts = sorted(posts, key=lambda each: int(each.id), reverse=True)
        page = posts[: self.page]
        if not page:
            return {"meta": {"result_count": 0}}
        more = {"next_token": f"t{page[-1].id}"} if len(posts) > len(page) else {}
        meta = {"result_count": len(page), "newest_id": page[0].id, "oldest_id": page[-1].id}
        return {"data": [self.told(each) for each in page], "includes": self.includes(page), "meta": meta | more}

    def _searched(self, asked: Asked):
        start, query = datetime.fromisoformat(asked.query["start_time"]), asked.query["query"]
        assert len(query) <= 512
        if start < datetime.now(UTC) - timedelta(days=7):
            return 400, {"title": "Invalid Request", "type": f"{PROBLEM}invalid-request", "detail": "Too old."}
        if roots := re.findall(r"conversation_id:(\d+)", query):
            found = [each for each in self.newest_first if self.root_of(each) in roots]
        else:
            [words] = re.findall(r"^\((.*)\) -is:retweet$", query)
            found = [each for each in self.newest_first if words in each.text]
        return 200, self._page(asked, found, "next_token")

    def _looked_up(self, ids: list[str]) -> dict[str, Any]:
        """A version is looked up as it was; what is gone is no error of the request."""
        assert len(ids) <= 100
        found, errors = [], []
        for id in ids:
            first = next((one for one, versions in self.history.items() if id in versions), id)
            if post := self.posts.get(first):
                found.append((post, id))
            else:
                known = {"resource_type": "tweet", "parameter": "ids", "title": "Not Found Error"}
                errors.append(known | {"resource_id": id, "value": id, "type": f"{PROBLEM}resource-not-found"})
        said: dict[str, Any] = {"errors": errors} if errors else {}
        if found:
            said["data"] = [self.told(post, version) for post, version in found]
            said["includes"] = self.includes([post for post, _ in found])
        return said

    def _written(self, said: dict[str, Any]) -> tuple[int, Any]:
        target = self.posts.get(said["reply"]["in_reply_to_tweet_id"])
        forbidden = {"title": "Forbidden", "type": "about:blank", "status": 403}
        if target is None or target.id in self.strangers:
            detail = "Reply to this conversation is not allowed because you have not been mentioned or otherwise"
            return 403, forbidden | {"detail": f"{detail} engaged by the author of the post you are replying to."}
        if any(each.text == said["text"] for each in self.published):
            return 403, forbidden | {"detail": "You are not allowed to create a Tweet with duplicate content."}
        post = self.write(said["text"], kind="reply", answers=target.id, ours=True)
        return 201, {"data": {"id": post.id, "text": said["text"], "edit_history_tweet_ids": [post.id]}}

    def _removed(self, id: str) -> tuple[int, Any]:
        if id in self.posts:
            self.delete(id)
        return 200, {"data": {"deleted": True}}

    def _token(self, asked: Asked):
        basic = base64.b64encode(b"canary-client:canary-client-secret").decode()
        assert asked.headers["authorization"] == f"Basic {basic}"
        form = asked.form
        good = form.get("refresh_token") == self.refresh if "refresh_token" in form else form.get("code") == "good"
        if not good:
            return 400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
        # A refresh token is good once.
        self.numbers += 1
        token, self.refresh = f"canary-token-{self.numbers}", f"canary-refresh-{self.numbers}"
        self.tokens.add(token)
        said = {"token_type": "bearer", "expires_in": 7200, "access_token": token, "scope": self.scope}
        return 200, said | {"refresh_token": self.refresh}

    # Posts ----------------------------------------------------------------------------------------------------------

    def root_of(self, post: Written) -> str:
        while post.answers in self.posts:
            post = self.posts[post.answers]
        return post.answers or post.id

    def told(self, post: Written, version: str = "") -> dict[str, Any]:
        """A post as X tells it. Three characters are escaped; an answer begins with whom it answers."""
        history = self.history.get(post.id, [post.id])
        version = version or history[-1]
        text, mentions = post.text, []
        if not post.ours and not self._is_for_nobody(post):
            mentions = [{"start": 0, "end": 9, "username": HANDLE, "id": US}]
        if post.ours and post.answers:
            text = f"@{self.posts[post.answers].author if post.answers in self.posts else 'ana'} {text}"
        said = {
            "id": version,
            "edit_history_tweet_ids": history,
            "text": html.escape(text, quote=False),
            "created_at": _moment(post.edited_at if version != post.id and post.edited_at else post.at),
            "conversation_id": self.root_of(post),
            "lang": "en",
            "entities": {"mentions": mentions},
            "edit_controls": {"is_edit_eligible": True, "edits_remaining": 5},
        }
        if post.author or post.ours:
            said["author_id"] = US if post.ours else user_id(post.author)
        if answered := post.answers or ("1000" if post.kind == "reply" else ""):
            said["referenced_tweets"] = [{"type": "replied_to", "id": answered}]
            said["in_reply_to_user_id"] = user_id("ana") if post.ours else US
        if post.id in self.quotes:
            said["referenced_tweets"] = [{"type": "quoted", "id": "1000"}]
            said["entities"] = {
                "urls": [{"url": "https://t.co/q", "expanded_url": f"https://x.com/{HANDLE}/status/1000"}]
            }
        return said

    def _is_for_nobody(self, post: Written) -> bool:
        return post.id in self.strangers or post.id in self.quotes

    def includes(self, posts: list[Written]) -> dict[str, Any]:
        authors = {each.author for each in posts if not each.ours and each.author}
        return {"users": [self.user(each) for each in sorted(authors)]} if authors else {}

    def user(self, handle: str) -> dict[str, Any]:
        return {
            "id": user_id(handle),
            "username": handle,
            "name": handle.title(),
            "verified": False,
            "profile_image_url": "https://pbs.twimg.com/profile_images/1/a_normal.jpg",
            "public_metrics": {"followers_count": 321, "following_count": 4, "tweet_count": 5, "listed_count": 0},
        }

    # Deliveries -----------------------------------------------------------------------------------------------------

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        [post] = posts
        kind = "post.create" if post.ours else f"post.{'reply' if post.kind == 'reply' else 'mention'}.create"
        if post.id not in self.posts:
            kind, payload = "post.delete", {"id": post.id, "author_id": US}
        else:
            payload = self.told(post)
        data = {"event_uuid": f"1{post.id}", "filter": {"user_id": US}, "event_type": kind, "tag": "tag"}
        said = {"data": data | {"payload": payload, "includes": self.includes([post])}}
        body = json.dumps(said, ensure_ascii=False).replace("/", "\\/").encode()
        return Delivered(body, {"x-twitter-webhooks-signature": signature(secret or self.secrets[0], body)})

    def question(self, good: bool = True):
        return {"crc_token": "raven"}, json.dumps({"response_token": signature(self.secrets[0], b"raven")})


def signature(secret: str, signed: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def user_id(handle: str) -> str:
    return str(10_000 + int.from_bytes(handle.encode()[:6], "big"))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
