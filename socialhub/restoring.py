"""Bringing a backup back, and why nothing leaves afterwards until an admin has confirmed it.

The whole restore is one transaction: what was there goes and what the backup holds comes in the same commit, with the
hold on what goes out already set, so no worker ever sees the one without the other. One that fails changes nothing.

A reply that was on its way when the backup was made may have left afterwards, and the backup can not know. So on
confirming, each of them becomes `unknown`: we look for it on its network first, and a person is asked when it is not
found. None goes out by itself a second time.
"""

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from psycopg2.extensions import adapt

from connectors.errors import WrongKey
from connectors.models import Channel
from departments.audit import record, sentences
from departments.models import User
from inbox import outbox
from inbox.models import Reply
from socialhub import backup
from socialhub.backup import BackupError
from socialhub.models import House, Pulse

sentences(
    house_restored="{by} restored the house to {made}",
    sends_confirmed="{by} let replies leave again after the restore",
)
#: A worker's pulse that is younger than this belongs to one that lives.
LIVES = timedelta(seconds=15)
BEGIN = """
SET client_min_messages = warning;
SET lock_timeout = '20s';
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
#: In the same commit: nothing leaves, nobody stays signed in with what may be old rights, no lease is believed.
HOLD = """
INSERT INTO public.socialhub_house (id, name, first_admin_sha256, founded_at)
    VALUES (1, '', '', now()) ON CONFLICT DO NOTHING;
UPDATE public.socialhub_house SET sends_held_since = now(), restored_to = {made}, first_admin_sha256 = '';
UPDATE public.inbox_reply SET leased_until = NULL, fence = fence + 1000
    WHERE send_after IS NOT NULL OR state = 'sending';
UPDATE public.connectors_channel SET leased_until = NULL, fence = fence + 1000;
DELETE FROM public.django_session;
DELETE FROM public.socialhub_pulse;
"""
#: What the lines above or their triggers change; all other tables must hold as many rows as were counted.
CHANGED = ("socialhub_house", "django_session", "socialhub_pulse")
COUNT = """
DO $count$ BEGIN
    IF (SELECT count(*) FROM public.{table}) <> {count} THEN
        RAISE EXCEPTION 'the table {table} has not as many rows as the backup counted';
    END IF;
END $count$;
"""


def restore(file: Path, *, replace: bool = False, progress: Callable[[int], None] = lambda size: None) -> dict:
    """Make the database what it was when the backup was made, and hold what goes out. What the manifest says.

    An older backup is brought up to this version. Raises BackupError, and then nothing was changed: for a file that is
    no whole backup, one of a newer version, a database that is not empty (unless `replace`), a worker that still runs.
    """
    manifest = backup.read(file)
    if newer := backup.unknown_migrations(manifest):
        raise BackupError(
            f"The backup was made by a newer version of Social Hub ({manifest['version']}; it knows {newer[0]}): "
            f"install that one first."
        )
    _may_be_replaced(replace)
    connection.close()
    _run(_whole_script(file, manifest), progress)
    _settle(manifest)
    return manifest


def _may_be_replaced(replace: bool) -> None:
    if not backup.tables():
        return
    if not replace:
        raise BackupError("The database is not empty. With --replace everything in it goes and the backup comes.")
    if backup.is_ours() and Pulse.objects.filter(at__gt=timezone.now() - LIVES).exists():
        raise BackupError("A worker still runs on this database: stop web, worker and beat, and try again in a minute.")


def _whole_script(file: Path, manifest: dict[str, Any]) -> Iterator[bytes]:
    yield BEGIN.encode()
    with backup.script(file) as pieces:
        yield from pieces
    yield b"\nSET search_path = public;\n"
    for table, number in manifest["counts"].items():
        if table not in CHANGED:
            yield COUNT.format(table=f'"{table}"', count=int(number)).encode()
    made = datetime.fromisoformat(manifest["made_at"])
    yield HOLD.format(made=adapt(made).getquoted().decode()).encode()


def _run(pieces: Iterator[bytes], progress: Callable[[int], None]) -> None:
    """All of it in one transaction. What can not be read or done to its end leaves everything as it was."""
    command = [backup.program("psql"), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
               "--output=/dev/null", "--file=-"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=backup.environment()) as psql:
        try:
            _pour(pieces, psql.stdin, progress)
        except BaseException:
            psql.kill()  # before it sees the end of its input, which it would take for the end of the work
            raise
        said = psql.stderr.read().decode(errors="replace")
    if psql.returncode:
        raise BackupError(f"The backup can not be brought back, and nothing was changed: {backup.last_word(said)}")


def _pour(pieces: Iterator[bytes], into, progress: Callable[[int], None]) -> None:
    done = 0
    try:
        for piece in pieces:
            into.write(piece)
            done += len(piece)
            progress(done)
        into.close()
    except BrokenPipeError:
        pass  # psql has ended, and says why


def _settle(manifest: dict[str, Any]) -> None:
    """Bring the restored database up to this version, and write down that it was restored."""
    call_command("migrate", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    record("house_restored", House.objects.the(), by="system", made=manifest["made_at"][:16].replace("T", " "))
    cache.delete("house")


def unreadable_channels() -> list[str]:
    """The channels whose credentials were sealed with keys that we do not have."""
    return [channel.slug for channel in Channel.objects.all() if _is_sealed(channel)]


def _is_sealed(channel: Channel) -> bool:
    try:
        return channel.credentials is None
    except WrongKey:
        return True


# The hold ---------------------------------------------------------------------------------------------------------


def waiting() -> dict[str, int]:
    """What a confirmation would do: how many replies are looked for, and how many leave."""
    since = House.objects.as_it_stands().sends_held_since or timezone.now()
    on_their_way = Reply.objects.filter(state__in=["approved", "sending"])
    return {
        "doubted": on_their_way.filter(created_at__lt=since).count(),
        "leave": on_their_way.filter(created_at__gte=since).count(),
    }


@transaction.atomic
def confirm(*, by: User | str) -> int:
    """Let replies leave again. Those of the backup are looked for first; the number of these. Nothing when nothing was
    held."""
    house = House.objects.select_for_update().filter(pk=1, sends_held_since__isnull=False).first()
    if house is None:
        return 0
    doubted = outbox.doubt_all(before=house.sends_held_since)
    house.sends_held_since = house.restored_to = None
    house.save(update_fields=["sends_held_since", "restored_to"])
    record("sends_confirmed", house, by=by)
    transaction.on_commit(lambda: cache.delete("house"))
    return doubted
