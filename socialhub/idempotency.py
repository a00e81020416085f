"""`Idempotency-Key`: a POST to the API that comes again with the same key gets the first answer, and is not done again.

What the view does and the answer that is kept are one transaction. A process that dies in between leaves neither, so
there is no lease to wait for and nothing that is half done.
"""

import hashlib

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from departments.api import bearer
from departments.problems import problem_response
from departments.tokens import living_token
from socialhub.models import IdempotencyKey

#: Answers that say nothing about the request itself: asked again later they may well be others.
PASSING = frozenset((401, 403, 408, 425, 429))


@sync_and_async_middleware
def middleware(get_response):
    if iscoroutinefunction(get_response):
        in_thread = sync_to_async(lambda request: answer(request, async_to_sync(get_response)))

        async def keyed(request):
            return await (in_thread(request) if is_keyed(request) else get_response(request))

    else:

        def keyed(request):
            return answer(request, get_response) if is_keyed(request) else get_response(request)

    return keyed


def is_keyed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.path.startswith("/api/v1/") and "Idempotency-Key" in request.headers


def answer(request: HttpRequest, get_response) -> HttpResponse:
    """The kept answer, or a new one that is kept. 409 while the first is still being worked on, 422 for another request
    under the same key; what broke (5xx) is rolled back whole, so trying again is right."""
    if not (caller := _caller(request)):
        return get_response(request)  # which says 401
    key = request.headers["Idempotency-Key"].strip()
    try:
        print_ = _fingerprint(request)
    except RequestDataTooBig:
        return problem_response(413, "That is more than five megabytes; send it in parts.")
    if not 0 < len(key) <= 200:
        return problem_response(400, "An Idempotency-Key has 1 to 200 signs.")
    with transaction.atomic():
        if not _alone(caller, key):
            return problem_response(
                409, "The first request with this Idempotency-Key is still being worked on.", {"Retry-After": "1"}
            )
        kept = IdempotencyKey.objects.fresh().filter(caller=caller, key=key).first()
        if kept:
            return _replay(kept, print_)
        response = get_response(request)
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif response.status_code not in PASSING:
            _keep(caller, key, print_, response)
        return response


def _caller(request: HttpRequest) -> str:
    """Whose key it is: a living token's or a signed-in person's, "" for nobody's. A token that was revoked in between
    gets no answer from here, kept or new."""
    if (secret := bearer(request)) is not None:
        return f"token {token.pk}" if (token := living_token(secret)) else ""
    return f"user {request.user.pk}" if request.user.is_authenticated else ""


def _fingerprint(request: HttpRequest) -> str:
    return hashlib.sha256(request.get_full_path().encode() + b"\0" + request.body).hexdigest()


def _alone(caller: str, key: str) -> bool:
    """Whether nobody else works on this key now; held until the transaction ends, however it ends."""
    number = int.from_bytes(hashlib.sha256(f"{caller} {key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return cursor.fetchone()[0]


def _keep(caller: str, key: str, print_: str, response: HttpResponse) -> None:
    IdempotencyKey.objects.stale().filter(caller=caller, key=key).delete()
    IdempotencyKey.objects.create(
        caller=caller, key=key, request_sha256=print_, status=response.status_code,
        content_type=response.get("Content-Type", "")[:100], body=response.content,
    )  # fmt: skip


def _replay(kept: IdempotencyKey, print_: str) -> HttpResponse:
    if kept.request_sha256 != print_:
        return problem_response(422, "This Idempotency-Key was used for another request.")
    response = HttpResponse(bytes(kept.body), status=kept.status, content_type=kept.content_type or None)
    response["Idempotency-Replayed"] = "true"
    return response
