"""The connectors' clock, measured: `python -m tests.bench.clock --channels 200 --seconds 120`.

A house of its own with one worker and one timetable looks after channels on servers of loopback that take their time;
some channels lie on a server that never answers, and others may walk through much history meanwhile. The servers write
down who asked when; the last line is JSON.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path


def main() -> None:
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="clock-"))
    folder.chmod(0o755)
    os.environ |= {"DATA_DIR": str(folder), "DEMO": "0", "LOG_LEVEL": "WARNING"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "socialhub.settings"
    try:
        print(json.dumps(_measured(asked), indent=1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--channels", type=int, default=200, help="those of living servers")
    words.add_argument("--hosts", type=int, default=20, help="servers that live")
    words.add_argument("--dead", type=int, default=20, help="channels on the one that never answers")
    words.add_argument("--interval", type=float, default=10, help="seconds between two looks")
    words.add_argument("--walkers", type=int, default=0, help="further channels that walk through history")
    words.add_argument("--history", type=int, default=50_000, help="posts of history that each of them brings")
    words.add_argument("--import", type=int, default=0, dest="imported", help="posts that import_posts brings beside")
    words.add_argument("--seconds", type=float, default=60)
    return words.parse_args()


def _measured(asked) -> dict:
    import django

    django.setup()
    from socialhub.embedded import places, servers

    with servers.running(places.find(), careless=True):
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from tests.bench.network import Servers

        network = Servers()
        _house(asked, network)
        with _processes() as running:
            return _watch(asked, network, running)


def _house(asked, network) -> None:
    """Departments, starter rules, and the channels, all opened within moments."""
    from connectors import actions
    from routing import starter
    from socialhub import demo

    demo.settle()
    starter.found(by="system")
    living, dead = network.living(asked.hosts), network.dead()
    where = {f"c{number}": living[number % asked.hosts] for number in range(asked.channels)}
    where |= {f"dead{number}": dead for number in range(asked.dead)}
    where |= {f"old{number}": network.living(1)[0] for number in range(asked.walkers)}
    network.history |= {f"old{number}": asked.history for number in range(asked.walkers)}
    for slug, url in where.items():
        said = {"url": url, "poll_seconds": asked.interval, "allow_private_hosts": True}
        actions.open_channel(network="clocked", slug=slug, name=slug, settings=said, by="system")
    actions.open_channel(network="import", slug="pushed", name="Pushed", by="system")


@contextmanager
def _processes():
    """One worker and one timetable, as `make run` has them."""
    beat = [sys.executable, "-m", "celery", "-A", "socialhub", "beat", "-s", f"{os.environ['DATA_DIR']}/beat",
            "--pidfile", ""]  # fmt: skip
    running = [subprocess.Popen(words) for words in ([sys.executable, "-m", __spec__.name, "worker"], beat)]
    try:
        yield running
    finally:
        for each in running:
            each.send_signal(signal.SIGTERM)
        for each in running:
            try:
                each.wait(20)
            except subprocess.TimeoutExpired:
                each.kill()


def _worker() -> None:
    """The worker, which has to know the network of the tests too."""
    import django

    django.setup()
    import tests.bench.network  # noqa: F401
    from socialhub.celery import app

    app.worker_main(["worker", "-P", "threads", "--loglevel", "WARNING",
                     "--without-gossip", "--without-mingle", "--without-heartbeat"])  # fmt: skip


def _watch(asked, network, running) -> dict:
    """Let them run in, then measure."""
    _until(lambda: len(network.seen) > 0, 60)
    time.sleep(2 * asked.interval)
    began, used = time.monotonic(), _cpu(running[0].pid)
    end = began + asked.seconds
    beside = _beside(asked, network, end)
    time.sleep(max(0, end - time.monotonic()))
    used = _cpu(running[0].pid) - used
    told = {
        "channels": asked.channels,
        "dead": asked.dead,
        "walkers": asked.walkers,
        "imported": asked.imported,
        "interval": asked.interval,
        "seconds": asked.seconds,
        "intervals": _intervals(network, asked, began, end),
        "worker": _sizes(running) | {"cpu_share": round(used / asked.seconds, 3)},
        "connections": _sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"),
    }
    for each in beside:
        each.join(30)
    return told | _lanes(asked, began)


def _until(true, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            sys.exit(f"Not so after {seconds} s")
        time.sleep(0.1)


def _intervals(network, asked, began: float, end: float) -> dict:
    """How far the looks at living servers were apart; a channel that was not asked at all counts too."""
    gaps, means = [], []
    for number in range(asked.channels):
        at = [each for each in list(network.seen[f"c{number}"]) if began - asked.interval <= each <= end]
        own = [after - before for before, after in zip(at, at[1:], strict=False)]
        gaps += own
        means.append(statistics.mean(own) if own else asked.seconds)
    near = [abs(each - asked.interval) <= 0.2 * asked.interval for each in gaps]
    looked = sum(began <= each <= end for slug, at in network.seen.items() if slug[0] == "c" for each in list(at))
    dead = sum(began <= each <= end for slug, at in network.seen.items() if slug[:4] == "dead" for each in list(at))
    return {
        "looks": looked,
        "looks_wanted": round(asked.channels * asked.seconds / asked.interval),
        "looks_at_dead": dead,
        "within_20_percent": round(sum(near) / len(near), 4) if near else 0,
        "channels_whose_mean_is_within_20_percent": sum(
            abs(each - asked.interval) <= 0.2 * asked.interval for each in means
        ),
        "p5": _share(gaps, 0.05),
        "p50": _share(gaps, 0.5),
        "p95": _share(gaps, 0.95),
        "longest": _share(gaps, 1),
    }


def _share(numbers: list[float], share: float) -> float | None:
    return round(sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))], 3) if numbers else None


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _sizes(running) -> dict:
    worker, beat = (_pss(each.pid) for each in running)
    threads = len(os.listdir(f"/proc/{running[0].pid}/task"))
    return {"pss_mib": worker, "beat_pss_mib": beat, "threads": threads}


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024, 1)


def _sql(statement: str, *values):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchone()[0]


# Live posts beside history --------------------------------------------------------------------------------------


def _beside(asked, network, end: float) -> list[threading.Thread]:
    """People write on living channels and push posts; a file of history is brought in."""
    work = [lambda: _write(asked, network, end), lambda: _push(end)]
    if asked.imported:
        work.append(lambda: _import(asked.imported))
    threads = [threading.Thread(target=each, daemon=True) for each in work]
    for each in threads:
        each.start()
    return threads


def _write(asked, network, end: float) -> None:
    number = 0
    while time.monotonic() < end - asked.interval:
        network.write(f"c{number % asked.channels}")
        number += 7
        time.sleep(0.5)


def _push(end: float) -> None:
    from django.utils import timezone

    from connectors import polling
    from connectors.contract import Author, Post
    from connectors.models import Channel
    from departments import bell
    from inbox.intake import take_in

    channel, number = Channel.objects.get(slug="pushed"), 0
    while time.monotonic() < end - 2:
        number += 1
        who = Author(id="pusher", handle="pusher")
        post = Post(f"push-{number}", "mention", f"Where is order {number}?", timezone.now(), who)
        polling.receive(channel, [post], take_in)
        bell.wake("route")
        time.sleep(0.5)


def _import(number: int) -> None:
    then = "2026-01-01T00:00:00+00:00"
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for each in range(number):
            who = {"id": f"old-{each % 5000}", "handle": f"old-{each % 5000}"}
            text = f"Where was my order {each}?"
            file.write(
                json.dumps({"id": f"i{each}", "kind": "mention", "text": text, "created_at": then, "author": who})
            )
            file.write("\n")
        file.flush()
        words = [sys.executable, "manage.py", "import_posts", file.name, "--channel", "old", "--create", "--history"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _lanes(asked, began: float) -> dict:
    """How long live posts waited to be routed, and how far history came."""
    waited = (
        "SELECT round(coalesce(percentile_disc(%s) WITHIN GROUP (ORDER BY extract(epoch FROM "
        "coalesce(routed_at, now()) - received_at)), 0)::numeric, 3)::float FROM inbox_message WHERE NOT history "
        "AND external_id LIKE %s"
    )
    lanes = {
        name: {"posts": _sql("SELECT count(*) FROM inbox_message WHERE external_id LIKE %s", like)}
        | {title: _sql(waited, share, like) for title, share in (("p50", 0.5), ("p95", 0.95), ("longest", 1.0))}
        for name, like in (("fetched_to_routed", "%-live-%"), ("pushed_to_routed", "push-%"))
    }
    history = {
        "taken_in": _sql("SELECT count(*) FROM inbox_message WHERE history"),
        "routed": _sql("SELECT count(*) FROM inbox_message WHERE history AND routed_at IS NOT NULL"),
    }
    return lanes | {"history": history, "watched": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    _worker() if sys.argv[1:] == ["worker"] else main()
