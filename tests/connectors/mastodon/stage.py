"""A Mastodon server on loopback that answers as docs.joinmastodon.org says: notifications and statuses newest first,
`min_id` for what comes immediately after, ids of statuses that hold their time."""

import html
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.connectors.stages import Asked, Stage, Written

US = "7"
DOMAIN = "mastodon.example"


@dataclass
class MastodonStage(Stage):
    #: Notifications are numbered as they come, whatever the time of the post: number → (id of the post, kind).
    told_us: dict[int, tuple[str, str]] = field(default_factory=dict)
    #: Posts that the account's own policy withholds unless it is asked for them.
    withheld: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    heeds_keys: bool = True
    longest: int = 500
    version: str = "4.5.2"
    spoilers: dict[str, str] = field(default_factory=dict)
    #: How many a server without offsets, or one that knows no types, gives; and what it does not say about itself.
    knows_offsets: bool = True
    lists_direct: bool = True
    #: Posts that do not come with others when several are asked for.
    unlisted: set[str] = field(default_factory=set)
    instance: tuple[str, ...] = ("v2", "v1")
    tokens: set[str] = field(default_factory=lambda: {"canary-token"})
    #: What a server whose tokens end says of it when it gives one.
    ends: dict[str, Any] = field(default_factory=dict)

    network = "mastodon"
    kinds = ("mention", "reply", "dm", "post")
    html = True

    def write(self, text: str, at: datetime | None = None, **facts: Any) -> Written:
        at = at or datetime.now(UTC)
        self.numbers += 1
        # An id holds the milliseconds of its time, shifted left (snowflake).
        number = (int(at.timestamp() * 1000) << 16) + self.numbers
        post = Written(str(number), text, at, **facts)
        self.posts[post.id] = post
        if not post.ours:
            kind = {"post": "status"}.get(post.kind, "mention")
            self.told_us[self.numbers] = (post.id, kind)
        return post

    def troubled(self, asked: Asked):
        match self.trouble:
            case "limited":
                reset = (datetime.now(UTC) + timedelta(seconds=90)).isoformat()
                return 429, {"error": "Too many requests"}, {"X-RateLimit-Reset": reset}
            case "limited silently":
                return 429, {"error": "Too many requests"}
            case "expired":
                return 401, {"error": "The access token is invalid"}
            case _:
                return 403, {"error": "This action is outside the authorized scopes"}

    def answer(self, asked: Asked):
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["api", "v1", "apps"]:
                return 200, {"client_id": "client", "client_secret": "canary-client-secret"}
            case "POST", ["oauth", "token"]:
                return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": "The access token is invalid"}
        status, said = self._answer(asked)
        reset = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        limits = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", "X-RateLimit-Reset": reset}
        return status, said, limits

    def _token(self, asked: Asked):
        if asked.form.get("refresh_token") == "canary-refresh":
            self.numbers += 1
            self.tokens.add(token := f"canary-token-{self.numbers}")
            return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 7_200}
        if asked.form.get("code") != "good":
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "canary-token", "token_type": "Bearer", "scope": asked.form["scope"]} | self.ends

    @property
    def credentials(self) -> dict[str, str]:
        return {"access_token": "canary-token", "refresh_token": "canary-refresh"}

    def _answer(self, asked: Asked) -> tuple[int, Any]:
        match asked.method, asked.path.strip("/").split("/"):
            case "GET", ["api", "v1", "accounts", "verify_credentials"]:
                return 200, self.account(US, "mirabelo")
            case "GET", ["api", "v1", "apps", "verify_credentials"]:
                return 200, {"name": "Social Hub", "scopes": ["read", "write:statuses", "write:favourites"]}
            case "GET", ["api", ("v1" | "v2") as which, "instance"]:
                return (200, self._instance(which)) if which in self.instance else (500, {"error": "not ready"})
            case "GET", ["api", "v1", "notifications"]:
                return 200, self._notifications(asked.query)
            case "GET", ["api", "v1", "accounts", account, "statuses"]:
                assert account == US
                ours = [each for each in self.published if self.lists_direct or each.visibility != "direct"]
                return 200, [self.told(each) for each in self._page(ours, asked.query)]
            case "GET", ["api", "v1", "timelines", "tag", tag]:
                found = [each for each in self.newest_first if f"#{tag}" in each.text]
                return 200, [self.told(each) for each in self._page(found, asked.query)]
            case "GET", ["api", "v2", "search"]:
                return 200, self._search(asked.query)
            case "GET", ["api", "v1", "statuses"]:
                ids = asked.queries.get("id[]", [])
                return 200, [self.told(self.posts[id]) for id in ids if id in self.posts and id not in self.unlisted]
            case "POST", ["api", "v1", "statuses"]:
                return self._published(asked)
            case method, ["api", "v1", "statuses", id, *what]:
                return self._status(method, id, what)
        return 404, {"error": "Record not found"}

    def _status(self, method: str, id: str, what: list[str]) -> tuple[int, Any]:
        post = self.posts.get(id)
        if post is None or (method == "DELETE" and not post.ours):
            return 404, {"error": "Record not found"}
        if what == ["context"]:
            below = [self.told(each) for each in self.posts.values() if each.answers == id]
            return 200, {"ancestors": [], "descendants": below}
        if method == "DELETE":
            self.delete(id)
        elif what == ["favourite"]:
            self.posts[id] = post = replace(post, liked=True)
        return 200, self.told(post)

    def _notifications(self, query: dict[str, str]) -> list[dict[str, Any]]:
        shown = {each.id for each in self.newest_first} - (
            set() if query.get("include_filtered") == "true" else self.withheld
        )
        found = [(number, *each) for number, each in self.told_us.items() if each[0] in shown]
        page = self._paged(found, query, lambda each: each[0], sorted)
        return [
            {
                "id": str(number),
                "type": kind,
                "created_at": _moment(self.posts[id].at),
                "account": self.account(self.posts[id].author),
                "status": self.told(self.posts[id]),
            }
            for number, id, kind in page
        ]

    def _page(self, posts: list[Written], query: dict[str, str]) -> list[Written]:
        return self._paged(posts, query, lambda each: int(each.id), sorted)

    def _paged(self, found: list, query: dict[str, str], number, order) -> list:
        """`min_id` gives what comes immediately after it, `since_id` the newest, and each page is newest first."""
        found = order(found, key=number, reverse=True)
        if "max_id" in query:
            found = [each for each in found if number(each) < int(query["max_id"])]
        since = int(query.get("min_id") or query.get("since_id") or -1)
        found = [each for each in found if number(each) > since]
        most = min(int(query.get("limit", 20)), self.page)
        return found[-most:] if "min_id" in query else found[:most]

    def _search(self, query: dict[str, str]) -> dict[str, Any]:
        assert query["type"] == "statuses" and query.get("resolve") is None
        found = [each for each in self.newest_first if query["q"] in each.text and each.visibility == "public"]
        start = int(query.get("offset", 0)) if self.knows_offsets else 0
        return {"accounts": [], "hashtags": [], "statuses": [self.told(each) for each in found[start:][: self.page]]}

    def _published(self, asked: Asked) -> tuple[int, Any]:
        form, key = asked.form, asked.headers.get("idempotency-key", "")
        if self.heeds_keys and key in self.keys:
            return 200, self.told(self.posts[self.keys[key]])
        if len(form["status"] + form.get("spoiler_text", "")) > self.longest:
            return 422, {"error": f"Validation failed: Text character limit of {self.longest} exceeded"}
        answered = self.posts[form["in_reply_to_id"]]
        name = f"@{self.account(answered.author)['acct']} "
        assert form["status"].startswith(name), "nobody is told of a reply that does not name them"
        facts = {"visibility": {"private": "followers"}.get(form["visibility"], form["visibility"]), "ours": True}
        facts |= {"kind": "dm" if form["visibility"] == "direct" else "reply", "answers": answered.id}
        post = self.write(form["status"].removeprefix(name), **facts, author="mirabelo")
        self.spoilers[post.id] = form.get("spoiler_text", "")
        self.keys[key] = post.id
        return 200, self.told(post)

    def _instance(self, which: str) -> dict[str, Any]:
        posts = {"max_characters": self.longest, "characters_reserved_per_url": 23}
        named = {"domain": DOMAIN} if which == "v2" else {"uri": DOMAIN}
        newer = {"api_versions": {"mastodon": 7}} if which == "v2" else {}
        return named | newer | {"version": self.version, "configuration": {"statuses": posts}}

    def account(self, name: str, username: str = "") -> dict[str, Any]:
        username = username or name
        acct = username if name == US else f"{username}@far.example"
        return {
            "id": name if name == US else f"1{sum(map(ord, name))}",
            "username": username,
            "acct": acct,
            "display_name": username.title(),
            "bot": False,
            "followers_count": 120,
            "avatar": f"https://far.example/{username}.png",
            "url": f"https://far.example/@{username}",
            "created_at": "2024-01-01T00:00:00.000Z",
            "fields": [],
        }

    def told(self, post: Written) -> dict[str, Any]:
        """A status. What others wrote stands in it as HTML; what we wrote as the server makes HTML of it."""
        answered = self.posts.get(post.answers)
        mentions = [] if post.kind == "post" else [self.account(US, "mirabelo")]
        content, answered_account = post.text, US if post.kind == "reply" and not post.ours else None
        if post.ours:
            person = self.account(answered.author if answered else "ana")
            mentions, answered_account = [person], person["id"]
            name = f'<span class="h-card"><a href="{person["url"]}" class="u-url mention">@<span>{person["username"]}'
            content = f"<p>{name}</span></a></span> {_as_html(post.text)}</p>"
        base = f"https://{DOMAIN if post.ours else 'far.example'}"
        return {
            "id": post.id,
            "uri": f"{base}/users/{post.author}/statuses/{post.id}",
            "url": f"{base}/@{post.author}/{post.id}",
            "created_at": _moment(post.at),
            "edited_at": _moment(post.edited_at) if post.edited_at else None,
            "in_reply_to_id": post.answers or ("1" if post.kind == "reply" else None),
            "in_reply_to_account_id": answered_account,
            "visibility": {"followers": "private"}.get(post.visibility, post.visibility),
            "spoiler_text": self.spoilers.get(post.id, ""),
            "language": "en",
            "content": content,
            "account": self.account(US, "mirabelo") if post.ours else self.account(post.author),
            "mentions": [{"id": one["id"], "username": one["username"], "acct": one["acct"]} for one in mentions],
            "media_attachments": [],
            "reblog": None,
            "favourited": post.liked,
        }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_html(text: str) -> str:
    """As a server writes a text: escaped, a link cut for the eye into three parts."""
    escaped = html.escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br />")
    return re.sub(r"https://(\S{30})(\S+)", _LINK, escaped)


_LINK = (
    r'<a href="https://\1\2"><span class="invisible">https://</span><span class="ellipsis">\1</span>'
    r'<span class="invisible">\2</span></a>'
)
