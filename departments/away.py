"""Whether the database is away: restarting, full, or taking no writes just now. Then trying later is right."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, InterfaceError, InternalError, OperationalError

READ_ONLY = "25006"


def is_away(error: BaseException | None) -> bool:
    """Whether the same may go well later: the line broke, there is no room, or it only reads just now. What the
    database refuses for its own reasons (a rule of its tables, words it can not read) is not of that kind."""
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", None) == READ_ONLY
    return isinstance(error, OperationalError | InterfaceError)


@contextmanager
def may_wait() -> Iterator[None]:
    """For what a reader writes in passing, as that a thing was read: while the database is away, reading goes on."""
    try:
        yield
    except Error as error:
        if not is_away(error):
            raise
