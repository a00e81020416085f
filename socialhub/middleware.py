"""What every request passes: the door, the person's clock, and nothing of it kept by browsers or proxies.

Each works for sync and async views alike; the questions they ask of the database run where that is allowed.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from urllib.parse import urlencode

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django_htmx.http import HttpResponseClientRedirect

from departments.away import may_wait
from departments.models import User
from socialhub import journal

#: Addresses that people who are not signed in may ask for. Each has a lock of its own, or nothing to hide.
OPEN = (
    "/sign-in/",
    "/welcome/",
    "/choose-password/",
    "/static/",
    "/healthz",
    "/metrics",
    "/hooks/",
    "/api/",
    "/favicon.ico",
)
MINUTE = timedelta(minutes=1)


def before(ask: Callable[[HttpRequest], HttpResponse | None]):
    """A middleware out of a question that is asked before the view; what it answers stands instead of the page."""

    @sync_and_async_middleware
    @wraps(ask)
    def middleware(get_response):
        if iscoroutinefunction(get_response):
            asked = sync_to_async(ask)

            async def door(request):
                answer = await asked(request)
                return await get_response(request) if answer is None else answer

        else:

            def door(request):
                answer = ask(request)
                return get_response(request) if answer is None else answer

        return door

    return middleware


@before
def signed_in_only(request: HttpRequest) -> HttpResponse | None:
    """Every page needs somebody who is signed in, but for those that are named in `OPEN`. Who is not learns nothing
    from an address: one that exists and one that does not lead to the same door."""
    if request.path.startswith(OPEN) or request.user.is_authenticated:
        return None
    if request.htmx:
        return HttpResponseClientRedirect(_door(request.htmx.current_url_abs_path or ""))
    return redirect(_door(request.get_full_path() if request.method == "GET" else ""))


def _door(back: str) -> str:
    """The sign-in page, and where to go from there."""
    door = resolve_url(settings.LOGIN_URL)
    return f"{door}?{urlencode({'next': back})}" if back not in ("", "/") else door


@before
def time_zone_of_the_person(request: HttpRequest) -> None:
    """Times on the page stand in the person's own zone; once a minute it is noted that they are here."""
    if not request.user.is_authenticated:
        timezone.deactivate()
        return
    timezone.activate(request.user.time_zone)
    journal.remember(request.user)
    _seen(request.user)


def _seen(user: User) -> None:
    now = timezone.now()
    if user.last_seen_at is None or user.last_seen_at < now - MINUTE:
        late = Q(last_seen_at=None) | Q(last_seen_at__lt=now - MINUTE)
        with may_wait():
            User.objects.filter(late, pk=user.pk).update(last_seen_at=now)


@sync_and_async_middleware
def never_stored(get_response):
    """Nothing that a person saw stays behind in a cache: the back button asks again whether they still may see it. What
    has a mark (`ETag`) may be kept by whoever asked, to ask again whether it still holds. Static files never come here;
    WhiteNoise answers before."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            return _unstored(await get_response(request))

    else:

        def middleware(request):
            return _unstored(get_response(request))

    return middleware


def _unstored(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache" if "ETag" in response else "private, no-store"
    return response
