"""`/hooks/{channel}/`: where networks deliver (POST), and where some ask first whether the address is ours (GET). The
signature is the lock, so nobody has to be signed in."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from connectors import deliveries
from connectors.errors import Forged
from departments.problems import problem_response

MEDIA = frozenset(("application/json", "application/cloudevents+json", "application/cloudevents-batch+json"))

logger = logging.getLogger(__name__)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, slug: str) -> HttpResponse:
    """A network's question or its delivery."""
    return _shake(request, slug) if request.method == "GET" else _take(request, slug)


def _shake(request: HttpRequest, slug: str) -> HttpResponse:
    """What the network wants to hear; 403 when the question does not prove that it comes from there."""
    try:
        answer = deliveries.shake(slug, request.GET.dict())
    except Forged as error:
        logger.info("A question to %s was not answered: %s.", slug, error.detail)
        return problem_response(403, "Nobody whom this address knows asked this.")
    return HttpResponse(answer, content_type="application/json" if answer.startswith("{") else "text/plain")


def _take(request: HttpRequest, slug: str) -> HttpResponse:
    """200 once the delivery is kept, whether for the first time or again; 401 when nobody whom we know signed it; 413
    for more than `deliveries.LARGEST`; 415 for what is not JSON."""
    if (body := _body(request)) is None:
        return problem_response(413, f"A delivery holds up to {deliveries.LARGEST:,} bytes; send it in parts.")
    if request.content_type not in MEDIA:
        return problem_response(415, f"A delivery is one of {', '.join(sorted(MEDIA))}.")
    try:
        is_new = deliveries.receive(slug, request.headers, body)
    except Forged as error:
        logger.info("A delivery to %s was not taken: %s.", slug, error.detail)
        return problem_response(401, "The delivery is not signed by anybody whom this address knows.")
    return JsonResponse({"status": "kept" if is_new else "known"})


def _body(request: HttpRequest) -> bytes | None:
    """The very bytes; None when there are too many of them."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > deliveries.LARGEST:
        return None
    body = request.read(deliveries.LARGEST + 1)
    return None if len(body) > deliveries.LARGEST else body
