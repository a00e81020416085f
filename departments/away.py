"""Whether the database is away: restarting, full, or taking no writes just now. Then trying later is right."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, InterfaceError, InternalError, OperationalError

READ_ONLY = "25006"
#: Classes of PostgreSQL's codes: the line, a turn lost to others, resources, somebody stepping in, the disk itself. Not
#: among them: 54, a row that is too large for an index, which stays so.
PASSING = ("08", "40", "53", "55", "57", "58")


def is_away(error: BaseException | None) -> bool:
    """Whether the same may go well later: the line broke, there is no room, or it only reads just now. What the
    database refuses for its own reasons (a rule of its tables, words it can not read) is not of that kind."""
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    if code is None:  # the line itself is broken
        return not isinstance(error, InternalError)
    return code == READ_ONLY or code[:2] in PASSING


@contextmanager
def may_wait() -> Iterator[None]:
    """For what a reader writes in passing, as that a thing was read: while the database is away, reading goes on."""
    try:
        yield
    except Error as error:
        if not is_away(error):
            raise
