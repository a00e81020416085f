"""A house full of work, made by the database itself in seconds: ten departments, conversations with what belongs to
them, sixty of a hundred open. Everything follows from its number, so that two runs fill the same house."""

import hashlib
from datetime import timedelta
from itertools import product
from pathlib import Path

from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from connectors.models import Channel
from departments import actions as departments
from departments.models import Department
from inbox.models import QueueCount, QueueItem
from socialhub import demo

#: With the demo's six they are ten.
MORE_DEPARTMENTS = ("Legal", "Sales", "Events", "Logistics")
CHANNELS = 3
#: One of two hundred texts holds the rare word, one of ten the common one.
RARE, COMMON = "kingfisher", "bicycle"
_SYLLABLES = "ba be bi da do fa ga ki la mo ne pa ro sa tu".split()
#: All that people in this house ever talk about.
WORDS = ["".join(syllables) for syllables in product(_SYLLABLES, repeat=3)][::4]

_SAID = f"""
CREATE FUNCTION pg_temp.said(word text[], seed int, many int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(word[1 + (hashint4(seed * 61 + place) & 2147483647) % cardinality(word)], ' ' ORDER BY place)
        || CASE WHEN (hashint4(seed) & 2147483647) % 200 = 7 THEN ' {RARE}' ELSE '' END
        || CASE WHEN (hashint4(-seed) & 2147483647) % 10 = 3 THEN ' {COMMON}' ELSE '' END
    FROM generate_series(1, many) place
$$
"""

_NUMBERED = """
CREATE TEMP TABLE numbered AS
SELECT n, md5('conversation' || n)::uuid AS conversation, md5('item' || n)::uuid AS item,
       md5('identity' || n %% greatest(%(many)s / 2, 1))::uuid AS identity,
       department, n %% 10 = %(secret)s AS confidential, channel,
       %(now)s - (%(many)s - n) * interval '20 seconds' AS at,
       CASE WHEN (n / 10) %% 10 < 6 THEN 'open' WHEN (n / 10) %% 10 = 6 THEN 'pending'
            WHEN (n / 10) %% 20 = 7 THEN 'snoozed' ELSE 'resolved' END AS status
FROM generate_series(1, %(many)s) n,
     LATERAL (SELECT (%(departments)s::uuid[])[1 + n %% 10] AS department,
                     (%(channels)s::uuid[])[1 + n %% cardinality(%(channels)s::uuid[])] AS channel) AS lies
"""

_SPOKEN = """
CREATE TEMP TABLE spoken AS
SELECT numbered.*, part, parts, md5('message' || n || '.' || part)::uuid AS message,
       at - (parts - part) * interval '3 seconds' AS said_at, pg_temp.said(%(words)s, n * 3 + part, 8 + n %% 24) AS text
FROM numbered, LATERAL (SELECT CASE WHEN n %% 49 = 1 THEN 20 ELSE 1 + n %% 3 END AS parts) AS size,
     generate_series(1, parts) part
"""

