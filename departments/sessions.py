"""Who is signed in, as Django keeps it, but for the one read that every page begins with."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.functions import Now

from departments import statements

#: What stands in the statement, which is written once, in place of the key.
_KEY = "somekey"


class SessionStore(db.SessionStore):
    """Sessions in the database."""

    def _get_session_from_db(self) -> Session | None:
        """The session of this key that has not ended; None when there is none, and then the key is forgotten."""
        found = statements.rows("session", _running, {_KEY: self.session_key})
        if not found:
            self._session_key = None
            return None
        return Session(*found[0])


def _running() -> QuerySet:
    running = Session.objects.filter(session_key=_KEY, expire_date__gt=Now())
    return running.values_list("session_key", "session_data", "expire_date")
