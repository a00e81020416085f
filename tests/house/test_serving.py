"""How the web process answers: in few threads, each with a line to the database that it keeps."""

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection, connections
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone

from socialhub import serving

pytestmark = pytest.mark.django_db(transaction=True)


def line(request) -> HttpResponse:
    """Which connection of the database made this page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


def zone(request) -> HttpResponse:
    before = timezone.get_current_timezone_name()
    timezone.activate("Asia/Tokyo")
    return HttpResponse(before)


async def stream(request) -> StreamingHttpResponse:
    async def said():
        for word in (b"one ", b"two"):
            await asyncio.sleep(0)
            yield word

    return StreamingHttpResponse(said())


def breaks(request):
    raise ValueError("a view that breaks")


urlpatterns = [path(f"healthz/{each.__name__}", each) for each in (line, zone, stream, breaks)]


@pytest.fixture
def ask(settings, monkeypatch):
    """`ask("line")`: what the page says, asked as the server asks."""
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["*"]
    for each in connections.settings.values():
        for name, value in serving.KEPT.items():
            monkeypatch.setitem(each, name, value)
    pages = serving.Pages()

    async def answered(name: str) -> tuple[int, bytes]:
        scope = {
            "type": "http", "method": "GET", "path": f"/healthz/{name}", "raw_path": b"", "query_string": b"",
            "headers": [], "http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        asked = ApplicationCommunicator(pages, scope)
        await asked.send_input({"type": "http.request"})
        began, body, more = await asked.receive_output(5), b"", True
        while more:
            part = await asked.receive_output(5)
            body, more = body + part.get("body", b""), part.get("more_body")
        await asked.wait()
        return began["status"], body

    yield lambda name: asyncio.run(answered(name))
    asyncio.run(serving.in_thread(connections.close_all)())


def end(pid: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [int(pid)])


def test_one_page_after_the_other_uses_the_same_line(ask):
    (_, first), (_, second) = ask("line"), ask("line")
    assert first == second


def test_a_line_that_broke_meanwhile_is_another_one_on_the_next_page(ask):
    _, first = ask("line")
    end(first)
    status, second = ask("line")
    assert status == 200
    assert second != first


def test_what_a_page_sets_for_its_person_does_not_stay_for_the_next(ask):
    assert ask("zone") == ask("zone") == (200, b"UTC")


def test_a_stream_goes_on_after_its_page_was_begun(ask):
    assert ask("stream") == (200, b"one two")


@pytest.mark.filterwarnings("ignore")
def test_a_page_that_breaks_is_said_to_be_broken_and_the_next_one_is_made(ask, caplog):
    assert ask("breaks")[0] == 500
    assert ask("line")[0] == 200
