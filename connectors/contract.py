"""What every network has to be able to say, whichever it is. Pure Python: knows no database and no Django.

A connector translates one network's words into these and lets no word or exception of the network past itself. It keeps
no state: credentials, settings and cursor are handed to it, and what it learnt it hands back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    post. `reply_closed` says in a sentence why this very post can not be answered (empty: it can), `reply_until` when
    the network stops taking answers to it."""

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
    reply_closed: str = ""
    reply_until: datetime | None = None


@dataclass(frozen=True)
class Unreadable:
    """A post that could not be understood, kept as it came: it goes to quarantine and can be replayed."""

    raw: Any
    reason: str


@dataclass(frozen=True)
class Limits:
    """How much the network still lets us ask, as its last answer said: `remaining` of `limit` until `reset`."""

    remaining: int
    limit: int | None = None
    reset: datetime | None = None


@dataclass(frozen=True)
class Batch:
    """One page of a fetch.

    `cursor` is where the next page begins; `more` says that it waits already. `history` marks a page that was there
    before we came: it is kept and routed, but nobody's clock starts; `progress` (0 to 1) is how far looking back has
    come. `gap` tells in words what lies between the old cursor and this page and could not be given, `gap_since` and
    `gap_until` when that was, where it is known; `covered` the stretch of time (since, until) that has now been read
    without a hole, which closes earlier gaps within it. `note` is what an admin should know of a visit that went
    well; `not_before` is when the network wants to be asked again at the earliest. `used` is what the page cost in
    the network's unit (`Capabilities.unit`), `limits` what is left, and `known` what the network said about itself
    or our account: it is handed to the connector the next time (`Connector.known`).
    """

    posts: Sequence[Post | Unreadable]
    cursor: Mapping[str, Any]
    more: bool = False
    gap: str = ""
    gap_since: datetime | None = None
    gap_until: datetime | None = None
    history: bool = False
    note: str = ""
    not_before: datetime | None = None
    progress: float | None = None
    covered: tuple[datetime, datetime] | None = None
    used: float = 0
    limits: Limits | None = None
    known: Mapping[str, Any] | None = None


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


#: By whose rule a text is counted: composer and `length_of` read the same word.
Count = Literal["characters", "x", "mastodon", "graphemes", "threads"]


@dataclass(frozen=True)
class Capabilities:
    """What a network can do; composer, API and pages read only this.

    `private_replies`: a public comment can be answered by a direct message. `likes`, `hides`, `removes`: what may be
    done to a post there. `counts` is the rule by which `longest_reply` is counted, `longest_bytes` a second bound.
    `lookups`: it can be asked how given posts are now, which is how edits and deletions show where it tells of none.
    `signs_in`: connecting goes through the network's own page (OAuth). `unit` is what asking costs ("US$", "units"),
    and `budget_of` the period of its quota or budget. `missing` says for what is not there whether the network
    cannot or we do not yet, and why: `{"searches": "cannot: …", "likes": "not yet: …"}`.
    """

    reads: frozenset[str] = frozenset()
    polls: bool = True
    hooks: bool = False
    replies: bool = False
    private_replies: bool = False
    likes: bool = False
    hides: bool = False
    removes: bool = False
    removes_of_others: bool = False
    longest_reply: int | None = None
    longest_bytes: int | None = None
    counts: Count = "characters"
    reply_window: timedelta | None = None
    edits: bool = False
    deletions: bool = False
    lookups: bool = False
    searches: bool = False
    global_ids: bool = False
    native_idempotency: bool = False
    signs_in: bool = False
    unit: str = ""
    budget_of: Literal["", "day", "month"] = ""
    missing: Mapping[str, str] = field(default_factory=dict)


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
class Target:
    """A post on the network that something is done to or that is answered: its id there, what it is, who may see it,
    and its author's id and handle there."""

    id: str
    kind: str = ""
    visibility: str = "public"
    author: str = ""
    handle: str = ""
    thread: str = ""


@dataclass(frozen=True)
class Outgoing:
    """A reply on its way out. `client_key` is the same for every attempt at the same reply. `to` tells more of the post
    that is answered than its id; `private` asks for a direct message to the author of a public one."""

    text: str
    in_reply_to: str
    client_key: str
    to: Target | None = None
    private: bool = False

    @property
    def is_direct(self) -> bool:
        """Whether what is answered was said in private: then the answer is too, whatever else is asked."""
        return bool(self.to and (self.to.kind == "dm" or self.to.visibility == "direct"))


@dataclass(frozen=True)
class Sent:
    """What the network answered when it took a reply: its id there, its address where people can see it, the key
    under which a fetch will bring it back to us (as `Post.global_id`), and what it cost (`Capabilities.unit`)."""

    id: str
    url: str = ""
    global_id: str = ""
    used: float = 0


