"""What pages cost, in CPU of the web process and of PostgreSQL together, beside the same answer from the floor."""

from collections.abc import Iterator
from contextlib import closing

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from departments.access import rights
from departments.models import User
from departments.roles import Role
from departments.tokens import make_token
from inbox import search
from inbox.models import Conversation, QueueItem
from inbox.paging import Cursor
from socialhub.embedded import postgres
from socialhub.embedded.places import Places
from socialhub.serving import keep_lines
from tests.bench.figures import Figure
from tests.bench.filling import COMMON, RARE
from tests.bench.meter import Cost, Way, compare
from tests.bench.programs import Served, served

QUEUE = "/api/v1/queues/customer-service/items/?status=open"
SEARCHES = {"search_rare": RARE, "search_common": COMMON}
#: How many hits a page of search shows.
HITS = 25


#: Each figure: our way, and the way beside which it stands.
_BESIDE = {
    "first_page_json": ("json", "queue"),
    "first_page_html": ("html", "queue"),
    "unchanged_page": ("unchanged", "queue"),
    "deep_page": ("deep", "first"),
    "open_conversation": ("open", "talk"),
}


def measure(places: Places, server: int, rounds: int, wanted: set[str]) -> Iterator[Figure]:
    """Everything that a page costs."""
    named = {name: beside for name, beside in _BESIDE.items() if name in wanted}
    needed = {way for beside in named.values() for way in beside}
    with (
        served("socialhub.asgi:application", "web", places) as ours,
        served("tests.bench.floor:application", "floor", places) as bare,
    ):
        ways = {name: way for name, way in _ways(ours, bare).items() if name in needed}
        found = compare(ways, server, rounds)
    for name, (way, floor) in named.items():
        yield _figure(name, found[way], found[floor])


NAMES = tuple(_BESIDE)


def _figure(name: str, ours: Cost, floor: Cost) -> Figure:
    detail = f"web {ours.own:.2f} + PostgreSQL {ours.postgres:.2f}; wall {ours.wall:.2f}, floor's {floor.wall:.2f}"
    return Figure(name, ours.cpu, floor.cpu, detail)


def _ways(ours: Served, bare: Served) -> dict[str, Way]:
    carl, cora = (User.objects.get(username=name) for name in ("carl", "cora"))
    program = {"Authorization": f"Bearer {make_token(carl, 'bench', by=carl)[1]}"}
    carls, coras = ({"Cookie": f"{settings.SESSION_COOKIE_NAME}={signed_in(each)}"} for each in (carl, cora))
    talk, deep = _a_talk(carl), _deep(cora)
    known = program | {"If-None-Match": ours.get(QUEUE, program).getheader("ETag") or '"none"'}
    unchanged = 304 if known["If-None-Match"] != '"none"' else 200

    def opened():
        ours.get(f"/api/v1/conversations/{talk}/", program)
        ours.get(f"/api/v1/conversations/{talk}/messages/", program)

    def opened_bare():
        bare.get(f"/conversation?of={talk}", program)
        bare.get(f"/messages?of={talk}", program)

    return {
        "queue": Way(lambda: bare.get("/queue?of=customer-service", program), 200, bare.pid),
        "json": Way(lambda: ours.get(QUEUE, program), 40, ours.pid),
        "html": Way(lambda: ours.get("/inbox/customer-service/", carls), 20, ours.pid),
        "unchanged": Way(lambda: ours.get(QUEUE, known, unchanged), 60, ours.pid),
        "first": Way(lambda: ours.get("/inbox/", coras), 20, ours.pid),
        "deep": Way(lambda: ours.get(f"/inbox/?after={deep}", coras), 20, ours.pid),
        "open": Way(opened, 30, ours.pid),
        "talk": Way(opened_bare, 100, bare.pid),
    }


def signed_in(user: User) -> str:
    """The cookie of a browser in which this person has signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def _a_talk(user: User) -> str:
    """A conversation with a history of twenty messages."""
    queue = QueueItem.objects.visible_to(user).filter(conversation__in=Conversation.objects.visible_to(user))
    long = queue.filter(conversation__messages__external_id__endswith=".20")
    return str(long.order_by("pk").values_list("conversation", flat=True).first())


def _deep(user: User) -> Cursor:
    """Half-way down everything that is open before this person."""
    items = QueueItem.objects.visible_to(user).open().order_by("sort_at", "pk").values_list("sort_at", "pk")
    return Cursor(*items[items.count() // 2])


# Searching ------------------------------------------------------------------------------------------------------------
#: The same answer by hand: of the newest thousand hits that this person may see the best twenty-five, with their text.
_FLOOR = """
    WITH mine AS MATERIALIZED (
        SELECT conversation_id FROM inbox_access WHERE department_id = ANY(%(mine)s::uuid[]) AND until IS NULL
    ), newest AS MATERIALIZED (
        SELECT entry.* FROM inbox_searchentry entry
        WHERE words @@ websearch_to_tsquery('socialhub', %(word)s) AND audience_id IS NULL
            AND conversation_id IN (SELECT conversation_id FROM mine)
        ORDER BY at DESC LIMIT 1000
    ), best AS (
        SELECT newest.*, ts_rank(words, websearch_to_tsquery('socialhub', %(word)s)) AS rank
        FROM newest JOIN inbox_conversation conversation ON conversation.id = newest.conversation_id
            AND conversation.merged_into_id IS NULL AND conversation.routed_at IS NOT NULL
        ORDER BY rank DESC, at DESC, newest.id DESC LIMIT %(hits)s
    )
    SELECT best.conversation_id, message.title, message.text, message.created_at, identity.name, identity.handle
    FROM best JOIN inbox_message message ON message.id = best.source_id
    LEFT JOIN inbox_identity identity ON identity.id = message.identity_id
"""


def measure_search(places: Places, server: int, rounds: int, wanted: set[str]) -> Iterator[Figure]:
    """What a search costs within PostgreSQL, beside one statement that finds as many hits."""
    keep_lines()  # as the web process does; so does the floor
    connection.close()
    carl = User.objects.get(username="carl")
    with closing(postgres.connect(places)) as line, line.cursor() as cursor:
        line.autocommit = True
        given = {"mine": [str(each) for each in rights(carl).at_least(Role.READER)], "hits": HITS}

        def bare(word: str):
            cursor.execute(_FLOOR, given | {"word": word})
            assert cursor.fetchall()

        for name, word in SEARCHES.items():
            if name in wanted:
                ways = {
                    "ours": Way(lambda word=word: _found(carl, word), 50),
                    "bare": Way(lambda word=word: bare(word), 50),
                }
                found = compare(ways, server, rounds)
                ours, floor = found["ours"], found["bare"]
                yield Figure(name, ours.postgres, floor.postgres, f"wall {ours.wall:.2f}, floor's {floor.wall:.2f}")


def _found(user: User, word: str) -> None:
    user.__dict__.pop("known_rights", None)  # as a new request asks for them
    assert search.search(user, word, size=HITS)[0]
