"""Every network that is connected on its own page, from the form to the account, against its stage: the way that Ada
goes, whichever network it is."""

import html
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from connectors import actions, connecting, registry
from connectors.models import Channel
from tests.connectors.visits import offered, on_stage, stages

#: What a sign-in gives, and nobody enters before.
GIVEN = ("access_token", "refresh_token")
NETWORKS = sorted(
    code for code in stages() if registry.NETWORKS[code].startswith("connectors.") and offered(code).signs_in
)


@pytest.fixture
def adas(ada, client_of):
    return client_of(ada)


@pytest.fixture(params=NETWORKS)
def stage(request, house):
    with on_stage(request.param) as stage:
        known = {each.name for each in registry.connector_class(request.param).secrets} - set(GIVEN)
        entered = {name: value for name, value in stage.credentials.items() if name in known}
        named = {"network": stage.network, "slug": "brand", "name": "Brand", "settings": stage.settings}
        actions.open_channel(**named, credentials=entered, signs_in=True, by="system")
        yield stage


def leave(adas) -> dict[str, list[str]]:
    """What stands in the address of the network's page."""
    page = html.unescape(adas.post(reverse("channel-sign-in", kwargs={"slug": "brand"}), follow=True).content.decode())
    address = page.split("0; url=")[1].split('">')[0]
    assert address.startswith(("https://", "http://127.0.0.1"))
    return parse_qs(urlsplit(address).query)


def come_back(adas, asked: dict[str, list[str]], code: str) -> str:
    said = {"state": asked["state"][0], "code": code}
    return html.unescape(adas.get(reverse("channel-signed-in"), said, follow=True).content.decode())


def test_ada_signs_in_and_the_channel_is_that_account(stage, adas):
    asked = leave(adas)
    assert asked["redirect_uri"] == ["http://testserver/channels/signed-in/"] and asked["client_id"]
    page, channel = come_back(adas, asked, "good"), Channel.objects.get()
    assert "Brand is connected as" in page and "canary" not in page
    assert (channel.state, channel.trouble) == ("listening", "")
    tried = connecting.last_tried(channel)
    assert tried.account and tried.sentence.endswith(".")
    channel.connector().fetch({})


def test_a_code_that_the_network_does_not_take_connects_nothing(stage, adas):
    before = Channel.objects.get().sealed
    page, channel = come_back(adas, leave(adas), "bad"), Channel.objects.get()
    assert "Brand is connected" not in page and "canary" not in page
    assert channel.state == "needs_login"
    assert not before or set(GIVEN).isdisjoint(channel.credentials)
