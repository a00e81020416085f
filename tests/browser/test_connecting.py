"""Ada connects a channel on the network's own page, in a real browser: there, back, chosen, tested."""

from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import registry
from connectors.models import Channel
from tests.connectors.gate import CANARY, Gate, account
from tests.connectors.web import serving

ALLOWS = """<!doctype html><title>Gate</title><h1>Social Hub asks to read and write as you</h1>
<a id="allow" href="{back}?state={state}&code=good">Allow</a>
<a id="refuse" href="{back}?state={state}&error=access_denied">Refuse</a>"""


@pytest.fixture
def gate(monkeypatch):
    """A network whose page stands on another site than ours, which pytest's server calls localhost."""
    monkeypatch.setitem(registry.NETWORKS, "gate", "tests.connectors.gate.Gate")
    with serving() as web:

        def show(handler):
            asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
            body = ALLOWS.format(**asked).encode()
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html; charset=utf-8")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        monkeypatch.setattr(Gate, "page", web.lay("/allow", show))
        monkeypatch.setattr(Gate, "refuses", {})
        monkeypatch.setattr(Gate, "happened", [])
        monkeypatch.setattr(Gate, "accounts", [account("Mirabelo"), account("Mirabelo E-bikes", scopes="")])
        yield web


@pytest.mark.django_db(transaction=True)
def test_ada_connects_a_channel_on_the_networks_page_and_comes_back(gate, desk_of, ada):
    page = desk_of(ada, "/channels/new/?network=gate")
    assert "localhost" in page.url and "127.0.0.1" in Gate.page
    page.get_by_label("Name", exact=True).fill("Mirabelo on Gate")
    page.get_by_label("Short name").fill("gate")
    page.get_by_label("Words to search for").fill("e-bike")
    page.get_by_text("About US$ 600.00 a month for “e-bike”.").wait_for()
    page.get_by_label("Words to search for").fill("")
    page.get_by_text("About US$").wait_for(state="detached")
    page.get_by_role("button", name="Go on to sign in").click()
    page.locator("#refuse").click()
    page.get_by_text("Nobody allowed it on the network’s page.").wait_for()
    page.get_by_role("button", name="Sign in to Gate").click()
    page.locator("#allow").click()
    page.get_by_label("Mirabelo E-bikes").check()
    page.get_by_role("button", name="Connect it").click()
    page.get_by_text("is connected as Mirabelo E-bikes").wait_for()
    assert page.get_by_text("Reading direct messages").is_visible() and CANARY not in page.content()
    assert "code=" not in page.url and Channel.objects.get().state == "listening"
    Gate.accounts[:] = [account("Mirabelo E-bikes")]
    page.get_by_role("button", name="Connect it again").click()
    page.locator("#allow").click()
    page.get_by_text("is connected as Mirabelo E-bikes").first.wait_for()
    page.get_by_role("button", name="Test the connection").click()
    page.wait_for_url("**/channels/gate/#tried")
    assert not page.get_by_text("Reading direct messages").is_visible()
