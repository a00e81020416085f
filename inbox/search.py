"""Finding what was said, and by whom, among what the asker may see. (`indexing` keeps what is searched.)"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, When, Window
from django.db.models.functions import Cast, Coalesce, JSONArray, JSONObject, RowNumber

from departments import statements
from departments.access import rights
from departments.models import User
from inbox.contacts import called, handles_seen_by, with_handles
from inbox.models import Contact, Conversation, Message, Note, QueueItem, SearchEntry
from inbox.pieces import snippet
from inbox.words import LONGEST_QUERY, RUN, clean, query_of

#: The dictionary: small letters, no accents, no language (made by the inbox's first migration).
CONFIG = "socialhub"
#: Only so many of the newest hits are ranked: a common word must not cost more than a rare one.
RANKED = 1_000


# Asking ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Asked:
    """What somebody typed: words, and operators (`from:`, `network:`, `in:`, `tag:`, `is:`) with what each was
    given."""

    words: str = ""
    operators: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.operators)


OPERATOR = re.compile(r'(?<!\S)(from|network|in|tag|is):("[^"]*"|\S+)', re.IGNORECASE)


def parse(typed: str) -> Asked:
    """Read a query. Whatever it holds, it is a query: what is no operator is words."""
    typed = clean(typed)[:LONGEST_QUERY]
    operators = tuple((name.lower(), value.strip('"')) for name, value in OPERATOR.findall(typed))
    return Asked(" ".join(OPERATOR.sub(" ", typed).split()), operators)


def query(words: str) -> SearchQuery | None:
    """The words for PostgreSQL. A character of an unspaced script that stands alone is looked for as a beginning of
    pairs."""
    alone = _alone(words)
    rest = " ".join(each for each in words.split() if each not in alone)
    found = SearchQuery(query_of(rest), config=CONFIG, search_type="websearch") if rest else None
    for each in alone:
        one = SearchQuery(f"'{each}':*", config=CONFIG, search_type="raw")
        found = one if found is None else found & one
    return found


def _alone(words: str) -> list[str]:
    return [each for each in words.split() if len(each) == 1 and RUN.fullmatch(each)]


def hits(user: User, asked: Asked) -> QuerySet[SearchEntry]:
    """Of each conversation the best of what was found, ranked among the newest thousand. What the user may not see is
    no part of the search; and what is shown of the hits (`said`) is asked once more."""
    entries = SearchEntry.objects.within_reach_of(user)
    for name, value in asked.operators:
        entries = entries.filter(_OPERATORS[name](value, user))
    words = query(asked.words)
    entries = entries if words is None else entries.filter(words=words)
    newest = SearchEntry.objects.filter(pk__in=entries.order_by("-at").values("pk")[:RANKED])
    ranked, order = _ranked(newest, words)
    place = Window(RowNumber(), partition_by=F("conversation"), order_by=order)
    return ranked.annotate(place=place).filter(place=1).order_by(*order)


def _ranked(entries: QuerySet, words: SearchQuery | None) -> tuple[QuerySet, tuple]:
    """Entries with their rank, and the order in which they are shown; without words the newest come first."""
    newest = (F("at").desc(), F("pk").desc())
    if words is None:
        return entries, newest
    return entries.annotate(rank=SearchRank(F("words"), words)), (F("rank").desc(), *newest)


def _from(value: str, user: User) -> Q:
    return called(value, "conversation__identity__")


def _in(value: str, user: User) -> Q:
    return _has_item(QueueItem.objects.visible_to(user).filter(department__slug=value.lower()))


def _is(value: str, user: User) -> Q:
    items = QueueItem.objects.visible_to(user)
    ways = {"unassigned": items.unassigned, "overdue": items.overdue, "mine": lambda: items.mine(user)}
    return _has_item(ways.get(value.lower(), lambda: items.filter(status=value.lower()[:8]))())


def _has_item(items: QuerySet[QueueItem]) -> Q:
    return Q(Exists(items.filter(conversation=OuterRef("conversation"))))


_OPERATORS = {
    "from": _from,
    "network": lambda value, user: Q(conversation__channel__network=value.lower()),
    "in": _in,
    "tag": lambda value, user: Q(conversation__tags__name__iexact=value),
    "is": _is,
}


# Answering ------------------------------------------------------------------------------------------------------------
@dataclass
class Found:
    """One conversation that was found, by its best hit."""

    conversation: Conversation
    network: str
    source: str
    at: datetime
    author: str
    pieces: list[dict] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.conversation.get_absolute_url()

    @property
    def snippet(self) -> str:
        return "".join(piece["text"] for piece in self.pieces)


#: What stands in the statement, which is written once, in place of the words that somebody looks for.
_WORDS = "somewords"


def search(user: User, typed: str, *, start: int = 0, size: int = 25) -> tuple[list[Found], bool]:
    """A page of conversations, each with its best hit, and whether more follow. One query, whatever is found."""
    asked = parse(typed)
    if not asked:
        return [], False
    rows = _rows(user, asked, start, start + size + 1)
    found = [_found(asked, *row) for row in rows[:size] if row[-1] is not None]
    return found, len(rows) > size


def _rows(user: User, asked: Asked, start: int, end: int) -> list[tuple]:
    """Operators mean other things each time (an hour, a person), so only words have a statement that is kept."""
    if asked.operators or _alone(asked.words):
        return list(_shown(user, asked, start, end))
    key = ("search", rights(user).key, start, end)
    return statements.rows(key, lambda: _shown(user, Asked(_WORDS), start, end), {_WORDS: query_of(asked.words)})


def _shown(user: User, asked: Asked, start: int, end: int) -> QuerySet:
    """These hits with what is said in them. That is looked up for them alone, and not for all that was ranked."""
    chosen = SearchEntry.objects.filter(pk__in=hits(user, asked)[start:end].values("pk"))
    ranked, order = _ranked(chosen, query(asked.words))
    said = Coalesce(Subquery(_message(user)), Subquery(_note(user)))
    return ranked.order_by(*order).values_list("conversation", "conversation__channel__network", "source", "at", said)


def _message(user: User) -> QuerySet:
    """Who said what, for the entry of a message that the user sees."""
    seen = Message.objects.visible_to(user).filter(pk=OuterRef("source_id"), deleted_at=None).order_by()
    return seen.values_list(
        _as_text(
            title="title",
            text="text",
            names=JSONArray("identity__name", "identity__handle"),
            channel=Case(When(direction="out", then=F("channel__name"))),
        )
    )


def _note(user: User) -> QuerySet:
    """Who wrote what, for the entry of a note that is meant for the user."""
    seen = Note.objects.visible_to(user).filter(pk=OuterRef("source_id")).order_by()
    return seen.values_list(_as_text(text="text", names=JSONArray("author__name", "author__username")))


def _as_text(**parts) -> Cast:
    return Cast(JSONObject(**parts), TextField())


def _found(asked: Asked, conversation: UUID, network: str, source: str, at: datetime, said: str) -> Found:
    told = json.loads(said)
    author = next(filter(None, [*told["names"], told.get("channel")]), "Somebody")
    text = f"{told.get('title', '')} {told['text']}".strip()
    return Found(Conversation(pk=conversation), network, source, at, author, snippet(text, asked.words))


def name_of(typed: str) -> str:
    """What was typed as a part of somebody's name."""
    return clean(typed).strip()[:LONGEST_QUERY]


def start_of(cursor: str) -> int:
    """How many results were shown already. What makes no sense is none; only the newest thousand are ranked at all."""
    return min(int(cursor), RANKED) if cursor.isascii() and cursor.isdecimal() and len(cursor) < 6 else 0


def people(user: User, typed: str, *, most: int = 5) -> list[Contact]:
    """People outside whose name or handle holds what was typed, as far as the user may know of them. A few of them, the
    first that are found: who looks for a certain one types more."""
    name = parse(typed).words.strip('"')
    if len(name) < 2:
        return []
    handles = handles_seen_by(user).filter(called(name)).select_related("contact")[: most * 4]
    found = list(dict.fromkeys(each.contact for each in handles))[:most]
    return with_handles(sorted(found, key=str), user)
