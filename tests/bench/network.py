"""A network on loopback for the clock: many servers of one process, some slow, some dead, one with much history. It
writes down who asked when, so that the intervals are judged by the one who is asked."""

import asyncio
import contextlib
import json
import random
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors import http, registry
from connectors.contract import Author, Batch, Connector, Post, Setting

PAGE = 100
PATIENCE = http.WITHIN  # seconds until a server that does not answer is given up


@dataclass(frozen=True)
class Clocked(Connector):
    """Asks such a server for what is new after the cursor."""

    network = "clocked"
    name = "Clocked"
    asks = (Setting("url", "Address", "url", required=True),)

    def fetch(self, cursor) -> Batch:
        answer = self._ask(cursor.get("after", 0))
        posts = [_post(each) for each in answer["posts"]]
        return Batch(posts, {"after": answer["after"]}, more=answer["more"], history=answer["history"])

    def _ask(self, after: int) -> dict:
        where = f"{self.settings['url']}{self.slug}?{after}"
        return http.fetch(where, own=http.own_servers(self.settings), within=PATIENCE).json()


registry.NETWORKS["clocked"] = f"{__name__}.Clocked"


def _post(given: dict) -> Post:
    who = Author(id=given["who"], handle=given["who"])
    return Post(given["id"], "mention", given["text"], datetime.fromisoformat(given["at"]), who)


@dataclass
class Servers:
    """Servers in a thread of their own. `seen` holds, per channel, when it was asked."""

    slowest: float = 0.5
    quickest: float = 0.2
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: What waits at a channel's server: live posts that somebody wrote, and how many posts of history are left.
    written: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    history: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def living(self, number: int) -> list[str]:
        """So many servers that answer, each after a while; their addresses."""
        return [self._open(self._answer) for _ in range(number)]

    def dead(self) -> str:
        """A server that takes every call and says nothing."""
        return self._open(self._silence)

    def write(self, slug: str) -> None:
        """Somebody writes a live post that the channel's next look finds."""
        posts = self.written[slug]
        posts.append(_words(f"{slug}-live-{len(posts)}", datetime.now(UTC)))

    def stop(self) -> None:
        """The dead hang up, too."""
        self._loop.call_soon_threadsafe(self._over.set)

    def _open(self, answer) -> str:
        door = socket.create_server(("127.0.0.1", 0), backlog=256)
        asyncio.run_coroutine_threadsafe(asyncio.start_server(answer, sock=door), self._loop).result(5)
        return f"http://127.0.0.1:{door.getsockname()[1]}/"

    async def _asked(self, reader) -> tuple[str, int]:
        request = await reader.readuntil(b"\r\n\r\n")
        slug, _, after = request.split()[1].decode().lstrip("/").partition("?")
        self.seen[slug].append(time.monotonic())
        return slug, int(after)

    async def _answer(self, reader, writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            slug, after = await self._asked(reader)
            await asyncio.sleep(random.uniform(self.quickest, self.slowest))
            body = json.dumps(self._page(slug, after)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        writer.close()

    async def _silence(self, reader, writer) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self._asked(reader)
            await self._over.wait()
        writer.close()

    def _page(self, slug: str, after: int) -> dict:
        if total := self.history.get(slug, 0):
            return self._old(slug, after, total)
        posts = self.written[slug][after : after + PAGE]
        return {"posts": posts, "after": after + len(posts), "more": False, "history": False}

    def _old(self, slug: str, after: int, total: int) -> dict:
        until, then = min(total, after + PAGE), datetime.now(UTC) - timedelta(days=30)
        posts = [_words(f"{slug}-{number}", then) for number in range(after, until)]
        return {"posts": posts, "after": until, "more": until < total, "history": True}


def _words(ident: str, at: datetime) -> dict:
    return {"id": ident, "text": f"Where is my order {ident}?", "at": at.isoformat(), "who": f"who-{ident[-4:]}"}
