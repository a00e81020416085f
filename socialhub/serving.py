"""How the web process answers: a page is made in one go by one of a few threads that keep their line to the database.

The framework itself would hand a request to and fro between the event loop and a thread for each middleware, and open a
new connection for each request; that cost more than most pages.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connection, connections
from django.http import HttpRequest, HttpResponse

from socialhub import hatch

#: Bytes of a request that are read at all; forms, files and API take less (DATA_UPLOAD_MAX_MEMORY_SIZE).
LARGEST = 8 * 1024 * 1024
#: Pages that are made at once. More would only wait for one another, and for the database.
THREADS = 16
#: A thread that served nobody for so long lets its line go; one that broke meanwhile is found out before it is used.
KEPT = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")


def keep_lines() -> None:
    """From now on the threads of this process keep their lines to the database from one page to the next."""
    for each in connections.settings.values():
        each |= KEPT


def in_thread(work: Callable) -> Callable:
    """Work that asks the database, to be awaited by the event loop."""

    def done(*given, **more):
        close_old_connections()
        try:
            return work(*given, **more)
        finally:
            close_old_connections()

    return sync_to_async(done, thread_sensitive=False, executor=_threads)


def _at_the_hatch(scope: Mapping) -> asyncio.Future[HttpResponse | None]:
    return asyncio.get_running_loop().run_in_executor(_threads, _handed_out, scope)


def _handed_out(scope: Mapping) -> HttpResponse | None:
    """A line that broke meanwhile is not looked for here: the first question finds it, and the ordinary way, which
    comes next, gets another."""
    close_old_connections()
    connection.health_check_done = True
    try:
        return hatch.hand_out(scope)
    finally:
        close_old_connections()


async def _send_whole(response: HttpResponse, send: Callable) -> None:
    """Nothing is left to be closed after it, so that needs no second visit to a thread."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


class TooLarge(Exception):
    """Somebody sends more than anything here would take."""


class Pages(ASGIHandler):
    """The framework's handler with all its middleware on one side: a page is one visit to a thread. What a stream sends
    later is awaited by the event loop as ever."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponse:
        return await in_thread(self.get_response)(request)

    async def __call__(self, scope, receive, send) -> None:
        """The framework would write a request of any size to the disk before it looks at it."""
        if hatch.is_plain(scope) and (response := await _at_the_hatch(scope)):
            await _send_whole(response, send)
            return
        read = 0

        async def bounded():
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LARGEST:
                raise TooLarge
            return message

        try:
            await super().__call__(scope, bounded, send)
        except TooLarge:
            await send({"type": "http.response.start", "status": 413, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body"})
