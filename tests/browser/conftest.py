"""A real browser before a real server. Every test fails on a broken script and on a breach of the content policy."""

import re
import threading
import time

import pytest
import uvicorn
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.db import connections

from socialhub.serving import Pages
from tests.chromium import ARGUMENTS, find
from tests.journey.conftest import answers_to, arrives, first_day  # noqa: F401  (fixtures of the same first day)

#: What a browser says of a request that was refused or that a test cut off on purpose.
EXPECTED = re.compile(r"Failed to load resource|Response Status Error|htmx:sendError|htmx:afterRequest|ERR_FAILED")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = find()
    if not path:
        pytest.skip("There is no Chromium on this machine.")
    return browser_type_launch_args | {"executable_path": path, "args": ARGUMENTS}


@pytest.fixture
def desk_of(live_server, house, new_context, client_of):
    """`desk_of(carl)`: a page in which Carl is signed in, 1440 by 900. More words go to Playwright's new context."""
    complaints = []

    def open_desk(person, path="/inbox/", **more):
        context = new_context(base_url=live_server.url, **{"viewport": {"width": 1440, "height": 900}, **more})
        # The test's server can not keep a stream open; the live bell has tests of its own.
        context.route("**/live/", lambda route: route.abort())
        if person:
            cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.goto(path)
        return page

    yield open_desk
    assert [each for each in complaints if not EXPECTED.search(each)] == []


# With the live stream ------------------------------------------------------------------------------------------------
class Server(uvicorn.Server):
    """The house as `make run` serves it, pages and live stream from one process, here in a thread."""

    def __init__(self):
        app = ASGIStaticFilesHandler(Pages())
        super().__init__(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error"))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def begin(self) -> str:
        self.thread.start()
        while not self.started:
            time.sleep(0.01)
        host, port = self.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    def end(self) -> None:
        # A stream never ends by itself: nobody waits for it.
        self.should_exit = self.force_exit = True
        self.thread.join(10)


@pytest.fixture
def house_online(house):
    """The address of a house with a live stream."""
    server = Server()
    try:
        yield server.begin()
    finally:
        server.end()
        connections.close_all()


@pytest.fixture
def opens(house_online, new_context, client_of):
    """`opens(cora, "/overview/")`: a page of Cora's, with everything on. Not one complaint of the browser passes."""
    complaints = []

    def open_page(person, path="/inbox/", **more):
        context = new_context(base_url=house_online, **{"viewport": {"width": 1440, "height": 900}, **more})
        if person:
            cookie = client_of(person).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": house_online}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("response", lambda answer: answer.status >= 400 and complaints.append(f"{answer.status} {answer.url}"))
        page.goto(path)
        return page

    yield open_page
    assert complaints == []
