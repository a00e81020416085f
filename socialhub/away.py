"""While the database restarts, is full, or takes no writes, the house says so and asks to come again: 503, not 500."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict

from departments.away import is_away
from departments.problems import problem_response

RETRY_AFTER = "5"  # seconds
SENTENCE = "The database does not answer or takes no writes just now. Nothing was changed; try again in a moment."


def answer(request: HttpRequest) -> HttpResponse | None:
    """503 when the exception that is being answered says that the database is away; else None. Called by the handler
    of what broke, for it hears of everything: also of what fails before a view is reached."""
    if not is_away(sys.exception()):
        return None
    if request.path.startswith(("/api/", "/hooks/")):
        return problem_response(503, SENTENCE, {"Retry-After": RETRY_AFTER})
    context = {"again": _again(request), "address": request.get_full_path()}
    page = render(None, "503.html", context, status=503)
    page["Retry-After"] = RETRY_AFTER
    return page


def _again(request: HttpRequest) -> list[tuple[str, str]]:
    """What was written, to be sent again by hand: without scripts nothing else keeps it. Only of forms with a text of
    a conversation: other forms may hold a password."""
    try:
        sent = request.POST if request.method == "POST" and not request.htmx else MultiValueDict()
    except (RequestDataTooBig, OSError, AttributeError):
        return []
    if "text" not in sent or not request.path.startswith("/inbox/c/"):
        return []
    return [(name, value) for name, values in sent.lists() for value in values]
