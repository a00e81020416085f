"""Opening channels and changing them: what an admin fills in, and what it will cost before it is kept."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from connectors import actions, registry
from connectors.contract import Connector
from connectors.doors import find
from connectors.forms import ChannelForm, ConnectForm, NewChannelForm, grouped
from connectors.models import Channel
from connectors.views.connecting import leave, signs_in, told_of_set_up
from connectors.views.shared import network_of, shown
from departments.decorators import admins_only


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@admins_only
def new(request: HttpRequest) -> HttpResponse:
    """Choose a network, then say what it asks; where one signs in on its own page, on to that."""
    if "network" not in request.GET:
        return render(request, "connectors/networks.html", {"networks": [shown(each) for each in registry.networks()]})
    network = network_of(request.GET["network"])
    form, leaves = NewChannelForm(request.POST or None, network=network), "sign_in" in request.POST

    def open_it(**said):
        return actions.open_channel(network=network.network, signs_in=leaves, by=request.user, **grouped(said))

    estimate = _estimated(network, form)
    if request.method == "POST" and _is_agreed(request, form, estimate) and form.carry_out(open_it):
        return leave(request, form.result) if leaves else _opened(request, form.result)
    context = {"form": form, "network": shown(network), **_costs(network, form, estimate)}
    return render(request, "connectors/channel_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Another name, other settings, other departments."""
    found = find(request.user, slug)
    network = network_of(found.network)
    form, before = ChannelForm.of(found, network, request.POST or None), network.estimate(found.settings)
    estimate = _estimated(network, form, found)
    agreed = request.method == "POST" and _is_agreed(request, form, estimate, before)
    if agreed and form.carry_out(_change(found, request.user)):
        messages.success(request, f"{form.result} is changed.")
        return redirect("channel", slug=slug)
    context = {"form": form, "channel": found, **_costs(network, form, estimate)}
    if network.secrets:
        context["connect"] = ConnectForm(network=network)
    return _editing(request, context, network)


@require_POST
@sensitive_post_parameters()
@admins_only
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """New credentials for a channel whose network does not accept the old ones."""
    found = find(request.user, slug)
    network = network_of(found.network)
    form = ConnectForm(request.POST, network=network)

    def connect_it(**said):
        return actions.connect_again(found, credentials=grouped(said)["credentials"], by=request.user)

    if form.carry_out(connect_it):
        told_of_set_up(request, form.result, f"{found} is connected again.")
        return redirect("channel", slug=slug)
    return _editing(request, {"form": ChannelForm.of(found, network), "channel": found, "connect": form}, network)


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


def _editing(request: HttpRequest, context: dict, network: type[Connector]) -> HttpResponse:
    """`leaves`: connecting again goes through the network's own page."""
    context |= {"network": shown(network), "leaves": signs_in(context["channel"])}
    return render(request, "connectors/channel_edit.html", context)


def _opened(request: HttpRequest, channel: Channel) -> HttpResponse:
    """What comes next is said; a connection that can be tried is tried at once."""
    said = f"{channel} is open. What it finds appears within moments."
    if channel.state == Channel.State.NEEDS_LOGIN:
        messages.success(request, f"{channel} is kept. Sign in to {channel.network_name} to connect it.")
    elif channel.sealed or channel.offers.hooks:
        told_of_set_up(request, channel, said)
    else:
        messages.success(request, said)
    return redirect("channel", slug=channel.slug)


# What it will cost ------------------------------------------------------------------------------------------------


@require_POST
@sensitive_post_parameters()
@admins_only
def estimate(request: HttpRequest) -> HttpResponse:
    """What reading with these settings will cost, while they are filled in. Keeps nothing."""
    network = network_of(request.GET.get("network", ""))
    form = ChannelForm(request.POST, network=network)
    return render(request, "connectors/_estimate.html", {"estimate": _estimated(network, form)})


def _estimated(network: type[Connector], form: ChannelForm, channel: Channel | None = None) -> str:
    """By what stands in the form, as far as it can be used; by how the channel is while nothing was sent."""
    settings = dict(channel.settings) if channel else {}
    if form.is_bound:
        form.is_valid()
        said = {name: value for name, value in form.cleaned_data.items() if name.startswith("settings.")}
        settings = {name: value for name, value in settings.items() if f"settings.{name}" not in form.fields}
        settings |= grouped(said)["settings"]
    return network.estimate(settings)


def _is_agreed(request: HttpRequest, form: ChannelForm, estimate: str, before: str = "") -> bool:
    """Whether the admin has seen what it will cost: then the form says it back. What is wrong otherwise is told by the
    form itself first."""
    return not form.is_valid() or estimate in ("", before, request.POST.get("estimated", ""))


def _costs(network: type[Connector], form: ChannelForm, estimate: str) -> dict:
    """What the page says of it: `agree` once the form was sent without its being seen."""
    if network.estimate.__func__ is Connector.estimate.__func__:
        return {}
    asked = ",".join(name for name in form.fields if name.startswith("settings."))
    return {"estimate": estimate, "estimates": asked, "agree": form.is_bound and form.is_valid() and bool(estimate)}


def _change(channel: Channel, user):
    @transaction.atomic
    def change(*, monitors, speakers=None, **said):
        parts = grouped(said)
        # A setting that the form does not ask for stays as it was.
        kept = {name: value for name, value in channel.settings.items() if f"settings.{name}" not in said}
        speakers = channel.speakers.all() if speakers is None else speakers
        if _others(channel, speakers, monitors):
            actions.set_departments(channel, speakers=speakers, monitors=monitors, by=user)
        return actions.change_channel(channel, name=parts["name"], settings=kept | parts["settings"], by=user)

    return change


def _others(channel: Channel, speakers, monitors) -> bool:
    return set(speakers) != set(channel.speakers.all()) or set(monitors) != set(channel.monitors.all())
