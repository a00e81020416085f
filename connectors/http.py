"""The one way out: whatever Social Hub asks of another computer, it asks through here. A lint rule forbids any other
client, for each of them would have to keep all of this by itself:

- Only http and https, only the ports 80 and 443, only public addresses. A name is looked up once, *every* address that
  it gives has to be public, and the connection goes to one of those very addresses, so no second look-up can lead
  elsewhere. TLS still proves the name.
- A channel that may ask private addresses may ask its own servers, those of its settings, and no others.
- Redirects are followed by hand, three at most, each judged like the first address; to another server only harmless
  headers go along, and what carries credentials never steps down from https to http.
- Time, size (of what it unpacks to) and number of bytes have an end, whatever drips, floods or unfolds.
- No proxies from the environment, no cookies, no second try.

Errors are `connectors.errors`. They name a server, never a path, a query or a header, for those may hold secrets.
"""

import json
import logging
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore
import httpx

from connectors import addresses
from connectors.errors import (
    AddressRefused,
    ConnectorError,
    MakesNoSense,
    MaybeSent,
    Misconfigured,
    NoSuchHost,
    NotAuthorized,
    NotSent,
    NotTrusted,
    PortRefused,
    RateLimited,
    RedirectRefused,
    ServerFailed,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
)

CONNECT = 5  # seconds until a server must have taken the call
WITHIN = 10  # seconds for the whole answer, redirects included
WITHIN_SENDING = 30
LARGEST = 5 * 1024 * 1024  # bytes, unpacked
OVERHEAD = 256 * 1024  # bytes of headers and framing beside them
MOST_REDIRECTS = 3
MOST_ADDRESSES = 4
LONGEST_WAIT = timedelta(days=7)
PIECE = 64 * 1024
PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset((301, 302, 303, 307, 308))
FOR_GOOD = frozenset((301, 308))
#: What another server may see of a request that was meant for the first.
HARMLESS = frozenset(
    ("accept", "accept-encoding", "accept-language", "user-agent", "if-none-match", "if-modified-since")
)
OURS = {"user-agent": "SocialHub/1", "accept": "*/*", "accept-encoding": "gzip, deflate"}

# It logs addresses and headers when asked to say much; both may hold secrets.
logging.getLogger("httpcore").setLevel(logging.WARNING)

Origin = tuple[str, int]

#: Asked right before something is done that must not be done twice; raises NotSent to hold it back.
_gate: ContextVar[Callable[[], None] | None] = ContextVar("gate", default=None)


