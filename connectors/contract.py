"""What every network has to be able to say, whichever it is. Pure Python: knows no database and no Django.

A connector translates one network's words into these and lets no word or exception of the network past itself. It keeps
no state: credentials, settings and cursor are handed to it, and what it learnt it hands back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

Kind = Literal["mention", "reply", "comment", "dm", "review", "post", "article"]
KINDS: frozenset[str] = frozenset(("mention", "reply", "comment", "dm", "review", "post", "article"))


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a post, as the network knows them. `followers` is None where the network does not say: not zero."""

    id: str
    handle: str
    name: str = ""
    followers: int | None = None
    verified: bool = False
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    url: str
    type: str


@dataclass(frozen=True, slots=True)
class Post:
    """What a network gave us, normalised. Times carry a zone. `thread` is the network's id of the whole thread or of
    its first post, where it tells; `global_id` the key under which every channel of the network would see the same
    post."""

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
    """One page of a fetch. `cursor` is where the next page begins; `more` says that it waits already; `gap` tells in
    words what lies between the old cursor and this page and could not be given. `history` marks a page that was there
    before we came: it is kept and routed, but nobody's clock starts. `note` is what an admin should know of a visit
    that went well; `not_before` is when the network wants to be asked again at the earliest."""

    posts: Sequence[Post | Unreadable]
    cursor: Mapping[str, Any]
    more: bool = False
    gap: str = ""
    history: bool = False
    note: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a page of posts in the inbox. `refused` names by place in the page what could not be kept, and
    why."""

    taken_in: int = 0
    duplicates: int = 0
    changed: int = 0
    refused: Sequence[tuple[int, str]] = ()


class TakeIn(Protocol):
    """The inbox, as connectors know it: handed in from above. Called inside a transaction that also keeps the
    cursor."""

    def __call__(self, channel: Any, posts: Sequence[Post], *, history: bool = False) -> Taken: ...


@dataclass(frozen=True)
class Capabilities:
    """What a network can do; composer, API and pages read only this."""

    reads: frozenset[str] = frozenset()
    polls: bool = True
    hooks: bool = False
    replies: bool = False
    longest_reply: int | None = None
    edits: bool = False
    deletions: bool = False
    searches: bool = False
    global_ids: bool = False
    native_idempotency: bool = False


@dataclass(frozen=True)
class Setting:
    """One thing that is decided about a channel; its form, its API and its check are made from this."""

    name: str
    label: str
    kind: Literal["text", "number", "flag", "url", "choice"] = "text"
    default: Any = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None
    required: bool = False


#: What every network's settings know.
COMMON = (
    Setting("base_url", "Address of the network", "url", help="Only for a server of your own; else left empty"),
    Setting("allow_private_hosts", "Allow private addresses", "flag", False, "The server stands in your own network"),
    Setting("poll_seconds", "Seconds between two looks", "number", 60, least=1, most=86_400),
    Setting("backfill_days", "Days to look back at first", "number", 7, least=0, most=365),
    Setting("query", "Words to search for", help="Makes this a keyword channel: it finds what people say anywhere"),
)


@dataclass(frozen=True)
class Outgoing:
    """A reply on its way out. `client_key` is the same for every attempt at the same reply."""

    text: str
    in_reply_to: str
    client_key: str


@dataclass(frozen=True)
class Sent:
    """What the network answered when it took a reply: its id there, its address where people can see it, and the key
    under which a fetch will bring it back to us (as `Post.global_id`)."""

    id: str
    url: str = ""
    global_id: str = ""


@dataclass(frozen=True)
class Connector:
    """One channel's way to its network. Subclasses say what they can in `capabilities` and implement that much;
    `asks` and `secrets` are what an admin has to tell about a channel, besides COMMON, of which it
    `heeds` some or all."""

    slug: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    network: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()
    asks: ClassVar[tuple[Setting, ...]] = ()
    heeds: ClassVar[frozenset[str]] = frozenset(each.name for each in COMMON)
    secrets: ClassVar[tuple[Setting, ...]] = ()

    @property
    def offers(self) -> Capabilities:
        """What this very channel can do: as the network, or less, where its settings decide."""
        return self.capabilities

    @classmethod
    def check_secrets(cls, credentials: Mapping[str, str]) -> None:
        """Whether these credentials can be any good, before they are kept. Raises Misconfigured with a sentence a
        field, in which nothing of them stands."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of this delivery, the same whenever it is sent again. Reads nothing before the signature is found
        right. Raises Forged. Only of networks that deliver (`hooks`)."""
        raise NotImplementedError

    def posts_in(self, body: bytes) -> Iterable[Post | Unreadable]:
        """The posts of a delivery that was verified."""
        raise NotImplementedError

    def fetch(self, cursor: Mapping[str, Any]) -> Batch:
        """The next page after `cursor` (empty at first), oldest first where the network lets us choose. Reading twice
        from the same cursor loses nothing. Raises a `connectors.errors.ConnectorError`."""
        raise NotImplementedError

    def send(self, reply: Outgoing) -> Sent:
        """One attempt, no retry of its own. Raises `Rejected`, `RateLimited`, `NotAuthorized` or `NotSent` when the
        network certainly did not take the reply, and `MaybeSent` or anything else when it may have."""
        raise NotImplementedError

    def find_sent(self, reply: Outgoing, since: datetime) -> Sent | None:
        """Our own reply among what we published since then: same target and same text, or our client key. None when
        it is not there (yet). Never writes."""
        raise NotImplementedError

    def length_of(self, text: str) -> int:
        """How long this text is by the network's own count."""
        return len(text)

    def check(self) -> str:
        """Try the connection without taking anything in; a sentence about what was found. Raises as `fetch` does."""
        return "Nothing to connect to."
