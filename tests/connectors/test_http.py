"""The one way out: which addresses it opens, what goes along, when it ends, and what it calls that."""

import gzip
import ipaddress
import json
import logging
import ssl
import subprocess
import sys
import time
import zlib
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest

from connectors import addresses, http
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
from tests.connectors.web import counting, serving

CANARY = "canary-4711"
ROOT = Path(http.__file__).parents[1]

#: Ways to write an address that nobody outside this house can ask.
NOT_PUBLIC = """
127.0.0.1 127.1 127.0.1 127.255.255.254 127.0.0.1. 2130706433 017700000001 0x7f000001 0x7F.0x0.0x0.0x1 0x7f.1
0177.0.0.1 0177.0.0.01 0x7f.0.0.1 127.0x0.1 0 0.0.0.0 0x0 00000000 0.0.0.1
10.0.0.1 10.1 0xa.1 167772161 172.16.0.1 172.31.255.255 192.168.1.1 0xc0a80101 3232235777 169.254.169.254 0xa9fea9fe
2852039166 0251.0376.0251.0376 100.64.0.1 198.18.0.1 192.0.0.8 192.0.2.1 198.51.100.7 203.0.113.9 192.88.99.1 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
[::1] [::] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:10.0.0.1]
[::ffff:169.254.169.254] [::ffff:0:127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::10.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::1]
[2002:a00:1::] [2002:a9fe:a9fe::] [2001:0:7f00:1::] [2001:db8::1] [3fff::1] [100::1] [fc00::1] [fd12:3456:789a::1]
[fe80::1] [fec0::1] [ff02::1] [5f00::1] [2600::5efe:127.0.0.1] [2600::200:5efe:10.0.0.1]
localhost LOCALHOST localhost. ①②⑦.⓪.⓪.① 127。0。0。1 １２７.0.0.1
""".split()
PUBLIC = """
8.8.8.8 1.1.1.1 93.184.216.34 100.128.0.1 172.32.0.1 192.0.1.1 2606:4700::1111 2a00:1450:4001:830::200e ::ffff:8.8.8.8
64:ff9b::808:808 2002:808:808::1
""".split()


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def other():
    with serving() as other:
        yield other


@pytest.fixture
def ear():
    with counting() as ear:
        yield ear


@pytest.fixture
def any_port(monkeypatch):
    """`any_port(port)`: this port is one that is used, so that only the address decides."""

    def allow(*ports):
        monkeypatch.setattr(http, "PORTS", {"http": ports[0], "https": ports[-1]})

    return allow


@pytest.fixture
def names(monkeypatch):
    """`names["shop.example"] = ["127.0.0.1"]`; each look-up is counted in `names.asked`."""

    class Names(dict):
        asked = []

    names = Names()
    names.asked = []

    def resolve(host, port):
        names.asked.append(host)
        if host not in names:
            raise OSError("no such name")
        return names[host].pop(0) if isinstance(names[host][0], list) else names[host]

    monkeypatch.setattr(addresses, "resolve", resolve)
    return names


def trouble(url, **how):
    with pytest.raises(ConnectorError) as raised:
        http.fetch(url, **how)
    return raised.value


# Which addresses ------------------------------------------------------------------------------------------------------


def test_no_spelling_of_a_private_address_is_opened(ear, any_port):
    any_port(ear.port)
    assert len(NOT_PUBLIC) >= 60
    for spelling in NOT_PUBLIC:
        error = trouble(f"http://{spelling}:{ear.port}/")
        assert isinstance(error, AddressRefused | NoSuchHost | Misconfigured), (spelling, error)
    assert ear.calls == []
    # And the ear does hear: the same address is opened for a channel whose own it is.
    trouble(f"http://127.0.0.1:{ear.port}/", own=frozenset({("127.0.0.1", ear.port)}))
    assert len(ear.calls) == 1


