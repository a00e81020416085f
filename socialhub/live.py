"""The live stream: tells open pages that something changed, to those who may see it, and never what.

A process listens once to the bell (departments.bell) and passes each stroke on to its streams. What a stream may hear
is asked of the rights of its person, again whenever these change, so that a lost right falls silent at once.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import UUID

import redis.asyncio as redis
from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from departments import bell
from departments.access import Rights, departments_for, rights
from departments.models import User
from inbox.models import Access
from socialhub.serving import in_thread

logger = logging.getLogger(__name__)

HEARTBEAT = 15  # seconds; also how long a stream trusts the rights that it knows, should a stroke be lost
LONGEST_QUEUE = 500
MOST_STREAMS = 3  # of one person; a browser needs one, whatever its tabs
EVERYTHING = "*"


@require_safe
async def stream(request: HttpRequest) -> StreamingHttpResponse:
    """`GET /live/`: server-sent events `changed` with the names of what changed: `queue:<id>`, `channels`, `rules`,
    `gone:<conversation id>`; `*` after strokes may have been missed."""
    user = await request.auser()
    response = StreamingHttpResponse(_listen(user.pk), content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


async def _listen(user_id: UUID) -> AsyncIterator[bytes]:
    ear = Ear(user_id)
    if not await ear.ask_rights():
        return
    hub = Hub.of_this_loop()
    hub.join(ear)
    try:
        yield b"retry: 1000\n\n"
        while not ear.closed:
            names = await ear.heard()
            if names is None:
                alive = await ear.ask_rights()
                yield b": beat\n\n"
                if not alive:
                    return
            elif told := [name for name in names if await ear.may_hear(name)]:
                yield f"event: changed\ndata: {' '.join(told)}\n\n".encode()
    finally:
        hub.leave(ear)


class Ear:
    """One stream and what its person may hear."""

    def __init__(self, user_id: UUID):
        self.user_id = user_id
        self.waiting: asyncio.Queue[str] = asyncio.Queue(LONGEST_QUEUE)
        self.closed = False
        self.rights: Rights | None = None
        self.queues: set[str] = set()

    def put(self, name: str) -> None:
        try:
            self.waiting.put_nowait(name)
        except asyncio.QueueFull:
            # The browser is far behind: one “everything” is shorter than what it missed.
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(EVERYTHING)

    async def heard(self) -> list[str] | None:
        """What was rung since, each name once; None when nothing was for a while."""
        try:
            names = [await asyncio.wait_for(self.waiting.get(), HEARTBEAT)]
        except TimeoutError:
            return None
        while not self.waiting.empty():
            names.append(self.waiting.get_nowait())
        return list(dict.fromkeys(names))

    async def may_hear(self, name: str) -> bool:
        kind, _, which = name.partition(":")
        if kind == "person":
            if which == str(self.user_id) and not await self.ask_rights():
                self.closed = True
            return False
        if kind == "queue":
            return which in self.queues
        if kind == "gone":
            return await self._knew(which)
        return True

    @in_thread
    def ask_rights(self) -> bool:
        """Learn anew what the person may hear, and note that they are here; False when nothing any more."""
        user = User.objects.filter(pk=self.user_id, is_active=True).first()
        if user is None:
            self.queues = set()
            return False
        User.objects.filter(pk=user.pk).update(last_seen_at=timezone.now())
        self.rights = rights(user)
        self.queues = {str(each.pk) for each in departments_for(user)}
        return True

    @in_thread
    def _knew(self, conversation_id: str) -> bool:
        """Only who could see a conversation is told that it is gone; to all others it never was."""
        if self.rights is None:
            return False
        if self.rights.sees_ordinary:
            return Access.objects.filter(conversation=conversation_id, department__confidential=False).exists()
        return Access.objects.filter(conversation=conversation_id, department__in=self.rights.roles).exists()


class Hub:
    """The one listener of an event loop, and the streams that it serves."""

    _hubs: dict[asyncio.AbstractEventLoop, "Hub"] = {}

    def __init__(self):
        self.ears: dict[UUID, list[Ear]] = defaultdict(list)
        self.listener: asyncio.Task | None = None

    @classmethod
    def of_this_loop(cls) -> "Hub":
        loop = asyncio.get_running_loop()
        return cls._hubs.setdefault(loop, cls())

    def join(self, ear: Ear) -> None:
        own = self.ears[ear.user_id]
        own.append(ear)
        for old in own[:-MOST_STREAMS]:
            old.closed = True
            old.put(EVERYTHING)
        if self.listener is None or self.listener.done():
            self.listener = asyncio.create_task(self._listen())

    def leave(self, ear: Ear) -> None:
        own = self.ears[ear.user_id]
        if ear in own:
            own.remove(ear)
        if not own:
            del self.ears[ear.user_id]

    def ring(self, name: str) -> None:
        for own in list(self.ears.values()):
            for ear in own:
                ear.put(name)

    async def _listen(self) -> None:
        """Listen for ever. After a break nobody knows what was missed, so everything may have changed."""
        missed = False
        while True:
            try:
                async with (
                    redis.Redis.from_url(settings.BELL_URL, health_check_interval=10) as client,
                    client.pubsub(ignore_subscribe_messages=True) as strokes,
                ):
                    await strokes.subscribe(bell.CHANNEL)
                    if missed:
                        self.ring(EVERYTHING)
                    async for stroke in strokes.listen():
                        self.ring(stroke["data"].decode())
            except (redis.RedisError, OSError):
                missed = True
                await asyncio.sleep(1)
