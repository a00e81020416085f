"""What people wrote on the network of the torture, and what arrived there from us: the truth that the house is held
against. It lives in this process, so no kill reaches it."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from connectors.demo import pool
from connectors.demo.people import Somebody, anybody

ANSWERS_ITSELF = 0.15  # how often somebody adds to what they wrote before


@dataclass
class Said:
    """A post. Its mark stands in its text, whatever way it takes, and is how it is known again."""

    number: int
    channel: str
    author: Somebody
    words: str
    created_at: datetime
    before: "Said | None" = None
    edits: int = 0
    edited_at: datetime | None = None
    # A post that can not be read: it belongs into quarantine.
    broken: bool = False
    # The network told it to the house, to the end, or the house said that it has it.
    told: bool = False

    @property
    def mark(self) -> str:
        return f"(t{self.number})"

    @property
    def id(self) -> str:
        return f"t{self.number}"

    @property
    def text(self) -> str:
        return " ".join([self.words, *(f"Edit {number + 1}." for number in range(self.edits)), self.mark])

    @property
    def root(self) -> "Said":
        return self.before.root if self.before else self

    def as_json(self) -> dict:
        """As programs push it."""
        said = {
            "id": self.id,
            "kind": "reply" if self.before else "mention",
            "text": self.text,
            "author": {"id": self.author.handle, "handle": self.author.handle, "name": self.author.name},
            "created_at": self.created_at.isoformat(),
            "thread": self.root.id,
        }
        if self.before:
            said["in_reply_to"] = self.before.id
        if self.edited_at:
            said["edited_at"] = self.edited_at.isoformat()
        if self.broken:
            del said["created_at"]
        return said


@dataclass
class World:
    """Everything that was said, and every reply that arrived."""

    seed: int
    posts: list[Said] = field(default_factory=list)
    #: The house's own name for a reply → each time that it was published.
    replies: dict[str, list[dict]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self):
        self.chance = Random(f"people:{self.seed}")
        self._last: dict[str, list[Said]] = defaultdict(list)

    def write(self, channel: str, *, late: bool = False, broken: bool = False, threads: bool = True) -> Said:
        """Let somebody write to this channel, now or hours ago."""
        with self.lock:
            chance = self.chance
            lately = self._last[channel]
            before = chance.choice(lately) if threads and lately and chance.random() < ANSWERS_ITSELF else None
            line = chance.choice(pool.lines())
            at = datetime.now(UTC) - (timedelta(minutes=chance.randint(20, 600)) if late else timedelta())
            said = Said(
                number=len(self.posts) + 1,
                channel=channel,
                author=before.author if before else anybody(chance, line.lang),
                words=pool.filled(line.text, line.lang, chance),
                created_at=at,
                before=before,
                broken=broken,
            )
            self.posts.append(said)
            if not broken:
                self._last[channel] = [*lately[-40:], said]
            return said

    def edit(self, said: Said) -> None:
        """Let the author change it."""
        with self.lock:
            said.edits += 1
            said.edited_at = datetime.now(UTC)

    def publish(self, reply: dict) -> dict:
        """Take a reply, each time that it is sent: this network does not look whether it has it already."""
        with self.lock:
            times = self.replies[reply["id"]]
            there = {"id": f"{reply['id']}-{len(times) + 1}", "at": time.time(), "reply": reply}
            times.append(there)
            return there

    def told(self) -> list[Said]:
        with self.lock:
            return [each for each in self.posts if each.told]
