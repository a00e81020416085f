"""What a rule may ask: plain data about one post, gathered before anybody decides. Nothing here looks anything up."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from connectors.contract import Post
from routing.scoring import Scores
from routing.words import Words, fold

#: As much of a text as rules read; what follows is kept, shown and searched, but decides nothing.
READ = 10_000

_HASHTAG = re.compile(r"(?<!\w)[#＃](\w+)")
_MENTION = re.compile(r"(?<!\w)[@＠](\w[\w.-]*)")
_LINK = re.compile(r"https?://\S+")


class Place(Protocol):
    """Where a post came in: a Channel, or whatever else has these two words."""

    @property
    def slug(self) -> str: ...

    @property
    def network(self) -> str: ...


@dataclass(frozen=True)
class Facts:
    """One post as rules see it. `followers` and `rating` are None where the network does not say, which is not zero;
    `lang` is empty until somebody knows it."""

    text: str
    network: str
    channel: str
    kind: str
    created_at: datetime
    author_id: str = ""
    author_handle: str = ""
    author_name: str = ""
    followers: int | None = None
    verified: bool = False
    lang: str = ""
    rating: int | None = None
    visibility: str = "public"
    has_media: bool = False
    is_reply_to_us: bool = False
    # What had to be looked up; None and empty where nobody did. Lists and campaigns by slug; `open_now` are the
    # departments whose people are there; `author_messages` how many of theirs came within seven days, with this one;
    # `similar` how many near copies within a day, with this one.
    author_lists: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    open_now: frozenset[str] = frozenset()
    author_messages: int | None = None
    similar: int | None = None
    # What was read out of the text (routing/scoring).
    mood: float | None = None
    labels: tuple[tuple[str, float], ...] = ()
    # How much of `text` is the title and the line break after it.
    head: int = 0

    @cached_property
    def words(self) -> Words:
        return Words(self.text)

    @cached_property
    def hashtags(self) -> frozenset[str]:
        return frozenset(fold(tag) for tag in _HASHTAG.findall(self.text))

    @cached_property
    def mentions(self) -> frozenset[str]:
        return frozenset(fold(handle) for handle in _MENTION.findall(self.text))

    @cached_property
    def links(self) -> tuple[str, ...]:
        return tuple(_LINK.findall(self.text)) if "://" in self.text else ()

    def as_read(self, scores: Scores) -> "Facts":
        """The same post with what was read out of it. The language that the network names goes before."""
        facts = self if self.lang else self.in_language(scores.language)
        if scores.mood is None and not scores.labels:
            return facts
        labels = scores.labels or facts.labels
        if labels == facts.labels and scores.mood in (None, facts.mood):
            return facts
        return facts._with(mood=facts.mood if scores.mood is None else scores.mood, labels=labels)

    def in_language(self, lang: str) -> "Facts":
        """The same post, now that somebody knows its language; what was already worked out of the text is kept."""
        return self._with(lang=lang)

    def _with(self, **more: Any) -> "Facts":
        # By hand: `replace` would read and set thirty fields one by one, and a back-test does this for every post.
        known = object.__new__(Facts)
        known.__dict__.update(self.__dict__, **more)
        return known

    def frozen(self) -> dict[str, Any]:
        """What a decision keeps of them: all that may change later, and nothing of what was said or who said it. What
        nobody looked up or found is left out."""
        looked_up = {
            "author_lists": sorted(self.author_lists),
            "campaigns": sorted(self.campaigns),
            "open_now": sorted(self.open_now),
            "author_messages": self.author_messages,
            "similar": self.similar,
            "mood": self.mood,
            "labels": [list(each) for each in self.labels],
        }
        return {name: value for name, value in looked_up.items() if value not in (None, [])} | {
            "network": self.network,
            "channel": self.channel,
            "kind": self.kind,
            "lang": self.lang,
            "followers": self.followers,
            "verified": self.verified,
            "rating": self.rating,
            "visibility": self.visibility,
            "has_media": self.has_media,
            "is_reply_to_us": self.is_reply_to_us,
            "created_at": self.created_at.isoformat(),
        }


def facts_again(message, frozen: dict[str, Any]) -> Facts:
    """What a decision saw, from the facts that it kept and the message as it still reads."""
    now = facts_of_message(message, is_reply_to_us=False)
    return now._with(**{name: _thaw(name, value) for name, value in frozen.items()})


def _thaw(name: str, value: Any) -> Any:
    """A fact from its JSON."""
    match name:
        case "created_at":
            return datetime.fromisoformat(value)
        case "author_lists" | "campaigns" | "open_now":
            return frozenset(value)
        case "labels":
            return tuple((label, p) for label, p in value)
    return value


def facts_of_post(post: Post, channel: Place) -> Facts:
    """The facts of a post that is not stored: for preview, where nothing is known of the thread it belongs to."""
    author = post.author
    return Facts(
        text=_read(post.title, post.text),
        head=_head(post.title),
        network=channel.network,
        channel=channel.slug,
        kind=post.kind,
        created_at=post.created_at,
        author_id=author.id if author else "",
        author_handle=author.handle if author else "",
        author_name=author.name if author else "",
        followers=author.followers if author else None,
        verified=author.verified if author else False,
        lang=post.lang,
        rating=post.rating,
        visibility=post.visibility,
        has_media=bool(post.media),
    )


def facts_of_message(message, *, is_reply_to_us: bool) -> Facts:
    """The facts of a message that came with its channel and identity; whether it answers us its parent would tell."""
    author = message.identity
    return Facts(
        text=_read(message.title, message.text),
        head=_head(message.title),
        network=message.channel.network,
        channel=message.channel.slug,
        kind=message.kind,
        created_at=message.created_at,
        author_id=author.external_id if author else "",
        author_handle=author.handle if author else "",
        author_name=author.name if author else "",
        followers=author.followers if author else None,
        verified=author.verified if author else False,
        lang=message.language,
        rating=message.rating,
        visibility=message.visibility,
        has_media=bool(message.media),
        is_reply_to_us=is_reply_to_us,
    )


def _read(title: str, text: str) -> str:
    return (f"{title}\n{text}" if title else text)[:READ]


def _head(title: str) -> int:
    return len(title) + 1 if title else 0
