"""Keeping what search reads: an entry for each message and note, with the audience of its source."""

from collections.abc import Iterable, Mapping

from django.db import connection

from departments.rows import as_json
from inbox.models import Message, Note, SearchEntry
from inbox.words import words_of

_ADD = """
    INSERT INTO inbox_searchentry (conversation_id, source, source_id, audience_id, at, words)
    SELECT row.conversation, %s, row.id, %s::uuid, row.at, to_tsvector('socialhub', row.text)
    FROM json_to_recordset(%s) AS row(conversation uuid, id uuid, at timestamptz, text text)
"""
_OR_ANEW = """
    ON CONFLICT (source, source_id) DO UPDATE SET words = EXCLUDED.words, conversation_id = EXCLUDED.conversation_id
"""


def index_new(rows: Iterable[Mapping]) -> None:
    """Messages that are stored in this very transaction, as rows of their table; nothing can be known of them yet."""
    _write(
        _ADD,
        [
            _entry(each["conversation_id"], each["id"], each["created_at"], f"{each['title']} {each['text']}")
            for each in rows
            if each["text"] or each["title"]
        ],
    )


def index_messages(messages: Iterable[Message]) -> None:
    """Messages with words are found by them; those without, or deleted ones, by nothing."""
    messages = list(messages)
    empty = [each.pk for each in messages if not (each.text or each.title)]
    SearchEntry.objects.filter(source=SearchEntry.Source.MESSAGE, source_id__in=empty).delete()
    _write(
        _ADD + _OR_ANEW,
        [
            _entry(each.conversation_id, each.pk, each.created_at, f"{each.title} {each.text}")
            for each in messages
            if each.text or each.title
        ],
    )


def index_note(note: Note) -> None:
    """A note is found by those alone who may read it."""
    if note.removed_at:
        SearchEntry.objects.filter(source=SearchEntry.Source.NOTE, source_id=note.pk).delete()
    else:
        entry = _entry(note.conversation_id, note.pk, note.at, note.text)
        _write(_ADD + _OR_ANEW, [entry], SearchEntry.Source.NOTE, note.audience_id)


def _entry(conversation, id, at, text: str) -> dict:
    return {"conversation": conversation, "id": id, "at": at, "text": words_of(text)}


def _write(statement: str, entries: list[dict], source=SearchEntry.Source.MESSAGE, audience=None) -> None:
    if entries:
        with connection.cursor() as cursor:
            cursor.execute(statement, [source.value, audience, as_json(entries)])
