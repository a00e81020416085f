"""Channels whose network is a stage, visited as the worker does it, into the real inbox."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path

from django.utils import timezone

from connectors import actions, deliveries, polling, registry
from connectors.contract import Capabilities
from connectors.models import Channel, FetchRun
from departments.models import Department
from inbox.actions import place
from inbox.models import Message, QueueItem
from socialhub import pipeline
from tests.connectors.stages import Stage
from tests.connectors.web import serving

HERE = Path(__file__).parent
#: What has no server that a stage could play: the demo's network lives in the house, files and programs come by
#: themselves. Each has tests of its own.
WITHOUT = frozenset(("demo", "import"))


class Killed(BaseException):
    """The worker is killed here."""


@cache
def stages() -> dict[str, type[Stage]]:
    """Every stage that can be loaded, its connector too, by its network."""
    found = {}
    for path in sorted(HERE.glob("*/stage.py")):
        with suppress(Exception):  # the test that every network has a stage tells
            module = import_module(f"tests.connectors.{path.parent.name}.stage")
            for each in vars(module).values():
                if _is_stage(each, module.__name__) and registry.connector_class(each.network):
                    found[each.network] = each
    return found


def _is_stage(one: object, module: str) -> bool:
    return isinstance(one, type) and issubclass(one, Stage) and one.__module__ == module and hasattr(one, "network")


def offered(network: str) -> Capabilities:
    """What a channel on this network's stage can do."""
    stage = stages()[network](web=_Nowhere())
    return registry.connector_class(network)(slug="brand", settings=stage.settings).offers


class _Nowhere:
    url, port = "http://127.0.0.1:9", 9


@contextmanager
def on_stage(network: str) -> Iterator[Stage]:
    """This network's stage, open."""
    with serving() as web:
        yield stages()[network](web=web).open()


def open_channel(stage: Stage, slug: str = "brand", **settings) -> Channel:
    return actions.open_channel(
        network=stage.network,
        slug=slug,
        name=slug.title(),
        settings=stage.settings | settings,
        credentials=stage.credentials,
        speakers=Department.objects.filter(slug="customer-service"),
        by="system",
    )


def claim(channel: Channel) -> Channel:
    """The channel, leased as by a worker whose time has come."""
    Channel.objects.filter(pk=channel.pk).update(leased_until=None, next_poll_at=timezone.now())
    [claimed] = Channel.objects.filter(pk=channel.pk).claim(until=timezone.now() + timedelta(minutes=1))
    return claimed


def visit(channel: Channel, take_in=pipeline.take_in, after_page: Callable = lambda batch: True) -> FetchRun:
    """One visit, whenever its time is."""
    claimed = claim(channel)
    try:
        return polling.poll(claimed, take_in, after_page=after_page)
    finally:
        channel.refresh_from_db()


def read_all(channel: Channel, take_in=pipeline.take_in) -> list[FetchRun]:
    """Visit until nothing more waits."""
    runs = []
    for _ in range(10):
        runs.append(visit(channel, take_in))
        if runs[-1].outcome != "ok" or channel.next_poll_at is None or channel.next_poll_at > timezone.now():
            return runs
    raise AssertionError(f"There is no end to {channel.network}: {[each.detail for each in runs]}")


def interrupted(channel: Channel, take_in: Callable, dies_before_commit: bool) -> bool:
    """A visit whose worker is killed at its first page, before or after it was kept. Whether the page said that more
    waits, or none can be told."""
    said = []

    def page_in(channel, posts, *, history=False):
        take_in(channel, posts, history=history)
        raise Killed

    def after(batch):
        said.append(batch.more)
        raise Killed

    with suppress(Killed):
        visit(channel, page_in if dies_before_commit else take_in, after)
    return all(said)


def bring(channel: Channel, *posts, stage: Stage, client) -> None:
    """These posts come to the house as its network has it: delivered, or read."""
    if channel.offers.polls:
        read_all(channel)
        return
    assert deliver(channel, stage.deliver(*posts), client).status_code == 200
    deliveries.read_waiting(pipeline.take_in)


def deliver(channel: Channel, delivered, client):
    """A network posts to our hook."""
    kind = delivered.headers.get("content-type", "application/json")
    return client.post(f"/hooks/{channel.slug}/", delivered.body, content_type=kind, headers=delivered.headers)


def told(direction: str = "in") -> Counter[str]:
    """The texts that stand in the inbox, and how often."""
    return Counter(Message.objects.filter(direction=direction, deleted_at=None).values_list("text", flat=True))


def lies_with(department: Department, message: Message) -> QueueItem:
    """The conversation of this message in this department's queue."""
    message = Message.objects.select_related("conversation", "channel", "identity").get(pk=message.pk)
    place(message.conversation, department, message=message, because="it was tested")
    return QueueItem.objects.select_related("department", "conversation").get(
        conversation=message.conversation, department=department
    )
