"""Connecting a channel in the browser: to the network's own page and back, and trying what came of it.

What only we may know until the browser comes back (and, when there are several accounts to choose from, their
credentials) is kept in the session, encrypted like credentials at rest. It is good once, for ten minutes, and for the
admin who began.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from connectors import actions, errors, health, tokens, trouble, vault
from connectors.contract import Account, Checked
from connectors.errors import ConnectorError, WrongKey
from connectors.models import Channel
from departments.models import User

GOOD_FOR = timedelta(minutes=10)
MOST_AT_ONCE = 5  # sign-ins begun in one browser, such as in several tabs
KEPT_IN = "channel_sign_ins"

logger = logging.getLogger(__name__)


class Stale(Exception):
    """This sign-in was not begun here, or is over: it was used, or more than ten minutes have passed."""


# There and back ---------------------------------------------------------------------------------------------------


def begin(session: SessionBase, channel: Channel, back: str, *, by: User) -> str:
    """The address of the network's page for this channel. Raises ConnectorError."""
    state = secrets.token_urlsafe(32)
    way = channel.connector().sign_in(back, state)
    actions.begin_sign_in(channel, application=way.credentials, by=by)
    _keep(session, state, channel, by, keep=dict(way.keep))
    return way.url


def come_back(session: SessionBase, state: str, *, by: User) -> tuple[Channel, dict[str, str]]:
    """For which channel this sign-in was begun, and what was kept for it. Raises Stale, also the second time."""
    _, kept = _look(session, state, by)
    if "keep" not in kept:  # the key of a choice is no state
        raise Stale
    channel, kept = _take(session, state, by)
    return channel, kept["keep"]


def offer(session: SessionBase, channel: Channel, accounts: Sequence[Account], *, by: User) -> str:
    """Keep these accounts until the admin has chosen one of them; under which key."""
    key = secrets.token_urlsafe(32)
    _keep(session, key, channel, by, accounts=[asdict(each) for each in accounts])
    return key


def offered(session: SessionBase, key: str, *, by: User) -> tuple[Channel, list[Account]]:
    """The channel and the accounts to choose from, which stay kept. Raises Stale."""
    channel, kept = _look(session, key, by)
    return channel, [Account(**each) for each in kept.get("accounts", ())]


def choose(session: SessionBase, key: str, number: int, *, by: User) -> tuple[Channel, Account]:
    """The account with this number, counted from 0; nothing is kept any more. Raises Stale, and IndexError, with all
    kept, when there is none."""
    channel, accounts = offered(session, key, by=by)
    if number < 0:
        raise IndexError
    account = accounts[number]
    _take(session, key, by)
    return channel, account


def _keep(session: SessionBase, key: str, channel: Channel, by: User, **what: Any) -> None:
    kept = {"channel": str(channel.pk), "by": str(by.pk), "at": timezone.now().isoformat(), **what}
    earlier = list(session.get(KEPT_IN, {}).items())[1 - MOST_AT_ONCE :]
    session[KEPT_IN] = dict(earlier) | {key: vault.seal(kept)}


def _look(session: SessionBase, key: str, by: User) -> tuple[Channel, dict[str, Any]]:
    try:
        kept: dict[str, Any] = vault.unseal(session.get(KEPT_IN, {}).get(key, ""))
    except WrongKey:
        kept = {}
    if not kept or kept["by"] != str(by.pk) or datetime.fromisoformat(kept["at"]) + GOOD_FOR < timezone.now():
        raise Stale
    channel = Channel.objects.filter(pk=kept["channel"]).first()
    if channel is None:
        raise Stale
    return channel, kept


def _take(session: SessionBase, key: str, by: User) -> tuple[Channel, dict[str, Any]]:
    found = _look(session, key, by)
    session[KEPT_IN] = {other: kept for other, kept in session[KEPT_IN].items() if other != key}
    return found


