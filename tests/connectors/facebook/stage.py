"""A Facebook Page on loopback, as developers.facebook.com says: the Page's feed with what is new below each post, lists
of tags, reviews and talks, messages by an edge of their own, signed deliveries, and Meta's way to refuse."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.metas import MetaStage, error, moment, signed
from tests.connectors.stages import Asked, Delivered, Written

PAGE, APP = "4711", "8080"
OURS = "900"  # the Page's own post, below which people comment
VERSION = "/v26.0"
SCOPES = (
    *("pages_show_list", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content"),
    *("pages_manage_engagement", "pages_messaging"),
)
#: What is asked by POST so that no secret stands in an address.
ASKED_BY_POST = ("/debug_token", "/oauth/access_token", "/subscribed_apps")


@dataclass
class FacebookStage(MetaStage):
    scopes: tuple[str, ...] = SCOPES
    #: What our app was told to deliver.
    subscribed: set[str] = field(default_factory=set)
    app: str = APP
    tells_fields: bool = True
    #: Shares of the rate limit that are used up, in per cent.
    used: dict[str, int] = field(default_factory=dict)
    #: Whom a message of ours is to.
    to: dict[str, str] = field(default_factory=dict)
    #: Pages that the person who signs in manages.
    pages: dict[str, str] = field(default_factory=lambda: {PAGE: "Mirabelo"})
    #: Comments that take no answer.
    closed: set[str] = field(default_factory=set)
    #: Whether the app wants each call proved.
    proves: bool = True
    refuses: tuple[int, dict[str, Any]] | None = None

    network = "facebook"
    kinds = ("comment", "post", "review", "dm", "mention")
    late = timedelta(minutes=9)
    anonymous = True
    secrets = ("canary-new-secret", "canary-old-secret")

    @property
    def settings(self):
        return super().settings | {"app_id": APP, "page": PAGE}

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        self.numbers += 1
        facts = {"kind": "comment"} | facts
        below = self._whole(facts.get("answers", "")).partition("_")[2] or OURS
        ids = {"comment": below, "post": PAGE, "mention": "555"}
        number = f"{self.numbers}"
        id = f"m_{number}" if facts["kind"] == "dm" else number
        post = Written(f"{ids[facts['kind']]}_{number}" if facts["kind"] in ids else id, text, _now(at), **facts)
        self.posts[post.id] = post
        return post

    @property
    def published(self) -> list[Written]:
        return [each for each in self.posts.values() if each.ours and each.answers]

    def is_write(self, asked: Asked) -> bool:
        return asked.method != "GET" and not asked.path.endswith(ASKED_BY_POST)

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                told = {PAGE: [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 3}]}
                return 400, error(32, "Page request limit reached"), {"X-Business-Use-Case-Usage": json.dumps(told)}
            case "limited silently":
                return 400, error(4, "Application request limit reached")
            case "expired":
                return 400, error(190, "Error validating access token: canary-token has expired.", 463)
            case _:
                return 403, error(200, "(#200) Requires pages_read_user_content permission")

    # What is asked --------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked):
        path = asked.path.removeprefix(VERSION)
        if path in ("/oauth/access_token", "/debug_token"):
            return self._token(asked.form) if path.startswith("/oauth") else self._inspected(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return 400, error(190, "Invalid OAuth access token.")
        given = asked.query if asked.method == "GET" or not asked.body else asked.form
        assert not self.proves or given["appsecret_proof"] == signed(self.secrets[0], token.encode())
        if self.refuses and self.is_write(asked):
            return self.refuses
        return self._listed(path, asked.query) if asked.method == "GET" else self._done(asked, path)

    def _listed(self, path: str, query: dict[str, str]):
        match path.split("/")[1:]:
            case ["me"]:
                return 200, {"id": PAGE, "name": "Mirabelo"}
            case ["me", "accounts"]:
                return 200, {"data": [self._account(id, name) for id, name in self.pages.items()]}
            case ["me", "conversations"]:
                assert query["platform"] == "messenger"
                return 200, {"data": [self._talk(each) for each in self._people]}
            case [id, "subscribed_apps"] if id == PAGE:
                fields = sorted(self.subscribed) if self.tells_fields else None
                apps = [{"id": self.app, "name": "Hub", "subscribed_fields": fields}]
                return 200, {"data": apps if self.subscribed else []}
            case [id, "feed" | "tagged" | "ratings" as edge] if id == PAGE:
                return 200, self._edge(edge, query), {"X-App-Usage": json.dumps(self.used)}
            case [id, "comments"]:
                return 200, self._below(id, query)
            case [id] if id in self.posts or id == self._standing.id:
                return 200, self._node(self.posts.get(id, self._standing))
        return 400, gone()

    def _done(self, asked: Asked, path: str):
        match asked.method, path.split("/")[1:]:
            case "POST", [id, "subscribed_apps"] if id == PAGE:
                self.subscribed = set(asked.form["subscribed_fields"].split(","))
                return 200, {"success": True}
            case "POST", ["me", "messages"]:
                return self._message(json.loads(asked.form["recipient"]), json.loads(asked.form["message"])["text"])
            case "POST", [id, "comments"]:
                return self._commented(id, asked.form["message"])
            case "POST", [id, "likes"] if id in self.posts:
                self.posts[id].liked = True
            case "POST", [id] if id in self.posts:
                self.posts[id].hidden = asked.form["is_hidden"] == "true"
            case "DELETE", [id] if id in self.posts:
                self.delete(id)
            case _:
                return 400, gone()
        return 200, {"success": True}

    def _commented(self, id: str, text: str):
        if id not in self.posts and id != f"{PAGE}_{OURS}":
            return 400, gone()
        post = self.write(text, kind="comment", answers=id, ours=True)
        return 200, {"id": post.id, "permalink_url": _address(post)}

    def _message(self, recipient: dict[str, str], text: str):
        about = recipient.get("comment_id") or recipient.get("post_id")
        person = self.posts[about].author if about else recipient["id"]
        answers = about or next(each.id for each in reversed(self.posts.values()) if each.author == person)
        post = self.write(text, kind="dm", visibility="direct", ours=True, answers=answers)
        self.to[post.id] = person
        return 200, {"recipient_id": person, "message_id": post.id}

    # Signing in -----------------------------------------------------------------------------------------------------

    def _token(self, form: dict[str, str]):
        if (form["client_id"], form["client_secret"]) != (APP, self.secrets[0]):
            return 400, error(101, "Error validating application.")
        if form.get("code") == "good":
            return 200, {"access_token": "canary-brief", "token_type": "bearer", "expires_in": 3600}
        if form.get("fb_exchange_token") == "canary-brief":
            self.tokens.add("canary-lasting")
            return 200, {"access_token": "canary-lasting", "token_type": "bearer", "expires_in": 5_184_000}
        return 400, error(100, "This authorization code has been used.", 36009)

    def _account(self, id: str, name: str) -> dict[str, Any]:
        self.tokens.add(f"canary-page-{id}")
        return {"id": id, "name": name, "access_token": f"canary-page-{id}", "tasks": ["MODERATE", "MESSAGING"]}

    def _inspected(self, asked: Asked):
        assert asked.headers["authorization"] == f"Bearer {APP}|{self.secrets[0]}"
        assert asked.form["method"] == "get"
        good = asked.form["input_token"] in self.tokens
        ends = int((datetime.now(UTC) + timedelta(days=89)).timestamp())
        said = {"app_id": APP, "type": "PAGE", "is_valid": good, "scopes": list(self.scopes)}
        return 200, {"data": said | {"expires_at": 0, "data_access_expires_at": ends}}

    # Lists ----------------------------------------------------------------------------------------------------------

    def _edge(self, edge: str, query: dict[str, str]) -> dict[str, Any]:
        kind = {"feed": "post", "tagged": "mention", "ratings": "review"}[edge]
        found = [each for each in self.posts.values() if each.kind == kind]
        found += [self._standing] if edge == "feed" else []
        found = sorted(found, key=lambda each: (each.at, each.id), reverse=True)
        until = int(query.get("until", 2**40))
        found = [each for each in found if each.at.timestamp() < until]
        page, fields = found[: self.page], query["fields"]
        tell: Callable[[Written], dict[str, Any]] = self._review if kind == "review" else self._node
        told = [tell(each) | (self._nested(each.id, fields) if edge == "feed" else {}) for each in page]
        more = {"paging": {"next": self._following(page)}} if len(found) > len(page) else {}
        return {"data": told, **more}

    def _following(self, page: list[Written]) -> str:
        until = int(page[-1].at.timestamp())
        return f"https://graph.facebook.com{VERSION}/{PAGE}/feed?access_token=canary&until={until}&__paging_token=enc"

    def _nested(self, id: str, fields: str) -> dict[str, Any]:
        since = re.search(r"comments\.filter\(stream\)\.order\(reverse_chronological\)\.since\((-?\d+)\)", fields)
        assert since, fields
        said = self._below(id, {"filter": "stream", "since": since[1]})
        return {"comments": said} if said["data"] else {}

    def _below(self, id: str, query: dict[str, str]) -> dict[str, Any]:
        assert query["filter"] == "stream"
        found = [each for each in self.posts.values() if each.kind == "comment" and self._stands_below(each, id)]
        found = [each for each in found if int(each.at.timestamp()) >= int(query["since"])]
        found = sorted(found, key=lambda each: (each.at, each.id), reverse=True)
        ids = [each.id for each in found]
        start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        page = found[start : start + self.page]
        said: dict[str, Any] = {"data": [self._node(each) for each in page]}
        if len(found) > start + len(page):
            after = page[-1].id
            said["paging"] = {"cursors": {"before": "b", "after": after}, "next": "https://graph.facebook.com/next"}
        return said

    def _stands_below(self, comment: Written, id: str) -> bool:
        return id in (self._parent(comment), self._whole(comment.id))

    def _whole(self, id: str) -> str:
        """The post on which a comment stands."""
        comment = self.posts.get(id)
        if not comment or comment.kind != "comment":
            return id if comment and comment.kind == "post" else f"{PAGE}_{OURS}"
        return self._whole(comment.answers)

    def _parent(self, comment: Written) -> str:
        """Facebook knows answers, and no answers to answers: those stand beside them."""
        above = self.posts.get(comment.answers)
        if not above or above.kind != "comment":
            return ""
        return self._parent(above) or above.id

    @property
    def _standing(self) -> Written:
        return Written(
            f"{PAGE}_{OURS}", "New in our shop", datetime.now(UTC) - timedelta(days=8), ours=True, kind="post"
        )

    @property
    def _people(self) -> list[str]:
        dms = [each for each in self.posts.values() if each.kind == "dm"]
        return list(dict.fromkeys(self._with(each) for each in sorted(dms, key=lambda each: each.at, reverse=True)))

    def _with(self, message: Written) -> str:
        return self.to[message.id] if message.ours else message.author

    def _talk(self, person: str) -> dict[str, Any]:
        talk = [each for each in self.posts.values() if each.kind == "dm" and self._with(each) == person]
        talk = sorted(talk, key=lambda each: each.at, reverse=True)[:20]
        people = [{"id": person, "name": person.title()}, {"id": PAGE, "name": "Mirabelo"}]
        said = {"id": f"t_{person}", "updated_time": moment(talk[0].at), "participants": {"data": people}}
        return said | {"messages": {"data": [self._node(each) for each in talk]}}

    # One thing ------------------------------------------------------------------------------------------------------

    def _node(self, post: Written) -> dict[str, Any]:
        said = {"id": post.id, "message": post.text, "created_time": moment(post.at)}
        said |= {"from": self._from(post)} if self._from(post) else {}
        if post.kind == "dm":
            other = {"id": self._with(post), "name": "Somebody"} if post.ours else self._us
            return said | {"to": {"data": [other]}}
        said |= {"permalink_url": _address(post)}
        if post.kind == "comment":
            said |= {"can_comment": post.id not in self.closed}
            said |= {"parent": {"id": self._parent(post)}} if self._parent(post) else {}
        return said

    def _review(self, post: Written) -> dict[str, Any]:
        said = {"created_time": moment(post.at), "review_text": post.text, "recommendation_type": "positive"}
        said |= {"reviewer": self._from(post)} if self._from(post) else {}
        return said | {"open_graph_story": {"id": post.id}}

    @property
    def _us(self) -> dict[str, str]:
        return {"id": PAGE, "name": "Mirabelo"}

    def _from(self, post: Written) -> dict[str, str]:
        if post.ours:
            return self._us
        return {"id": post.author, "name": post.author.title()} if post.author else {}

    # Deliveries -----------------------------------------------------------------------------------------------------

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        second = int((at or datetime.now(UTC)).timestamp())
        entries = [{"id": PAGE, "time": second} | self._event(each, second) for each in posts]
        body = json.dumps({"object": "page", "entry": entries}).encode()
        return Delivered(body, {"x-hub-signature-256": self.signature(body, secret)})

    def _event(self, post: Written, second: int) -> dict[str, Any]:
        if post.kind == "dm":
            return {"messaging": [self._messaging(post)]}
        verb = "remove" if post.id not in self.posts else "edited" if post.edited_at else "add"
        value = {"verb": verb, "created_time": int(post.at.timestamp())}
        value |= {"from": self._from(post)} if self._from(post) else {}
        match post.kind:
            case "comment":
                value |= {"item": "comment", "comment_id": post.id, "post_id": self._whole(post.id)}
                value |= {"parent_id": self._parent(post) or self._whole(post.id), "message": post.text}
            case "review":
                value |= {"item": "rating", "open_graph_story_id": post.id, "review_text": post.text}
                value |= {"recommendation_type": "POSITIVE"}
            case _:
                value |= {"item": "post", "post_id": post.id, "message": post.text, "published": 1}
        if verb == "remove":
            value.pop("message", None)
        field = {"review": "ratings", "mention": "mention"}.get(post.kind, "feed")
        return {"changes": [{"field": field, "value": value}]}

    def _messaging(self, post: Written) -> dict[str, Any]:
        person = self._with(post)
        said = {"sender": {"id": PAGE if post.ours else person}, "recipient": {"id": person if post.ours else PAGE}}
        said["timestamp"] = int(post.at.timestamp() * 1000)
        if post.edited_at:
            return said | {"message_edit": {"mid": post.id, "text": post.text, "num_edit": 1}}
        message = {"mid": post.id, "text": post.text} | ({"is_echo": True, "app_id": APP} if post.ours else {})
        return said | {"message": message if post.id in self.posts else {"mid": post.id, "is_deleted": True}}

    def edit(self, id: str, text: str) -> None:
        self.posts[id] = replace(self.posts[id], text=text, edited_at=datetime.now(UTC))


def gone() -> dict[str, Any]:
    return error(100, "Unsupported request. Object does not exist or cannot be loaded due to missing permissions.", 33)


def _address(post: Written) -> str:
    return f"https://www.facebook.com/{post.id}"


def _now(at: datetime | None) -> datetime:
    return at or datetime.now(UTC)
