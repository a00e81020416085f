"""The list of channels and the page of one, and what people press there."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connectors import actions, budgets, clock, configuration, connecting, guides, registry, timeline, trouble
from connectors.doors import find, find_for, may_configure, may_inspect, may_steer
from connectors.errors import Forged, Misconfigured, WrongKey
from connectors.models import Channel, FetchRun, QuarantinedPost
from connectors.pulse import pulses
from connectors.views.connecting import signs_in
from connectors.views.shared import uuid_in, whole_or_piece
from departments.access import rights
from departments.decorators import members_only

PAGE = 30
LINES = 8  # of the ledger, on the channel's own page
VERBS = {
    "pause": (actions.pause, "{} is paused. What goes out still goes out."),
    "resume": (actions.resume, "{} is read again, from where it stopped."),
    "freeze": (actions.freeze, "Nothing leaves through {} any more. Replies that wait keep waiting."),
    "thaw": (actions.thaw, "Replies leave through {} again."),
    "poll": (actions.poll_now, "{} is looked at now."),
}


@require_GET
@members_only
def channels(request: HttpRequest) -> HttpResponse:
    """Every channel that the person may know of, and how it is."""
    found = list(Channel.objects.visible_to(request.user).with_people())
    beats = pulses([each.pk for each in found], timezone.now())
    rows = [{"channel": each, "pulse": beats[each.pk], "watchers": _watchers(each)} for each in found]
    context = {"rows": rows, "configures": may_configure(rights(request.user))}
    return render(request, whole_or_piece(request, "channels"), context)


@require_GET
@members_only
def channel(request: HttpRequest, slug: str) -> HttpResponse:
    """One channel: how it is, what it did, what it could not read."""
    found, held = find(request.user, slug), rights(request.user)
    context = {
        "channel": found,
        "pulse": pulses([found.pk], timezone.now())[found.pk],
        "pace": _pace(found),
        "configures": may_configure(held),
        "steers": may_steer(held),
        "inspects": may_inspect(held),
        "trouble": trouble.of(found) if may_inspect(held) else None,
        "signs_in": signs_in(found),
        "guided": found.network in guides.there_are(),
    }
    if may_inspect(held):
        context |= _lately(found) | _quarantine(request, found) | _hook(request, found)
        context["told"] = _told(found)
    return render(request, whole_or_piece(request, "channel"), context)


@require_POST
@members_only
def verb(request: HttpRequest, slug: str, verb: str) -> HttpResponse:
    """Pause, resume, freeze, thaw, poll now."""
    found = find_for(may_steer, request.user, slug)
    if verb not in VERBS:
        raise Http404
    act, said = VERBS[verb]
    try:
        act(found, by=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, said.format(found))
    return redirect("channel", slug=slug)


@require_POST
@members_only
def replay(request: HttpRequest, slug: str) -> HttpResponse:
    """Have one post, or all that wait in quarantine, tried again."""
    found = find_for(may_configure, request.user, slug)
    if "deliveries" in request.POST:
        number = actions.read_again(found, by=request.user)
        said = "1 delivery is" if number == 1 else f"{number} deliveries are"
        messages.success(request, f"{said} read again now." if number else "Nothing was set aside.")
        return redirect("channel", slug=slug)
    waiting = QuarantinedPost.objects.all()
    if post := request.POST.get("post"):
        waiting = waiting.filter(pk=uuid_in(post))
    asked = actions.ask_replay(found, waiting, by=request.user)
    posts = "1 post is" if asked == 1 else f"{asked} posts are"
    messages.success(request, f"{posts} tried again now." if asked else "Nothing waits to be tried again.")
    return redirect("channel", slug=slug)


# What a page is made of -----------------------------------------------------------------------------------------


def _pace(channel: Channel) -> clock.Pace | None:
    """How often the channel is looked at; None when it is not, by itself."""
    if channel.next_poll_at is None:
        return None
    return clock.pace(channel.poll_seconds, list(channel.runs.began()[: clock.LATELY + 1]))


def _watchers(channel: Channel) -> list:
    """Departments that monitor the channel and do not speak through it."""
    speakers = set(channel.speakers.all())
    return [each for each in channel.monitors.all() if each not in speakers]


def _lately(channel: Channel) -> dict:
    """The last day, drawn, and the last visits that tell something; all the others stand in the ledger."""
    runs = list(channel.runs.telling()[:LINES])
    return {
        "line": timeline.of(channel, timeline.SPANS["24h"], timezone.now()),
        "runs": runs,
        "said": next((run.detail for run in runs if run.outcome == FetchRun.Outcome.FAILED), ""),
        "spending": budgets.spending(channel),
        "estimate": _estimate(channel),
        "tried": connecting.last_tried(channel),
    }


def _estimate(channel: Channel) -> str:
    try:
        return registry.connector_class(channel.network).estimate(channel.settings)
    except Misconfigured:
        return ""


def _quarantine(request: HttpRequest, channel: Channel) -> dict:
    waiting = channel.quarantine.waiting()
    return {"quarantine": waiting.described()[:PAGE], "waiting": waiting.count()}


def _hook(request: HttpRequest, channel: Channel) -> dict:
    """Where to deliver, how many secrets are good, and how deliveries fare."""
    try:
        if not channel.offers.hooks:
            return {}
        credentials, ours = channel.credentials, signs_with_ours(channel)
    except (Misconfigured, WrongKey):
        return {}
    return {
        "hook": request.build_absolute_uri(reverse("hook", args=[channel.slug])),
        "ours": ours,
        "secrets": len(credentials.get("secret", "").split()),
        "refusal_todo": Forged.todo,
        "delivered": channel.deliveries.defer("body").order_by("-received_at").first(),
        "unread": channel.deliveries.waiting().count(),
        "set_aside": channel.deliveries.set_aside()[:PAGE],
    }


def signs_with_ours(channel: Channel) -> bool:
    """Whether deliveries are signed with a secret that we make; else the network signs with one of its own."""
    return any(each.name == "secret" for each in registry.connector_class(channel.network).secrets)


def _told(channel: Channel) -> list[tuple[str, object]]:
    """The settings in words; credentials are never among them."""
    try:
        asked = configuration.asked(registry.connector_class(channel.network))
    except Misconfigured:
        return list(channel.settings.items())
    said = {each.label: channel.settings.get(each.name, each.default) for each in asked}
    return [(label, "yes" if value is True else value) for label, value in said.items() if value]
