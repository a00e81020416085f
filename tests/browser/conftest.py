"""A real browser before a real server. Every test fails on a broken script and on a breach of the content policy."""

import os
import re

import pytest
from django.conf import settings

from tests.chromium import find

#: What a browser says of a request that was refused or that a test cut off on purpose.
EXPECTED = re.compile(r"Failed to load resource|Response Status Error|htmx:sendError|htmx:afterRequest|ERR_FAILED")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = find()
    if not path:
        pytest.skip("There is no Chromium on this machine.")
    return browser_type_launch_args | {"executable_path": path, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


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
