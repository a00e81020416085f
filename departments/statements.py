"""Statements that are written once. For what every page asks, the framework takes longer to write the SQL than the
database takes to answer. So the SQL of a selection is kept, for as long as nothing changes on which it depends.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, QuerySet

from departments.prepared import Form, Statement

#: So many are kept: a few for each person who has a page open. Then all are forgotten, which costs each a few
#: milliseconds once.
MOST = 4_000
_kept: dict[Hashable, Any] = {}
_UNKNOWN = object()
_models: dict[Hashable, type[Model]] = {}


def rows(key: Hashable, write: Callable[[], QuerySet], given: Mapping = {}, form: Form = Form.ROWS) -> list[tuple]:
    """The rows of the selection of values (`values_list`) that `write` makes, in this form (departments/prepared.py).

    It is called once for a key, which has to name everything that the selection depends on: the asker's rights
    (`Rights.key`) before all. `given` has the values that are put in place of those that were written.
    """
    if (kept := _kept.get(key, _UNKNOWN)) is _UNKNOWN:
        if len(_kept) >= MOST:
            _kept.clear()
        kept = _kept[key] = _written(write(), given)
    return kept.ask(given, form) if kept else []


def objects(key: Hashable, write: Callable[[], QuerySet], given: Mapping = {}) -> list[Any]:
    """The same for whole objects, of a model none of whose fields the database holds in another form than Python."""
    if key not in _models:
        _models[key] = write().model
    model = _models[key]
    names = [field.attname for field in model._meta.concrete_fields]
    found = rows(key, lambda: write().values_list(*names), given)
    return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in found]


def _written(selection: QuerySet, given: Mapping) -> Statement | None:
    try:
        return Statement(*selection.query.sql_with_params(), given)
    except EmptyResultSet:  # nothing can be found, so nothing has to be asked
        return None
