"""A Social Hub under way: people write, Carl answers through the API, and the demo network is the oracle."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from uuid import uuid4

import psycopg2

from socialhub.embedded.postgres import DATABASE, OWNER
from tests.launcher.house import House, run

#: Nobody answered to the end, it is being started anew, or the first try is still under way: come again.
NOT_NOW = {0, 429, 500, 502, 503}


def ask(house: House, sql: str, *values) -> list[tuple]:
    """What the database of this house says."""
    with closing(psycopg2.connect(host=str(house.places.sockets), user=OWNER, dbname=DATABASE)) as line:
        line.autocommit = True
        with line.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []


class Program:
    """A program that acts for somebody by a token made on the command line."""

    def __init__(self, house: House, username: str):
        self.house = house
        self.token = run("manage.py", "api_token", username, folder=house.folder).stdout.strip()
        assert self.token

    def call(self, path: str, body: dict | None = None, *, method: str = "", key: str = "") -> tuple[int, dict]:
        """Status and answer; 0 when nobody answered, or not to the end."""
        request = urllib.request.Request(
            self.house.address(f"/api/v1/{path}"),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            | ({"Idempotency-Key": key} if key else {}),
            method=method or ("GET" if body is None else "POST"),
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            return 503 if "Retry-After" in error.headers else error.code, {}
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}


class Carl(threading.Thread):
    """Answers whatever lies open in customer service, until he is stopped.

    A call that nobody answered he makes again under the same key, as a program should: that must never be a second
    reply.
    """

    PAUSE = 0.25

    def __init__(self, house: House):
        super().__init__(daemon=True)
        self.program, self.stopping = Program(house, "carl"), threading.Event()
        self.accepted: dict[str, float] = {}
        self.answers: dict[int, int] = {}

    def run(self) -> None:
        tried = set()
        while not self.stopping.is_set():
            _, page = self.program.call("queues/customer-service/items/?status=open&limit=20&sort=newest")
            found = [each for each in page.get("results", []) if (each["id"], each["version"]) not in tried]
            for item in found[:5]:
                tried.add((item["id"], item["version"]))
                self.reply(item["conversation"])
                self.stopping.wait(self.PAUSE)
            self.stopping.wait(self.PAUSE)

    def reply(self, conversation: str) -> None:
        _, seen = self.program.call(f"conversations/{conversation}/")
        if not seen:
            return
        key, text = str(uuid4()), f"Hello, we look into it ({uuid4().hex[:8]})."
        body = {"text": text, "seen": seen["last_message"]}
        status = 0
        while status in NOT_NOW and not self.stopping.is_set():
            status, answer = self.program.call(f"conversations/{conversation}/replies/", body, key=key)
            self.answers[status] = self.answers.get(status, 0) + 1
            if status in NOT_NOW:
                self.stopping.wait(0.3)
        if status == 202:
            self.accepted[answer["id"]] = time.time()

    def since(self, at: float) -> int:
        """How many replies of his were accepted since then."""
        return sum(when > at for when in list(self.accepted.values()))

    def stop(self) -> None:
        self.stopping.set()
        self.join(30)
        assert not self.is_alive()
