"""What every network must keep to, whichever it is; a new one is held to it by standing in the registry."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors import configuration, registry
from connectors.contract import COMMON, KINDS, Batch, Capabilities, Connector, Outgoing, Post
from connectors.errors import ConnectorError, Misconfigured
from connectors.models import Channel
from departments.models import User  # noqa: F401  the registry's networks need Django
from tests.connectors.visits import WITHOUT, on_stage

NETWORKS = [
    "bluesky",
    "demo",
    "facebook",
    "feed",
    "import",
    "instagram",
    "mastodon",
    "reddit",
    "threads",
    "webhook",
    "x",
    "youtube",
]
README = Path(registry.__file__).with_name("README.md").read_text()
KINDS_OF_SETTING = {"text", "number", "flag", "url", "choice"}


@pytest.fixture(params=NETWORKS)
def network(request):
    return registry.connector_class(request.param)


@pytest.fixture
def connector(network, house):
    if network.network in WITHOUT:
        settings = {"story": False, "rate": 600, "calm": False} if network.network == "demo" else {}
        yield network(slug="contract", settings=settings, credentials={"token": "canary-4711"})
        return
    with on_stage(network.network) as stage:
        stage.write("Where is my order?", datetime.now(UTC) - timedelta(minutes=1), kind=stage.kinds[0])
        yield network(slug="contract", settings=stage.settings, credentials=stage.credentials)


def test_the_shipped_networks_are_the_ones_that_are_tested():
    shipped = {code for code, path in registry.NETWORKS.items() if path.startswith("connectors.")}
    assert shipped == set(NETWORKS)


def test_a_network_says_who_it_is_and_what_it_can(network):
    assert issubclass(network, Connector)
    assert registry.NETWORKS[network.network].endswith(f".{network.__name__}")
    assert network.name and network.__module__.startswith("connectors.networks.")
    assert isinstance(network.capabilities, Capabilities)
    assert network.capabilities.reads and network.capabilities.reads <= KINDS
    assert network.heeds <= {each.name for each in COMMON}


def test_each_setting_has_a_name_a_label_and_a_default_that_it_would_accept(network):
    asked = [*network.asks, *network.secrets]
    assert len({each.name for each in asked}) == len(asked)
    for each in asked:
        assert each.label and each.kind in KINDS_OF_SETTING
        assert (each.kind == "choice") == bool(each.choices)
    defaults = {each.name: each.default for each in network.asks if not each.required}
    defaults |= {each.name: "https://example.org/" for each in network.asks if each.required}
    assert configuration.clean(network, defaults) == {
        name: value for name, value in defaults.items() if value not in ("", None)
    }


def test_every_network_knows_the_common_settings(network):
    common = {
        "base_url": "https://example.org",
        "allow_private_hosts": True,
        "poll_seconds": 30,
        "backfill_days": 3,
        "query": "q",
    }
    common |= {each.name: "https://example.org/" for each in network.asks if each.required}
    assert configuration.clean(network, common) == common


def test_a_fetch_is_a_page_of_posts_with_zones_and_a_cursor_that_json_keeps(connector):
    import json

    first = connector.fetch({})
    batch = connector.fetch(json.loads(json.dumps(first.cursor)))
    for each in (first, batch):
        assert isinstance(each, Batch)
        json.dumps(each.cursor)
        for post in each.posts:
            assert isinstance(post, Post)
            assert post.created_at.tzinfo and (post.edited_at is None or post.edited_at.tzinfo)
            assert post.kind in connector.capabilities.reads
            assert bool(post.global_id) == connector.capabilities.global_ids


def test_reading_twice_from_the_same_cursor_gives_the_same_again(connector):
    from connectors.demo import server

    server.write_as("ana", "Hello @mirabelo")
    start = connector.fetch({}).cursor
    server.write_as("ana", "And another @mirabelo")
    one, two = connector.fetch(start), connector.fetch(start)
    assert [each.id for each in two.posts][: len(one.posts)] == [each.id for each in one.posts]


def test_what_a_network_can_not_do_it_does_not_pretend(connector):
    if connector.capabilities.replies:
        return
    with pytest.raises(NotImplementedError):
        connector.send(Outgoing("Hello", "1", "k"))


def test_a_check_says_a_sentence_and_takes_nothing_in(connector):
    assert connector.check().sentence.endswith(".")


def test_a_connector_shows_no_secret(connector):
    assert "canary" not in repr(connector) + str(connector)


def test_the_readme_has_a_line_for_every_network(network):
    assert f"| `{network.network}` |" in README


def test_every_error_is_a_sentence_for_people():
    kinds = ConnectorError.__subclasses__()
    assert len(kinds) >= 7
    for each in kinds:
        assert each().sentence.endswith(".") and "\n" not in each().sentence


# The registry -----------------------------------------------------------------------------------------------------


def test_a_missing_library_breaks_its_own_network_alone(monkeypatch, house):
    monkeypatch.setitem(registry.NETWORKS, "gone", "connectors.networks.gone.Gone")
    with pytest.raises(Misconfigured, match="can not be used here"):
        registry.connector_class("gone")
    assert {each.network for each in registry.networks()} >= {"demo", "import"}
    channel = Channel(slug="old", name="Old", network="gone")
    assert channel.network_name == "gone"


def test_a_network_that_nobody_knows_is_named_with_those_there_are():
    with pytest.raises(Misconfigured, match="no network “pigeon”; there are bluesky, demo"):
        registry.connector_class("pigeon")
