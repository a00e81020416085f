"""Finding what was said, and by whom, among what the asker may see. (`indexing` keeps what is searched.)"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import Exists, F, OuterRef, Q, QuerySet

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
    alone = [each for each in words.split() if len(each) == 1 and RUN.fullmatch(each)]
    rest = " ".join(each for each in words.split() if each not in alone)
    found = SearchQuery(query_of(rest), config=CONFIG, search_type="websearch") if rest else None
    for each in alone:
        one = SearchQuery(f"'{each}':*", config=CONFIG, search_type="raw")
        found = one if found is None else found & one
    return found


def hits(user: User, asked: Asked) -> QuerySet[SearchEntry]:
    """Everything found, the newest thousand of it by rank. What the user may not see is no part of the search; and what
    is shown of the hits (`_found`) is asked once more."""
    entries = SearchEntry.objects.within_reach_of(user)
    for name, value in asked.operators:
        entries = entries.filter(_OPERATORS[name](value, user))
    words = query(asked.words)
    if words is None:
        return SearchEntry.objects.filter(pk__in=entries.order_by("-at").values("pk")[:RANKED]).order_by("-at", "-pk")
    newest = entries.filter(words=words).order_by("-at").values("pk")[:RANKED]
    ranked = SearchEntry.objects.filter(pk__in=newest).annotate(rank=SearchRank(F("words"), words))
    return ranked.order_by("-rank", "-at", "-pk")


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
    source: str
    at: datetime
    author: str
    pieces: list[dict] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.conversation.get_absolute_url()

    @property
    def network(self) -> str:
        return self.conversation.channel.network

    @property
    def snippet(self) -> str:
        return "".join(piece["text"] for piece in self.pieces)


def search(user: User, typed: str, *, start: int = 0, size: int = 25) -> tuple[list[Found], bool]:
    """A page of conversations, each with its best hit, and whether more follow. Five queries, whatever is found."""
    asked = parse(typed)
    if not asked:
        return [], False
    best: dict = {}
    for conversation, source, source_id in hits(user, asked).values_list("conversation_id", "source", "source_id"):
        best.setdefault(conversation, (source, source_id))
    page = dict(list(best.items())[start : start + size])
    return _found(user, asked, page), len(best) > start + size


def _found(user: User, asked: Asked, page: dict) -> list[Found]:
    conversations = Conversation.objects.visible_to(user).select_related("channel", "identity").in_bulk(page.keys())
    texts = _messages(user, page) | _notes(user, page)
    found = []
    for conversation, hit in page.items():
        if conversation in conversations and hit in texts:
            author, at, text = texts[hit]
            found.append(Found(conversations[conversation], hit[0], at, author, snippet(text, asked.words)))
    return found


def _messages(user: User, page: dict) -> dict:
    ids = [each for source, each in page.values() if source == SearchEntry.Source.MESSAGE]
    messages = (
        Message.objects.visible_to(user).filter(pk__in=ids, deleted_at=None).select_related("identity", "channel")
    )
    return {
        (SearchEntry.Source.MESSAGE.value, each.pk): (
            str(each.identity or (each.channel if each.direction == "out" else "Somebody")),
            each.created_at,
            f"{each.title} {each.text}".strip(),
        )
        for each in messages
    }


def _notes(user: User, page: dict) -> dict:
    ids = [each for source, each in page.values() if source == SearchEntry.Source.NOTE]
    notes = Note.objects.visible_to(user).filter(pk__in=ids).select_related("author")
    return {(SearchEntry.Source.NOTE.value, each.pk): (str(each.author), each.at, each.text) for each in notes}


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
