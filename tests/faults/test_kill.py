"""Every process is killed while people write and Carl answers; then the demo network tells what ought to be there."""

import os
import signal
import time

import pytest

from socialhub.embedded import processes
from tests.faults.traffic import Carl, Program, ask
from tests.launcher.house import House, eventually, own_folder

# With the launcher's tests, so that they do not take each other's seconds.
pytestmark = pytest.mark.xdist_group("launcher")

#: `late` keeps replies on the wire for a while, so that kills meet some there.
BUSY = {"calm": False, "rate": 300, "story": True, "poll_seconds": 1, "late": 0.3}
SILENT = {"rate": 0, "story": False, "late": 0}
ADDRESSED = "connectors_demopost p WHERE p.account_id IS NOT NULL AND p.direction = 'in'"
ENOUGH = 150  # longer than the lease of a visit that died, of a reply that died, and the first look for it


@pytest.fixture(scope="module")
def house():
    house = House(own_folder("killed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDO_SEND_SECONDS", "0")
        try:
            house.start()
            eventually(house.is_well, 60)
            yield house
        finally:
            house.clear_away()


@pytest.fixture(scope="module")
def ada(house):
    return Program(house, "ada")


def set_channel(ada, settings):
    status, said = ada.call("channels/demo/", {"settings": settings}, method="PATCH")
    assert status == 200, said


@pytest.fixture(scope="module")
def carl(house, ada):
    """He answers while the tests run."""
    set_channel(ada, BUSY)
    carl = Carl(house)
    carl.start()
    yield carl
    carl.stop()


def number(house, sql, *values) -> int:
    return ask(house, f"SELECT count(*) FROM {sql}", *values)[0][0]


def kill(house, name):
    """Kill it with no chance to say anything; it has to be back, with another number."""
    before = house.pid(name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: house.pid(name) not in (None, before) and processes.alive(house.pid(name)), 5)


def goes_on(house, carl, since):
    """The house is well, takes replies of Carl's, and they leave."""
    eventually(house.is_well, 60)
    eventually(lambda: carl.since(since) >= 2, 60)
    eventually(lambda: number(house, "inbox_reply WHERE sent_at > to_timestamp(%s)", since), 60)


def test_carl_answers_while_people_write(house, carl):
    eventually(lambda: carl.since(0) >= 5, 60)
    eventually(lambda: number(house, "inbox_reply WHERE state = 'sent'") >= 3, 60)


def on_the_wire(house):
    """A reply that the network has and of which we do not know it yet."""
    return number(house, "inbox_reply r JOIN connectors_demopost p ON p.client_key = r.client_key::text "
                         "WHERE r.state = 'sending'")  # fmt: skip


def test_the_worker_is_killed_while_a_reply_is_on_the_wire(house, carl):
    eventually(lambda: on_the_wire(house), 60)
    began = time.time()
    kill(house, "worker")
    goes_on(house, carl, began)


@pytest.mark.parametrize("name", ["postgres", "web", "valkey", "beat"])
def test_a_process_is_killed(house, carl, name):
    began = time.time()
    kill(house, name)
    goes_on(house, carl, began)


def waiting(house) -> list[tuple]:
    """What has not come to rest: posts to read, messages to route, replies on their way.

    A reply that the kill caught before the network had it stays unconfirmed: we look for it again and again during
    thirteen minutes, then a person is asked. Here that time passes faster; nothing else is changed.
    """
    hurry = "UPDATE inbox_reply SET send_after = now() WHERE state = 'unknown' AND looks > 0 AND send_after > now()"
    waits = """
        SELECT 'posts to read', c.slug, c.leased_until::text FROM connectors_channel c, connectors_demonetwork n
        WHERE (c.cursor->>'change')::bigint < n.last_change OR c.leased_until IS NOT NULL
        UNION ALL SELECT 'to route', id::text, route_attempts::text FROM inbox_message
        WHERE direction = 'in' AND routed_at IS NULL
        UNION ALL SELECT state, id::text, leased_until::text FROM inbox_reply
        WHERE state IN ('approved', 'sending', 'unknown')
    """
    ask(house, hurry)
    return ask(house, waits)


@pytest.fixture(scope="module")
def afterwards(house, ada, carl):
    """Carl has gone, people have stopped writing, and everything has come to rest."""
    eventually(lambda: carl.since(0) >= 10, 90)
    carl.stop()
    set_channel(ada, SILENT)
    began = time.monotonic()
    while left := waiting(house):
        assert time.monotonic() < began + ENOUGH, left
        time.sleep(0.2)
    states = dict(ask(house, "SELECT state, count(*) FROM inbox_reply GROUP BY state"))
    print(f"{number(house, ADDRESSED)} posts, replies: {states}, answers to Carl: {carl.answers}")
    print(f"at rest after {time.monotonic() - began:.0f} s")
    return house


def test_every_post_is_there_exactly_once(afterwards):
    messages = "(SELECT count(*) FROM inbox_message m WHERE m.external_id = p.id::text)"
    assert number(afterwards, ADDRESSED) > 50
    lost = ask(afterwards, f"SELECT p.id, p.created_at FROM {ADDRESSED} AND p.deleted_at IS NULL AND {messages} = 0")
    doubled = ask(afterwards, f"SELECT p.id FROM connectors_demopost p WHERE {messages} > 1")
    other_text = ask(
        afterwards,
        f"SELECT p.id FROM {ADDRESSED} AND p.deleted_at IS NULL AND NOT EXISTS "
        "(SELECT FROM inbox_message m WHERE m.external_id = p.id::text AND normalize(p.text) = m.text)",
    )
    assert (lost, doubled, other_text) == ([], [], [])


def test_every_message_was_routed_exactly_once(afterwards):
    living = "inbox_message m WHERE m.direction = 'in' AND m.deleted_at IS NULL"
    decisions = (
        "(SELECT count(*) FROM routing_decision d WHERE d.message_id = m.id AND d.revision = m.revision "
        "AND d.mode = 'live')"
    )
    not_once = ask(afterwards, f"SELECT m.id FROM {living} AND (m.routed_at IS NULL OR {decisions} != 1)")
    twice = ask(
        afterwards,
        "SELECT message_id FROM routing_decision GROUP BY message_id, revision, mode HAVING count(*) > 1",
    )
    leads = "(SELECT count(*) FROM inbox_queueitem i WHERE i.conversation_id = m.conversation_id AND i.lead)"
    placed_twice = ask(
        afterwards,
        "SELECT conversation_id, department_id FROM departments_auditentry WHERE verb = 'item_placed' "
        "GROUP BY conversation_id, department_id HAVING count(*) > 1",
    )
    without_one_lead = ask(afterwards, f"SELECT m.conversation_id FROM {living} AND {leads} != 1")
    assert (not_once, twice, placed_twice, without_one_lead) == ([], [], [], [])


def test_no_reply_left_twice_and_none_was_forgotten(afterwards, carl):
    posts = "(SELECT count(*) FROM connectors_demopost p WHERE p.client_key = r.client_key::text)"
    replies = ask(afterwards, f"SELECT r.id::text, r.state, {posts}, r.trouble FROM inbox_reply r")
    assert {each[0] for each in replies} >= set(carl.accepted), "A reply that was accepted is gone."
    # Each text was written once: a call that came again under its key has not become a second reply.
    assert ask(afterwards, "SELECT text FROM inbox_reply GROUP BY text HAVING count(*) > 1") == []
    stuck = [each for each in replies if each[1] not in ("sent", "refused", "needs_person")]
    wrong = [each for each in replies if each[2] != (each[1] == "sent")]
    assert (stuck, wrong) == ([], [])
    assert len(replies) >= 10


def test_what_we_said_stands_in_the_thread_once(afterwards):
    not_once = ask(
        afterwards,
        "SELECT p.id FROM connectors_demopost p WHERE p.client_key <> '' AND "
        "(SELECT count(*) FROM inbox_message m WHERE m.direction = 'out' AND m.external_id = p.id::text) != 1",
    )
    assert not_once == []
