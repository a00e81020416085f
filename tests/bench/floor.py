"""The floor under the pages: the least that a server in Python has to do for the same answer. A bare ASGI application
on the same uvicorn, asyncpg and orjson; token, person, right on the queue and rows in one SQL statement; no framework,
no counts, no page around it.

Started as `uvicorn tests.bench.floor:application`, with the database's folder in BENCH_DATABASE.
"""

import hashlib
import os
from urllib.parse import parse_qs

import asyncpg
import orjson

_pool: asyncpg.Pool | None = None

_WHO = """
    WITH who AS (
        SELECT token.user_id AS id FROM departments_apitoken token JOIN departments_user person
            ON person.id = token.user_id AND person.is_active
        WHERE token.sha256 = $1 AND token.revoked_at IS NULL AND token.expires_at > now()
    ), held AS (
        SELECT DISTINCT department.id, department.slug
        FROM who JOIN departments_user_groups membership ON membership.user_id = who.id
        JOIN guardian_groupobjectpermission given ON given.group_id = membership.group_id
        JOIN auth_permission permission ON permission.id = given.permission_id AND permission.codename = 'view_queue'
        JOIN departments_department department ON department.id::text = given.object_pk
    )
"""
_MAY_SEE = """
    conversation.merged_into_id IS NULL AND conversation.routed_at IS NOT NULL AND EXISTS (
        SELECT FROM inbox_access access JOIN held ON held.id = access.department_id
        WHERE access.conversation_id = conversation.id AND access.until IS NULL)
"""

QUEUE = (
    _WHO
    + """
    SELECT item.id, item.conversation_id, held.slug, item.lead, item.status, item.resolution, item.priority,
        item.unread, item.probably_nothing, item.confidential, item.waiting_since, item.due_at, item.snoozed_until,
        item.resolved_at, item.placed_at, item.last_message_at, item.why, item.preview, item.network, item.kind,
        item.language, item.mood, item.rating, item.version, item.author_name, item.author_handle, item.followers,
        assignee.username, assignee.name
    FROM held JOIN LATERAL (
        SELECT * FROM inbox_queueitem WHERE department_id = held.id AND status = 'open' AND NOT sealed
        ORDER BY sort_at, id LIMIT 51
    ) item ON true LEFT JOIN departments_user assignee ON assignee.id = item.assignee_id
    WHERE held.slug = $2 ORDER BY item.sort_at, item.id
    """
)
CONVERSATION = (
    _WHO
    + f"""
    SELECT conversation.*, identity.name, identity.handle, identity.followers, channel.slug, channel.name AS channel,
        (SELECT jsonb_agg(item) FROM inbox_queueitem item WHERE item.conversation_id = conversation.id
            AND NOT item.sealed)::text AS items
    FROM inbox_conversation conversation JOIN connectors_channel channel ON channel.id = conversation.channel_id
    LEFT JOIN inbox_identity identity ON identity.id = conversation.identity_id
    WHERE conversation.id = $2::text::uuid AND {_MAY_SEE}
    """
)
MESSAGES = (
    _WHO
    + f"""
    SELECT message.*, identity.name, identity.handle, identity.followers
    FROM inbox_conversation conversation JOIN inbox_message message ON message.conversation_id = conversation.id
    LEFT JOIN inbox_identity identity ON identity.id = message.identity_id
    WHERE conversation.id = $2::text::uuid AND {_MAY_SEE}
    ORDER BY message.created_at, message.id LIMIT 51
    """
)
STATEMENTS = {"/queue": QUEUE, "/conversation": CONVERSATION, "/messages": MESSAGES}


async def application(scope, receive, send):
    """`GET /queue?of=…`, `/conversation?of=…`, `/messages?of=…` with a bearer token."""
    global _pool
    assert scope["type"] == "http"
    if _pool is None:
        _pool = await asyncpg.create_pool(host=os.environ["BENCH_DATABASE"], user="socialhub", database="socialhub")
    rows = await _pool.fetch(
        STATEMENTS[scope["path"]], _token(scope), parse_qs(scope["query_string"].decode())["of"][0]
    )
    body = orjson.dumps({"results": [dict(row) for row in rows]}, default=str)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200 if rows else 404, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _token(scope) -> str:
    given = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
    return hashlib.sha256(given.encode()).hexdigest()
