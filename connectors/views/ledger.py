"""The ledger of one channel: each visit to its network, drawn and in lines, and what may be missing."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from connectors import budgets, timeline
from connectors.doors import find_for, may_inspect
from connectors.models import Channel, FetchRun
from connectors.views.shared import uuid_in, whole_or_piece
from departments.decorators import members_only

PAGE = 50
#: Which lines are shown; the first is what is shown unless asked otherwise.
SHOWN = {
    "news": "Brought something or failed",
    "all": "All visits",
    "failed": "Failed",
    "gaps": "Left a gap",
    "quarantined": "Sent something to quarantine",
}


@require_GET
@members_only
def ledger(request: HttpRequest, slug: str) -> HttpResponse:
    """`?span=` 24h, 7d or 30d of the drawing; `?show=` and `?via=` which lines; `?before=` the line after which they
    begin."""
    channel = find_for(may_inspect, request.user, slug)
    span = timeline.SPANS.get(request.GET.get("span", ""), timeline.SPANS["24h"])
    context = {
        "channel": channel,
        "line": timeline.of(channel, span, timezone.now()),
        "spans": timeline.SPANS.values(),
        "spending": budgets.spending(channel),
        **_lines(request, channel, span.code),
    }
    return render(request, whole_or_piece(request, "ledger"), context)


def _lines(request: HttpRequest, channel: Channel, span: str) -> dict:
    shows = request.GET.get("show", "")
    via = request.GET.get("via", "")
    asked = {"span": span, "show": shows if shows in SHOWN else "news", "via": via if via in FetchRun.Via else ""}
    runs = _chosen(channel.runs.all(), asked["show"])
    if asked["via"]:
        runs = runs.filter(via=asked["via"])
    if last := _line(channel, request.GET.get("before")):
        runs = runs.filter(Q(started__lt=last.started) | Q(started=last.started, pk__lt=last.pk))
    page = list(runs[: PAGE + 1])
    return {
        "runs": page[:PAGE],
        "asked": asked,
        "shown": SHOWN,
        "vias": FetchRun.Via.choices,
        "earlier": f"?{urlencode(asked | {'before': page[PAGE - 1].pk})}" if len(page) > PAGE else "",
        "newest": f"?{urlencode(asked)}" if last else "",
        "narrowed": asked["show"] != "all" or bool(asked["via"]),
    }


def _chosen(runs, shows: str):
    match shows:
        case "failed":
            return runs.filter(outcome__in=(FetchRun.Outcome.FAILED, FetchRun.Outcome.INTERRUPTED))
        case "gaps":
            return runs.exclude(gap="")
        case "quarantined":
            return runs.filter(quarantined__gt=0)
        case "news":
            return runs.telling()
    return runs


def _line(channel: Channel, given: str | None) -> FetchRun | None:
    pk = uuid_in(given)
    return channel.runs.filter(pk=pk).first() if pk else None