def test_private_and_public_addresses_are_told_apart():
    literals = [each.strip("[]") for each in NOT_PUBLIC]
    told = [each for each in literals if _is_address(each)]
    assert len(told) > 40
    assert [each for each in told if addresses.is_public(each)] == []
    assert [each for each in PUBLIC if not addresses.is_public(each)] == []


def _is_address(given):
    try:
        return ipaddress.ip_address(given)
    except ValueError:
        return None


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["2606:4700::1111", "::1"], ["fe80::1%eth0"]],
    ids=["private", "one of two", "one of two families", "of this link"],
)
def test_a_name_has_to_be_public_with_every_address_it_gives(names, ear, any_port, answers):
    any_port(ear.port)
    names["127.0.0.1.nip.example"] = answers
    assert isinstance(trouble(f"http://127.0.0.1.nip.example:{ear.port}/"), AddressRefused)
    assert ear.calls == []


def test_the_address_that_was_checked_is_the_one_that_is_opened(names, ear, any_port, monkeypatch):
    any_port(ear.port)
    opened = []

    def connect(self, host, port, **rest):
        opened.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    names["rebinding.example"] = [["93.184.216.34"], ["127.0.0.1"]]
    assert type(trouble(f"http://rebinding.example:{ear.port}/")) is Unreachable
    assert (opened, names.asked) == (["93.184.216.34"], ["rebinding.example"])


@pytest.mark.parametrize("url", ["http://example.org:22/", "https://example.org:8443/", "http://example.org:6379/"])
def test_only_the_ports_of_the_web_are_used(names, url):
    assert isinstance(trouble(url), PortRefused)
    assert names.asked == []


@pytest.mark.parametrize(
    "url",
    ["gopher://127.0.0.1:70/", "file:///etc/passwd", "ftp://a.example/", "//a.example", "", "http://", "http://[::1"],
)
def test_only_the_web_is_asked(url):
    assert isinstance(trouble(url), Misconfigured)


def test_a_channel_may_ask_its_own_private_server_and_no_other(web, other):
    settings = {"url": web.lay("/feed", "here"), "allow_private_hosts": True}
    assert http.fetch(settings["url"], own=http.own_servers(settings)).body == b"here"
    for elsewhere in (other.lay("/", "no"), f"http://localhost:{web.port}/feed"):
        assert isinstance(trouble(elsewhere, own=http.own_servers(settings)), AddressRefused)
    assert http.own_servers(settings | {"allow_private_hosts": False}) == frozenset()
    assert http.own_servers({"base_url": "http://Intra.example.", "allow_private_hosts": True}) == {
        ("intra.example", 80),
        ("intra.example", 443),
    }
    assert other.asked == []


