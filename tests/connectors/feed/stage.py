"""A blog on loopback, with one feed of its newest articles and comments."""

from dataclasses import dataclass
from email.utils import format_datetime
from html import escape

from tests.connectors.stages import Asked, Stage, Written

CONTENT = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'


@dataclass
class FeedStage(Stage):
    deepest: int | None = 30

    network = "feed"
    kinds = ("article", "comment")
    troubles = (
        *("limited", "limited silently", "expired", "scope", "down", "html", "truncated", "reset", "drip"),
        "elsewhere",
    )
    html = True
    anonymous = True

    @property
    def settings(self):
        return {"url": f"{self.web.url}/feed", "allow_private_hosts": True}

    @property
    def credentials(self):
        return {"username": "canary-user", "password": "canary-password"}

    def answer(self, asked: Asked):
        items = "".join(map(self._item, self.newest_first))
        body = f'<rss version="2.0" {CONTENT}><channel><title>The blog</title>{items}</channel></rss>'
        return 200, body.encode(), {"Content-Type": "application/rss+xml"}

    def _item(self, post: Written) -> str:
        link = f"https://blog.example/{post.id}"
        link = f"https://blog.example/1#comment-{post.id}" if post.kind == "comment" else link
        told = {"guid": f"https://blog.example/?p={post.id}", "link": link, "description": post.text}
        told |= {"pubDate": format_datetime(post.at)} | ({"dc:creator": post.author} if post.author else {})
        told |= {"unheard": "of"} if self.strange else {}
        return f"<item>{''.join(f'<{name}>{escape(value)}</{name}>' for name, value in told.items())}</item>"