@dataclass(frozen=True)
class Answer:
    """What a server said: any status but 401, 403, 429 and 5xx, which are errors. `moved_to` is the address to ask
    from now on, when the network sent us on for good."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    moved_to: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Raises MakesNoSense."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise MakesNoSense("The answer is not JSON.") from None


def fetch(
    url: str,
    *,
    method: str = "GET",
    own: frozenset[Origin] = frozenset(),
    within: float | None = None,
    largest: int | None = None,
    **request: Any,
) -> Answer:
    """Ask for something; asking twice must do no harm. `own` are the channel's `own_servers`; `request` may hold
    `headers`, `params`, `json`, `data` or `content`, as in httpx.

    Raises an Unreachable that says what happened, RateLimited, NotAuthorized, or Misconfigured for an address that is
    none.
    """
    call = _Call(own, time.monotonic() + (within or WITHIN), largest or LARGEST)
    answer = _follow(call, _request(method, url, request))
    _judge(answer)
    return answer


def send(
    url: str,
    *,
    method: str = "POST",
    own: frozenset[Origin] = frozenset(),
    within: float | None = None,
    largest: int | None = None,
    **request: Any,
) -> Answer:
    """Do something that must not be done twice: one attempt, and no redirect is followed (the Answer tells of it).

    Raises NotSent when certainly not a byte of it left, MaybeSent when nobody knows; RateLimited and NotAuthorized as
    `fetch` does. A refusal (4xx) is an Answer: what it means stands in the network's documents.
    """
    answer = exchange(url, method=method, once=True, own=own, within=within, largest=largest, **request)
    if answer.status >= 500:
        raise MaybeSent(f"{_place(answer.url)} answered {answer.status}.")
    _judge(answer)
    return answer


@contextmanager
def gated(gate: Callable[[], None]) -> Iterator[None]:
    """Within this, whatever writes (`once`) asks `gate` first, however long what goes before it has taken: it raises
    NotSent to hold it back."""
    token = _gate.set(gate)
    try:
        yield
    finally:
        _gate.reset(token)


def exchange(
    url: str,
    *,
    method: str = "GET",
    once: bool = False,
    own: frozenset[Origin] = frozenset(),
    within: float | None = None,
    largest: int | None = None,
    **request: Any,
) -> Answer:
    """Ask, whatever the status: for those who know better than `fetch` and `send` what a network means by it. `once` is
    for what must not be done twice.

    Raises as `fetch` does, or with `once` NotSent and MaybeSent, but nothing for a status.
    """
    seconds = within or (WITHIN_SENDING if once else WITHIN)
    call = _Call(own, time.monotonic() + seconds, largest or LARGEST)
    asked = _request(method, url, request)
    if not once:
        return _follow(call, asked) if method in ("GET", "HEAD") else _ask(call, asked)
    if gate := _gate.get():
        gate()
    try:
        return _ask(call, asked)
    except ConnectorError as error:
        outcome = MaybeSent if call.left else NotSent
        raise outcome(error.detail or error.sentence) from None


def own_servers(settings: Mapping[str, Any], *names: str) -> frozenset[Origin]:
    """The servers that this channel may ask though they are private: those in its settings, and only if it may."""
    if not settings.get("allow_private_hosts"):
        return frozenset()
    given = [_url(settings[name]) for name in names or ("url", "base_url") if settings.get(name)]
    origins = {_origin(url) for url in given}
    # A server that steps up to https is still the same one.
    return frozenset(origins | {(host, 443) for host, port in origins if port == 80})


# Opening connections ----------------------------------------------------------------------------------------------


class _Guard(httpcore.NetworkBackend):
    """Opens connections, to checked addresses alone."""

    def __init__(self, call: "_Call"):
        self.call = call
        self.inner = httpcore.SyncBackend()

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        checked = self._checked(host, port)
        until = min(time.monotonic() + CONNECT, self.call.until)
        for number, address in enumerate(checked, 1):
            share = (until - time.monotonic()) / (len(checked) - number + 1)
            try:
                stream = self.inner.connect_tcp(address, port, timeout=max(share, 0.1), socket_options=socket_options)
                return _Line(stream, self.call)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        if isinstance(problem, httpcore.ConnectTimeout):
            raise TooSlow(f"{host} does not take the call.")
        raise Unreachable(f"{host} does not take the call.")

    def connect_unix_socket(self, path, timeout=None, socket_options=None):
        raise AddressRefused("A socket of this computer was not opened.")

    def _checked(self, host: str, port: int) -> list[str]:
        """The addresses to connect to. Raises when even one of them must not be."""
        is_own = (_plain(host), port) in self.call.own
        if not is_own and port not in PORTS.values():
            raise PortRefused(f"{host} was not asked: port {port} is not used.")
        found = addresses.look_up(host, port, min(CONNECT, self.call.remaining()))
        if not found:
            raise NoSuchHost(f"No server is known by the name {host}.")
        if not is_own and not all(map(addresses.is_public, found)):
            raise AddressRefused(f"{host} was not asked: it leads into a private or reserved network.")
        return found[:MOST_ADDRESSES]


# One call and its bounds ------------------------------------------------------------------------------------------


@dataclass
class _Call:
    """What one call may ask, until when and how much; and whether a byte of it has left."""

    own: frozenset[Origin]
    until: float
    largest: int
    left: bool = False
    read: int = 0

    def remaining(self) -> float:
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise TooSlow("The answer took too long.")
        return seconds

    def count(self, data: bytes) -> bytes:
        self.read += len(data)
        if self.read > self.largest + OVERHEAD:
            raise TooLarge(f"The answer is larger than {_size(self.largest)}.")
        return data


class _Line(httpcore.NetworkStream):
    """A connection on which every step ends with the call's time. What is handed to it counts as having left."""

    def __init__(self, inner: httpcore.NetworkStream, call: _Call):
        self.inner, self.call = inner, call

    def read(self, max_bytes, timeout=None):
        return self.call.count(self.inner.read(max_bytes, self.call.remaining()))

    def write(self, buffer, timeout=None):
        self.call.left = self.call.left or bool(buffer)
        for start in range(0, len(buffer), PIECE):
            self.inner.write(buffer[start : start + PIECE], self.call.remaining())

    def close(self):
        self.inner.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        try:
            seconds = min(CONNECT, self.call.remaining())
            return _Line(self.inner.start_tls(ssl_context, server_hostname, seconds), self.call)
        except httpcore.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise NotTrusted(f"The certificate of {server_hostname} can not be trusted.") from None
            raise Unreachable(f"{server_hostname} does not speak TLS as we do.") from None
        except ValueError:
            raise NotTrusted(f"No certificate can name {server_hostname}.") from None

    def get_extra_info(self, info):
        return self.inner.get_extra_info(info)


