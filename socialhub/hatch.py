"""The hatch: what programs ask all day long is handed out here, without a walk through the whole house.

A short answer costs the framework's way (middleware, sessions, the API framework) several times what it costs to make.
So a plain GET with a token goes another way round: the same token, the same read (inbox/reads.py), the same headers,
one visit to a thread. Whatever is not plain is not answered here but goes the ordinary way, which says 401, 403, 404,
and what is wrong: there is no refusal that only the hatch knows.
"""

import logging
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from uuid import UUID

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation, ValidationError
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve
from django.utils.cache import get_conditional_response

from departments.api import as_json, bearer
from departments.models import ApiToken
from departments.tokens import living_token
from inbox import reads
from socialhub import journal
from socialhub.middleware import never_stored

logger = logging.getLogger(__name__)

#: The routes that are served, and what is read for them.
SERVED = {
    "api-queue-items": reads.queue,
    "api-conversation-detail": reads.conversation,
    "api-conversation-messages": reads.messages,
}
PLACES = ("/api/v1/queues/", "/api/v1/conversations/")
#: Headers that make a request one of those for which the ordinary way is there.
UNUSUAL = frozenset((b"cookie", b"content-length", b"transfer-encoding", b"if-match", b"if-unmodified-since", b"range"))


def is_plain(scope: Mapping) -> bool:
    """Whether this may be handed out here, as far as can be told before anybody has read it."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PLACES):
        return False
    given = dict(scope["headers"])
    return b"authorization" in given and not UNUSUAL & given.keys() and _takes_json(given.get(b"accept", b"*/*"))


def _takes_json(accept: bytes) -> bool:
    return (b"*/*" in accept or b"application/json" in accept) and b"indent" not in accept


def hand_out(scope: Mapping) -> HttpResponse | None:
    """The answer; None when it has to come the ordinary way."""
    request = ASGIRequest(scope, BytesIO())
    began = journal.begin(request)
    try:
        response = answer(request)
    except (BadRequest, SuspiciousOperation, Http404, ValidationError, DatabaseError):
        return None
    except Exception:
        logger.exception("The hatch failed; the answer goes the ordinary way.")
        return None
    return response and journal.finish(request, response, began)


def answer(request: HttpRequest) -> HttpResponse | None:
    """The same without a line in the log."""
    address, match = request.build_absolute_uri(), resolve(request.path_info)
    read = SERVED.get(match.url_name)
    if read is None or "format" in request.GET or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
        return None
    token = living_token(bearer(request) or "")
    if token is None or ApiToken.Scope.READ not in token.scopes:
        return None
    request.resolver_match, token.user.token = match, token
    journal.remember(token.user)
    asked = {name: UUID(value) if name == "pk" else value for name, value in match.kwargs.items()}
    found = read(token.user, address, request.GET, **asked)
    return found and _answered(request, found)


def _answered(request: HttpRequest, found: reads.Read) -> HttpResponse | None:
    """304 when what the caller knows is what the answer would say: the rows are only read for another one."""
    if "If-None-Match" in request.headers:
        mark = found.mark()
        if mark is None or (known := _unchanged(request, mark)):
            return mark and known
    made = found.answer()
    return made and _dressed(request, HttpResponse(as_json(made.body), content_type="application/json"), made.mark)


def _unchanged(request: HttpRequest, mark: str) -> HttpResponse | None:
    response = get_conditional_response(request, mark)
    return response and _dressed(request, response, mark)


def _dressed(request: HttpRequest, response: HttpResponse, mark: str) -> HttpResponse:
    response.headers["ETag"] = mark
    for name, value in _of_every_answer(request.scheme):
        response.headers[name] = value
    if response.content:
        response.headers["Content-Length"] = str(len(response.content))
    return response


@cache
def _of_every_answer(scheme: str) -> tuple[tuple[str, str], ...]:
    """The headers that the ordinary way puts on every answer with a mark, as its own middleware does it."""
    request = ASGIRequest({"method": "GET", "path": "/", "headers": [], "scheme": scheme}, BytesIO())
    response = HttpResponse(headers={"ETag": "", "Vary": reads.VARY})
    for middleware in (never_stored, XFrameOptionsMiddleware, CSPMiddleware, SecurityMiddleware):
        response = middleware(lambda _, before=response: before)(request)
    return tuple((name, value) for name, value in response.items() if name not in ("Content-Type", "ETag"))
