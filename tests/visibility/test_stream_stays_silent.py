"""The live stream tells of nothing that its listener may not see, on a real bell: the stream itself is driven, and what
rings it are the verbs."""

import asyncio
from contextlib import AsyncExitStack, aclosing, suppress

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from departments import actions as people
from departments import roles
from inbox import actions
from inbox.intake import take_in
from socialhub import live
from tests.make import item_of, make_conversation, make_item, make_post

pytestmark = pytest.mark.django_db(transaction=True)

#: How long a stroke takes at most. They come in their order: that a later one was heard proves an earlier one silent.
SOON = 5


class Listener:
    """One person's open page."""

    def __init__(self, person):
        self.stream = live._listen(person.pk)
        self.heard: list[str] = []

    async def opens(self):
        assert await anext(self.stream) == b"retry: 1000\n\n"
        hub = live.Hub.of_this_loop()
        await until(lambda: hub.listener and not hub.listener.done())
        await asyncio.sleep(0.3)  # until the hub has subscribed

    async def hears(self, name: str) -> list[str]:
        """Listen until this was told; all that was told so far."""
        async with asyncio.timeout(SOON):
            while name not in self.heard:
                self._keep(await anext(self.stream))
        return self.heard

    async def hears_nothing(self, seconds: float = 1.0) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    event = await anext(self.stream)
                    # Tests that run beside this one share the bell's server, and what is about the house reaches all.
                    assert event.startswith(b"event: changed\ndata: rules"), f"heard {event!r}"

    async def ends(self) -> None:
        with pytest.raises(StopAsyncIteration):
            async with asyncio.timeout(1):
                while True:
                    self._keep(await anext(self.stream))

    def _keep(self, event: bytes) -> None:
        if event.startswith(b"event: changed"):
            self.heard += event.decode().split("data: ")[1].split()


async def until(true) -> None:
    async with asyncio.timeout(SOON):
        while not true():
            await asyncio.sleep(0.01)


@sync_to_async
def done(act, *args, **named):
    """Do it as the web process would: in a thread with a connection of its own."""
    try:
        return act(*args, **named)
    finally:
        connection.close()


def listening(story, *listeners: Listener) -> None:
    """Run a story while these listen."""

    async def run():
        async with AsyncExitStack() as open_pages:
            for each in listeners:
                await open_pages.enter_async_context(aclosing(each.stream))
                await each.opens()
            await story()
        await _silence_the_hub()

    asyncio.run(run())


async def _silence_the_hub() -> None:
    hub = live.Hub._hubs.pop(asyncio.get_running_loop())
    hub.listener.cancel()
    with suppress(asyncio.CancelledError):
        await hub.listener


def queue(department) -> str:
    return f"queue:{department.pk}"


def test_carl_hears_nothing_of_what_hr_does_and_hana_hears_it(carl, hana, cora, hr, customer_service):
    his, hers, of_cora = Listener(carl), Listener(hana), Listener(cora)

    def all_that_hr_does():
        secret = make_conversation("I apply", "hr")
        actions.note(secret, "Invite her", by=hana)
        item = actions.take(item_of(secret, "hr"), by=hana)
        first = secret.messages.get()
        edited = make_post("I apply again", id=first.external_id, edited_at=first.received_at)
        take_in(secret.channel, [edited])
        actions.resolve(item, "no_reply_needed", by=hana)
        return secret

    async def story():
        secret = await done(all_that_hr_does)
        await done(make_item, "Where is my parcel?", "customer-service", author="ben")
        for listener in (his, of_cora):
            heard = await listener.hears(queue(customer_service))
            assert queue(hr) not in heard and not any(str(secret.pk) in each for each in heard)
        assert queue(hr) in await hers.hears(queue(hr))
        assert queue(customer_service) not in hers.heard

    listening(story, his, hers, of_cora)


def test_who_loses_a_role_hears_nothing_more_within_a_second(carl, customer_service):
    his = Listener(carl)

    async def story():
        await done(make_item)
        await his.hears(queue(customer_service))
        await done(roles.take, carl, customer_service)
        await asyncio.sleep(0.5)
        await done(make_item, author="ben")
        await his.hears_nothing()

    listening(story, his)


def test_the_stream_of_a_closed_account_ends_within_a_second(carl, customer_service):
    his = Listener(carl)

    async def story():
        await done(people.deactivate, carl, by="system")
        await his.ends()

    listening(story, his)


def test_when_hr_accepts_who_had_it_is_told_that_it_is_gone_and_nobody_else_is(
    carla, mara, hana, customer_service, marketing, hr
):
    """Their open page asks again, and finds nothing; after that nothing more is told of it."""
    item = make_item("I was harassed")
    actions.hand_off(item, hr, reason="wrong_department", by=carla)
    offered = item_of(item.conversation, "hr")
    had_it, never_had = Listener(carla), Listener(mara)

    async def story():
        await done(actions.accept, offered, by=hana)
        await had_it.hears(f"gone:{item.conversation_id}")
        had_it.heard.clear()
        await done(actions.note, item.conversation, "Call her", by=hana)
        await done(make_item, "Where is my parcel?", "customer-service", author="ben")
        await done(make_item, "A campaign", "marketing", author="cleo")
        assert await had_it.hears(queue(customer_service)) == [queue(customer_service)]
        heard = await never_had.hears(queue(marketing))
        assert not any(str(item.conversation_id) in each for each in heard)

    listening(story, had_it, never_had)