def test_proxies_of_the_environment_are_passed_by(web, ear, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{ear.port}")
    assert http.fetch(web.lay("/", "direct"), own=web.own).body == b"direct"
    assert ear.calls == []


# Redirects ------------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_within_the_own_server_three_times(web):
    for number in range(4):
        web.lay(f"/{number}", status=301, Location=f"/{number + 1}")
    web.lay("/4", "there")
    answer = http.fetch(web.url + "/1", own=web.own)
    assert (answer.body, answer.url, answer.moved_to) == (b"there", web.url + "/4", web.url + "/4")
    assert isinstance(trouble(web.url + "/0", own=web.own), TooManyRedirects)


def test_only_what_moved_for_good_has_a_new_address(web):
    web.lay("/a", status=301, Location="/b")
    web.lay("/b", status=302, Location="/c")
    web.lay("/c", "there")
    assert http.fetch(web.url + "/a", own=web.own).moved_to == web.url + "/b"
    assert http.fetch(web.url + "/b", own=web.own).moved_to == ""


@pytest.mark.parametrize("spelling", ["127.0.0.1", "localhost", "2130706433", "[::1]", "0.0.0.0", "[::ffff:7f00:1]"])
def test_no_redirect_leads_to_a_private_address(web, ear, any_port, spelling):
    any_port(ear.port)
    web.lay("/feed", status=302, Location=f"http://{spelling}:{ear.port}/secret")
    assert isinstance(trouble(web.url + "/feed", own=web.own), RedirectRefused)
    assert ear.calls == []


@pytest.mark.parametrize("target", ["gopher://127.0.0.1:{port}/", "file:///etc/passwd", "javascript:alert(1)"])
def test_no_redirect_leads_out_of_the_web(web, ear, target):
    web.lay("/feed", status=302, Location=target.format(port=ear.port))
    assert isinstance(trouble(web.url + "/feed", own=web.own), RedirectRefused)
    assert ear.calls == []


def test_credentials_stay_with_the_server_they_were_meant_for(web, other):
    secret = {"Authorization": f"Bearer {CANARY}", "X-Api-Key": CANARY, "Cookie": f"a={CANARY}", "If-None-Match": '"1"'}
    web.lay("/away", status=307, Location=other.lay("/", "there"), Set_Cookie="session=1")
    web.lay("/here", status=307, Location="/there", Set_Cookie="session=1")
    web.lay("/there", "there")
    own = web.own | other.own
    http.fetch(web.url + "/here", own=own, headers=secret)
    assert web.asked[-1][2]["authorization"] == f"Bearer {CANARY}"
    assert "session" not in str(web.asked)
    http.fetch(web.url + "/away", own=own, headers=secret, method="POST", json={"key": CANARY})
    assert CANARY not in str(other.asked)
    assert other.asked[-1][2]["if-none-match"] == '"1"'


def test_credentials_never_step_down_from_https(certified, names, web):
    names["shop.example"] = ["127.0.0.1"]
    with certified("shop.example") as (secure, own):
        secure.lay("/", status=302, Location=web.lay("/", "there"))
        url = f"https://shop.example:{secure.port}/"
        assert isinstance(trouble(url, own=own | web.own, headers={"Authorization": CANARY}), RedirectRefused)
        assert web.asked == []
        names["127.0.0.1"] = ["127.0.0.1"]
        assert http.fetch(url, own=own | web.own).body == b"there"


# TLS ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """`with certified("shop.example") as (web, own)`: a server with a certificate for that name, which is trusted."""
    from contextlib import contextmanager

    @contextmanager
    def open_it(name):
        path = _certificate(name, tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        monkeypatch.setattr(http, "_tls", lambda: ssl.create_default_context(cafile=path))
        with serving(context) as web:
            yield web, frozenset({(name, web.port), ("other.example", web.port)})

    return open_it


def _certificate(name, folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(who, who, key.public_key(), 4711, now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    made = made.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "both.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


def test_the_server_proves_its_name_though_an_address_was_opened(certified, names):
    names["shop.example"] = names["other.example"] = ["127.0.0.1"]
    with certified("shop.example") as (web, own):
        web.lay("/", "proved")
        assert http.fetch(f"https://shop.example:{web.port}/", own=own).body == b"proved"
        assert isinstance(trouble(f"https://other.example:{web.port}/", own=own), NotTrusted)


# Ends -----------------------------------------------------------------------------------------------------------------


def _drip(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def _drip_body(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def _continue_for_ever(handler):
    while True:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _headers_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Flood: " + b"a" * 1000 + b"\r\n")


def _body_without_end(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b"a" * 65536)


def _silence(handler):
    time.sleep(2)


def _hang_up(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")


def _nonsense(handler):
    handler.wfile.write(b"220 smtp.example ESMTP\r\n")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_drip, TooSlow),
        (_drip_body, TooSlow),
        (_silence, TooSlow),
        (_continue_for_ever, TooLarge | TooSlow),
        (_headers_without_end, MakesNoSense),
        (_body_without_end, TooLarge),
        (_hang_up, MakesNoSense),
        (_nonsense, MakesNoSense),
    ],
)
def test_whatever_a_server_does_it_ends_with_a_name(web, answer, kind):
    began = time.monotonic()
    assert isinstance(trouble(web.lay("/", answer), own=web.own, within=0.4), kind)
    assert time.monotonic() - began < 1.5


@pytest.fixture(scope="module")
def bomb():
    packer = zlib.compressobj(9, wbits=31)
    nothing = bytes(1024 * 1024)
    return b"".join(packer.compress(nothing) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
def test_two_hundred_megabytes_in_a_small_parcel_stop_at_five(web, bomb, packing, monkeypatch):
    assert len(bomb) < 300_000
    unpacked, real = [], http._inflated
    monkeypatch.setitem(http._PACKED, packing, lambda pieces: (unpacked.append(len(p)) or p for p in real(pieces)))
    error = trouble(web.lay("/", bomb, Content_Encoding=packing), own=web.own)
    assert type(error) is TooLarge and "5 MB" in str(error)
    assert sum(unpacked) <= http.LARGEST + http.PIECE


def test_what_is_packed_is_unpacked_and_what_is_broken_is_told(web):
    for packing, body in (
        ("gzip", gzip.compress(b"hello " * 50_000)),
        ("deflate", zlib.compress(b"hello " * 50_000)),
        ("deflate", zlib.compress(b"hello " * 50_000)[2:-4]),
        ("gzip", gzip.compress(b"hello " * 25_000) * 2 + bytes(10)),
    ):
        assert http.fetch(web.lay("/", body, Content_Encoding=packing), own=web.own).body == b"hello " * 50_000
    for packing, body in (("gzip", b"no gzip"), ("gzip", gzip.compress(b"hello" * 99)[:-9]), ("br", b"?")):
        assert type(trouble(web.lay("/", body, Content_Encoding=packing), own=web.own)) is MakesNoSense


def test_a_resolver_that_never_answers_is_let_go(monkeypatch):
    monkeypatch.setattr(addresses, "resolve", lambda host, port: time.sleep(2))
    assert type(trouble("http://slow.example/", within=0.1)) is TooSlow


# What the network says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAuthorized), (403, NotAuthorized), (429, RateLimited), (500, ServerFailed), (503, ServerFailed)],
)
def test_what_is_an_error_on_every_network_has_its_name(web, status, kind):
    assert type(trouble(web.lay("/", status=status), own=web.own)) is kind


@pytest.mark.parametrize("status", [200, 304, 404, 410, 422])
def test_what_only_the_network_can_explain_is_an_answer(web, status):
    assert http.fetch(web.lay("/", status=status), own=web.own).status == status


def test_a_wait_is_asked_for_in_seconds_or_until_a_date():
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for said, wait in (
        ("120", 120),
        ("Tue, 24 Nov 2026 12:05:00 GMT", 300),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
        ("9" * 400, http.LONGEST_WAIT.total_seconds()),
    ):
        assert http.asked_wait({"retry-after": said}, now) == now + timedelta(seconds=wait)
    for said in ("", "soon", "-5", "1e9", "²"):
        assert http.asked_wait({"retry-after": said}, now) is None


def test_who_asks_us_to_wait_is_heard(web):
    error = trouble(web.lay("/", status=429, Retry_After="60"), own=web.own)
    assert timedelta(seconds=55) < error.until - datetime.now(UTC) <= timedelta(seconds=60)
    assert type(trouble(web.lay("/", status=503, Retry_After="60"), own=web.own)) is RateLimited


# Sending --------------------------------------------------------------------------------------------------------------


def test_what_certainly_did_not_leave_is_told_from_what_may_have(web, other, names, certified):
    names |= {"127.0.0.1": ["127.0.0.1"], "shop.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    with ExitStack() as stack:
        with serving() as closed:
            nobody = closed.url
        secure, own = stack.enter_context(certified("shop.example"))
        for url in (
            nobody,
            "http://no-such-name.example/",
            other.url,
            f"https://other.example:{secure.port}/",
            f"https://127.0.0.1:{web.port}/",
        ):
            with pytest.raises(NotSent):
                http.send(url, own=own | closed.own | web.own, json={"text": "Hello"}, within=2)
        assert web.asked == other.asked == secure.asked == []
    for answer in (_silence, _hang_up, _nonsense, _drip, lambda handler: None):
        with pytest.raises(MaybeSent):
            http.send(web.lay("/", answer), own=web.own, json={"text": "Hello"}, within=0.3)
    with pytest.raises(MaybeSent):
        http.send(web.lay("/", status=502), own=web.own, json={"text": "Hello"})
    assert [each[0] for each in web.asked] == ["POST"] * 6


def test_a_reply_is_sent_once_and_follows_nobody(web):
    answer = http.send(web.lay("/", status=303, Location="/again"), own=web.own, json={"text": "Hello"})
    assert (answer.status, len(web.asked), web.asked[0][3]) == (303, 1, b'{"text":"Hello"}')
    assert http.send(web.lay("/", status=422), own=web.own, json={}).status == 422
    with pytest.raises(RateLimited):
        http.send(web.lay("/", status=429), own=web.own, json={})
    with pytest.raises(NotAuthorized):
        http.send(web.lay("/", status=401), own=web.own, json={})


# Secrets --------------------------------------------------------------------------------------------------------------


def test_nothing_secret_stands_in_errors_or_logs(web, ear, names, caplog):
    names |= {"127.0.0.1": ["127.0.0.1"], "a.example": ["10.0.0.1"]}
    caplog.set_level(logging.DEBUG)
    headers, tail = {"Authorization": f"Bearer {CANARY}"}, f"/{CANARY}?access_token={CANARY}"
    web.lay("/away", status=302, Location=f"http://127.0.0.1:{ear.port}{tail}")
    web.lay(f"/{CANARY}", status=500)
    for url in (
        web.url + tail,
        web.url + "/away",
        f"http://a.example{tail}",
        f"http://none.example{tail}",
        f"x:{tail}",
    ):
        error = trouble(url, own=web.own, headers=headers)
        assert CANARY not in f"{error!r} {error} {error.sentence} {error.__cause__} {error.detail}"
        if not url.endswith("/away"):
            with pytest.raises(ConnectorError) as raised:
                http.send(url, own=web.own, headers=headers, within=1)
            assert CANARY not in str(raised.value)
    answer = http.fetch(web.lay("/ok", CANARY, Set_Cookie=CANARY), own=web.own)
    assert CANARY not in repr(answer) + caplog.text


# No second way --------------------------------------------------------------------------------------------------------

FORBIDDEN = """
import requests
import httpx
import urllib.request
from urllib import request
from urllib.request import urlopen
import http.client
from http.client import HTTPSConnection
import aiohttp
import urllib3
import httpcore
import ftplib
import xmlrpc.client
import websockets
import socket; socket.create_connection(("a", 1))
from socket import create_connection
import socket; socket.socket()
import asyncio; asyncio.open_connection()
import feedparser; feedparser.parse("http://a")
""".strip().splitlines()


def _complaints(file: str, code: str = "\n".join(FORBIDDEN)) -> set[int]:
    """The lines of this code, were it in that file, that the rule complains about."""
    asked = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "json"]
    told = subprocess.run([*asked, "--stdin-filename", file, "-"], input=code, capture_output=True, text=True, cwd=ROOT)
    return {each["location"]["row"] for each in json.loads(told.stdout)}


def test_no_other_client_gets_past_the_lint_rule():
    every = set(range(1, len(FORBIDDEN) + 1))
    assert _complaints("connectors/networks/pigeon.py") == _complaints("inbox/views/pigeon.py") == every
    assert _complaints("connectors/http.py") == _complaints("tests/pigeon.py") == set()
    whole = subprocess.run([sys.executable, "-m", "ruff", "check", "--select", "TID251", "."], cwd=ROOT)
    assert whole.returncode == 0
