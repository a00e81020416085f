"""A whole house at work, started as `make run` starts it: people with open desks, programs that push posts, files that
are imported. Its people and tokens are made before it starts."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from socialhub.embedded.places import ROOT
from tests.launcher.house import House, environment

TIMEOUT = httpx.Timeout(60, read=60)


@dataclass
class Guests:
    """Who comes: sessions of people with a desk, and a program's token."""

    department: str
    queue: str
    sessions: list[str]
    token: str
    cookie: str


def make_guests(many: int) -> Guests:
    """So many agents of one department, signed in, and an admin's token; a rule brings the word `kolibri` there."""
    from django.conf import settings

    from departments import actions as people
    from departments.models import Department, User
    from departments.roles import Role
    from departments.tokens import make_token
    from routing import actions as rules
    from tests.bench.pages import signed_in

    events = Department.objects.get(slug="events")
    agents = [people.invite(f"desk{number}", password="a long enough one", by="system") for number in range(many)]
    for each in agents:
        people.give_role(each, events, Role.AGENT, by="system")
    rule = {
        "uid": "live",
        "name": "Live",
        "when": {"field": "text", "op": "any", "value": ["kolibri"]},
        "then": {"place": "events"},
    }
    rules.publish(rules.found_rule_set(by="system"), [rule], by="system", why="for figures")
    ada = User.objects.get(username="ada")
    token = make_token(ada, "bench", by=ada)[1]
    sessions = [signed_in(User.objects.get(pk=each.pk)) for each in agents]
    return Guests("events", f"queue:{events.pk}", sessions, token, settings.SESSION_COOKIE_NAME)


@contextmanager
def at_work(folder: Path) -> Iterator[House]:
    """The house of this folder, with all its processes."""
    house = House(folder)
    house.start()
    try:
        until = time.monotonic() + 60
        while not house.is_well() and time.monotonic() < until:
            time.sleep(0.1)
        yield house
    finally:
        house.stop()


class Program:
    """A program that pushes posts through the API."""

    def __init__(self, house: House, token: str, channel: str = "brand0"):
        self.line = httpx.AsyncClient(
            base_url=house.address(""), headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT
        )
        self.path = f"/api/v1/channels/{channel}/posts/"

    async def push(self, posts: list[dict]) -> None:
        answer = await self.line.post(self.path, json={"posts": posts})
        assert answer.status_code == 200, (answer.status_code, answer.text[:300])
        assert answer.json()["taken_in"] == len(posts), answer.text[:300]


class Desk:
    """One browser with an open page: hears of changes, asks its page again, notes when it shows a word it waits for."""

    def __init__(self, house: House, guests: Guests, number: int):
        cookies = {guests.cookie: guests.sessions[number]}
        self.line = httpx.AsyncClient(base_url=house.address(""), cookies=cookies, timeout=TIMEOUT)
        self.path, self.queue = f"/inbox/{guests.department}/?sort=newest", guests.queue
        self.waits_for: dict[str, float] = {}
        self.took: list[float] = []
        self.rows: list[str] = []

    async def open(self) -> None:
        """Listen for ever; every stroke that concerns the page is one more look at its rows."""
        async with self.line.stream("GET", "/live/") as stream:
            assert stream.status_code == 200, stream.status_code
            async for line in stream.aiter_lines():
                if line.startswith("data:") and {self.queue, "*"} & set(line[5:].split()):
                    await self.look()

    async def ask(self) -> httpx.Response:
        answer = await self.line.get(self.path, headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.status_code
        return answer

    async def look(self) -> None:
        answer = await self.ask()
        self.rows = rows_of(answer.text)
        for word in [each for each in self.waits_for if each in answer.text]:
            self.took.append(time.perf_counter() - self.waits_for.pop(word))


def rows_of(page: str) -> list[str]:
    """Which rows a page shows, in their order."""
    return re.findall(r'<li class="row[^>]*id="row-([^"]+)"', page)


def write_posts(path: Path, many: int) -> None:
    """A file of old posts to import."""
    from tests.bench.posts import make

    with path.open("w") as file:
        for post in make(many, "backlog"):
            file.write(json.dumps(as_json(post)) + "\n")


def as_json(post) -> dict:
    author = {"id": post.author.id, "handle": post.author.handle, "name": post.author.name}
    told = {"id": post.id, "kind": post.kind, "text": post.text, "created_at": post.created_at.isoformat()}
    return told | {"author": author, "lang": post.lang}


def start_import(house: House, path: Path) -> subprocess.Popen:
    """`manage.py import_posts`, under way."""
    command = [sys.executable, "manage.py", "import_posts", str(path), "--channel", "backlog", "--create", "--history"]
    return subprocess.Popen(command, cwd=ROOT, env=environment(house.folder), stdout=subprocess.DEVNULL)
