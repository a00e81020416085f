"""How many posts a second of CPU are taken in, and placed, beside what the database alone does with such rows."""

import time
from collections.abc import Callable, Iterator
from statistics import median

from django.conf import settings
from django.db import connection, transaction

from connectors.models import Channel
from inbox.intake import take_in
from routing import actions as rules
from routing import engine
from tests.bench.figures import Figure
from tests.bench.filling import WORDS
from tests.bench.meter import cpu_of_server
from tests.bench.posts import make

TAKING, ROUTING = ("take_in", "take_in_duplicates"), ("route_batch",)
NAMES = (*TAKING, *ROUTING)
PAGE = 1000  # as files are taken in
COMMIT = 1000
RULES = 10

#: One table that is asked all that ours are asked, so with unique keys, searched words and indexes like those of ours:
#: of messages, search entries, conversations, and of people (who are new in half of the posts); and as much in it as in
#: ours.
_TABLE = """
    CREATE TABLE bench_limit (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), key text NOT NULL UNIQUE, channel uuid NOT NULL,
        external_id text NOT NULL, conversation uuid NOT NULL DEFAULT gen_random_uuid(), thread_key text NOT NULL,
        identity uuid NOT NULL DEFAULT gen_random_uuid(), author text NOT NULL, handle text, name text,
        kind text NOT NULL, text text NOT NULL, language text NOT NULL, url text NOT NULL,
        media jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(), routed_at timestamptz, words tsvector NOT NULL
    );
    CREATE INDEX ON bench_limit (conversation, created_at, id);
    CREATE INDEX ON bench_limit (identity);
    CREATE INDEX ON bench_limit (received_at) WHERE routed_at IS NULL;
    CREATE INDEX ON bench_limit USING gin (words);
    CREATE INDEX ON bench_limit (created_at DESC);
    CREATE INDEX ON bench_limit (conversation);
    CREATE UNIQUE INDEX ON bench_limit (channel, thread_key);
    CREATE UNIQUE INDEX ON bench_limit (handle, key) WHERE handle IS NOT NULL;
    CREATE INDEX ON bench_limit (name, id) WHERE handle IS NOT NULL;
    CREATE INDEX ON bench_limit USING gin (upper(handle) gin_trgm_ops) WHERE handle IS NOT NULL;
    CREATE INDEX ON bench_limit USING gin (upper(name) gin_trgm_ops) WHERE handle IS NOT NULL;
    INSERT INTO bench_limit (key, channel, external_id, thread_key, author, handle, name, kind, text, language, url,
        created_at, routed_at, words)
    SELECT key, channel_id, external_id, key, identity_id, CASE WHEN hashtext(key) % 4 = 0 THEN left(key, 20) END, key,
        kind, text, language, url, created_at, routed_at, to_tsvector('socialhub', text)
    FROM inbox_message;
    ANALYZE bench_limit;
"""
_INSERT = """
    INSERT INTO bench_limit (key, channel, external_id, thread_key, author, handle, name, kind, text, language, url,
        created_at, words)
    SELECT key, %s::uuid, key, key, author, handle, name, 'mention', text, 'en', url, at, to_tsvector('socialhub', text)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
        AS given(key, author, handle, name, text, url, at)
    ON CONFLICT (key) DO NOTHING
"""


def measure(server: int, rounds: int, many: int, wanted: set[str]) -> Iterator[Figure]:
    """On a copy of the house, which is written to."""
    channel = Channel.objects.get(slug="brand0")
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
    if wanted & set(TAKING):
        yield from _taking(channel, server, rounds, many)
    if wanted & set(ROUTING):
        yield _routing(channel, server, rounds, many)


# Taking in ------------------------------------------------------------------------------------------------------------
def _taking(channel: Channel, server: int, rounds: int, many: int) -> Iterator[Figure]:
    found: dict[str, list[tuple[float, float]]] = {"new": [], "again": [], "bare": [], "bare again": []}
    for turn in range(rounds + 1):
        posts = make(many, f"round{turn}")
        for name, work in (
            ("bare", lambda posts=posts: _bare(channel, posts)),
            ("new", lambda posts=posts: take(channel, posts)),
            ("bare again", lambda posts=posts: _bare(channel, posts)),
            ("again", lambda posts=posts: take(channel, posts)),
        ):
            rate = rate_of(work, server, many)
            if turn:
                found[name].append(rate)
    yield _figure("take_in", found["new"], found["bare"])
    yield _figure("take_in_duplicates", found["again"], found["bare again"])