def _follow(call: _Call, request: httpx.Request) -> Answer:
    """Ask, and go on where the network sends us."""
    permanent, moved_to = True, ""
    for hop in range(MOST_REDIRECTS + 1):
        try:
            answer = _ask(call, request)
        except AddressRefused as error:
            # Nothing that an admin could allow for this channel would change it.
            raise RedirectRefused(error.detail) if hop else error from None
        if answer.status not in REDIRECTS or not answer.headers.get("location"):
            return Answer(answer.status, answer.headers, answer.body, answer.url, moved_to)
        request = _next(request, answer)
        permanent = permanent and answer.status in FOR_GOOD
        moved_to = str(request.url) if permanent else moved_to
    raise TooManyRedirects(f"{_place(str(request.url))} was not asked any more, after {MOST_REDIRECTS} redirects.")


def _next(before: httpx.Request, answer: Answer) -> httpx.Request:
    """The request that follows a redirect, with no more than the next server may know."""
    try:
        url = before.url.join(answer.headers["location"])
        url = _url(str(url.copy_with(fragment=None, username=None, password=None)))
    except (httpx.InvalidURL, Misconfigured, ValueError, TypeError):
        raise RedirectRefused(f"{before.url.host} sends us on to an address that can not be opened.") from None
    same = _is_same(before.url, url)
    kept = {name: value for name, value in before.headers.items() if same or name in HARMLESS}
    if before.url.scheme == "https" and url.scheme == "http" and set(before.headers) - HARMLESS - {"host"}:
        raise RedirectRefused(f"{before.url.host} sends us on from https to http, which would show our credentials.")
    kept.pop("host", None)
    if before.method in ("GET", "HEAD") or answer.status in (307, 308):
        # A body is for the server that it was written for.
        return httpx.Request(before.method, url, headers=kept, content=before.read() if same else None)
    return httpx.Request("GET", url, headers={k: v for k, v in kept.items() if not k.startswith("content-")})


def _is_same(before: httpx.URL, after: httpx.URL) -> bool:
    """The same server, or the same that now speaks TLS."""
    steps_up = (before.scheme, after.scheme) == ("http", "https") and _origin(before)[1] == 80
    was = (_origin(before)[0], 443) if steps_up else _origin(before)
    return _origin(after) == was and (steps_up or before.scheme == after.scheme)


def _ask(call: _Call, request: httpx.Request) -> Answer:
    """One request, one answer, whatever its status."""
    url = request.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=_Guard(call))
    try:
        with pool, pool.stream(request.method, target, headers=request.headers.raw, content=request.read()) as got:
            headers = httpx.Headers(got.headers)
            body = b"".join(_unpacked(call, got.iter_stream(), headers))
            return Answer(got.status, headers, body, str(url))
    except ConnectorError:
        raise
    except httpcore.TimeoutException:
        raise TooSlow(f"{url.host} did not answer in time.") from None
    except httpcore.LocalProtocolError:
        raise Misconfigured("A header holds characters that can not be sent.") from None
    except httpcore.ProtocolError:
        raise MakesNoSense(f"What {url.host} answers is not HTTP, or ends too early.") from None
    except (httpcore.NetworkError, OSError):
        raise Unreachable(f"The line to {url.host} broke.") from None


