"""Channels for tests, and an inbox that only remembers: connectors do not know the real one."""

import pytest

from connectors import actions, registry
from connectors.contract import Capabilities, Connector, Post, Taken

QUIET = {"story": False, "rate": 0, "calm": False}


class Inbox:
    """Takes in each id once; refuses a post whose text says so, and everything while it `fails`."""

    def __init__(self):
        self.posts: list[Post] = []
        self.histories: list[bool] = []
        self.fails: Exception | None = None

    def __call__(self, channel, posts, *, history=False):
        if self.fails:
            raise self.fails
        known, refused, taken = {each.id for each in self.posts}, [], 0
        for place, post in enumerate(posts):
            if "poison" in post.text:
                refused.append((place, "It is poison."))
            elif post.id not in known:
                self.posts.append(post)
                self.histories.append(history)
                taken += 1
        return Taken(taken_in=taken, duplicates=len(posts) - taken - len(refused), refused=refused)

    @property
    def texts(self):
        return [each.text for each in self.posts]


class Scripted(Connector):
    """A network for tests that answers what the test laid down: batches, or errors to raise."""

    network = "scripted"
    name = "Scripted"
    capabilities = Capabilities(replies=True)
    answers: list = []
    asked: list = []

    def fetch(self, cursor):
        Scripted.asked.append(dict(cursor))
        answer = Scripted.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(self) if callable(answer) else answer


registry.NETWORKS["scripted"] = "tests.connectors.conftest.Scripted"


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def demo(house):
    """A channel on the demo network on which nothing happens by itself."""
    return actions.open_channel(network="demo", slug="demo", name="Demo", settings=QUIET, by="system")


@pytest.fixture
def scripted(house):
    """A channel whose network answers what the test tells it to: `scripted.answers.append(…)`."""
    Scripted.answers, Scripted.asked = [], []
    return actions.open_channel(network="scripted", slug="scripted", name="Scripted", by="system")


@pytest.fixture
def switch():
    """`switch(channel, outage=True)`: other settings from now on; the channel as it is then."""

    def change(channel, **settings):
        return actions.change_channel(channel, settings=channel.settings | settings, by="system")

    return change
