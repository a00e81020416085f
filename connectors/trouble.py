"""What an admin reads about a channel that does not work: what is wrong, since when, what is not arriving, and what to
do. Made from what is kept beside the channel; asks nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors import errors, health, vault
from connectors.contract import Capabilities
from connectors.errors import ConnectorError, Misconfigured
from connectors.models import Channel

KINDS = {
    "mention": "mentions",
    "reply": "replies",
    "comment": "comments",
    "dm": "direct messages",
    "review": "reviews",
    "post": "posts",
    "article": "articles",
}
#: Of a fault of our own, which no setting mends.
OURS = "Nothing has to be done now: it is tried again by itself. If it lasts, report it with the lines of the log."
STOPPED = (health.NEEDS_LOGIN, health.BROKEN)
#: Of channels that were stopped before errors were kept beside them.
_USUAL: dict[str, type[ConnectorError]] = {health.NEEDS_LOGIN: errors.NotAuthorized, health.BROKEN: Misconfigured}


@dataclass(frozen=True)
class Trouble:
    """`mended_in` names what has to be opened for it: the connection, the settings, or nothing; `alarm` that somebody
    should look, and not only know."""

    wrong: str
    since: datetime | None
    lacking: str
    todo: str
    mended_in: str = ""
    alarm: bool = False


def of(channel: Channel) -> Trouble | None:
    """What stands in this channel's way; None when nothing does."""
    if channel.state not in STOPPED and not (channel.state == health.LISTENING and channel.failures):
        return None
    kind = errors.named(channel.trouble) or _USUAL.get(channel.state)
    return Trouble(
        wrong=channel.state_reason or (kind or ConnectorError)().sentence,
        since=channel.failing_since,
        lacking=_lacking(channel, kind),
        todo=kind.todo if kind else OURS,
        mended_in=kind.mended_in if kind else "",
        alarm=channel.is_trouble and kind is not errors.NotConnected,  # it is only new
    )


def said(channel: Channel, error: ConnectorError) -> str:
    """What the network said, or what it means, without our secrets: networks like to repeat what they were sent."""
    try:
        return vault.redacted(error.detail or error.sentence, channel.credentials)
    except ConnectorError:
        return error.sentence


def _lacking(channel: Channel, kind: type[ConnectorError] | None) -> str:
    """What does not come and does not go meanwhile, as sentences."""
    offers, name = _offers(channel), channel.network_name
    if offers is None:
        return "Nothing is read, and nothing leaves through it."
    what = what_is_read(channel, offers)
    said = [_coming(kind)(what)] if offers.polls else [f"What {name} delivers still comes in."]
    if offers.polls and offers.hooks:
        said.append(f"What {name} delivers by itself still comes in.")
    if offers.replies and channel.state in STOPPED and kind is not errors.NotConnected:
        said.append("Replies through it wait, and leave when it works again.")
    return " ".join(said)


def _offers(channel: Channel) -> Capabilities | None:
    try:
        return channel.offers
    except Misconfigured:
        return None


def what_is_read(channel: Channel, offers: Capabilities) -> str:
    """“mentions, replies and direct messages”; of a keyword channel “posts about “e-bike””."""
    if query := channel.settings.get("query"):
        return f"posts about “{query}”"
    names = [name for kind, name in KINDS.items() if kind in offers.reads]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "posts"


def _coming(kind: type[ConnectorError] | None) -> Callable[[str], str]:
    if kind and issubclass(kind, errors.NotConnected):
        return "No {} are read before it is connected.".format
    if kind and issubclass(kind, (errors.NotAuthorized, Misconfigured)):
        return (
            "No {} come in. What is written meanwhile is read afterwards, as far back as the network shows it.".format
        )
    return "New {} are not here yet; they are read as soon as it answers.".format
