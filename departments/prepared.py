"""Statements that the database plans once. For a short answer PostgreSQL takes longer to read and plan the SQL than to
run it; on a line that is kept (socialhub/serving.py) a statement is prepared when it is first asked, and from then on
only its values go over.

It can also say, instead of the rows or beside them, by what they are known again: the mark of a page is made from the
very rows that it shows, so it changes with whatever they show, and with nothing else.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import md5
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError, connection

#: Kinds of values that the database gets as parameters. Others become words of the statement: by the words of a status
#: it chooses a partial index.
VARYING = (UUID, datetime)
#: The statement is not known any more (a pooler gave us another line), known already, or gives other columns than when
#: it was prepared. Then it is asked in full.
LOST = ("26000", "42P05", "0A000")
#: So many are prepared on one line; what comes later is asked in full.
MOST = 100

_prepared: WeakKeyDictionary = WeakKeyDictionary()


class Form(StrEnum):
    """What of a selection is asked for."""

    ROWS = "rows"
    #: Each row, and its mark as a last column.
    MARKED = "marked"
    #: One row with the mark of them all; None when there are none.
    MARK = "mark"


_AROUND = {
    Form.ROWS: ("", ""),
    Form.MARKED: ("SELECT page.*, md5(page::text) FROM (", ") page"),
    Form.MARK: ("SELECT md5(string_agg(md5(page::text), '')) FROM (", ") page"),
}


def mark_of(marks: Sequence[str]) -> str | None:
    """The mark of these rows from their own, as the database makes it."""
    return md5("".join(marks).encode(), usedforsecurity=False).hexdigest() if marks else None


class Statement:
    """SQL with its values, of which those in `given` are others each time."""

    def __init__(self, sql: str, values: Sequence, given: Collection = ()):
        varying = [isinstance(each, VARYING) or each in given for each in values]
        self.values = [each for each, varies in zip(values, varying, strict=True) if varies]
        self.words = _with_words(sql, values, varying)
        self.name = md5(self.words.encode(), usedforsecurity=False).hexdigest()[:20]

    def ask(self, given: Mapping | None = None, form: Form = Form.ROWS) -> list[tuple]:
        """Its rows, in this form. `given` has the values that stand in the place of those with which it was made."""
        values = [given.get(each, each) for each in self.values] if given else self.values
        with connection.cursor() as cursor:
            known = _known()
            if known is None or not self._execute(cursor, known, form, values):
                cursor.execute(self._whole(form), values)
            return cursor.fetchall()

    def _execute(self, cursor, known: set[str], form: Form, values: Sequence) -> bool:
        """Whether it could be asked by its name."""
        name = f"{form}_{self.name}"
        try:
            if name not in known:
                cursor.execute(f"PREPARE {name} AS {_numbered(self._whole(form))}")
                known.add(name)
            cursor.execute(f"EXECUTE {name}{_places(values)}", values)
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) not in LOST:
                raise
            _prepared[connection.connection] = None
            return False
        return True

    def _whole(self, form: Form) -> str:
        before, after = _AROUND[form]
        return before + self.words + after


def _known() -> set[str] | None:
    """The names of what is prepared on this thread's line; None where nothing is to be: the line is let go at once, has
    shown that it is not ours alone, or is in a transaction, which a refusal would end."""
    if connection.in_atomic_block or connection.settings_dict["CONN_MAX_AGE"] == 0:
        return None
    known = _prepared.setdefault(connection.connection, set())
    return known if known is not None and len(known) < MOST else None


def _places(values: Sequence) -> str:
    return f" ({', '.join(['%s'] * len(values))})" if values else ""


def _with_words(sql: str, values: Sequence, varying: Sequence[bool]) -> str:
    """The statement with its steady values written out, and `%s` where the others go."""
    left = iter(zip(values, varying, strict=True))
    with connection.cursor() as cursor:

        def put(found: re.Match) -> str:
            if found[0] == "%%":
                return "%%"
            value, varies = next(left)
            return "%s" if varies else cursor.mogrify("%s", [value]).decode().replace("%", "%%")

        return re.sub("%%|%s", put, sql)


def _numbered(sql: str) -> str:
    """With `$1`, `$2` … for `%s`."""
    number = iter(range(1, 1_000))
    return re.sub("%%|%s", lambda found: "%" if found[0] == "%%" else f"${next(number)}", sql)
