"""What the house asks of a PostgreSQL that the operator names: said in a sentence before anything is changed in it."""

from collections.abc import Iterator

from django.db import connection

LEAST = 15
EXTENSIONS = ("pg_trgm", "unaccent")


def complaints() -> Iterator[str]:
    """A sentence for each thing because of which this server or this database does not serve."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')")
        version, encoding = cursor.fetchone()
        cursor.execute("SELECT * FROM pg_database WHERE datname = current_database()")
        database = dict(zip([column.name for column in cursor.description], cursor.fetchone(), strict=True))
        cursor.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(EXTENSIONS)])
        there = {name for (name,) in cursor.fetchall()}
    yield from complaints_about(version, encoding, letters(database), there)


def letters(database: dict) -> str:
    """The locale that says what a letter is, whichever provider of locales it comes from."""
    if database.get("datlocprovider", "c") == "c":
        return database["datctype"]
    # The column was renamed in PostgreSQL 17.
    return database.get("datlocale") or database.get("daticulocale") or ""


def complaints_about(version: int, encoding: str, letters: str, extensions: set[str]) -> Iterator[str]:
    if version < LEAST:
        yield f"The server of DATABASE_URL is PostgreSQL {version}; Social Hub needs {LEAST} or newer."
    if encoding != "UTF8":
        yield f"The database is in {encoding}; make one in UTF-8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
    if letters in ("", "C", "POSIX"):
        yield (
            "The database knows the letters of English alone (LC_CTYPE C), so search would not work; make one with "
            "LOCALE 'C.UTF-8' TEMPLATE template0."
        )
    if missing := [name for name in EXTENSIONS if name not in extensions]:
        yield f"The server lacks {', '.join(missing)}: install PostgreSQL's contrib package."