_ROWS = (
    """
    INSERT INTO inbox_contact (id, name) SELECT md5('contact' || n)::uuid, 'Person ' || n
    FROM generate_series(0, greatest(%(many)s / 2, 1) - 1) n
    """,
    """
    INSERT INTO inbox_identity (id, network, external_id, handle, name, followers, verified, avatar_url, contact_id)
    SELECT md5('identity' || n)::uuid, 'import', 'a' || n, '@person' || n, 'Person ' || n, n %% 20000, n %% 20 = 0, '',
           md5('contact' || n)::uuid
    FROM generate_series(0, greatest(%(many)s / 2, 1) - 1) n
    """,
    """
    INSERT INTO inbox_conversation (id, channel_id, thread_key, identity_id, confidential, history, language, mood,
        routed_at, last_message_at, last_in_at, created_at)
    SELECT conversation, channel, 't' || n, identity, confidential, false, 'en', NULL, at, at, at, at FROM numbered
    """,
    """
    INSERT INTO inbox_message (id, conversation_id, channel_id, key, external_id, identity_id, kind, direction,
        parent_key, thread_root, title, text, language, url, media, visibility, created_at, received_at, revision,
        routed_at, route_attempts, history)
    SELECT message, conversation, channel, channel || ':p' || n || '.' || part, 'p' || n || '.' || part, identity,
           'mention', 'in', '', 't' || n, '', text, 'en', '', '[]', 'public', said_at, said_at, 1, said_at, 0, false
    FROM spoken
    """,
    """
    INSERT INTO inbox_sighting (message_id, channel_id, external_id, at)
    SELECT message, channel, 'p' || n || '.' || part, said_at FROM spoken
    """,
    """
    INSERT INTO inbox_searchentry (conversation_id, source, source_id, at, words)
    SELECT conversation, 'message', message, said_at, to_tsvector('socialhub', text) FROM spoken
    """,
    """
    INSERT INTO inbox_queueitem (id, conversation_id, department_id, lead, status, resolution, assignee_id, priority,
        unread, probably_nothing, sealed, waiting_since, due_at, snoozed_until, resolved_at, placed_at, version,
        confidential, sort_at, last_message_at, why, preview, network, kind, author_name, author_handle, followers,
        language)
    SELECT item, conversation, department, true, status, CASE WHEN status = 'resolved' THEN 'replied' ELSE '' END,
        CASE WHEN n %% 3 = 0 AND department = %(his)s::uuid THEN %(assignee)s::uuid END,
        CASE WHEN n %% 40 = 0 THEN 1 ELSE 0 END, n %% 2 = 0, false,
        false, CASE WHEN status = 'open' THEN at END, due, CASE WHEN status = 'snoozed' THEN %(now)s + interval '9 days'
        END, CASE WHEN status = 'resolved' THEN at END, at, 1, confidential,
        coalesce(due, at + interval '36500 days'), at, 'Words about ' || n %% 9, left(text, 300), 'import', 'mention',
        'Person ' || n %% greatest(%(many)s / 2, 1), '@person' || n %% greatest(%(many)s / 2, 1), n %% 20000, 'en'
    FROM spoken, LATERAL (SELECT CASE WHEN status = 'open' THEN at + interval '4 days' END AS due) AS clock
    WHERE part = parts
    """,
    """
    INSERT INTO inbox_access (conversation_id, department_id, since) SELECT conversation, department, at FROM numbered
    """,
    """
    INSERT INTO inbox_clock (item_id, kind, started_at, due_at, breached)
    SELECT item, 'answer', at, at + interval '4 days', false FROM numbered WHERE status = 'open'
    """,
    """
    INSERT INTO departments_auditentry (at, agent, verb, target_type, target_id, department_id, conversation_id, facts)
    SELECT at, 'rule', 'item_placed', 'inbox.queueitem', item, department, conversation,
        '{"rule": "Words", "because": "the text contains “words”"}' FROM numbered
    """,
    """
    INSERT INTO routing_decision (message_id, revision, mode, department_id, source, rule_uid, rule_name, label,
        because, spans, also_matched, matched, joins, tags, priority, probably_nothing, versions, facts, duration_us,
        at)
    SELECT message, 1, 'live', department, CASE WHEN part = 1 THEN 'rule' ELSE 'thread' END, 'words', 'Words',
        'Words', 'the text contains “words”', '[]', '[]', '{words}', '{}', '{}', 0, false, '{}',
        jsonb_build_object('network', 'import', 'channel', 'brand', 'kind', 'mention', 'lang', 'en', 'followers', NULL,
            'verified', false, 'rating', NULL, 'visibility', 'public', 'has_media', false, 'is_reply_to_us', false,
            'created_at', to_char(said_at, 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')), 90, said_at FROM spoken
    """,
)


def fill(many: int) -> None:
    """Fill an empty house with so many queue items, and let the database know of them."""
    fill_tables(many)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def fill_tables(many: int) -> None:
    """Everything or nothing."""
    with transaction.atomic():
        given = _settle() | {"many": many, "now": timezone.now() - timedelta(minutes=5)}
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL work_mem = '256MB'")
            cursor.execute(_SAID)
            for statement in (_NUMBERED, _SPOKEN, *_ROWS):
                cursor.execute(statement, given)
            cursor.execute("DROP TABLE spoken, numbered")
        QueueCount.objects.fold()


def _settle() -> dict:
    """The people and their departments, and the channels; what the rows above name of them."""
    demo.settle()
    for name in MORE_DEPARTMENTS:
        departments.found_department(slug=name.lower(), name=name, by="system")
    channels = [
        Channel.objects.create(slug=f"brand{number}", name=f"Brand {number}", network="import", next_poll_at=None)
        for number in range(CHANNELS)
    ]
    everywhere = list(Department.objects.open())
    return {
        "departments": [str(each.pk) for each in everywhere],
        "secret": next(place for place, each in enumerate(everywhere) if each.confidential),
        "channels": [str(each.pk) for each in channels],
        "assignee": str(demo.User.objects.get(username="carl").pk),
        "his": str(Department.objects.get(slug="customer-service").pk),
        "words": WORDS,
    }


def is_filled(mark: Path, many: int) -> bool:
    """Whether the house was filled like this, on the schema that there is now."""
    return mark.exists() and mark.read_text() == _print(many) and QueueItem.objects.count() >= many


def note_filled(mark: Path, many: int) -> None:
    mark.write_text(_print(many))


def _print(many: int) -> str:
    """What was filled, and on which schema."""
    applied = sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())
    source = Path(__file__).read_text()
    return hashlib.sha256(f"{many} {applied} {source}".encode()).hexdigest()
