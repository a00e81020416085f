"""How posts are named in this house, so that each is kept once and others can answer it."""

from connectors.models import Channel


def key_of(channel: Channel, external_id: str, global_id: str = "") -> str:
    """What makes two posts the same: the network's global key where it told one, else the channel and its id there.
    Only posts that we fetched ourselves carry a global key: who pushes posts could write into other channels by
    it."""
    return f"{channel.network}:{global_id}" if global_id else ref_of(channel, external_id)


def ref_of(channel: Channel, external_id: str) -> str:
    """How a post is named by others of its channel that answer it."""
    return f"{channel.pk}:{external_id}"
