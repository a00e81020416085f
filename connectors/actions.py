"""What people do to channels, one function per verb: atomic, in the audit, and open pages hear of it.

Every verb that changes how a channel is read moves its fence on, so that a visit under way keeps nothing afterwards
that was fetched before the change; what it had fetched is fetched again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from connectors import configuration, health, registry, signing, tokens
from connectors.contract import Account
from connectors.errors import Misconfigured, NotConnected, WrongKey
from connectors.models import Channel
from connectors.querysets import QuarantineQuerySet
from departments import audit, bell
from departments.models import Department, User

#: Short names that the pages below /channels/ need for themselves.
RESERVED = {"new", "estimate", "signed-in", "choose", "guide"}
SIGNED_IN_AS = "signed_in_as"  # in `Channel.known`
MOST_SECRETS = 4  # good at once: the one in use, and room to hand over others

audit.sentences(
    channel_opened="{by} opened the channel {name}",
    channel_changed="{by} changed the channel {name}: {what}",
    channel_paused="{by} paused the channel {name}",
    channel_resumed="{by} resumed the channel {name}",
    channel_frozen="{by} stopped all sending through {name}",
    channel_thawed="{by} allowed sending through {name} again",
    channel_polled="{by} asked {name} for new posts",
    channel_connected="{by} connected {name} again",
    channel_sign_in_begun="{by} began to sign in to the network for {name}",
    channel_signed_in="{by} connected {name} by signing in as {account}",
    channel_secret_made="{by} made a new signing secret for {name}; {number} are good now",
    channel_secrets_retired="{by} retired the older signing secrets of {name}",
    channel_departments_set="{by} decided who speaks through {name} ({speak}) and who monitors it ({monitor})",
    channel_stopped="{by} stopped reading {name}: a person is needed",
    deliveries_read_again="{by} asked to read {number} deliveries of {name} again",
    quarantine_replayed="{by} asked to try {number} posts of {name} again",
)


@transaction.atomic
def open_channel(
    *,
    network: str,
    slug: str,
    name: str,
    settings: Mapping[str, Any] | None = None,
    credentials: Mapping[str, Any] | None = None,
    speakers: Iterable[Department] = (),
    monitors: Iterable[Department] = (),
    signs_in: bool = False,
    by: User | str,
) -> Channel:
    """A new channel, read from now on; where somebody still `signs_in` on the network's page, from then on. Raises
    ValidationError with a sentence for each field that can not be used."""
    kind = _network(network)
    if slug in RESERVED:
        raise ValidationError({"slug": f"“{slug}” is an address of the house itself; choose another short name."})
    channel = Channel(network=network, slug=slug, name=name)
    _configure(channel, kind, settings or {})
    channel.credentials = _cleaned("credentials", configuration.clean_secrets, kind, credentials or {})
    channel.full_clean()
    channel.next_poll_at = _at_once(channel)
    if signs_in or (kind.capabilities.signs_in and not channel.sealed):
        _wait_for_sign_in(channel)
    channel.save(force_insert=True)
    channel.speakers.set(speakers)
    channel.monitors.set(monitors)
    _done("channel_opened", channel, by, network=network)
    return channel


@transaction.atomic
def change_channel(
    channel: Channel, *, name: str | None = None, settings: Mapping[str, Any] | None = None, by
) -> Channel:
    """Another name, other settings (all of them; what is left out goes back to its default). A channel that could not
    be read for its settings is tried again. Raises ValidationError."""
    channel = _locked(channel)
    before = {"name": channel.name, **channel.settings}
    channel.name = channel.name if name is None else name
    if settings is not None:
        _configure(channel, _network(channel.network), settings)
    channel.full_clean()
    if channel.state == Channel.State.BROKEN:
        _listen(channel)
    elif channel.next_poll_at:
        channel.next_poll_at = _at_once(channel)
    _save(channel)
    after = {"name": channel.name, **channel.settings}
    changed = sorted(key for key in before | after if before.get(key) != after.get(key))
    _done("channel_changed", channel, by, what=", ".join(changed) or "nothing")
    return channel


@transaction.atomic
def pause(channel: Channel, *, by) -> Channel:
    """Fetch nothing until somebody resumes. What goes out still goes out (`freeze` stops that)."""
    channel = _locked(channel)
    if channel.state == Channel.State.PAUSED:
        return channel
    channel.state, channel.state_reason, channel.next_poll_at = Channel.State.PAUSED, "", None
    channel.trouble, channel.failing_since = "", None
    _save(channel)
    return _done("channel_paused", channel, by)


@transaction.atomic
def resume(channel: Channel, *, by) -> Channel:
    """Fetch again, from where it stopped."""
    channel = _locked(channel)
    if channel.state == Channel.State.LISTENING:
        return channel
    _listen(channel)
    _save(channel)
    return _done("channel_resumed", channel, by)


@transaction.atomic
def freeze(channel: Channel, *, by) -> Channel:
    """The kill switch: from this commit on no reply leaves through the channel. Those that wait keep waiting."""
    channel = _locked(channel)
    if channel.frozen_at:
        return channel
    channel.frozen_at = timezone.now()
    channel.save(update_fields=["frozen_at"])
    return _done("channel_frozen", channel, by)


@transaction.atomic
def thaw(channel: Channel, *, by) -> Channel:
    """Let replies out again; those that waited go at once."""
    channel = _locked(channel)
    if not channel.frozen_at:
        return channel
    channel.frozen_at = None
    channel.save(update_fields=["frozen_at"])
    bell.wake("send")
    return _done("channel_thawed", channel, by)


@transaction.atomic
def poll_now(channel: Channel, *, by) -> Channel:
    """Look at the network now instead of in a while. Raises ValidationError when it is not read at all."""
    channel = _locked(channel)
    if channel.state != Channel.State.LISTENING or not channel.polls:
        raise ValidationError(
            channel.in_words if channel.polls else "Posts are pushed into this channel; it fetches none."
        )
    channel.next_poll_at = timezone.now()
    channel.save(update_fields=["next_poll_at"])
    bell.wake("fetch")
    return _done("channel_polled", channel, by)


@transaction.atomic
def connect_again(channel: Channel, *, credentials: Mapping[str, Any], by) -> Channel:
    """New credentials; the channel is read again from where it stopped. Raises ValidationError."""
    channel = _locked(channel)
    kind = _network(channel.network)
    channel.credentials = _cleaned("credentials", configuration.clean_secrets, kind, credentials)
    channel.tried = {}  # it was about the old ones
    if channel.state != Channel.State.PAUSED:
        _listen(channel)
    _save(channel)
    return _done("channel_connected", channel, by)


@transaction.atomic
def begin_sign_in(channel: Channel, *, application: Mapping[str, str], by) -> Channel:
    """Somebody is sent to the network's page. What was registered there for it is kept at once, so that the next time
    it need not be registered again."""
    channel = _locked(channel)
    if application:
        channel.credentials = channel.credentials | dict(application)
        channel.save(update_fields=["sealed", "expires_at", "renew_at"])
    return _done("channel_sign_in_begun", channel, by)


@transaction.atomic
def sign_in(channel: Channel, account: Account, *, by) -> Channel:
    """The network lets us be this account: the channel is read as it from now on, from where it stopped; when it is
    another account than before, as one that was never read. Raises ValidationError."""
    channel, before = _locked(channel), channel.settings
    _configure(channel, _network(channel.network), channel.settings | dict(account.settings))
    if _is_another(channel, account, before):
        channel.cursor, channel.known, channel.progress = {}, {}, None
    channel.known = channel.known | {SIGNED_IN_AS: account.name}
    kept = {name: value for name, value in channel.credentials.items() if name not in tokens.LIFE}
    channel.credentials, channel.tried = kept | dict(account.credentials), {}
    if channel.state != Channel.State.PAUSED:
        _listen(channel)
    _save(channel)
    return _done("channel_signed_in", channel, by, account=account.name)


@transaction.atomic
def make_secret(channel: Channel, *, by) -> str:
    """A new signing secret beside those that are good already, to be told to the sender; it is never shown again.

    Raises ValidationError where nothing is signed, or when too many are good at once.
    """
    channel = _locked(channel)
    good = _signing_secrets(channel)
    if len(good) >= MOST_SECRETS:
        raise ValidationError(f"{len(good)} secrets are good at once; retire the older ones first.")
    made = signing.new_secret()
    _sign_with(channel, [made, *good])
    _done("channel_secret_made", channel, by, number=len(good) + 1)
    return made


@transaction.atomic
def retire_secrets(channel: Channel, *, by) -> Channel:
    """From this commit on only the newest signing secret is good. Raises ValidationError where nothing is signed."""
    channel = _locked(channel)
    if len(good := _signing_secrets(channel)) > 1:
        _sign_with(channel, good[:1])
        _done("channel_secrets_retired", channel, by)
    return channel


@transaction.atomic
def read_again(channel: Channel, *, by) -> int:
    """Have the deliveries that were set aside read once more; how many there are."""
    again = {"set_aside_at": None, "attempts": 0, "reason": ""}
    asked = channel.deliveries.set_aside().update(**again)
    if asked:
        bell.wake("read")
        _done("deliveries_read_again", channel, by, number=asked)
    return asked


def _signing_secrets(channel: Channel) -> list[str]:
    if not channel.offers.hooks:
        raise ValidationError("Nothing that comes to this channel is signed.")
    if "secret" not in {each.name for each in _network(channel.network).secrets}:
        raise ValidationError("The network signs what it delivers with a secret of its own.")
    try:
        return signing.secrets_in(channel.credentials.get("secret", ""))
    except WrongKey as error:
        raise ValidationError(error.sentence) from None


def _sign_with(channel: Channel, good: list[str]) -> None:
    channel.credentials = channel.credentials | {"secret": " ".join(good)}
    channel.save(update_fields=["sealed"])


@transaction.atomic
def set_departments(channel: Channel, *, speakers: Iterable[Department], monitors: Iterable[Department], by) -> Channel:
    """Who may speak through the channel, and who keeps an eye on it."""
    speakers, monitors = list(speakers), list(monitors)
    channel.speakers.set(speakers)
    channel.monitors.set(monitors)
    facts = {"speak": _names(speakers), "monitor": _names(monitors)}
    return _done("channel_departments_set", channel, by, **facts)


@transaction.atomic
def ask_replay(channel: Channel, quarantined: QuarantineQuerySet, *, by) -> int:
    """Have these posts tried again by the worker; how many there are."""
    asked = quarantined.filter(channel=channel).waiting().update(replay_asked_at=timezone.now())
    if asked:
        bell.wake("fetch")
        _done("quarantine_replayed", channel, by, number=asked)
    return asked


# What the verbs share -------------------------------------------------------------------------------------------


def _locked(channel: Channel) -> Channel:
    """The channel as it is now, held until the end of the transaction."""
    return Channel.objects.select_for_update(of=("self",)).get(pk=channel.pk)


def _network(code: str):
    try:
        return registry.connector_class(code)
    except Misconfigured as error:
        raise ValidationError({"network": error.detail}) from error


def _configure(channel: Channel, kind, settings: Mapping[str, Any]) -> None:
    channel.settings = _cleaned("settings", configuration.clean, kind, settings)
    channel.poll_seconds = configuration.value(kind, channel.settings, "poll_seconds")


def _cleaned(field: str, clean, kind, given) -> dict[str, Any]:
    try:
        return clean(kind, given)
    except Misconfigured as error:
        raise ValidationError(
            {f"{field}.{name}": text for name, text in error.fields.items()} or error.detail
        ) from error


def _listen(channel: Channel) -> None:
    channel.state, channel.state_reason, channel.failures = Channel.State.LISTENING, "", 0
    channel.trouble, channel.failing_since = "", None
    channel.next_poll_at = _at_once(channel)


def _is_another(channel: Channel, account: Account, before: Mapping[str, Any]) -> bool:
    """Whether this is another account than the one that was read."""
    if channel.known.get(SIGNED_IN_AS) not in (None, account.name):
        return True
    return any(before.get(name) not in (None, value) for name, value in account.settings.items())


def _wait_for_sign_in(channel: Channel) -> None:
    channel.state, channel.state_reason = Channel.State.NEEDS_LOGIN, NotConnected().sentence
    channel.trouble, channel.next_poll_at = health.name_of(NotConnected()), None


def _at_once(channel: Channel):
    return timezone.now() if channel.polls else None


def _save(channel: Channel) -> None:
    channel.fence, channel.leased_until = F("fence") + 1, None
    channel.save()
    channel.refresh_from_db()


def _names(departments: Iterable[Department]) -> str:
    return ", ".join(each.name for each in departments) or "nobody"


def _done(verb: str, channel: Channel, by: User | str, **facts) -> Channel:
    audit.record(verb, channel, by=by, name=channel.name, **facts)
    bell.ring_about("channels")
    return channel
