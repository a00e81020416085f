"""From a pushed post to the row on an open page, while a great import runs; and what memory all that takes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles

import asyncpg

from socialhub.embedded.places import Places
from tests.bench.figures import Figure
from tests.bench.meter import pss
from tests.bench.whole import Desk, Guests, Program, at_work, rows_of, start_import, write_posts
from tests.launcher.house import House

DESKS = 20
PAUSE = 0.7  # seconds between two live posts
LAST = 3  # seconds that the last of them has to arrive
MOST = 120  # seconds of live posts, however long the import goes on


def measure(folder: Path, guests: Guests, imported: int, wanted: set[str]) -> Iterator[Figure]:
    """On a house of its own, which is written to and then thrown away."""
    file = folder / "backlog.jsonl"
    write_posts(file, imported)
    with at_work(folder) as house:
        took, sent, during = asyncio.run(_watched(house, guests, file))
        floor = asyncio.run(_floor(house.places))
        memory = {name: pss([pid]) for name, pid in _ours(house).items()}
    lost = sent * len(guests.sessions) - len(took)
    assert not lost, f"{lost} of {sent} posts never came to a desk"
    if "post_to_browser" in wanted:
        detail = (
            f"p50 {1000 * median(took):.0f}; {len(guests.sessions)} desks, {sent} posts in {during:.0f} s of import"
        )
        yield Figure("post_to_browser", 1000 * _p95(took), 1000 * _p95(floor), detail)
    if "memory_pss" in wanted:
        each = ", ".join(f"{name} {size:.0f}" for name, size in memory.items())
        yield Figure("memory_pss", sum(memory.values()), memory["web"], each)


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def _ours(house: House) -> dict[str, int]:
    """All processes of the house but PostgreSQL's."""
    found = {name: pid for name, pid in house.pids().items() if pid and name != "postgres"}
    return {"launcher": house.launcher.pid} | found


async def _watched(house: House, guests: Guests, file: Path) -> tuple[list[float], int, float]:
    """Open the desks, import, push a post now and then: how long each took to each desk, how many they were, and how
    long the import went on."""
    desks = [Desk(house, guests, number) for number in range(len(guests.sessions))]
    open_ = [asyncio.create_task(desk.open()) for desk in desks]
    await asyncio.sleep(2)
    program, importing, began, sent = Program(house, guests.token), start_import(house, file), time.monotonic(), 0
    while (importing.poll() is None and time.monotonic() < began + MOST) or sent < 3:
        await _push(program, desks, sent)
        sent += 1
        await asyncio.sleep(PAUSE)
    during = time.monotonic() - began
    importing.wait()
    await _arrival(desks)
    await _reloaded(desks)
    for each in open_:
        if each.done():
            each.result()
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each
    return [took for desk in desks for took in desk.took], sent, during


async def _push(program: Program, desks: list[Desk], number: int) -> None:
    word = f"live{number}x"
    for desk in desks:
        desk.waits_for[word] = time.perf_counter()
    author = {"id": f"l{number}", "handle": f"@l{number}"}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    post = {"id": word, "kind": "mention", "text": f"kolibri {word}", "created_at": now, "author": author}
    await program.push([post])


async def _arrival(desks: list[Desk]) -> None:
    until = time.monotonic() + LAST
    while any(desk.waits_for for desk in desks) and time.monotonic() < until:
        await asyncio.sleep(0.1)


async def _reloaded(desks: list[Desk]) -> None:
    """In the end every desk shows what a fresh page would."""
    for desk in desks:
        fresh = rows_of((await desk.ask()).text)
        assert fresh and desk.rows == fresh, f"{desk.path} shows {desk.rows[:3]} …, a fresh page {fresh[:3]} …"


async def _floor(places: Places) -> list[float]:
    """The least: a row is stored, the database notifies, one process hears it and has it."""
    line = await asyncpg.connect(host=str(places.sockets), user="socialhub", database="socialhub")
    ear = await asyncpg.connect(host=str(places.sockets), user="socialhub", database="socialhub")
    heard, took = asyncio.Queue(), []
    await ear.add_listener("bench", lambda *stroke: heard.put_nowait(stroke[-1]))
    await line.execute("CREATE TABLE IF NOT EXISTS bench_live (id int PRIMARY KEY, text text)")
    for number in range(60):
        began = time.perf_counter()
        await line.execute("INSERT INTO bench_live VALUES ($1, 'a post')", number)
        await line.execute("SELECT pg_notify('bench', $1)", str(number))
        await heard.get()
        took.append(time.perf_counter() - began)
    await line.close()
    await ear.close()
    return took
