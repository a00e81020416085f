"""Instagram on loopback, as developers.facebook.com says of the Instagram API with Instagram Login: media with counted
comments below them, newest first and no more than one level deep, tags, talks, one-time private replies, deliveries."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from tests.connectors.metas import MetaStage, error, moment
from tests.connectors.stages import Asked, Delivered, Written

US, SCOPED, HANDLE = "17841400000000001", "26000000000000001", "mirabelo"
MEDIA = "18000000000000001"
SCOPES = "instagram_business_basic instagram_business_manage_comments instagram_business_manage_messages"


@dataclass
class InstagramStage(MetaStage):
    subscribed: list[str] = field(default_factory=list)
    #: Media of ours: id → when.
    media: dict[str, datetime] = field(default_factory=lambda: {MEDIA: datetime.now(UTC) - timedelta(days=20)})
    below: dict[str, str] = field(default_factory=dict)  # comment → media, where it is not MEDIA
    answered_privately: set[str] = field(default_factory=set)
    #: What mentions us below media of others: (media, comment), which this login may not read.
    elsewhere_said: dict[tuple[str, str], str] = field(default_factory=dict)
    counts_wrong: bool = False

    network = "instagram"
    kinds = ("comment", "mention", "dm")
    grant = "ig"

    @property
    def credentials(self):
        return super().credentials | {"scope": f"{SCOPES} canary-scope"}

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        """Ids do not say when they were given."""
        self.numbers += 1
        kind = facts.get("kind", "comment")
        id = f"aWdfZAG06{self.numbers}" if kind == "dm" else f"1790000000000{self.numbers}"
        post = Written(id, text, at or datetime.now(UTC), **{"kind": "comment"} | facts)
        self.posts[id] = post
        return post

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                usage = {"17841400000000001": [{"call_count": 100, "type": "instagram"}]}
                usage["17841400000000001"][0]["estimated_time_to_regain_access"] = 2
                headers = {"X-Business-Use-Case-Usage": json.dumps(usage)}
                return 400, error(80002, "There have been too many calls to this Instagram account."), headers
            case "limited silently":
                return 400, error(4, "Application request limit reached")
            case "expired":
                return 400, error(190, "Error validating access token: Session has expired", 463)
            case _:
                said = "(#10) Application does not have permission: instagram_business_manage_comments"
                return 403, error(10, said)

    # Answers --------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked):
        if said := self.signing_in(asked):
            return said
        if not self.is_known(asked):
            return 400, error(190, "Invalid OAuth access token - Cannot parse access token")
        usage = json.dumps({"call_count": 12, "total_cputime": 3, "total_time": 4})
        status, said = self._answer(asked, unquote(asked.path).strip("/").split("/"))
        return status, said, {"X-App-Usage": usage}

    def brief(self) -> dict[str, Any]:
        return {"data": [{"access_token": "canary-brief", "user_id": 1, "permissions": SCOPES.replace(" ", ",")}]}

    def _answer(self, asked: Asked, path: list[str]) -> tuple[int, Any]:
        assert path[0] == "v26.0"
        match asked.method, path[1:]:
            case "GET", ["me"]:
                return 200, {"user_id": US, "username": HANDLE, "id": SCOPED}
            case "GET", ["me", "subscribed_apps"]:
                return 200, {"data": [{"subscribed_fields": self.subscribed}] if self.subscribed else []}
            case "POST", ["me", "subscribed_apps"]:
                self.subscribed = asked.form["subscribed_fields"].split(",")
                return 200, {"success": True}
            case "GET", [account, "media"]:
                assert account == US
                media = sorted(self.media.items(), key=lambda each: each[1], reverse=True)
                return 200, self._page(asked, [self._medium(*each) for each in media])
            case "GET", [account, "tags"]:
                assert account == US
                return 200, self._page(asked, [self._tag(each) for each in self.newest_first if each.kind == "mention"])
            case "GET", ["me", "conversations"]:
                assert asked.query["platform"] == "instagram"
                return 200, self._page(asked, self._talks())
            case "GET", [media, "comments"]:
                assert int(asked.query["limit"]) <= 50
                return 200, self._page(asked, [self.told(each) for each in self._top(media)])
            case "GET", [comment, "replies"]:
                return 200, self._page(asked, [self.told(each) for each in self._answers(comment)])
            case "POST", ["me", "messages"]:
                return self._message(asked.form)
            case "POST", [account, "mentions"] if account == US:
                return self._mention_answered(asked.form)
            case "POST", [comment, "replies"]:
                return self._reply(comment, asked.form["message"])
        return self._one(asked, path[1])

    def _one(self, asked: Asked, id: str) -> tuple[int, Any]:
        if id == US:
            return 400, error(100, "(#100) Tried accessing nonexisting field (mentioned_comment)")
        if id not in self.posts:
            return 400, error(100, f"Unsupported get request. Object with ID '{id}' does not exist", 33)
        post = self.posts[id]
        match asked.method:
            case "GET":
                return 200, self._told_message(post) if post.kind == "dm" else self.told(post)
            case "POST":
                self.posts[id] = replace(post, hidden=asked.form["hide"] == "true")
            case "DELETE":
                self.delete(id)
        return 200, {"success": True}

    def _page(self, asked: Asked, items: list[dict[str, Any]]) -> dict[str, Any]:
        """From the item in the cursor on: what is new meanwhile shows at the head alone."""
        ids = [each["id"] for each in items]
        after = asked.query.get("after", "")
        start = ids.index(after) + 1 if after in ids else 0
        page = items[start : start + self.page]
        if not page:
            return {"data": []}
        cursors = {"before": page[0]["id"], "after": page[-1]["id"]}
        more = {"next": f"https://graph.instagram.com/x?access_token=theirs&after={cursors['after']}"}
        return {"data": page, "paging": {"cursors": cursors} | (more if start + self.page < len(items) else {})}

    # Media and comments ---------------------------------------------------------------------------------------------

    def _medium(self, id: str, at: datetime) -> dict[str, Any]:
        number = sum(self._media_of(each) == id for each in self.posts.values() if each.kind == "comment")
        said = {"id": id, "caption": "A new wheel", "comments_count": number, "media_type": "IMAGE"}
        said |= {"media_url": "https://scontent.example/1.jpg", "permalink": "https://www.instagram.com/p/A/"}
        return said | {"timestamp": moment(at), "username": HANDLE}

    def _media_of(self, post: Written) -> str:
        while post.answers in self.posts:
            post = self.posts[post.answers]
        return self.below.get(post.id, MEDIA)

    def _top(self, media: str) -> list[Written]:
        """Comments that answer none, and ours too: newest first."""
        shown = {each.id for each in self.newest_first}
        found = [each for each in self.posts.values() if each.kind == "comment" and not each.answers]
        found = [each for each in found if self._media_of(each) == media and (each.ours or each.id in shown)]
        return sorted(found, key=lambda each: each.at, reverse=True)

    def _answers(self, comment: str) -> list[Written]:
        """Oldest first."""
        found = [each for each in self.posts.values() if each.kind == "comment" and each.answers == comment]
        return sorted(found, key=lambda each: each.at)

    def told(self, post: Written, deep: bool = True) -> dict[str, Any]:
        who = {"id": US, "username": HANDLE} if post.ours else {"id": igsid(post.author), "username": post.author}
        said = {"id": post.id, "text": post.text, "timestamp": moment(post.at), "hidden": post.hidden}
        said |= {"from": who, "username": who["username"], "media": {"id": self._media_of(post)}}
        if post.answers:
            return said | {"parent_id": post.answers}
        if answers := self._answers(post.id) if deep else []:
            data = [self.told(each) for each in answers[: self.page]]
            paging = {"cursors": {"after": data[-1]["id"]}}
            paging |= {"next": "https://graph.instagram.com/x"} if len(answers) > self.page else {}
            said["replies"] = {"data": data, "paging": paging}
        return said

    def _tag(self, post: Written) -> dict[str, Any]:
        said = {"id": post.id, "caption": post.text, "media_type": "IMAGE", "timestamp": moment(post.at)}
        return said | {"permalink": "https://www.instagram.com/p/B/", "username": post.author}

    def _reply(self, comment: str, text: str) -> tuple[int, Any]:
        """What answers an answer stands below the comment above both."""
        if comment not in self.posts:
            return 400, error(100, "Unsupported post request.", 33)
        if self.posts[comment].hidden:
            return 400, error(100, "Cannot reply to a hidden comment")
        top = self.posts[comment].answers or comment
        return 200, {"id": self.write(text, kind="comment", answers=top, ours=True).id}

    def _mention_answered(self, form: dict[str, str]) -> tuple[int, Any]:
        where = (form["media_id"], form.get("comment_id", ""))
        self.elsewhere_said[where] = form["message"]
        return 200, {"id": f"1799999999999{len(self.elsewhere_said)}"}

    # Messages -------------------------------------------------------------------------------------------------------

    def _talks(self) -> list[dict[str, Any]]:
        """The talk that was busy last first, with its newest messages."""
        talks: dict[str, list[Written]] = {}
        shown = {each.id for each in self.newest_first}
        for each in self.posts.values():
            if each.kind == "dm" and (each.ours or each.id in shown):
                talks.setdefault(each.author, []).append(each)
        found = []
        for person, messages in talks.items():
            messages.sort(key=lambda each: each.at, reverse=True)
            sides = [{"id": SCOPED, "username": HANDLE}, {"id": igsid(person), "username": person}]
            talk = {"id": f"aWdfdGhyZWFk{person}", "updated_time": moment(messages[0].at)}
            told = [self._told_message(each) for each in messages[:20]]
            found.append(talk | {"participants": {"data": sides}, "messages": {"data": told}})
        return sorted(found, key=lambda each: each["updated_time"], reverse=True)

    def _told_message(self, post: Written) -> dict[str, Any]:
        us, them = {"id": SCOPED, "username": HANDLE}, {"id": igsid(post.author), "username": post.author}
        sides = (us, them) if post.ours else (them, us)
        said = {"id": post.id, "created_time": moment(post.at), "message": post.text}
        return said | {"from": sides[0], "to": {"data": [sides[1]]}}

    def _message(self, form: dict[str, str]) -> tuple[int, Any]:
        to, text = json.loads(form["recipient"]), json.loads(form["message"])["text"]
        assert len(text.encode()) <= 1_000
        comment = self.posts.get(to.get("comment_id", ""))
        if comment and comment.id in self.answered_privately:
            return 400, error(10900, "Activity already replied to")
        person = (
            comment.author if comment else next(e.author for e in self.posts.values() if igsid(e.author) == to["id"])
        )
        latest = max(
            (e.at for e in self.posts.values() if e.kind == "dm" and not e.ours and e.author == person), default=None
        )
        if comment:
            self.answered_privately.add(comment.id)
        elif latest is None or datetime.now(UTC) - latest > timedelta(hours=24):
            return 400, error(10, "This message is sent outside of allowed window.", 2534022)
        post = self.write(text, kind="dm", author=person, visibility="direct", ours=True)
        return 200, {"recipient_id": igsid(person), "message_id": post.id}

    # Deliveries -----------------------------------------------------------------------------------------------------

    def deliver(self, *posts: Written, secret: str = "", at: datetime | None = None) -> Delivered:
        entries = [{"id": US, "time": int(each.at.timestamp()), **self._event(each)} for each in posts]
        return self.delivering({"object": "instagram", "entry": entries}, secret)

    def delivering(self, said: Any, secret: str = "") -> Delivered:
        body = json.dumps(said).encode()
        return Delivered(body, {"X-Hub-Signature-256": self.signature(body, secret)})

    def _event(self, post: Written) -> dict[str, Any]:
        if post.kind == "dm":
            us, them = {"id": US}, {"id": igsid(post.author)}
            sides = {"sender": us, "recipient": them} if post.ours else {"sender": them, "recipient": us}
            message = {"mid": post.id, "text": post.text} | ({"is_echo": True} if post.ours else {})
            return {"messaging": [sides | {"timestamp": int(post.at.timestamp() * 1000), "message": message}]}
        if post.kind == "mention":
            return {"changes": [{"field": "mentions", "value": {"media_id": post.id}}]}
        told = self.told(post, deep=False)
        value = {name: told[name] for name in ("id", "text", "from", "media", "parent_id") if name in told}
        return {"changes": [{"field": "comments", "value": value}]}


def igsid(handle: str) -> str:
    return str(5_000_000 + int.from_bytes(handle.encode()[:5], "big"))
