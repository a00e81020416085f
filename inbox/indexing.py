"""Keeping what search reads: an entry for each message and note, with the audience of its source."""

from collections.abc import Iterable

from django.db import connection

from inbox.models import Message, Note, SearchEntry
from inbox.words import words_of

_KEEP = """
    INSERT INTO inbox_searchentry (conversation_id, source, source_id, audience_id, at, words)
    SELECT row.conversation, row.source, row.id, row.audience, row.at, to_tsvector('socialhub', row.text)
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[])
        AS row(conversation, source, id, audience, at, text)
    ON CONFLICT (source, source_id) DO UPDATE SET words = EXCLUDED.words, conversation_id = EXCLUDED.conversation_id
"""


def index_messages(messages: Iterable[Message]) -> None:
    """Messages with words are found by them; those without, or deleted ones, by nothing."""
    messages = list(messages)
    empty = [each.pk for each in messages if not (each.text or each.title)]
    SearchEntry.objects.filter(source=SearchEntry.Source.MESSAGE, source_id__in=empty).delete()
    _keep(
        (each.conversation_id, SearchEntry.Source.MESSAGE, each.pk, None, each.created_at, f"{each.title} {each.text}")
        for each in messages
        if each.text or each.title
    )


def index_note(note: Note) -> None:
    """A note is found by those alone who may read it."""
    if note.removed_at:
        SearchEntry.objects.filter(source=SearchEntry.Source.NOTE, source_id=note.pk).delete()
    else:
        _keep([(note.conversation_id, SearchEntry.Source.NOTE, note.pk, note.audience_id, note.at, note.text)])


def _keep(rows) -> None:
    columns = list(zip(*rows, strict=True))
    if columns:
        *others, texts = columns
        # Each column goes as one array: the statement is the same for one message and for five hundred.
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [*(_plain(each) for each in others), [words_of(text) for text in texts]])


def _plain(column) -> list:
    return [str(value) if value is not None and not hasattr(value, "tzinfo") else value for value in column]
