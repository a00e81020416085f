"""A house as it is on its first day: the starter rules in force, one channel on the demo network, nothing in it yet."""

import pytest

from connectors import actions
from connectors.demo import server
from connectors.models import Channel, DemoPost
from departments.models import Department
from routing import starter
from socialhub import pipeline


@pytest.fixture
def first_day(house, settings) -> Channel:
    settings.DEMO, settings.UNDO_SEND_SECONDS = True, 0
    starter.found(by="system")
    quiet = {"story": False, "rate": 0, "calm": False}
    everybody = Department.objects.filter(is_triage=False)
    people = {"speakers": everybody, "monitors": everybody}
    return actions.open_channel(network="demo", slug="demo", name="Mirabelo", settings=quiet, **people, by="system")


@pytest.fixture
def arrives(first_day):
    """`arrives("jonas", "Where is my order?")`: somebody writes it outside, and the worker does what it does on its
    own: it fetches, takes in and routes. The post as it stands on the network."""

    def write(who: str, text: str, kind: str = "mention", **more) -> DemoPost:
        post = server.write_as(who, text, kind, **more)
        Channel.objects.update(next_poll_at=post.created_at)
        assert pipeline.fetch() == 1
        return post

    return write


@pytest.fixture
def answers_to():
    """`answers_to(post)`: what the world sees of ours below it."""
    return lambda post: list(DemoPost.objects.filter(in_reply_to=post, direction="out", deleted_at=None))
