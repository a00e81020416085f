"""What the processes write down: one line per event, with ids and small words, never what people wrote or a secret.

Our own loggers say constant sentences with ids in them. Of the loggers of libraries the sentence is kept and what they
put into it is not: it may be an address with a token, or a row of the database. An exception is told by its kind and
the places it went through; its message is left out, for it may quote what it choked on.
"""

import logging
import re
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars
from structlog.processors import JSONRenderer

from connectors.errors import ConnectorError

OURS = ("departments", "connectors", "inbox", "routing", "socialhub")
#: A request that was given an id by a proxy keeps it, if it looks like one.
GIVEN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LONGEST_WAY = 12  # places of an exception's way; the last ones tell most
#: What PostgreSQL's client says of a broken line, which has no code. Nothing else of its message is kept.
BROKEN_LINES = (
    "connection refused", "timeout expired", "starting up", "shutting down", "recovery mode", "closed the connection",
    "too many clients", "password authentication failed", "no such file", "could not translate host name",
    "connection already closed", "no route to host", "no space left", "ssl",
)  # fmt: skip
logger = logging.getLogger("socialhub.requests")


# The lines --------------------------------------------------------------------------------------------------------


def configuration(form: str, level: str) -> dict:
    """Django's LOGGING: our own loggers at `level`, those of libraries from WARNING, all of them as one line each."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line, "form": form}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {name: {"level": level} for name in OURS}
        # They bring handlers of their own, with the whole message and all that stands in it.
        | {name: {"level": "WARNING", "handlers": [], "propagate": True} for name in LOUD}
        | {"django.request": {"level": "ERROR"}},
    }


LOUD = ("celery", "celery.task", "celery.redirected", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi",
        "django", "django.server")  # fmt: skip


class Line(logging.Formatter):
    """A record as one line: an object of JSON, or words for a person."""

    def __init__(self, form: str):
        super().__init__()
        self.render = JSONRenderer(ensure_ascii=False) if form == "json" else words

    def format(self, record: logging.LogRecord) -> str:
        return self.render(None, "", line(record))


def line(record: logging.LogRecord) -> dict:
    """Level, who says it, the sentence, whom it is about, and how an exception came about."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    told = {"at": at, "level": record.levelname.lower(), "logger": record.name, "event": sentence(record)}
    context = get_contextvars()
    told |= {name: context[name] for name in KEPT if name in context} | getattr(record, "facts", {})
    if record.exc_info and record.exc_info[1] is not None:
        told["exception"] = list(in_words(record.exc_info[1]))
    return told


def words(_, __, told: dict) -> str:
    """The same for a terminal or a file that a person reads."""
    ways = "".join(f"\n    {place}" for place in told.pop("exception", ()))
    head = f"{told.pop('at')} {told.pop('level').upper():7} {told.pop('logger')}: {told.pop('event')}"
    return " ".join([head, *(f"{name}={value}" for name, value in told.items())]) + ways


#: What the context of a line may hold: ids and names of things of the house.
KEPT = ("request", "user", "channel", "stroke")


def sentence(record: logging.LogRecord) -> str:
    """The record's message; a library's without anything it put in but numbers."""
    if record.name.split(".")[0] in OURS:
        return record.getMessage()
    if record.name in SENTENCES:
        return SENTENCES[record.name]
    if record.name == "py.warnings" and (found := WARNED.match(record.getMessage())):
        return f"Python warned: {found[2]} at {_short(found[1])}"
    words = str(record.msg).split("\n")[0]
    if not record.args:
        return words
    given = record.args.values() if isinstance(record.args, dict) else record.args
    left = [str(each) if isinstance(each, (int, float)) else "…" for each in given]
    return f"{words} ({', '.join(left)})" if any(each != "…" for each in left) else words


#: Loggers whose message is nothing but what was put into it.
SENTENCES = {
    "django.request": "A request was answered with an error",
    "django.security.DisallowedHost": "A request named a host that is not in HOSTS",
    "django.security.csrf": "A form was refused without its CSRF token",
    "asyncio": "Something that nobody waited for has failed",
    "celery.app.trace": "A stroke of the bell has failed",
}
#: How Python puts a warning: where, of which kind; then come its words, which may quote anything.
WARNED = re.compile(r"(\S+:\d+): (\w+):")


# Exceptions -------------------------------------------------------------------------------------------------------


def in_words(error: BaseException) -> Iterator[str]:
    """An exception and what it came from: kinds and places, the innermost last. No message, no values."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{type(error).__module__}.{type(error).__qualname__}{why(error)}"
        way = traceback.extract_tb(error.__traceback__)
        yield from (f"  {_short(place.filename)}:{place.lineno} in {place.name}" for place in way[-LONGEST_WAY:])
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def why(error: BaseException) -> str:
    """What of an exception's message is certainly ours, or a word of the system's."""
    if isinstance(error, ImproperlyConfigured | ConnectorError):
        return f": {getattr(error, 'sentence', error)}"
    if isinstance(error, DatabaseError) or hasattr(error, "pgcode"):
        return f" ({of_database(error)})"
    if isinstance(error, OSError) and error.errno:
        return f": {error.strerror if type(error.strerror) is str and len(error.strerror) < 60 else error.errno}"
    return ""


def of_database(error: BaseException) -> str:
    """PostgreSQL's code and the names of what was meant. Its messages quote whole rows."""
    source = getattr(error, "__cause__", None) or error
    diagnosis = getattr(source, "diag", None)
    names = [getattr(diagnosis, name, None) for name in ("sqlstate", "table_name", "column_name", "constraint_name")]
    if told := " ".join(filter(None, names)):
        return told
    words = str(error).lower()
    return next((line for line in BROKEN_LINES if line in words), "no code")


def _short(file: str) -> str:
    return re.sub(r".*/(?:site-packages|python3\.\d+)/", "", file)


# Requests ---------------------------------------------------------------------------------------------------------


@sync_and_async_middleware
def requests(get_response):
    """Every request gets an id, which its lines carry and its answer tells (`X-Request-ID`), and one line."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            began = begin(request)
            return finish(request, await get_response(request), began)

    else:

        def middleware(request):
            began = begin(request)
            return finish(request, get_response(request), began)

    return middleware


def begin(request: HttpRequest) -> float:
    clear_contextvars()
    given = request.headers.get("X-Request-ID", "")
    request.id = given if GIVEN_ID.fullmatch(given) else str(uuid4())
    bind_contextvars(request=request.id)
    return time.perf_counter()


def finish(request: HttpRequest, response: HttpResponse, began: float) -> HttpResponse:
    response["X-Request-ID"] = request.id
    if not request.path.startswith(("/static/", "/healthz")):
        facts = {
            "method": request.method if request.method in METHODS else "other",
            "route": request.resolver_match.route if request.resolver_match else "",
            "status": response.status_code,
            "ms": round((time.perf_counter() - began) * 1000),
        }
        logger.info("request", extra={"facts": facts})
    return response


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def remember(user) -> None:
    """From here on, lines of this request tell who asked: by id."""
    bind_contextvars(user=str(user.pk))
