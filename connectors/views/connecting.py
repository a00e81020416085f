"""Signing in on a network's own page and coming back, and trying the connection."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors import actions, connecting
from connectors.connecting import Stale
from connectors.contract import Account
from connectors.doors import find
from connectors.errors import ConnectorError, Misconfigured
from connectors.models import Channel
from departments.decorators import admins_only

OVER = "This sign-in is over: it was used already, or begun more than ten minutes ago or in another browser."


@require_POST
@admins_only
def sign_in(request: HttpRequest, slug: str) -> HttpResponse:
    """On to the network's own page."""
    channel = find(request.user, slug)
    if not signs_in(channel):
        raise Http404
    return leave(request, channel)


def leave(request: HttpRequest, channel: Channel) -> HttpResponse:
    """A page that goes on to the network's by itself. It is no redirect, because browsers hold a form to our own
    addresses (form-action) also where its answer leads."""
    try:
        address = connecting.begin(request.session, channel, _back(request), by=request.user)
    except ConnectorError as error:
        messages.error(request, connecting.said_of(channel, error))
        return redirect("channel", slug=channel.slug)
    return render(request, "connectors/leaving.html", {"channel": channel, "address": address})


def signs_in(channel: Channel) -> bool:
    """Whether this channel is connected on its network's own page."""
    try:
        return channel.offers.signs_in
    except Misconfigured:
        return False


@require_GET
@sensitive_variables()
@admins_only
def signed_in(request: HttpRequest) -> HttpResponse:
    """The browser comes back from the network's page, with a code or a refusal."""
    try:
        channel, keep = connecting.come_back(request.session, request.GET.get("state", ""), by=request.user)
    except Stale:
        return _over(request)
    if not (code := request.GET.get("code", "")):
        said, more = request.GET.get("error", "nothing"), request.GET.get("error_description", "")
        messages.error(request, connecting.refused_by_network(said, more))
        return redirect("channel", slug=channel.slug)
    try:
        accounts = channel.connector().signed_in(code, _back(request), keep)
    except ConnectorError as error:
        messages.error(request, connecting.said_of(channel, error))
        return redirect("channel", slug=channel.slug)
    if len(accounts) > 1:
        return redirect("channel-choose", key=connecting.offer(request.session, channel, accounts, by=request.user))
    return _adopt(request, channel, accounts[0] if accounts else None)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def choose(request: HttpRequest, key: str) -> HttpResponse:
    """Which of the accounts that the sign-in gave us this channel is."""
    try:
        if request.method == "POST":
            return _adopt(request, *connecting.choose(request.session, key, _number(request), by=request.user))
        channel, accounts = connecting.offered(request.session, key, by=request.user)
    except Stale:
        return _over(request)
    except IndexError:
        return redirect("channel-choose", key=key)
    names = [each.name for each in accounts]
    return render(request, "connectors/choose.html", {"channel": channel, "accounts": names})


@require_POST
@admins_only
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Try the connection; what was found stands on the channel's page."""
    channel = find(request.user, slug)
    connecting.try_out(channel)
    return redirect(f"{reverse('channel', args=[channel.slug])}#tried")


def _adopt(request: HttpRequest, channel: Channel, account: Account | None) -> HttpResponse:
    if account is None:
        messages.error(request, "Signed in, but there is no account there that this channel could be.")
        return redirect("channel", slug=channel.slug)
    try:
        channel = actions.sign_in(channel, account, by=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("channel", slug=channel.slug)
    told_of_set_up(request, channel, f"{channel} is connected as {account.name}.")
    return redirect("channel", slug=channel.slug)


def told_of_set_up(request: HttpRequest, channel: Channel, done: str) -> None:
    """Set the channel up at its network, and tell the admin how that went."""
    trouble = connecting.set_up(channel)
    if trouble:
        messages.warning(request, f"{done} But: {trouble}")
    else:
        messages.success(request, done)


def _number(request: HttpRequest) -> int:
    given = request.POST.get("account", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else -1


def _over(request: HttpRequest) -> HttpResponse:
    messages.error(request, f"{OVER} Begin it again on the channel’s page.")
    return redirect("channels")


def _back(request: HttpRequest) -> str:
    """Our address to which the network's page sends the browser; every network has to be told it exactly so."""
    return request.build_absolute_uri(reverse("channel-signed-in"))