def _unpacked(call: _Call, pieces: Iterator[bytes], headers: httpx.Headers) -> Iterator[bytes]:
    """The body as it was before it was packed, and not a byte more of it than the call may read."""
    packed = headers.get("content-encoding", "identity").strip().lower()
    if packed not in _PACKED:
        raise MakesNoSense("The answer is packed in a way that we did not ask for.")
    size = 0
    for piece in _PACKED[packed](pieces):
        call.remaining()
        size += len(piece)
        if size > call.largest:
            raise TooLarge(f"The answer is larger than {_size(call.largest)}.")
        yield piece


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """gzip or zlib, a piece at a time however well it was packed: 200 MB may lie in 200 kB."""
    unpacker, begun = zlib.decompressobj(wbits=47), False
    try:
        for piece in pieces:
            while piece:
                if not begun and piece[0] != 0x1F and piece[0] & 0x0F != 8:
                    unpacker = zlib.decompressobj(wbits=-15)  # some servers leave the wrapping of `deflate` out
                begun = True
                yield unpacker.decompress(piece, PIECE)
                piece = unpacker.unconsumed_tail
                if unpacker.eof:
                    piece = unpacker.unused_data
                    if piece[:1] != b"\x1f":
                        return  # what some servers pad with
                    unpacker = zlib.decompressobj(wbits=47)
    except zlib.error:
        raise MakesNoSense("The answer is packed wrongly.") from None
    if begun and not unpacker.eof:
        raise MakesNoSense("The answer ends too early.")


_PACKED = {"identity": iter, "": iter, "gzip": _inflated, "x-gzip": _inflated, "deflate": _inflated}


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


# What came of it --------------------------------------------------------------------------------------------------


def _judge(answer: Answer) -> None:
    """Raise what is an error on every network."""
    said = f"{_place(answer.url)} answered {answer.status}."
    if answer.status == 429:
        raise RateLimited(said, until=asked_wait(answer.headers))
    if answer.status in (401, 403):
        raise NotAuthorized(said)
    if answer.status >= 500:
        if until := asked_wait(answer.headers):
            raise RateLimited(said, until=until)
        raise ServerFailed(said)


def asked_wait(headers: Mapping[str, str], now: datetime | None = None) -> datetime | None:
    """Until when `Retry-After` asks us to wait, in seconds or as a date; None when it does not."""
    said, now = headers.get("retry-after", "").strip(), now or datetime.now(UTC)
    try:
        if said.isascii() and said.isdigit():
            wait = timedelta(seconds=min(int(said[:12]), LONGEST_WAIT.total_seconds()))
        else:
            until = parsedate_to_datetime(said)
            wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return now + max(timedelta(0), min(wait, LONGEST_WAIT))


# Addresses in words -----------------------------------------------------------------------------------------------


def _request(method: str, url: str, request: Mapping[str, Any]) -> httpx.Request:
    headers = OURS | {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    try:
        return httpx.Request(method, _url(url), **(dict(request) | {"headers": headers}))
    except (UnicodeError, httpx.InvalidURL):
        raise Misconfigured("The address or a header holds characters that can not be sent.") from None


def _url(given: str) -> httpx.URL:
    """Raises Misconfigured for what is no address of the web."""
    try:
        url = httpx.URL(given)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise Misconfigured("The address is none that can be opened.") from None
    if url.scheme not in PORTS or not url.host:
        raise Misconfigured("The address has to begin with https:// or http://.")
    return url


def _origin(url: httpx.URL) -> Origin:
    return _plain(url.raw_host.decode("ascii")), url.port or PORTS[url.scheme]


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _place(url: str) -> str:
    """The server of this address: all of it that may stand in an error."""
    return httpx.URL(url).host


def _size(number: int) -> str:
    return f"{number / 1024 / 1024:,.1f} MB".replace(".0 ", " ")
