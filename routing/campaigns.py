"""Which campaigns a post belongs to. Pure: campaigns and a post's facts in, their short names out.

A post belongs to a campaign when it carries one of its hashtags or links while the campaign runs. A link is carried by
whatever leads to the same page or to one below it, however it is written: scheme, `www.` and what trackers hang behind
it do not count, unless the campaign's own link asks for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from routing.facts import Facts
from routing.words import fold


class Campaigning(Protocol):
    """A Campaign, or whatever else has these words."""

    slug: str
    hashtags: list[str]
    links: list[str]
    begins_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Where a link leads: the address without what does not count, and what it asks for there."""

    address: str
    asked: frozenset[tuple[str, str]]

    def leads_to(self, other: "Page") -> bool:
        """Whether it is that page, or one below it."""
        below = self.address == other.address or self.address.startswith(f"{other.address}/")
        return below and other.asked <= self.asked


@lru_cache(maxsize=4096)
def page_of(link: str) -> Page | None:
    """Where this leads; None of what is no address."""
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    path = parts.path.rstrip("/.,;:!?)]}’”\"'…")
    return Page(f"{host}{path}", frozenset(parse_qsl(parts.query))) if "." in host else None


class Campaigns:
    """Campaigns, made ready to be asked for many posts."""

    def __init__(self, campaigns: Iterable[Campaigning]):
        self._known = [_Ready(each) for each in campaigns]

    def __bool__(self) -> bool:
        return bool(self._known)

    def of(self, facts: Facts) -> frozenset[str]:
        """The short names of those that this post belongs to by what it says."""
        return frozenset(each.slug for each in self._known if each.has(facts))


class _Ready:
    def __init__(self, campaign: Campaigning):
        self.slug, self.begins, self.ends = campaign.slug, campaign.begins_at, campaign.ends_at
        self.hashtags = frozenset(fold(tag.lstrip("#＃")) for tag in campaign.hashtags)
        self.pages = [page for link in campaign.links if (page := page_of(link))]

    def has(self, facts: Facts) -> bool:
        return self._runs(facts.created_at) and (not self.hashtags.isdisjoint(facts.hashtags) or self._linked(facts))

    def _runs(self, at: datetime) -> bool:
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)

    def _linked(self, facts: Facts) -> bool:
        if not (self.pages and facts.links):
            return False
        carried = [page for link in facts.links if (page := page_of(link))]
        return any(page.leads_to(ours) for page in carried for ours in self.pages)
