"""What tests of a Social Hub under way need: its database, and programs that call its API."""

import http.client
import json
import urllib.error
import urllib.request
from contextlib import closing

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
