"""Changing the keys under which credentials lie: a new one is put first among CREDENTIAL_KEYS, `rotate_keys` brings
everything under it, and then the old one can be thrown away."""

from dataclasses import dataclass, field

from django.db import transaction

from connectors import vault
from connectors.errors import WrongKey
from connectors.models import Channel


@dataclass
class Rotation:
    """What became of the channels that have credentials: how many lay under the newest key already, which were or are
    to be brought there, and which lie under a key that is not among CREDENTIAL_KEYS."""

    newest: int = 0
    older: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def rotate(*, dry: bool = False) -> Rotation:
    """Bring all credentials under the newest key, channel by channel, each under its lock so that a change at the same
    moment is not written over. `dry` only looks. Twice is once."""
    done = Rotation()
    for pk in Channel.objects.exclude(sealed="").order_by("slug").values_list("pk", flat=True):
        _rotate_one(pk, done, dry)
    return done


@transaction.atomic
def _rotate_one(pk, done: Rotation, dry: bool) -> None:
    channel = Channel.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if channel is None or not channel.sealed:
        return
    try:
        if vault.is_newest(channel.sealed):
            done.newest += 1
            return
        resealed = vault.reseal(channel.sealed)
    except WrongKey:
        done.unknown.append(channel.slug)
        return
    done.older.append(channel.slug)
    if not dry:
        # Its fence stays: who is reading the channel just now goes on with the same credentials.
        Channel.objects.filter(pk=pk).update(sealed=resealed)
