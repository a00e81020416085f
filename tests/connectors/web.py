"""Servers on loopback for tests: one that answers what the test lays down, and one that only counts who comes."""

import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any


class Web:
    """`web.lay("/feed", body, status=200, **headers)`, or a function that is given the handler and writes by itself.
    `web.asked` holds every request as (method, path, headers, body)."""

    def __init__(self, server: ThreadingHTTPServer):
        self.port, self.answers, self.asked = server.server_port, {}, []
        self.url = f"http://127.0.0.1:{self.port}"
        self.own = frozenset({("127.0.0.1", self.port)})

    def lay(self, path: str, body: Any = b"", status: int = 200, **headers: str) -> str:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = body if callable(body) else lambda handler: _say(handler, status, headers, body)
        return self.url + path

    def answer(self, handler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        self.asked.append((handler.command, handler.path, dict(handler.headers), handler.rfile.read(length)))
        answer = self.answers.get(handler.path.partition("?")[0], lambda one: _say(one, 404, {}, b""))
        with suppress(BrokenPipeError, ConnectionResetError):
            answer(handler)


def _say(handler, status, headers, body):
    body = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(tls: ssl.SSLContext | None = None):
    """A Web on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.web.answer(self)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.handle_error = True, lambda *args: None
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    Handler.web = Web(server)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield Handler.web
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def counting():
    """Somebody who listens on one port of this computer, by both of its families, and counts who comes."""
    import socket

    first = socket.create_server(("127.0.0.1", 0))
    port, calls = first.getsockname()[1], []
    listeners = [first]
    with suppress(OSError):
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))

    def listen(listener):
        with suppress(OSError):
            while True:
                connection, where = listener.accept()
                calls.append(where)
                connection.close()

    for each in listeners:
        threading.Thread(target=listen, args=(each,), daemon=True).start()
    try:
        yield SimpleNamespace(port=port, calls=calls)
    finally:
        for each in listeners:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