# Trying -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tried:
    """What trying a channel's connection found, or what stood in the way: then `todo` says what to do about it."""

    at: datetime
    works: bool
    sentence: str
    account: str = ""
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ends: datetime | None = None
    todo: str = ""
    mended_in: str = ""


def set_up(channel: Channel) -> str:
    """Have the network do what it has to once a channel is connected, such as to deliver to us, and try the connection.
    What went wrong with the first as a sentence, else empty; what the second found is kept beside the channel."""
    try:
        channel.connector().connected()
    except ConnectorError as error:
        try_out(channel)
        return said_of(channel, error)
    tried = try_out(channel)
    return "" if tried.works else tried.sentence


def try_out(channel: Channel) -> Tried:
    """Ask the network whether the connection is good; never raises. Nothing is taken in and nothing changed, but what
    was found is kept: never a secret, and for the connector what the network said about itself."""
    try:
        tokens.renew_if_due(channel)
        checked = channel.connector().check()
    except ConnectorError as error:
        return _keep_tried(channel, _failed(channel, error))
    except Exception as error:
        logger.exception("The connection of %s could not be tried", channel.slug, exc_info=error)
        return _keep_tried(channel, Tried(timezone.now(), False, health.blame(error), todo=trouble.OURS))
    return _keep_tried(channel, _well(channel, checked), checked)


def last_tried(channel: Channel) -> Tried | None:
    """What the last test of this channel's connection found."""
    kept = dict(channel.tried)
    if not kept:
        return None
    for name in ("at", "ends"):
        kept[name] = datetime.fromisoformat(kept[name]) if kept[name] else None
    kept |= {name: tuple(kept[name]) for name in ("granted", "missing")}
    return Tried(**kept)


def said_of(channel: Channel, error: ConnectorError) -> str:
    """What is wrong and what the network said, without anything secret."""
    said = " ".join(dict.fromkeys(filter(None, (error.sentence, error.detail))))
    return _without_secrets(channel, said)


def _well(channel: Channel, checked: Checked) -> Tried:
    return Tried(
        at=timezone.now(),
        works=not checked.missing,
        sentence=_without_secrets(channel, checked.sentence, _is_secret),
        account=checked.account,
        granted=tuple(checked.granted),
        missing=tuple(checked.missing),
        ends=checked.ends,
        todo=errors.MissingScope.todo if checked.missing else "",
        mended_in=errors.MissingScope.mended_in if checked.missing else "",
    )


def _failed(channel: Channel, error: ConnectorError) -> Tried:
    return Tried(timezone.now(), False, said_of(channel, error), todo=error.todo, mended_in=error.mended_in)


def _is_secret(name: str) -> bool:
    """Whether a credential of this name opens anything; others, such as the account's own name, may be said."""
    return any(word in name for word in ("token", "secret", "password", "key", "verifier"))


def _without_secrets(channel: Channel, text: str, which: Callable[[str], bool] = lambda name: True) -> str:
    try:
        return vault.redacted(text, {name: value for name, value in channel.credentials.items() if which(name)})
    except WrongKey:
        return text


def _keep_tried(channel: Channel, tried: Tried, checked: Checked | None = None) -> Tried:
    """Beside the channel; its fence stays, so who is reading it just now goes on."""
    kept = asdict(tried) | {"at": tried.at.isoformat(), "ends": tried.ends.isoformat() if tried.ends else None}
    learnt: dict[str, Any] = {"tried": kept}
    if checked and checked.known:
        learnt["known"] = channel.known | dict(checked.known)
    Channel.objects.filter(pk=channel.pk).update(**learnt)
    for name, value in learnt.items():
        setattr(channel, name, value)
    return tried


def refused_by_network(said: str, more: str) -> str:
    """What the network sent back in place of a sign-in, in words. It stands in the address, so anybody can have written
    it: it is short, and said to be theirs."""
    if said == "access_denied" and not more:
        return "Nobody allowed it on the network’s page."
    return f"The network’s page says: “{(more or said)[:200]}”."
