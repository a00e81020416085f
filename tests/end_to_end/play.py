"""What both acts need: a whole Social Hub as `make run` starts it, and somebody who works in it with a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import ARGUMENTS, find, install, starts
from tests.end_to_end.told import Skipped
from tests.faults.traffic import Program, ask
from tests.launcher.house import House, eventually

PATIENCE = 60  # seconds for a post to come all the way


class Hub:
    """A house under way: what an admin sets up, what stands in it."""

    def __init__(self, house: House):
        self.house, self.ada = house, Program(house, "ada")
        # The demo's own people are silent here.
        self._call("channels/demo/", {"settings": {"rate": 0, "calm": True, "story": False}}, method="PATCH")

    def open_channel(self, network: str, slug: str, credentials: dict[str, str], **settings: Any) -> None:
        """A channel that customer service speaks through, looked at every two seconds."""
        settings |= {"allow_private_hosts": True, "poll_seconds": 2}
        body = {"network": network, "slug": slug, "name": slug.title(), "settings": settings}
        self._call("channels/", body | {"credentials": credentials, "speakers": ["customer-service"]})

    def _call(self, path: str, body: dict, method: str = "") -> None:
        status, said = self.ada.call(path, body, method=method)
        assert status in (200, 201), (path, status, said)

    def health(self, slug: str) -> str:
        [(state, reason)] = ask(self.house, "SELECT state, state_reason FROM connectors_channel WHERE slug = %s", slug)
        return f"{state} {reason}".strip()

    def arrives(self, slug: str, words: str, direction: str = "in") -> None:
        """Wait until exactly one message with these words stands there, and is routed."""
        sql = """SELECT count(*), count(*) FILTER (WHERE m.routed_at IS NOT NULL OR m.direction = 'out')
            FROM inbox_message m JOIN connectors_channel c ON c.id = m.channel_id
            WHERE c.slug = %s AND m.direction = %s AND m.deleted_at IS NULL AND position(%s in m.text || m.title) > 0"""
        try:
            eventually(lambda: ask(self.house, sql, slug, direction, words) == [(1, 1)], PATIENCE)
        except AssertionError:
            found = ask(self.house, sql, slug, direction, words)
            raise AssertionError(f"“{words}” stands there {found}; the channel: {self.health(slug)}") from None

    def number(self, slug: str, direction: str = "in") -> int:
        sql = """SELECT count(*) FROM inbox_message m JOIN connectors_channel c ON c.id = m.channel_id
            WHERE c.slug = %s AND m.direction = %s AND m.deleted_at IS NULL"""
        return ask(self.house, sql, slug, direction)[0][0]

    def deleted(self, slug: str) -> int:
        sql = """SELECT count(*) FROM inbox_message m JOIN connectors_channel c ON c.id = m.channel_id
            WHERE c.slug = %s AND m.deleted_at IS NOT NULL AND m.text = ''"""
        return ask(self.house, sql, slug)[0][0]

    def lies_with(self, words: str) -> list[str]:
        """The departments in whose queues the conversation with these words lies, the one that leads first."""
        sql = """SELECT d.slug FROM inbox_queueitem i JOIN departments_department d ON d.id = i.department_id
            WHERE i.conversation_id IN (SELECT conversation_id FROM inbox_message WHERE position(%s in text) > 0)
            ORDER BY i.lead DESC, d.slug"""
        return [slug for (slug,) in ask(self.house, sql, words)]

    def replies(self) -> list[str]:
        return [state for (state,) in ask(self.house, "SELECT state FROM inbox_reply ORDER BY created_at")]

    def visits(self, slug: str) -> int:
        sql = """SELECT count(*) FROM connectors_fetchrun r JOIN connectors_channel c ON c.id = r.channel_id
            WHERE c.slug = %s AND r.outcome = 'ok'"""
        return ask(self.house, sql, slug)[0][0]

    def looks_again(self, slug: str, times: int = 2) -> None:
        """Wait until the channel was looked at so often again."""
        before = self.visits(slug)
        eventually(lambda: self.visits(slug) >= before + times, PATIENCE)


@contextmanager
def hub(folder: Path) -> Iterator[Hub]:
    """A house with the demo's people, in this folder."""
    folder.mkdir()
    folder.chmod(0o711)
    house = House(folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UNDO_SEND_SECONDS", "0")
            house.start()
        eventually(house.is_well, 60)
        yield Hub(house)
    finally:
        if house.runs():
            house.stop()


@contextmanager
def browser() -> Iterator[Any]:
    """A Chromium. Raises Skipped where none can be had."""
    if not find():
        install()
    if not starts(find()):
        raise Skipped("no Chromium is here, and none can be installed")
    expect.set_options(timeout=20_000)
    with sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=find(), args=ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


def sign_in(started: Any, hub: Hub, name: str) -> Page:
    """A page in which this person of the demo is signed in, at their inbox."""
    page = started.new_context(base_url=hub.house.address(""), viewport={"width": 1440, "height": 900}).new_page()
    page.goto("/sign-in/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("social-hub")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#rows")).to_be_visible()
    return page


def answer(page: Page, words: str, reply: str) -> None:
    """Open what says this, and answer it."""
    page.locator("#rows .row", has_text=words).locator(".open").click()
    expect(page.locator("#thread")).to_contain_text(words)
    page.keyboard.press("r")
    page.keyboard.type(reply)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread")).to_contain_text(reply)
