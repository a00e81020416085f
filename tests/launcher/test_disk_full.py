"""The disk is full: who pushes is asked to come again, and when there is room nothing is missing."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

from tests.faults.traffic import Program, ask
from tests.launcher.house import House, eventually, own_folder

# With the launcher's tests, so that they do not take each other's seconds.
pytestmark = [
    pytest.mark.xdist_group("launcher"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk of its own size"),
]
SIZE = "256m"
#: Long enough that a page of them does not fit into what is left free in the tables' files.
LONG = "The disk is full and we write on. " * 400


@pytest.fixture
def small_disk():
    folder = own_folder("full")
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=False)
    with suppress(OSError):
        folder.rmdir()


@pytest.fixture
def house(small_disk):
    house = House(small_disk)
    try:
        house.start()
        yield house
    finally:
        house.clear_away()


def page(number: int) -> dict:
    words = {"kind": "mention", "text": LONG, "created_at": "2026-03-01T10:00:00Z"}
    return {"posts": [words | {"id": f"{number}-{each}"} for each in range(25)]}


def push(ada: Program, number: int) -> tuple[int, bool]:
    """The status, and whether it was said when to come again."""
    request = urllib.request.Request(
        ada.house.address("/api/v1/channels/files/posts/"),
        data=json.dumps(page(number)).encode(),
        headers={"Authorization": f"Bearer {ada.token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, False
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, "Retry-After" in error.headers
    except OSError:
        return 0, False


def fill(folder) -> None:
    """Until not one block is left."""
    with (folder / "ballast").open("ab", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def test_what_did_not_fit_is_asked_for_again_and_nothing_is_lost(house, small_disk):
    ada = Program(house, "ada")
    assert ada.call("channels/", {"network": "import", "slug": "files", "name": "Files"})[0] == 201
    eventually(house.is_well, 30)
    taken = {0: push(ada, 0)[0]}
    fill(small_disk)
    refused = []
    for number in range(1, 60):
        status, again = push(ada, number)
        taken[number] = status
        if status != 200:
            refused.append((status, again))
        if len(refused) == 3:
            break
        fill(small_disk)
    assert refused and all(each == (503, True) or each[0] == 0 for each in refused), refused
    assert house.runs()
    (small_disk / "ballast").unlink()
    eventually(house.is_well, 60)
    for number in taken:
        eventually(lambda number=number: push(ada, number)[0] == 200, 30)
    kept = ask(house, "SELECT count(*), count(DISTINCT external_id) FROM inbox_message m "
                      "JOIN connectors_channel c ON c.id = m.channel_id WHERE c.slug = 'files'")  # fmt: skip
    assert kept == [(25 * len(taken),) * 2]
    waiting = "SELECT count(*) FROM inbox_message WHERE routed_at IS NULL AND direction = 'in'"
    eventually(lambda: ask(house, waiting) == [(0,)], 60)
