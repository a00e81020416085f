"""The network of the torture: an HTTP server in this process that serves feeds and takes replies, and that misbehaves
when it is told to. It speaks plain HTTP/1.1 by hand, for no server lets one cut an answer short or drop a line."""

import asyncio
import json
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.torture.feeds import Feed
from tests.torture.world import World

HTML = b"<!doctype html><title>Back soon</title><h1>We are working on it</h1>"


@dataclass
class Answer:
    """What goes back. `cut`: only so many bytes of it; `reset`: nothing, the line drops; `silent`: nothing for so
    many seconds, then the line drops."""

    status: int = 200
    body: bytes = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    silent: float = 0

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {'OK' if self.status < 300 else 'No'}", f"Content-Type: {self.type}"]
        lines += [f"Content-Length: {len(self.body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


#: What a fault makes of an honest answer.
Spoil = Callable[[Answer], Answer]


class Network(threading.Thread):
    """`spoilt[lane]` are the next answers that go wrong, one request each; the lanes are `feed:<slug>`, `reply`
    (after it was published), `refuse` (before) and `look`."""

    def __init__(self, world: World, feeds: dict[str, Feed]):
        super().__init__(daemon=True, name="network")
        self.world, self.feeds = world, feeds
        self.spoilt: dict[str, deque[tuple[str, Spoil]]] = {}
        #: Which fault met how many requests.
        self.met: Counter[str] = Counter()
        #: A reply that is not shown yet → for how many more looks.
        self.hidden: dict[str, int] = {}
        self.hide_next = 0
        self.ready = threading.Event()
        self.port = self.replies_port = 0

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        feeds = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self._door = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port, self.replies_port = (each.sockets[0].getsockname()[1] for each in (feeds, self._door))
        self.ready.set()
        await self._end.wait()
        feeds.close()
        self._door.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self.join(5)

    def spoil(self, lane: str, kind: str, how: Spoil, times: int = 1) -> None:
        """The next so many answers of this lane go wrong like this."""
        self.spoilt.setdefault(lane, deque()).extend([(kind, how)] * times)

    def shut_door(self, seconds: float) -> None:
        """Nobody takes replies for a while: whoever calls is refused."""
        asyncio.run_coroutine_threadsafe(self._shut_door(seconds), self._loop)

    async def _shut_door(self, seconds: float) -> None:
        self._door.close()
        await asyncio.sleep(seconds)
        self._door = await asyncio.start_server(self._talk, "127.0.0.1", self.replies_port)

    # One call -----------------------------------------------------------------------------------------------------

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(await _read(reader), writer)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # whoever called died while calling, or it all ends: then nothing was said
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        answer = self._judge(request)
        if answer.silent:
            await asyncio.sleep(answer.silent)
        if answer.silent or answer.reset:
            _reset(writer)
            return
        whole = answer.head() + answer.body
        writer.write(whole if answer.cut is None else whole[: len(answer.head()) + answer.cut])
        await writer.drain()
        if answer.cut is not None:
            _reset(writer)

    def _judge(self, request: Request) -> Answer:
        _, place, *rest = request.path.split("/")
        if place == "feeds" and (feed := self.feeds.get(rest[0])):
            return self._feed(feed, request)
        if place == "replies" and request.method == "POST":
            return self._reply(json.loads(request.body))
        if place == "replies":
            return self._look(request.query.get("client_key", [""])[0])
        return Answer(404)

    def _spoiler(self, lane: str) -> Spoil | None:
        waiting = self.spoilt.get(lane)
        if not waiting:
            return None
        kind, how = waiting.popleft()
        self.met[kind] += 1
        return how

    def _feed(self, feed: Feed, request: Request) -> Answer:
        etag, body, kind, shown = feed.page()
        spoil = self._spoiler(f"feed:{feed.slug}")
        if spoil is None and request.headers.get("if-none-match") == etag:
            return Answer(304, headers={"ETag": etag})
        answer = Answer(body=body, type=kind, headers={"ETag": etag})
        if spoil:
            return spoil(answer)
        feed.told(shown)
        return answer

    def _reply(self, reply: dict) -> Answer:
        if refuse := self._spoiler("refuse"):
            return refuse(Answer())
        there = self.world.publish(reply)
        answer = Answer(body=json.dumps(self._shown(there)).encode())
        spoil = self._spoiler("reply")
        if spoil and self.hide_next:
            self.hidden[reply["id"]], self.hide_next = self.hide_next, 0
        return spoil(answer) if spoil else answer

    def _look(self, key: str) -> Answer:
        if spoil := self._spoiler("look"):
            return spoil(Answer(body=b"{}"))
        times = self.world.replies.get(key)
        if times and self.hidden.get(key):
            self.hidden[key] -= 1
            times = None
        return Answer(body=json.dumps(self._shown(times[0])).encode()) if times else Answer(404, b"{}")

    def _shown(self, there: dict) -> dict:
        return {"id": there["id"], "url": f"http://127.0.0.1:{self.replies_port}/posts/{there['id']}"}


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    parts = urlsplit(target)
    return Request(method, parts.path, parse_qs(parts.query), headers, body)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Drop the line, so that the other side reads an error and not an end."""
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
