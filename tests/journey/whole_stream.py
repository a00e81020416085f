"""`REAL_DATA=… python -m tests.journey.whole_stream`: all 35,379 posts into a house that people are working in.

Prints how long the file took, how long after its end everything was routed, and how long the first page took meanwhile.
Not a part of the suite: it takes minutes, and its figures mean something only on a machine that does nothing else.
"""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg2

from socialhub.embedded.places import ROOT
from socialhub.embedded.postgres import DATABASE, OWNER
from tests.launcher.house import House, environment

PAGES = {"carl": "/inbox/customer-service/", "cora": "/inbox/"}


class Reader(threading.Thread):
    """Somebody who looks at the first page, once a second of their time."""

    def __init__(self, house: House, username: str):
        super().__init__(daemon=True)
        self.browser, self.address = house.sign_in(username), house.address(PAGES[username])
        self.name, self.seconds, self.stopping = username, [], threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.25):
            began = time.perf_counter()
            with self.browser.open(self.address, timeout=30) as page:
                page.read()
            self.seconds.append(time.perf_counter() - began)

    def told(self) -> str:
        ordered = sorted(self.seconds)
        p50, p95 = (1000 * ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.95))
        took = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, worst {1000 * ordered[-1]:.0f} ms"
        return f"{self.name}: {len(ordered)} first pages, {took}"


def count(house: House, where: str) -> int:
    line = psycopg2.connect(host=str(house.places.sockets), user=OWNER, dbname=DATABASE)
    with closing(line), line.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM inbox_message WHERE direction = 'in' AND {where}")
        return cursor.fetchone()[0]


def bring_in(house: House, file: Path) -> tuple[dict, float]:
    began = time.monotonic()
    command = (sys.executable, "manage.py", "import_posts", file, "--channel", "stream", "--create")
    surroundings = {"cwd": ROOT, "env": environment(house.folder), "stdout": subprocess.PIPE, "text": True}
    done = subprocess.run(command, check=True, **surroundings)
    return json.loads(done.stdout.splitlines()[-1]), time.monotonic() - began


def wait_until_routed(house: House) -> float:
    began = time.monotonic()
    while waiting := count(house, "routed_at IS NULL"):
        print(f"  {waiting} wait to be routed", flush=True)
        time.sleep(2)
    return time.monotonic() - began


def main() -> None:
    file = Path(os.environ["REAL_DATA"]) / "stream.jsonl.gz"
    house = House(Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/whole-stream"))
    try:
        house.start()
        readers = [Reader(house, name) for name in PAGES]
        for each in readers:
            each.start()
        told, seconds = bring_in(house, file)
        print(f"first time: {told} in {seconds:.1f} s")
        print(f"all routed {wait_until_routed(house):.1f} s after the end of the file")
        for each in readers:
            each.stopping.set()
            print(each.told())
        rest = Reader(house, "carl"), Reader(house, "cora")
        for each in rest:
            each.start()
        time.sleep(10)
        for each in rest:
            each.stopping.set()
            print("at rest,", each.told())
        told, seconds = bring_in(house, file)
        print(f"second time: {told} in {seconds:.1f} s; {count(house, 'routed_at IS NULL')} wait")
        house.stop()
    finally:
        house.clear_away()


if __name__ == "__main__":
    main()