@dataclass(frozen=True)
class Checked:
    """What trying the connection found: a sentence; which account it is; what the network granted and, in the admin's
    words, what is missing for what we do; when the credentials end."""

    sentence: str
    account: str = ""
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ends: datetime | None = None
    known: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SignIn:
    """The way to the network's own page: its address; what only we may know until the browser comes back (kept in the
    session); and credentials that are stored at once, such as an app that was registered for this."""

    url: str
    keep: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Account:
    """One of the accounts that a sign-in gave us: its name for people, its settings and credentials."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Connector:
    """One channel's way to its network. Subclasses say what they can in `capabilities` and implement that much;
    `asks` and `secrets` are what an admin has to tell about a channel, besides COMMON, of which it
    `heeds` some or all. `known` is what the network told earlier.

    Credentials that end hold `issued_at` and `expires_at` (ISO 8601), by which the house knows when to `renew` them.
    """

    slug: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    known: Mapping[str, Any] = field(default_factory=dict)

    network: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()
    asks: ClassVar[tuple[Setting, ...]] = ()
    heeds: ClassVar[frozenset[str]] = frozenset(each.name for each in COMMON)
    secrets: ClassVar[tuple[Setting, ...]] = ()
    one_address: ClassVar[bool] = False

    @property
    def query(self) -> str:
        """The words that make this a keyword channel; empty when it is none."""
        return str(self.settings.get("query") or "").strip()

    @property
    def offers(self) -> Capabilities:
        """What this very channel can do: as the network, or less, where its settings decide."""
        return self.capabilities

    @classmethod
    def check_secrets(cls, credentials: Mapping[str, str]) -> None:
        """Whether these credentials can be any good, before they are kept. Raises Misconfigured with a sentence a
        field, in which nothing of them stands."""

    @classmethod
    def first_credentials(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """What is kept of credentials that an admin entered. A password that has to be exchanged for something (by
        `renew`) before anything can be asked is kept with an `expires_at` that is past."""
        return credentials

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of this delivery, the same whenever it is sent again. Reads nothing before the signature is found
        right. Raises Forged. Only of networks that deliver (`hooks`)."""
        raise NotImplementedError

    def posts_in(self, body: bytes) -> Iterable[Post | Unreadable]:
        """The posts of a delivery that was verified."""
        raise NotImplementedError

    def delivers_to(self, other: "Connector") -> bool:
        """Whether what is delivered to this channel may be about that one too, of the same network: where an app has
        one address for all its accounts (`one_address`)."""
        return False

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

    def like(self, target: Target) -> None:
        """Doing it twice is the same as once. Raises as `send` does, and so do the next two."""
        raise NotImplementedError

    def hide(self, target: Target, hidden: bool = True) -> None:
        """Hide a post of others below ours from the public, or show it again."""
        raise NotImplementedError

    def remove(self, target: Target) -> None:
        """Delete a post: our own, or where the network allows it one of others below ours."""
        raise NotImplementedError

    def lookup(self, ids: Sequence[str]) -> Mapping[str, Post | None]:
        """How these posts are now, None for one that is gone; one that the network said nothing about is left out."""
        raise NotImplementedError

    def price(self, doing: Literal["lookup", "act"], number: int = 1) -> float:
        """What it costs at most (`Capabilities.unit`) to look up so many posts, or to like, hide or delete so many."""
        return 0

    def length_of(self, text: str) -> int:
        """How long this text is by the network's own count."""
        return len(text)

    def too_long(self, text: str) -> str:
        """By how much this text is too long to be sent, as a sentence; empty when it is not."""
        longest, most = self.offers.longest_reply, self.offers.longest_bytes
        if longest and (over := self.length_of(text) - longest) > 0:
            return f"It is {_counted(over, 'character')} too long for {self.name}, which takes {longest:,}."
        if most and (over := len(text.encode()) - most) > 0:
            return f"It is {_counted(over, 'byte')} too long for {self.name}, which takes {most:,}."
        return ""

    def check(self) -> Checked:
        """Try the connection without taking anything in. Raises as `fetch` does."""
        return Checked("Nothing to connect to.")

    @classmethod
    def estimate(cls, settings: Mapping[str, Any]) -> str:
        """What reading with these settings will cost or use up, as a sentence; empty when it costs nothing."""
        return ""

    def handshake(self, params: Mapping[str, str]) -> str:
        """The answer to a network that asks by GET whether this address is ours. Raises Forged."""
        raise NotImplementedError

    def sign_in(self, back: str, state: str) -> SignIn:
        """Where to send the admin's browser; it comes back to `back` with `state`. Only of networks that `signs_in`."""
        raise NotImplementedError

    def signed_in(self, code: str, back: str, keep: Mapping[str, str]) -> Sequence[Account]:
        """The accounts that may be used now, one or several to choose from. Raises as `fetch` does."""
        raise NotImplementedError

    def connected(self) -> None:
        """What has to be done once on the network when the channel is connected, such as asking for deliveries. Twice
        is once. Raises as `fetch` does."""

    def renew(self) -> Mapping[str, str]:
        """Credentials in place of those that end soon, all of them. Raises NotAuthorized when the network wants a
        person to sign in again."""
        raise NotImplementedError


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
