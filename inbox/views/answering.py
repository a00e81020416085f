"""How a door answers what was asked of it: a piece to htmx, a way back to a plain form, and a message that can be
undone."""

import json

from django.contrib import messages
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme


def is_piece(request: HttpRequest) -> bool:
    """Whether only a piece of the page was asked for."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def tell(request: HttpRequest, text: str, *, undo_url: str = "", refused: bool = False) -> None:
    """A message for the person; where Undo posts to travels with it."""
    if text:
        request.toast = {"text": text, "undo_url": undo_url, "kind": "refused" if refused else "done"}
        messages.add_message(request, messages.ERROR if refused else messages.SUCCESS, text, extra_tags=undo_url)


def piece(request: HttpRequest, html: str, *, status: int = 200) -> HttpResponse:
    """A piece for htmx, with the messages beside it when the piece did not draw them itself."""
    if not get_messages(request).used:
        html += render_to_string("_toasts.html", {"oob": True}, request=request)
    response = HttpResponse(html, status=status)
    if toast := getattr(request, "toast", None):
        response["HX-Trigger"] = json.dumps({"toast": toast})
    return response


def unchanged(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    """Nothing on the page is to be replaced but the messages; rows refresh when the bell rings."""
    response = piece(request, "", status=status)
    response["HX-Reswap"] = "none"
    return response


def way_back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To where the form said (`next`, an address of ours), else there."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if ours else otherwise)
