"""Those who keep the house busy: people who write, programs that bring what they wrote, and colleagues who answer.

Programs do as real networks do: what was not acknowledged they bring again, until it is."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

from connectors import signing
from tests.faults.traffic import NOT_NOW, Program
from tests.launcher.house import House
from tests.torture.feeds import Feed
from tests.torture.world import Said, World

PAGE = 50  # posts that a program brings at once, at most


class Worker(threading.Thread):
    """Goes on until it is stopped; a fault of its own is kept, so that the run can fail by it."""

    def __init__(self, name: str):
        super().__init__(daemon=True, name=name)
        self.stopping = threading.Event()
        self.broke: Exception | None = None

    def run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.broke = error

    def work(self) -> None:
        raise NotImplementedError

    def pause(self, seconds: float) -> bool:
        """Wait a little; whether to go on."""
        return not self.stopping.wait(seconds)

    def stop(self, patience: float = 60) -> None:
        self.stopping.set()
        self.join(patience)
        if self.is_alive():
            raise RuntimeError(f"{self.name} does not end")
        if self.broke:
            raise self.broke


class Bringer(Worker):
    """Brings the posts of one channel, by `deliver(page, key)`, which says whether the house acknowledged them.

    `moods` says how the next pages are brought: `twice`, `shuffled`, `race` (two at the same time), `stale` (the
    version before an edit comes after it)."""

    def __init__(self, channel: str, deliver: Callable[[list[dict], str], bool], chance: Random):
        super().__init__(f"bringer of {channel}")
        self.channel, self.deliver, self.chance = channel, deliver, chance
        self.waiting: deque[Said] = deque()
        self.moods: deque[str] = deque()
        self.tries = self.pages = 0

    def work(self) -> None:
        while self.waiting or not self.stopping.is_set():
            page = [self.waiting.popleft() for _ in range(min(len(self.waiting), PAGE))]
            if page:
                self.bring(page)
            elif not self.pause(0.05):
                return

    def bring(self, page: list[Said]) -> None:
        mood = self.moods.popleft() if self.moods else ""
        posts = [each.as_json() for each in page]
        if mood == "shuffled":
            self.chance.shuffle(posts)
        others = self._others(posts) if mood == "race" else []
        self._until_taken(posts)
        for other in others:
            other.join(60)
        for each in page:
            each.told = True
        if mood == "twice":
            self._until_taken(posts)

    def edited(self, said: Said, world: World) -> None:
        """Bring a later version, and then the one before it again, as networks that go out of order do."""
        before = said.as_json()
        world.edit(said)
        self._until_taken([said.as_json()])
        self._until_taken([before])

    def _others(self, posts: list[dict]) -> list[threading.Thread]:
        others = [threading.Thread(target=self._until_taken, args=[posts], daemon=True) for _ in range(2)]
        for other in others:
            other.start()
        return others

    def _until_taken(self, posts: list[dict]) -> None:
        key = str(uuid4())
        self.pages += 1
        until = time.monotonic() + 300
        while time.monotonic() < until:
            self.tries += 1
            if self.deliver(posts, key):
                return
            time.sleep(0.3)
        raise RuntimeError(f"The house does not take what {self.channel} brings.")


def pushed(program: Program, channel: str) -> Callable[[list[dict], str], bool]:
    """Through the API, under one Idempotency-Key for all tries at the same page."""

    def deliver(posts: list[dict], key: str) -> bool:
        status, said = program.call(f"channels/{channel}/posts/", {"posts": posts}, key=key)
        if status == 200:
            done = said["taken_in"] + said["duplicates"] + len(said["quarantined"])
            assert done == len(posts), f"{channel}: {said} for {len(posts)} posts"
            return True
        assert status in NOT_NOW | {409}, f"{channel}: the API answers {status}"
        return False

    return deliver


def delivered(house: House, slug: str, secret: str) -> Callable[[list[dict], str], bool]:
    """Signed, to the channel's own address, under one id for all tries; each try is signed anew."""

    def deliver(posts: list[dict], key: str) -> bool:
        body = json.dumps({"posts": posts}).encode()
        headers = {"Content-Type": "application/json", **signing.sign(secret, body, id=key, at=datetime.now(UTC))}
        request = urllib.request.Request(house.address(f"/hooks/{slug}/"), data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            assert error.code in NOT_NOW, f"{slug}: the hook answers {error.code}"
        except (OSError, http.client.HTTPException):
            pass
        return False

    return deliver


class Crowd(Worker):
    """People who write, `rate` posts a second, until all is written."""

    def __init__(self, world: World, posts: int, rate: float, feeds: list[Feed], bringers: list[Bringer]):
        super().__init__("crowd")
        self.world, self.posts, self.rate = world, posts, rate
        self.feeds, self.bringers = feeds, bringers
        self.chance = Random(f"crowd:{world.seed}")
        #: How many of the next posts are dated hours ago, or can not be read.
        self.late = self.broken = 0

    def work(self) -> None:
        began, written = time.monotonic(), 0
        while written < self.posts and self.pause(0.1):
            due = min(self.posts, int((time.monotonic() - began) * self.rate) + 1)
            while written < due:
                self._somebody()
                written += 1

    def _somebody(self) -> None:
        late, self.late = self.late > 0, max(0, self.late - 1)
        if self.feeds and self.chance.random() < 0.3:
            feed = self.chance.choice(self.feeds)
            feed.add(self.world.write(feed.slug, late=late, threads=False))
            return
        broken, self.broken = self.broken > 0, max(0, self.broken - 1)
        bringer = self.chance.choice(self.bringers)
        bringer.waiting.append(self.world.write(bringer.channel, late=late, broken=broken))


class Colleague(Worker):
    """Somebody of the house who answers whatever lies open in the queue and came by a channel that takes replies.

    A call that nobody answered is made again under the same key, as a program should: that must never be a second
    reply."""

    def __init__(self, program: Program, department: str, channels: set[str], pace: float):
        super().__init__(f"colleague in {department}")
        self.program, self.department, self.channels, self.pace = program, department, channels, pace
        #: The house's id of the reply → when it said that it accepted it.
        self.accepted: dict[str, float] = {}
        self.answers: Counter[int] = Counter()
        self._tried: set[tuple] = set()

    def work(self) -> None:
        while self.pause(self.pace):
            _, page = self.program.call(f"queues/{self.department}/items/?status=open&limit=30&sort=newest")
            found = [each for each in page.get("results", []) if (each["id"], each["version"]) not in self._tried]
            for item in found[:8]:
                self._tried.add((item["id"], item["version"]))
                if self._reply(item["conversation"]) and not self.pause(self.pace):
                    return

    def _reply(self, conversation: str) -> bool:
        _, seen = self.program.call(f"conversations/{conversation}/")
        if not seen or seen["channel"]["slug"] not in self.channels:
            return False
        body = {"text": f"Hello, we look into it ({uuid4().hex[:10]}).", "seen": seen["last_message"]}
        key, status = str(uuid4()), 0
        until = time.monotonic() + 60
        while status in NOT_NOW and time.monotonic() < until:
            status, answer = self.program.call(f"conversations/{conversation}/replies/", body, key=key)
            self.answers[status] += 1
            if status in NOT_NOW:
                time.sleep(0.3)
        if status == 202:
            self.accepted[answer["id"]] = time.time()
        return True
