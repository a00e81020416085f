"""What every network has to be able to say, whichever it is. Pure Python: knows no database and no Django.

A connector translates one network's words into these and lets no word or exception of the network past itself. It keeps
no state: credentials, settings and cursor are handed to it, and what it learnt it hands back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

Kind = Literal["mention", "reply", "comment", "dm", "review", "post", "article"]
KINDS: frozenset[str] = frozenset(("mention", "reply", "comment", "dm", "review", "post", "article"))


@dataclass(frozen=True)
class Author:
    """Who wrote a post, as the network knows them. `followers` is None where the network does not say: not zero."""

    id: str
    handle: str
    name: str = ""
    followers: int | None = None
    verified: bool = False
    avatar_url: str = ""


@dataclass(frozen=True)
class Media:
    url: str
    type: str


@dataclass(frozen=True)
class Post:
    """What a network gave us, normalised. Times carry a zone. `thread` is the network's id of the whole thread or of its
    first post, where it tells; `global_id` the key under which every channel of the network would see the same post."""

    id: str
    kind: Kind
    text: str
    created_at: datetime
    author: Author | None = None
    edited_at: datetime | None = None
    deleted: bool = False
    direction: Literal["in", "out"] = "in"
    url: str = ""
    in_reply_to: str = ""
    thread: str = ""
    lang: str = ""
    title: str = ""
    rating: int | None = None
    media: tuple[Media, ...] = ()
    visibility: str = "public"
    global_id: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A post that could not be understood, kept as it came: it goes to quarantine and can be replayed."""

    raw: Any
    reason: str


@dataclass(frozen=True)
class Batch:
    """One page of a fetch. `cursor` is where the next page begins; `more` says that it waits already; `gap` that the
    network could not give all that lies between the old cursor and this page."""

    posts: Sequence[Post | Unreadable]
    cursor: Mapping[str, Any]
    more: bool = False
    gap: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a network can do; composer, API and pages read only this."""

    reads: frozenset[str] = frozenset()
    polls: bool = True
    replies: bool = False
    longest_reply: int | None = None
    edits: bool = False
    deletions: bool = False
    searches: bool = False
    global_ids: bool = False
    native_idempotency: bool = False


@dataclass(frozen=True)
class Outgoing:
    """A reply on its way out. `client_key` is the same for every attempt at the same reply."""

    text: str
    in_reply_to: str
    client_key: str


@dataclass(frozen=True)
class Sent:
    """What the network answered when it took a reply: its id there, and its address where people can see it."""

    id: str
    url: str = ""


@dataclass(frozen=True)
class Connector:
    """One channel's way to its network. Subclasses say what they can in `capabilities` and implement that much."""

    slug: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict)

    network: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        """The next page after `cursor` (empty at first). Raises a `connectors.errors.ConnectorError`."""
        raise NotImplementedError

    def send(self, reply: Outgoing) -> Sent:
        """One attempt, no retry of its own. Raises `Rejected`, `RateLimited`, `NotAuthorized` or `NotSent` when the network
        certainly did not take the reply, and `MaybeSent` or anything else when it may have."""
        raise NotImplementedError

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        """Our own reply among what we published since then: same target and same text, or our client key. None when it is
        not there (yet). Never writes."""
        raise NotImplementedError

    def length_of(self, text: str) -> int:
        """How long this text is by the network's own count."""
        return len(text)

    def check(self) -> str:
        """Try the connection without taking anything in; a sentence about what was found. Raises as `fetch` does."""
        return "Nothing to connect to."
