"""Which networks there are: a code and where its connector stands. A connector is imported when its network is first
used, so that a missing library breaks that network alone."""

from functools import cache
from importlib import import_module

from connectors.contract import Connector
from connectors.errors import Misconfigured

NETWORKS = {
    "bluesky": "connectors.networks.bluesky.Bluesky",
    "demo": "connectors.networks.demo.Demo",
    "facebook": "connectors.networks.facebook.Facebook",
    "feed": "connectors.networks.feed.FeedReader",
    "import": "connectors.networks.imported.Imported",
    "instagram": "connectors.networks.instagram.Instagram",
    "mastodon": "connectors.networks.mastodon.MastodonServer",
    "reddit": "connectors.networks.reddit.Reddit",
    "threads": "connectors.networks.threads.Threads",
    "webhook": "connectors.networks.webhook.Webhook",
    "x": "connectors.networks.x.X",
    "youtube": "connectors.networks.youtube.YouTube",
}


@cache
def connector_class(network: str) -> type[Connector]:
    """The connector of this network. Raises Misconfigured when there is none or it can not be loaded."""
    try:
        module, _, name = NETWORKS[network].rpartition(".")
        return getattr(import_module(module), name)
    except KeyError:
        raise Misconfigured(f"There is no network “{network}”; there are {', '.join(NETWORKS)}.") from None
    except ImportError as error:
        raise Misconfigured(f"The network “{network}” can not be used here: {error}.") from error


def connector_for(channel) -> Connector:
    """This channel's own connector, with its settings and its credentials opened.

    Raises Misconfigured, or WrongKey when the credentials can not be opened.
    """
    return connector_class(channel.network)(
        slug=channel.slug, settings=channel.settings, credentials=channel.credentials, known=channel.known
    )


def networks() -> list[type[Connector]]:
    """The networks that can be used here, by name."""
    usable = []
    for network in NETWORKS:
        try:
            usable.append(connector_class(network))
        except Misconfigured:
            continue
    return sorted(usable, key=lambda each: each.name)


def name_of(network: str) -> str:
    """The network's name on screens; its code when it can not be loaded, so that its channels can still be shown."""
    try:
        return connector_class(network).name
    except Misconfigured:
        return network
