"""Many rows in one statement. They go over as one JSON list, and the database makes rows of it: to make an instance of
a model for each, and to prepare its twenty values one by one, costs several times what it costs to write them.

The keys of a row are names of columns. What is the same in all rows is given once, as `same`; what is not given is what
the model says of new rows, but for their key. Values may be what JSON knows, and whatever is read back from its `str`:
times, ids. Nothing is checked but by the database.
"""

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connection, models
from django.db.models.functions import Cast

Row = Mapping[str, Any]


def insert(model: type[models.Model], rows: Sequence[Row], *, same: Row | None = None, unless_there=False) -> None:
    """Store these rows, which all have the same keys, in their order. With `unless_there`, what a unique key of the
    table holds already is left as it is."""
    if not rows:
        return
    names = tuple(rows[0])
    same = _defaults(model, names) | dict(same or {})
    statement = (
        f"INSERT INTO {model._meta.db_table} ({_listed([*same, *names])})"
        f" SELECT {', '.join([*_typed(model, tuple(same)), *(f'given.{_quoted(name)}' for name in names)])}"
        f" FROM {_given(model, names)}{' ON CONFLICT DO NOTHING' if unless_there else ''}"
    )
    _run(statement, [*_values(model, same), as_json(rows)])


def update(model: type[models.Model], rows: Sequence[Row], *, same: Row | None = None) -> None:
    """Set what these rows say, each in the stored row of its `id`. Who may not meet others in a circle has locked them
    before."""
    if not rows:
        return
    same, names = same or {}, tuple(rows[0])
    table = model._meta.db_table
    told = [f"{_quoted(name)} = given.{_quoted(name)}" for name in names if name != "id"]
    told += [f"{_quoted(name)} = {value}" for name, value in zip(same, _typed(model, tuple(same)), strict=True)]
    statement = f"UPDATE {table} SET {', '.join(told)} FROM {_given(model, names)} WHERE {table}.id = given.id"
    _run(statement, [*_values(model, same), as_json(rows)])


def new_ids(many: int) -> list[str]:
    """So many new ids (UUIDs, version 7), as text: their class would take longer to make than the rest of a row. Each
    begins with the time to a quarter of a microsecond and is greater than the last, so that what comes together lies
    together in every index; 62 bits of each are drawn."""
    global _latest
    first = max(_latest + 1, time.time_ns() * 4096 // 1_000_000)
    _latest = first + many - 1
    drawn = os.urandom(8 * many).hex()
    return [_id(first + place, drawn[16 * place : 16 * place + 16]) for place in range(many)]


def new_id() -> str:
    return new_ids(1)[0]


def _id(at: int, drawn: str) -> str:
    told = f"{at:015x}"
    return f"{told[:12]}7{told[12:]}{_VARIANT[drawn[0]]}{drawn[1:]}"


_latest = 0
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def id_of(path: str) -> Cast:
    """An id as it is read as text, for the same reason: `.annotate(talk=id_of("conversation_id"))`."""
    return Cast(path, models.TextField())


def as_json(values: Any) -> str:
    """These values as JSON, to be handed to the database."""
    return orjson.dumps(values, default=str).decode()


@models.ForeignKey.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """`key__among=[…]` is `key__in=[…]` for many values: one value on the way, and always looked up one by one in the
    index, whatever the planner believes of a table that an import is just filling."""

    lookup_name = "among"
    prepare_rhs = False
    rhs: Collection

    def as_sql(self, compiler, connection):
        column, given = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection).partition("(")[0]
        wanted = f"ARRAY(SELECT json_array_elements_text(%s)::{kind})"
        return f"{column} = ANY({wanted})", [*given, as_json([*self.rhs])]


def _run(statement: str, values: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _given(model: type[models.Model], names: tuple[str, ...]) -> str:
    kinds = ", ".join(f"{_quoted(name)} {kind}" for name, kind in zip(names, _kinds(model, names), strict=True))
    return f"json_to_recordset(%s) AS given({kinds})"


def _typed(model: type[models.Model], names: tuple[str, ...]) -> list[str]:
    return [f"%s::{kind}" for kind in _kinds(model, names)]


@cache
def _kinds(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(model._meta.get_field(name).db_type(connection) for name in names)


def _defaults(model: type[models.Model], names: tuple[str, ...]) -> dict[str, Any]:
    """What the model says of new rows, where the database would not say so itself."""
    fields = (each for each in model._meta.concrete_fields if not (each.primary_key or each.has_db_default()))
    new = {field.column: field.get_default() for field in fields if field.column not in names}
    return {name: value for name, value in new.items() if value is not None}


def _values(model: type[models.Model], same: Row) -> list:
    return [_value(model._meta.get_field(name), value) for name, value in same.items()]


def _value(field: models.Field, value: Any) -> Any:
    return as_json(value) if isinstance(field, models.JSONField) else value


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