def take(channel: Channel, posts: list) -> None:
    for start in range(0, len(posts), PAGE):
        with transaction.atomic():
            taken = take_in(channel, posts[start : start + PAGE])
            assert not taken.refused and not taken.changed, taken


def _bare(channel: Channel, posts: list) -> None:
    for start in range(0, len(posts), COMMIT):
        part = posts[start : start + COMMIT]
        columns = [
            [each.id for each in part], [each.author.id for each in part],
            [None if "person" in each.author.handle else each.author.handle for each in part],
            [each.author.name for each in part], [each.text for each in part], [each.url for each in part],
            [each.created_at for each in part],
        ]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [str(channel.pk), *columns])


def rate_of(work: Callable[[], object], server: int, many: int) -> tuple[float, float]:
    """Posts in a second of CPU (ours and PostgreSQL's together), and in a second on the wall."""
    before, ours, began = cpu_of_server(server), time.process_time(), time.perf_counter()
    work()
    wall, spent = time.perf_counter() - began, time.process_time() - ours + cpu_of_server(server) - before
    return many / spent, many / wall


def _figure(name: str, ours: list[tuple[float, float]], floor: list[tuple[float, float]]) -> Figure:
    (value, wall), (bare, bare_wall) = (tuple(map(median, zip(*rates, strict=True))) for rates in (ours, floor))
    return Figure(name, value, bare, f"on the wall {wall:,.0f}/s, floor's {bare_wall:,.0f}/s")


# Routing --------------------------------------------------------------------------------------------------------------
#: The tables that routing writes, and how the rows of these messages are found in each.
_WRITTEN = {
    "inbox_queueitem": "conversation_id IN (SELECT conversation_id FROM bench_routed)",
    "inbox_access": "conversation_id IN (SELECT conversation_id FROM bench_routed)",
    "departments_auditentry": "conversation_id IN (SELECT conversation_id FROM bench_routed)",
    "routing_decision": "message_id IN (SELECT id FROM bench_routed)",
}


def _routing(channel: Channel, server: int, rounds: int, many: int) -> Figure:
    """By rules alone; what a model costs stands apart (tests/bench/reading.py)."""
    settings.LEARNED_ROUTING = False
    publish()
    while engine.route():
        pass
    ours, bare = [], []
    for turn in range(rounds + 1):
        take(channel, make(many, f"routed{turn}"))
        found = rate_of(route_all, server, many), _rate_of_rows(f"routed{turn}-", server, many)
        if turn:
            ours.append(found[0])
            bare.append(found[1])
    return _figure("route_batch", ours, bare)


def route_all() -> None:
    while engine.route():
        pass


def publish() -> None:
    """Ten rules, each with a word that some posts hold."""
    given = [
        {
            "uid": f"rule{number}",
            "name": f"Rule {number}",
            "when": {"field": "text", "op": "any", "value": [WORDS[number * 7]]},
            "then": {"place": "customer-service"},
        }
        for number in range(RULES)
    ]
    rules.publish(rules.found_rule_set(by="system"), given, by="system", why="for figures")


def _rate_of_rows(name: str, server: int, many: int) -> tuple[float, float]:
    """How fast the database alone writes the rows that routing has just written, into tables with the same indexes."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_routed")
        cursor.execute(
            "CREATE TEMP TABLE bench_routed AS SELECT id, conversation_id FROM inbox_message WHERE external_id LIKE %s",
            [f"{name}%"],
        )
        for table, rows in _WRITTEN.items():
            cursor.execute(f"DROP TABLE IF EXISTS bench_{table}, bench_rows_{table}")
            cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING INDEXES)")
            cursor.execute(f"CREATE TEMP TABLE bench_rows_{table} AS SELECT * FROM {table} WHERE {rows}")

        def write():
            for table in _WRITTEN:
                cursor.execute(f"INSERT INTO bench_{table} SELECT * FROM bench_rows_{table}")

        return rate_of(write, server, many)
