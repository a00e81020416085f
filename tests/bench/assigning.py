"""Giving out work, measured: `python -m tests.bench.assigning --items 2000 --people 10 --processes 8`.

A house of its own with so many open items and so many people who take on different amounts. All processes begin at the
same moment and give out what waits until nothing is left or everybody is full. Then it is counted: given twice, above
what somebody takes on, counted wrong. The last line is JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: What people take on, in shares of what there is to do: some half of what others do.
SHARES = (0.6, 0.8, 0.9, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6)
#: After so many looks that found nothing to do a process is done.
QUIET = 50
SLUG = "customer-service"


def main() -> None:
    if "--work" in sys.argv:
        return _work()
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="assigning-"))
    folder.chmod(0o755)
    os.environ |= {"DATA_DIR": str(folder), "DEMO": "0", "LOG_LEVEL": "WARNING"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "socialhub.settings"
    try:
        print(json.dumps(_measured(asked)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--items", type=int, default=2000)
    words.add_argument("--people", type=int, default=10)
    words.add_argument("--processes", type=int, default=8)
    words.add_argument("--room", type=float, default=1.12, help="what all take on together, in shares of the items")
    return words.parse_args()


def _measured(asked) -> dict:
    import django

    django.setup()
    from socialhub.embedded import places, postgres, servers

    with servers.running(places.find(), careless=True):
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        most = _house(asked)
        server = postgres.pid(places.find())
        told = _race(asked.processes, server)
        return _counted(asked, most) | told


def _house(asked) -> dict[str, int]:
    """A department, its people, and what waits for them. What each person takes on, by user name."""
    from departments import actions
    from departments.models import Department, User
    from departments.roles import Role
    from inbox.actions import Placement, place_many
    from inbox.models import Message
    from routing.models import AssignmentPolicy, Capacity
    from socialhub import demo
    from tests.make import make_post, receive

    demo.settle()
    department = Department.objects.get(slug=SLUG)
    for each in User.objects.filter(groups__name__startswith=f"dept:{SLUG}:").distinct():
        actions.take_role(each, department, by="system")
    AssignmentPolicy.objects.create(department=department, on=True, only_in_hours=False)
    most = {}
    for number in range(asked.people):
        person = actions.invite(f"agent{number}", name=f"Agent {number}", by="system")
        actions.give_role(person, department, Role.AGENT, by="system")
        share = SHARES[number % len(SHARES)] / sum(SHARES[place % len(SHARES)] for place in range(asked.people))
        most[person.username] = round(asked.items * asked.room * share)
        Capacity.objects.create(department=department, user=person, most=most[person.username])
    receive(*[make_post(author=f"person{number}") for number in range(asked.items)])
    waiting = Message.objects.select_related("conversation", "channel", "identity")
    place_many(Placement(message=each, department=department) for each in waiting)
    return most


# The race -------------------------------------------------------------------------------------------------------------
def _race(processes: int, server: int) -> dict:
    """All at once, from the same moment on."""
    from tests.bench.meter import cpu_of_server

    words = [sys.executable, "-m", __spec__.name, "--work"]
    running = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for each in running:
        assert each.stdout.readline() == "ready\n"
    began, database = time.time(), cpu_of_server(server)
    for each in running:
        each.stdin.write("go\n")
        each.stdin.flush()
    told = [json.loads(each.communicate(timeout=600)[0]) for each in running]
    given = sum(each["given"] for each in told)
    wall = max(each["last"] for each in told) - began
    cpu = sum(each["cpu"] for each in told) + cpu_of_server(server) - database
    return {
        "by_process": sorted(each["given"] for each in told),
        "seconds": round(wall, 2),
        "assignments_per_second": round(given / wall),
        "cpu_seconds": round(cpu, 2),
        "assignments_per_cpu_second": round(given / cpu),
    }


def _work() -> None:
    import django

    django.setup()
    from departments.models import Department
    from routing.assignment import assign_waiting

    Department.objects.exists()
    print("ready", flush=True)
    sys.stdin.readline()
    given, last, quiet, cpu = 0, 0.0, 0, time.process_time()
    while quiet < QUIET:
        done = assign_waiting()
        given, quiet = given + done, 0 if done else quiet + 1
        last = time.time() if done else last
        if not done:
            time.sleep(0.02)
    print(json.dumps({"given": given, "last": last, "cpu": time.process_time() - cpu}))


# What came of it ------------------------------------------------------------------------------------------------------
def _counted(asked, most: dict[str, int]) -> dict:
    from django.db.models import Count

    from departments.models import AuditEntry
    from inbox.models import QueueItem
    from routing.models import Capacity, LoadChange

    held = dict(QueueItem.objects.exclude(assignee=None).values_list("assignee__username").annotate(n=Count("pk")))
    told = AuditEntry.objects.filter(verb="item_given").order_by().values("target_id").annotate(n=Count("pk"))
    counted = {each.user.username: each.held for each in Capacity.objects.with_held().select_related("user")}
    shares = [held.get(name, 0) / most[name] for name in most]
    return {
        "items": asked.items,
        "people": asked.people,
        "processes": asked.processes,
        "room": sum(most.values()),
        "given": sum(held.values()),
        "waiting": QueueItem.objects.filter(assignee=None).count(),
        "given_twice": told.filter(n__gt=1).count(),
        "over_capacity": sum(held.get(name, 0) > most[name] for name in most),
        "counted_wrong": sum(counted.get(name) != held.get(name, 0) for name in most) + len(_recount(LoadChange)),
        "load_by_capacity": [round(min(shares), 3), round(max(shares), 3)],
    }


def _recount(changes) -> list:
    return changes.objects.all().recount()


if __name__ == "__main__":
    main()
