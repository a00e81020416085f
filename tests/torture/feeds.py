"""The feeds of the torture: a window of the newest entries, as JSON Feed, RSS or Atom.

The windows are honest: an entry stays until the house has it (`forget`), since a feed that rolls over before anybody
could read it has lost the post, and not the house."""

import hashlib
import json
from email.utils import format_datetime
from random import Random
from xml.sax.saxutils import escape

from tests.torture.world import Said

SHOWN = 25  # entries that stay in the window, read or not


class Feed:
    """One feed. `twice` and `shuffled` say how its next pages are put together."""

    def __init__(self, slug: str, form: str, chance: Random):
        self.slug, self.form, self.chance = slug, form, chance
        self.window: list[Said] = []
        self.twice = self.shuffled = 0

    def add(self, said: Said) -> None:
        self.window = [*self.window, said]

    def forget(self, kept: set[str]) -> None:
        """Let go of what the house has, but for the newest, and for what was changed: that has to be read again."""
        old, new = self.window[:-SHOWN], self.window[-SHOWN:]
        self.window = [each for each in old if each.edits or each.mark not in kept] + new

    def page(self) -> tuple[str, bytes, str, list[Said]]:
        """Its mark for conditional reading, its bytes, their type, and what stands in it."""
        shown = list(self.window)
        entries = list(reversed(shown))
        if self.twice:
            self.twice -= 1
            entries = [each for pair in zip(entries, entries, strict=True) for each in pair]
        if self.shuffled:
            self.shuffled -= 1
            self.chance.shuffle(entries)
        body, kind = _WRITE[self.form](self.slug, entries)
        return f'"{hashlib.sha256(body).hexdigest()[:20]}"', body, kind, shown

    def told(self, shown: list[Said]) -> None:
        """The page went out whole."""
        for each in shown:
            each.told = True


def _json(slug: str, entries: list[Said]) -> tuple[bytes, str]:
    items = []
    for each in entries:
        item = {
            "id": f"https://{slug}.example/{each.id}",
            "url": f"https://{slug}.example/{each.id}",
            "content_text": each.text,
            "date_published": each.created_at.isoformat(),
            "authors": [{"name": each.author.name, "url": f"https://{slug}.example/@{each.author.handle}"}],
        }
        items.append(item | ({"date_modified": each.edited_at.isoformat()} if each.edited_at else {}))
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": slug, "items": items}
    return json.dumps(feed).encode(), "application/feed+json"


def _rss(slug: str, entries: list[Said]) -> tuple[bytes, str]:
    items = "".join(
        f"<item><guid isPermaLink='false'>{each.id}</guid><link>https://{slug}.example/{each.id}</link>"
        f"<title>{escape(each.words[:40])}</title><description>{escape(each.text)}</description>"
        f"<dc:creator>{escape(each.author.name)}</dc:creator>"
        f"<pubDate>{format_datetime(each.created_at)}</pubDate></item>"
        for each in entries
    )
    head = f"<title>{slug}</title><link>https://{slug}.example/</link><description>Torture</description>"
    space = "xmlns:dc='http://purl.org/dc/elements/1.1/'"
    return _xml(f"<rss version='2.0' {space}><channel>{head}{items}</channel></rss>"), "application/rss+xml"


def _atom(slug: str, entries: list[Said]) -> tuple[bytes, str]:
    items = "".join(
        f"<entry><id>urn:{slug}:{each.id}</id><link href='https://{slug}.example/{each.id}'/>"
        f"<title>{escape(each.words[:40])}</title><content type='text'>{escape(each.text)}</content>"
        f"<author><name>{escape(each.author.name)}</name></author>"
        f"<published>{each.created_at.isoformat()}</published>"
        f"<updated>{(each.edited_at or each.created_at).isoformat()}</updated></entry>"
        for each in entries
    )
    head = f"<id>urn:{slug}</id><title>{slug}</title><updated>2026-01-01T00:00:00Z</updated>"
    return _xml(f"<feed xmlns='http://www.w3.org/2005/Atom'>{head}{items}</feed>"), "application/atom+xml"


def _xml(text: str) -> bytes:
    return f"<?xml version='1.0' encoding='utf-8'?>{text}".encode()


_WRITE = {"json": _json, "rss": _rss, "atom": _atom}
FORMS = tuple(_WRITE)
