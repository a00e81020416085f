"""The embedded servers, shared by whoever uses a data folder."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from socialhub.embedded import places, postgres, processes, programs, servers, valkey
from socialhub.embedded.places import ROOT, Places
from tests.launcher.house import environment, own_folder

pytestmark = pytest.mark.xdist_group("servers")
USER = """
import sys
from socialhub.embedded import places, servers
with servers.running(places.find(), careless=True):
    print("there", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def no_servers_of_our_own(monkeypatch):
    """These tests are about the embedded ones, also when the suite runs on others."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def folder():
    return Places(own_folder("shared"))


@pytest.fixture
def use(folder):
    """Somebody who uses the servers of the folder until they are told to leave."""
    people = []

    def come() -> subprocess.Popen:
        person = subprocess.Popen(
            [sys.executable, "-c", USER],
            cwd=ROOT, env=environment(folder.data), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        people.append(person)
        assert person.stdout.readline() == "there\n"
        return person

    yield come
    for person in people:
        if person.poll() is None:
            person.communicate(timeout=30)


def both(folder) -> list[int | None]:
    return [postgres.pid(folder), valkey.pid(folder)]


def test_who_leaves_first_leaves_the_servers_to_the_other(use, folder):
    first, second = use(), use()
    started = both(folder)
    first.communicate(timeout=30)
    assert both(folder) == started and postgres.answers(folder) and valkey.answers(folder)
    second.communicate(timeout=30)
    assert both(folder) == [None, None]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_servers_too(use, folder, sign):
    person = use()
    person.send_signal(sign)
    person.wait(timeout=30)
    assert both(folder) == [None, None]


def test_who_was_killed_leaves_servers_that_the_next_one_uses_and_ends(use, folder):
    use().kill()
    left = both(folder)
    assert all(left)
    person = use()
    assert both(folder) == left
    person.communicate(timeout=30)
    assert both(folder) == [None, None]


def test_a_valkey_whose_pid_file_was_lost_is_not_started_twice(use, folder):
    use()
    running = valkey.pid(folder)
    folder.pid_file("valkey").unlink()
    assert servers.start(valkey, folder) == running
    assert processes.read_pid(folder.pid_file("valkey")) == running


def test_a_lock_that_names_a_stranger_does_not_keep_the_database_shut(use, folder):
    use().communicate(timeout=30)
    stranger = subprocess.Popen(["sleep", "60"], **programs.identity())
    try:
        (folder.postgres / "postmaster.pid").write_text(f"{stranger.pid}\n{folder.postgres}\n")
        use()
        assert postgres.answers(folder)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_long_path_gets_its_sockets_in_a_short_folder_of_its_own():
    far = Places(own_folder("far") / ("a" * 60) / ("b" * 60))
    assert far.sockets.parent == places.Path("/tmp")
    with servers.running(far, careless=True):
        assert postgres.answers(far) and valkey.answers(far)
        assert far.sockets.stat().st_mode & 0o077 == 0
    shutil.rmtree(far.sockets)


def test_search_takes_quotes_and_dashes_for_what_they_are(use, folder):
    use()
    with postgres.connect(folder) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_tsvector('simple', '“Parcel” – ÄÖ…')::text")
        assert cursor.fetchone() == ("'parcel':1 'äö':2",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands its servers to another user")
def test_a_closed_environment_gets_its_programs_copied_where_nobody_can_run_them(folder, monkeypatch):
    monkeypatch.setattr(programs, "_is_closed", lambda wheels: True)
    for command in ([programs.postgres(folder, "postgres"), "--version"], [programs.valkey(folder), "--version"]):
        assert folder.runtime in command[0].parents
        assert subprocess.run(command, cwd="/", capture_output=True, **programs.identity()).returncode == 0


def test_a_command_that_needs_no_database_starts_none(folder):
    for words in (["manage.py", "help"], ["manage.py", "check"], ["manage.py", "migrate", "--help"], ["manage.py"]):
        with servers.for_command(words, folder):
            assert both(folder) == [None, None]


def test_only_the_servers_without_an_address_of_another_are_ours():
    assert servers.wanted({}) == [postgres, valkey]
    assert servers.wanted({"DATABASE_URL": "postgres://…"}) == [valkey]
    assert servers.wanted({"DATABASE_URL": "postgres://…", "REDIS_URL": "redis://…"}) == []
