"""A copy of the filled house's database, for figures that write: it is thrown away afterwards, so that the next run
measures the same house."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from django.db import connection

from socialhub.embedded.places import Places
from socialhub.embedded.postgres import DATABASE, OWNER

COPY = "bench_copy"


@contextmanager
def copied(here: Places) -> Iterator[None]:
    """Inside this block Django works on a copy."""
    _administer(
        here, f"DROP DATABASE IF EXISTS {COPY}", f"CREATE DATABASE {COPY} TEMPLATE {DATABASE} STRATEGY FILE_COPY"
    )
    connection.settings_dict["NAME"] = COPY
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = DATABASE
        _administer(here, f"DROP DATABASE IF EXISTS {COPY} WITH (FORCE)")


def _administer(here: Places, *statements: str) -> None:
    connection.close()
    with closing(psycopg2.connect(host=str(here.sockets), user=OWNER, dbname="postgres")) as line:
        line.autocommit = True
        with line.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
