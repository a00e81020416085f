"""A working day in ten minutes: `python -m tests.bench.mixed --minutes 10`.

Fifty posts a second come in through the API, twenty people page through a queue and open conversations, five answer.
Nothing may fail, what waits for its routing may not grow, and a page may take three times as long as on a quiet house
at most. Prints its result as JSON and writes it to mixed.json in the data folder; exit code 1 when it does not hold.
"""

import argparse
import asyncio
import json
import os
import random
import re
import shutil
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles

import httpx

from socialhub.embedded import places, postgres, servers
from tests.bench.meter import pss
from tests.bench.whole import TIMEOUT, Guests, Program, as_json, at_work, make_guests
from tests.launcher.house import House

PEOPLE, WRITERS, A_SECOND = 20, 5, 50
#: Seconds between two visits of one person, and between two answers of one writer.
THINKS, WRITES = (3, 7), (8, 12)
QUIET = 15  # seconds on which the quiet house is measured
MOST_RATIO = 3.0
LAG = 5.0  # seconds that a post may wait for its routing in the last third, if that is more than in the first


@dataclass
class Day:
    """What happened."""

    began: float = 0.0
    posts: int = 0
    answers: int = 0
    pages: list[float] = field(default_factory=list)
    talks: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--minutes", type=float, default=10)
    asked.add_argument("--items", type=int, default=10_000)
    given = asked.parse_args()
    data = places.find().data
    folder = data / "bench" / "mixed"
    os.environ |= {"DATA_DIR": str(folder), "DEMO": "0", "LOG_LEVEL": "WARNING"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "socialhub.settings"
    guests, tokens = _prepared(folder, given.items, round(given.minutes * 60 / WRITES[0] * WRITERS) + 2 * WRITERS)
    with at_work(folder) as house:
        result = asyncio.run(_lived(house, guests, tokens, given.minutes * 60))
    print(json.dumps(result, indent=1))
    (data / "mixed.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(0 if result["met"] else 1)


def _prepared(folder: Path, items: int, threads: int) -> tuple[Guests, list[str]]:
    """A house filled anew, in which people wait for an answer on a network that takes answers."""
    import django

    from tests.bench.scale import prepare

    shutil.rmtree(folder, ignore_errors=True)
    here = places.Places(folder)
    here.make()
    with servers.running(here):
        django.setup()
        prepare(here, items)
        guests = make_guests(PEOPLE)
        tokens = _waiting(threads)
        from django.db import connection

        connection.close()
    return guests, tokens


def _waiting(threads: int) -> list[str]:
    """So many people write on the demo network; the tokens of those who will answer them."""
    from connectors import actions as channels
    from connectors.demo import server
    from connectors.demo.people import MAIN
    from departments.models import Department, User
    from departments.tokens import make_token

    quiet = {"story": False, "rate": 0, "calm": False}
    channel = channels.open_channel(network="demo", slug="outside", name="Outside", settings=quiet, by="system")
    channel.speakers.add(Department.objects.get(slug="events"))
    for number in range(threads):
        server.write_as(f"asks{number}", f"kolibri, who can help me with number {number}?", account=MAIN)
    writers = User.objects.filter(username__in=[f"desk{number}" for number in range(WRITERS)])
    return [make_token(each, "bench", by=each)[1] for each in writers]


# The day --------------------------------------------------------------------------------------------------------------
async def _lived(house: House, guests: Guests, tokens: list[str], seconds: float) -> dict:
    await asyncio.sleep(8)  # until those who wait for an answer have been fetched and routed
    quiet, day = Day(), Day()
    await _person(house, guests, 0, quiet, time.monotonic() + QUIET, pause=0.5)
    day.began = time.monotonic()
    until = day.began + seconds
    await asyncio.gather(
        _posts(Program(house, guests.token), day, until),
        _watch(house, day, until),
        *(_person(house, guests, number, day, until) for number in range(PEOPLE)),
        *(_writer(house, token, number, day, until) for number, token in enumerate(tokens)),
    )
    drained = await asyncio.to_thread(_drained, house)
    memory = pss(pid for name, pid in house.pids().items() if pid and name != "postgres")
    return _told(day, quiet, seconds, drained) | {"memory_mib": round(memory), **_sent(house)}


async def _posts(program: Program, day: Day, until: float) -> None:
    """Fifty a second in ten calls, as programs push what they have."""
    from tests.bench.posts import make

    every = 0.2
    while (now := time.monotonic()) < until:
        name = f"day{day.posts}"
        posts = [as_json(each) for each in make(round(A_SECOND * every), name)]
        posts[0]["text"] += " kolibri"  # one of ten is for the department whose people page
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        await _tried(day, program.push([each | {"created_at": stamp} for each in posts]))
        day.posts += len(posts)
        await asyncio.sleep(max(0, every - (time.monotonic() - now)))


async def _person(house: House, guests: Guests, number: int, day: Day, until: float, pause: float = 0) -> None:
    """Looks at the queue, at its next page, opens a conversation, thinks."""
    chosen, cookies = random.Random(number), {guests.cookie: guests.sessions[number]}
    async with httpx.AsyncClient(base_url=house.address(""), cookies=cookies, timeout=TIMEOUT) as line:
        await asyncio.sleep(0 if pause else chosen.uniform(0, THINKS[1]))
        while time.monotonic() < until:
            page = await _timed(day, line, f"/inbox/{guests.department}/", day.pages)
            if more := re.search(r'hx-get="([^"]*after=[^"]*)"', page):
                await _timed(day, line, more[1].replace("&amp;", "&"), day.pages, {"HX-Request": "true"})
            if talks := re.findall(r'data-conversation="([0-9a-f-]+)"', page):
                await _timed(day, line, f"/inbox/c/{chosen.choice(talks)}/", day.talks, {"HX-Request": "true"})
            await asyncio.sleep(pause or chosen.uniform(*THINKS))


async def _timed(day: Day, line: httpx.AsyncClient, path: str, took: list[float], headers: dict | None = None) -> str:
    began = time.perf_counter()
    try:
        answer = await line.get(path, headers=headers)
    except httpx.HTTPError as error:
        day.errors.append(f"{path}: {error!r}")
        return ""
    took.append(time.perf_counter() - began)
    if answer.status_code != 200:
        day.errors.append(f"{path}: {answer.status_code}")
    return answer.text


async def _writer(house: House, token: str, number: int, day: Day, until: float) -> None:
    """Answers one person after the other of those who are most urgent; every writer has people of their own."""
    headers, done = {"Authorization": f"Bearer {token}"}, set()
    async with httpx.AsyncClient(base_url=f"{house.address('')}/api/v1/", headers=headers, timeout=TIMEOUT) as line:
        while time.monotonic() < until:
            await asyncio.sleep(random.uniform(*WRITES))
            await _tried(day, _answer(line, number, done, day))


async def _answer(line: httpx.AsyncClient, number: int, done: set, day: Day) -> None:
    found = (await line.get("queues/events/items/?status=open&limit=200&sort=newest")).raise_for_status().json()
    found = found["results"] + (await line.get("queues/events/items/?status=open&limit=200")).json()["results"]
    mine = [each for each in found if each["network"] == "demo" and int(each["id"][-4:], 16) % WRITERS == number]
    for item in mine:
        if item["conversation"] not in done:
            done.add(item["conversation"])
            talk = (await line.get(f"conversations/{item['conversation']}/")).raise_for_status().json()
            body = {"text": "We look into it.", "seen": talk["last_message"]}
            answer = await line.post(f"conversations/{item['conversation']}/replies/", json=body)
            assert answer.status_code == 202, (answer.status_code, answer.text[:200])
            day.answers += 1
            return


async def _tried(day: Day, work) -> None:
    try:
        await work
    except (httpx.HTTPError, AssertionError) as error:
        day.errors.append(repr(error)[:300])


# What the database says -----------------------------------------------------------------------------------------------
_LAG = """
    SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float FROM inbox_message
    WHERE routed_at IS NULL AND direction = 'in'
"""


async def _watch(house: House, day: Day, until: float) -> None:
    """How long the post has waited that waits longest for its routing, every two seconds."""
    while time.monotonic() < until:
        day.lags.append((await asyncio.to_thread(_ask, house, _LAG))[0][0])
        await asyncio.sleep(2)


def _ask(house: House, statement: str) -> list[tuple]:
    with closing(postgres.connect(house.places)) as line, line.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _drained(house: House) -> float:
    """Seconds after the last post until everything is routed."""
    began = time.monotonic()
    while _ask(house, _LAG)[0][0] and time.monotonic() < began + 60:
        time.sleep(0.1)
    return time.monotonic() - began


def _sent(house: House) -> dict:
    time.sleep(12)  # the last answer can be stopped for five seconds, then it goes out
    return {"replies": dict(_ask(house, "SELECT state, count(*) FROM inbox_reply GROUP BY 1"))}


def _told(day: Day, quiet: Day, seconds: float, drained: float) -> dict:
    third = max(1, len(day.lags) // 3)
    first, last = mean(day.lags[:third]), mean(day.lags[-third:])
    ratio = _p95(day.pages) / _p95(quiet.pages)
    errors = quiet.errors + day.errors
    holds = not errors and ratio <= MOST_RATIO and (last <= max(1.5 * first, LAG)) and day.answers > 0
    return {
        "minutes": round(seconds / 60, 1),
        "posts": day.posts,
        "posts_a_second": round(day.posts / seconds, 1),
        "pages": len(day.pages),
        "answers": day.answers,
        "errors": len(errors),
        "first_errors": errors[:3],
        "list_p50_ms": _ms(median(day.pages)),
        "list_p95_ms": _ms(_p95(day.pages)),
        "list_p95_quiet_ms": _ms(_p95(quiet.pages)),
        "ratio": round(ratio, 2),
        "talk_p95_ms": _ms(_p95(day.talks)),
        "lag_first_third_s": round(first, 2),
        "lag_last_third_s": round(last, 2),
        "lag_most_s": round(max(day.lags), 2),
        "drained_s": round(drained, 2),
        "met": holds,
    }


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1] if len(times) > 1 else sum(times)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


if __name__ == "__main__":
    main()
