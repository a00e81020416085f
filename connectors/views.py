"""The doors to channels: find, check, call one verb, answer."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors import actions, clock, configuration, registry
from connectors.doors import find, find_for, may_configure, may_inspect, may_steer
from connectors.errors import Misconfigured, WrongKey
from connectors.forms import ChannelForm, ConnectForm, NewChannelForm, grouped
from connectors.models import Channel, FetchRun, QuarantinedPost
from connectors.pulse import pulses
from departments.access import rights
from departments.decorators import admins_only, members_only

PAGE = 30
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
    return render(request, _whole_or_piece(request, "channels"), context)


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
    }
    if may_inspect(held):
        context |= _ledger(request, found) | _quarantine(request, found) | _hook(request, found)
        context["told"] = _told(found)
    return render(request, _whole_or_piece(request, "channel"), context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@admins_only
def new(request: HttpRequest) -> HttpResponse:
    """Choose a network, then say what it asks."""
    if "network" not in request.GET:
        return render(request, "connectors/networks.html", {"networks": [_shown(each) for each in registry.networks()]})
    network = _network(request.GET["network"])
    form = NewChannelForm(request.POST or None, network=network)

    def open_it(**said):
        return actions.open_channel(network=network.network, by=request.user, **grouped(said))

    if request.method == "POST" and form.carry_out(open_it):
        messages.success(request, f"{form.result} is open. What it finds appears within moments.")
        return redirect("channel", slug=form.result.slug)
    return render(request, "connectors/channel_edit.html", {"form": form, "network": _shown(network)})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Another name, other settings, other departments."""
    found = find(request.user, slug)
    network = _network(found.network)
    form = ChannelForm.of(found, network, request.POST or None)
    if request.method == "POST" and form.carry_out(_change(found, request.user)):
        messages.success(request, f"{form.result} is changed.")
        return redirect("channel", slug=slug)
    context = {"form": form, "network": _shown(network), "channel": found}
    if network.secrets:
        context["connect"] = ConnectForm(network=network)
    return render(request, "connectors/channel_edit.html", context)


@require_POST
@sensitive_post_parameters()
@admins_only
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """New credentials for a channel whose network does not accept the old ones."""
    found = find(request.user, slug)
    network = _network(found.network)
    form = ConnectForm(request.POST, network=network)

    def connect_it(**said):
        return actions.connect_again(found, credentials=grouped(said)["credentials"], by=request.user)

    if form.carry_out(connect_it):
        messages.success(request, f"{found} is connected again.")
        return redirect("channel", slug=slug)
    context = {"form": ChannelForm.of(found, network), "network": _shown(network), "channel": found, "connect": form}
    return render(request, "connectors/channel_edit.html", context)


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
        waiting = waiting.filter(pk=_uuid(post))
    asked = actions.ask_replay(found, waiting, by=request.user)
    posts = "1 post is" if asked == 1 else f"{asked} posts are"
    messages.success(request, f"{posts} tried again now." if asked else "Nothing waits to be tried again.")
    return redirect("channel", slug=slug)


@require_POST
@sensitive_post_parameters()
@admins_only
def make_secret(request: HttpRequest, slug: str) -> HttpResponse:
    """A new signing secret, shown this once; or the older ones retired."""
    found = find(request.user, slug)
    try:
        if "retire" in request.POST:
            actions.retire_secrets(found, by=request.user)
            messages.success(request, f"Only the newest secret of {found} is good now.")
        else:
            secret = actions.make_secret(found, by=request.user)
            return render(request, "connectors/secret.html", {"channel": found, "secret": secret})
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    return redirect("channel", slug=slug)


# What a page is made of -----------------------------------------------------------------------------------------


def _pace(channel: Channel) -> clock.Pace | None:
    """How often the channel is looked at; None when it is not, by itself."""
    if channel.next_poll_at is None:
        return None
    return clock.pace(channel.poll_seconds, list(channel.runs.began()[: clock.LATELY + 1]))


def _whole_or_piece(request: HttpRequest, name: str) -> str:
    """The page, or only what changes in it, drawn from the same piece."""
    return f"connectors/_{name}.html" if request.htmx else f"connectors/{name}.html"


def _network(code: str):
    try:
        return registry.connector_class(code)
    except Misconfigured:
        raise Http404 from None


def _watchers(channel: Channel) -> list:
    """Departments that monitor the channel and do not speak through it."""
    speakers = set(channel.speakers.all())
    return [each for each in channel.monitors.all() if each not in speakers]


def _shown(network) -> dict[str, str]:
    """What pages say of a network. Templates would call the class itself."""
    return {"code": network.network, "name": network.name}


def _change(channel: Channel, user):
    @transaction.atomic
    def change(*, speakers, monitors, **said):
        parts = grouped(said)
        # A setting that the form does not ask for stays as it was.
        kept = {name: value for name, value in channel.settings.items() if f"settings.{name}" not in said}
        if _others(channel, speakers, monitors):
            actions.set_departments(channel, speakers=speakers, monitors=monitors, by=user)
        return actions.change_channel(channel, name=parts["name"], settings=kept | parts["settings"], by=user)

    return change


def _others(channel: Channel, speakers, monitors) -> bool:
    return set(speakers) != set(channel.speakers.all()) or set(monitors) != set(channel.monitors.all())


def _ledger(request: HttpRequest, channel: Channel) -> dict:
    """A page of the ledger; `?before=` is the line after which it begins. Quiet visits are left out unless asked
    for."""
    runs, everything = channel.runs.all(), request.GET.get("visits") == "all"
    if not everything:
        runs = runs.exclude(outcome=FetchRun.Outcome.OK, read=0, gap="")
    if last := _one_of(channel.runs, request.GET.get("before")):
        runs = runs.filter(Q(started__lt=last.started) | Q(started=last.started, pk__lt=last.pk))
    page = list(runs[: PAGE + 1])
    more = {"before": page[PAGE - 1].pk} if len(page) > PAGE else {}
    here = {"visits": "all"} if everything else {}
    return {
        "runs": page[:PAGE],
        "everything": everything,
        "earlier": f"?{urlencode(here | more)}" if more else "",
        "is_first": last is None,
    }


def _quarantine(request: HttpRequest, channel: Channel) -> dict:
    waiting = channel.quarantine.waiting()
    return {"quarantine": waiting.described()[:PAGE], "waiting": waiting.count()}


def _hook(request: HttpRequest, channel: Channel) -> dict:
    """Where to deliver, how many secrets are good, and how deliveries fare."""
    try:
        if not channel.offers.hooks:
            return {}
        secrets = len(channel.credentials.get("secret", "").split())
    except (Misconfigured, WrongKey):
        return {}
    return {
        "hook": request.build_absolute_uri(reverse("hook", args=[channel.slug])),
        "secrets": secrets,
        "delivered": channel.deliveries.defer("body").order_by("-received_at").first(),
        "unread": channel.deliveries.waiting().count(),
        "set_aside": channel.deliveries.set_aside()[:PAGE],
    }


def _told(channel: Channel) -> list[tuple[str, object]]:
    """The settings in words; credentials are never among them."""
    try:
        asked = configuration.asked(registry.connector_class(channel.network))
    except Misconfigured:
        return list(channel.settings.items())
    said = {each.label: channel.settings.get(each.name, each.default) for each in asked}
    return [(label, "yes" if value is True else value) for label, value in said.items() if value]


def _one_of(rows, given: str | None):
    pk = _uuid(given)
    return rows.filter(pk=pk).first() if pk else None


def _uuid(given: str | None) -> UUID | None:
    try:
        return UUID(given)
    except (TypeError, ValueError):
        return None
