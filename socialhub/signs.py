"""What machines ask of the house: is it well (`/healthz`), and what are its figures (`/metrics`)."""

import secrets
from datetime import timedelta

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from connectors.models import Channel, QuarantinedPost
from departments import bell
from departments.api import bearer
from departments.problems import problem_response
from inbox.models import Message, Reply
from socialhub.forms import LOOPBACK
from socialhub.models import House, Pulse

#: Beat rings every five seconds; after this long without a pulse one of the two does not live.
SILENCE = timedelta(seconds=30)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and worker and beat live; else 503 and what is wrong. The bell may be down: then
    pages and worker look by themselves, and nothing is lost."""
    signs = {"database": _database(), "worker": False, "beat": False}
    if signs["database"]:
        signs["worker"] = signs["beat"] = _pulse()
    well = all(signs.values())
    held = signs["database"] and House.objects.holds_sends()
    return JsonResponse({"ok": well, **signs, "bell": _bell(), "sends_held": held}, status=200 if well else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return True
    except Error:
        return False


def _pulse() -> bool:
    return Pulse.objects.filter(name="worker", at__gt=timezone.now() - SILENCE).exists()


def _bell() -> bool:
    try:
        return bool(bell.client().ping())
    except redis.RedisError:
        return False


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text. Figures about the whole house, none about a department or a person. For this machine, and for
    whoever shows METRICS_TOKEN as a bearer token."""
    if not (_from_here(request) or _shows_token(request)):
        return problem_response(401, "Figures need METRICS_TOKEN as a bearer token.", {"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    for name, told, value in _figures():
        Gauge(f"social_hub_{name}", told, registry=registry).set(value)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_here(request: HttpRequest) -> bool:
    """Asked from this machine itself: a proxy on it passes on what others ask, and says so."""
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"))
    return request.META.get("REMOTE_ADDR", "") in LOOPBACK and not passed_on


def _shows_token(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    return bool(token) and secrets.compare_digest((bearer(request) or "").encode(), token.encode())


def _figures():
    now = timezone.now()
    waiting = Message.objects.waiting_for_route()
    oldest = waiting.filter(history=False).values_list("received_at", flat=True).first()
    yield "messages_to_route", "Messages that wait to be routed", waiting.count()
    yield "oldest_to_route_seconds", "Age of the oldest live one", (now - oldest).total_seconds() if oldest else 0
    on_their_way = Reply.objects.on_their_way()
    yield "replies_on_their_way", "Replies not yet sent", on_their_way.count()
    yield (
        "replies_need_person",
        "Replies that somebody has to look at",
        on_their_way.filter(state="needs_person").count(),
    )
    yield "channels_in_trouble", "Channels that a person should look at", Channel.objects.in_trouble().count()
    yield "channels_late", "Channels whose look is overdue by more than an interval", Channel.objects.late(now).count()
    yield "quarantined_posts", "Posts that could not be taken in", QuarantinedPost.objects.waiting().count()
    yield "sends_held", "Whether nothing leaves until a restore is confirmed", int(House.objects.holds_sends())
    yield "up", "Whether worker and beat live", int(_pulse())
