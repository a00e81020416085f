"""What a network's own client library speaks through. It thinks that it has a session of `requests`, and each of its
calls goes the one way out (`connectors.http`): public addresses only, an end to time and size, no second try.

    session = Session(own=http.own_servers(self.settings), instead={"https://api.example.com": base_url})
    with session.translating(ClientError, judge=_error):
        Client(session=session).mentions()

`session.answer` is what the network said last, headers and all, which most libraries keep to themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import requests
from requests.adapters import BaseAdapter

from connectors import http
from connectors.errors import ConnectorError, MakesNoSense, MaybeSent
from connectors.http import Answer

#: Makes a ConnectorError of an exception of the library and the answer that it read, if there was one.
Judge = Callable[[Exception, Answer | None], ConnectorError]


class Session(requests.Session):
    """`instead` names for an address that a library has built in the one to ask in its place. `writing` is for what
    must not be done twice: then trouble is NotSent or MaybeSent, and no redirect is followed."""

    def __init__(
        self,
        *,
        own: frozenset[http.Origin] = frozenset(),
        instead: Mapping[str, str] | None = None,
        within: float | None = None,
        writing: bool = False,
    ):
        super().__init__()
        self.trust_env = False
        self.own, self.instead, self.within, self.writing = own, dict(instead or {}), within, writing
        self.answer: Answer | None = None
        self.trouble: ConnectorError | None = None
        self.adapters.clear()
        self.mount("https://", _WayOut(self))
        self.mount("http://", _WayOut(self))

    def resolve_redirects(self, *args, **named):
        """They were followed already where they may be."""
        return iter(())

    @contextmanager
    def translating(self, *exceptions: type[Exception], judge: Judge) -> Iterator[None]:
        """Let no exception of the library out: trouble on the way stays what it was, `exceptions` are judged, and a
        library that stumbles over an answer says that it makes no sense. In doubt whether something was written,
        MaybeSent."""
        try:
            yield
        except ConnectorError:
            raise
        except Exception as error:
            raise self._translated(error, exceptions, judge) from None

    def _translated(self, error: Exception, exceptions: tuple[type[Exception], ...], judge: Judge) -> ConnectorError:
        if self.trouble:
            return self.trouble
        if exceptions and isinstance(error, exceptions):
            return judge(error, self.answer)
        if self.writing and self.answer is not None:
            return MaybeSent("What the network answered can not be understood.")
        return MakesNoSense(f"The answer can not be understood ({type(error).__name__}).")


class _WayOut(BaseAdapter):
    def __init__(self, session: Session):
        super().__init__()
        self.session = session

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        session = self.session
        session.answer = session.trouble = None
        asked = {"method": request.method, "own": session.own, "within": session.within}
        try:
            session.answer = http.exchange(
                self._address(request.url),
                once=session.writing,
                headers=dict(request.headers),
                content=_bytes(request.body),
                **asked,
            )
        except ConnectorError as error:
            session.trouble = error
            raise
        return _response(request, session.answer)

    def close(self):
        pass

    def _address(self, url: str) -> str:
        for built_in, wanted in self.session.instead.items():
            if url.startswith(built_in):
                return wanted.rstrip("/") + url[len(built_in.rstrip("/")) :]
        return url


def _bytes(body) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _response(request, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = answer.status, answer.url, request
    # What was packed is unpacked already.
    response.headers.update({k: v for k, v in answer.headers.items() if k.lower() != "content-encoding"})
    response.encoding = requests.utils.get_encoding_from_headers(response.headers) or "utf-8"
    response.raw = BytesIO(answer.body)
    response._content = answer.body
    return response
