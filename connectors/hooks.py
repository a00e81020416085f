"""`POST /hooks/{channel}/`: where networks deliver. The signature is the lock, so nobody has to be signed in."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from connectors import deliveries
from connectors.errors import Forged
from departments.problems import problem_response

MEDIA = frozenset(("application/json", "application/cloudevents+json", "application/cloudevents-batch+json"))

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def hook(request: HttpRequest, slug: str) -> HttpResponse:
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
