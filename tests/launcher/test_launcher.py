"""`make run`, from the first start to the last."""

import os
import signal
import socket
import time

import psutil
import pytest

from socialhub.embedded import processes
from tests.launcher.house import PROCESSES, House, eventually, own_folder, run

pytestmark = pytest.mark.xdist_group("launcher")


@pytest.fixture(scope="module")
def first_start():
    house = House(own_folder("house"))
    try:
        house.start()
        yield house
    finally:
        house.clear_away()


@pytest.fixture
def house(first_start):
    """One that runs and is well. Starting it again takes two seconds."""
    if not first_start.runs():
        first_start.start()
    eventually(first_start.is_well, 60)
    return first_start


def test_the_first_start_tells_the_address_and_who_can_sign_in(first_start):
    first_start.read_on("ada")
    assert f"Social Hub is at http://127.0.0.1:{first_start.port}/ (Ctrl-C stops it)" in first_start.said
    assert "Sign in with the password “social-hub” as" in first_start.said
    people = {line.split(maxsplit=1)[0] for line in first_start.said if line}
    assert people >= {"mia", "carl", "carla", "pia", "mara", "hana", "ravi", "cora", "ada"}
    assert first_start.sign_in("mia").open(first_start.address("/")).status == 200


def listens_at(process: psutil.Process) -> set[tuple]:
    try:
        doors = process.net_connections("inet")
    except psutil.NoSuchProcess:  # PostgreSQL has one for each connection, and they come and go
        return set()
    return {tuple(door.laddr) for door in doors if door.status == "LISTEN"}


def test_nothing_but_the_web_process_listens_at_a_port(house):
    listening = {}
    for name, pid in house.pids().items():
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        listening[name] = set().union(*map(listens_at, family))
    assert listening == dict.fromkeys(PROCESSES, set()) | {"web": {("127.0.0.1", house.port)}}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_is_killed_is_back_within_two_seconds(house, name):
    before = house.pids()
    os.kill(before[name], signal.SIGKILL)
    took = eventually(lambda: house.pid(name) != before[name] and processes.alive(house.pid(name)), 2)
    assert took < 2
    eventually(house.is_well, 60)
    others = [other for other in PROCESSES if other != name]
    assert [house.pid(other) for other in others] == [before[other] for other in others]


def test_a_command_uses_the_servers_that_run_and_leaves_them_running(house):
    before = house.pids()
    done = run("manage.py", "shell", "-v0", "-c", "from departments.models import User; print(User.objects.count())",
               folder=house.folder)  # fmt: skip
    assert int(done.stdout) >= 9, done.stderr
    assert house.pids() == before and house.is_well()


def test_a_second_start_on_the_same_data_says_who_is_there(house):
    done = run("-m", "socialhub.embedded", folder=house.folder, PORT=house.port + 1)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Social Hub already runs on {house.folder} (process {house.launcher.pid}, ")
    assert len(done.stderr.splitlines()) == 1
    assert house.is_well()


def test_ctrl_c_stops_everything_within_three_seconds_even_with_an_open_stream(house):
    mia = house.sign_in("mia")
    stream = mia.open(house.address("/live/"), timeout=10)
    assert stream.headers["Content-Type"].startswith("text/event-stream") and stream.readline()
    assert house.stop() < 3
    assert house.left_behind() == []
    assert house.launcher.returncode == 0
    assert not any(house.pids().values())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_that_reaches_only_make_stops_everything(house, sign):
    house.stop()
    house.start(below_make=True)
    house.stop(sign)
    eventually(lambda: house.left_behind() == [], 3)


def test_the_second_start_takes_less_than_ten_seconds(house):
    house.stop(signal.SIGTERM)
    began = time.monotonic()
    house.start()
    # Of a machine that does nothing else: other tests run beside this one.
    assert time.monotonic() - began < 10 * max(1, os.getloadavg()[0])


def test_a_launcher_that_was_killed_leaves_nothing_that_the_next_start_does_not_end(house):
    before = house.pids()
    house.stop(signal.SIGKILL)
    assert all(map(processes.alive, before.values()))
    house.start()
    eventually(house.is_well, 60)
    assert not any(processes.alive(before[name]) for name in ("web", "worker", "beat"))
    assert house.pid("postgres") == before["postgres"]


def test_a_port_that_is_taken_is_said_with_another_to_choose():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("-m", "socialhub.embedded", folder=own_folder("taken"), PORT=port)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Port {port} is taken by another program: choose another, such as `make run PORT=")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("start", [("-m", "socialhub.embedded"), ("manage.py", "migrate")])
@pytest.mark.parametrize(
    "setting", [{"PORT": "80a"}, {"DEMO": "maybe"}, {"DATABASE_URL": "mysql://a:b@localhost/c"}], ids=str
)
def test_a_wrong_setting_is_named_in_one_sentence(start, setting):
    done = run(*start, folder=own_folder("wrong"), **setting)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert next(iter(setting)) in sentence


def test_a_data_folder_that_can_not_be_made_is_named_in_one_sentence():
    done = run("-m", "socialhub.embedded", folder="/proc/none")
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert "/proc/none" in sentence and "DATA_DIR" in sentence
