"""How things look in templates: signs, people's marks, clocks and dates in words. Reads values, asks no database."""

import zlib
from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_info

from connectors import registry

register = template.Library()

#: Networks that have a mark of their own in icons.svg; others get the globe.
MARKED = {"x", "facebook", "instagram", "threads", "mastodon", "bluesky", "youtube", "reddit", "feed", "webhook"}
MARKED |= {"import", "demo"}
MOODS = {-2: ("neg", "Very negative"), -1: ("neg", "Negative"), 1: ("pos", "Positive"), 2: ("pos", "Very positive")}
PRIORITIES = {1: ("high", "High"), 2: ("urgent", "Urgent")}
#: What a kind of message is called beside its author; a mention or post needs no word.
KINDS = {"dm": "message", "reply": "reply", "comment": "comment", "review": "review", "article": "article"}
MINUTE, HOUR, DAY = 60, 3600, 86_400
NARROW = "\u202f"


# Signs ----------------------------------------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, classes: str = "", label: str = "") -> SafeString:
    """A sign from the sprite. Without a label it is decoration and hidden from screen readers."""
    return _drawn(_sprite(), name, classes, label)


@cache
def _sprite() -> str:
    """Its address does not change while a process lives, and a page asks for it a hundred times."""
    return static("img/icons.svg")


@lru_cache(maxsize=512)
def _drawn(sprite: str, name: str, classes: str, label: str) -> SafeString:
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" {}>{}<use href="{}#i-{}"/></svg>',
        f"icon {classes}".strip(), said, format_html("<title>{}</title>", label) if label else "",
        sprite, name,
    )  # fmt: skip


@register.simple_tag
def network_icon(network: str, classes: str = "", label: str = "") -> SafeString:
    """The mark of a network, our own plain glyph."""
    return icon(f"n-{network}" if network in MARKED else "globe", classes, label)


@register.filter
def network_name(network: str) -> str:
    """“Mastodon” for `mastodon`."""
    return registry.name_of(network)


@register.simple_tag
def mood_icon(mood: int | None, classes: str = "s") -> SafeString:
    """Neutral and unknown moods are not drawn; only the very negative one is red."""
    if not mood or mood not in MOODS:
        return mark_safe("")
    name, label = MOODS[mood]
    return icon(name, f"{classes} is-danger" if mood == -2 else classes, label)


@register.simple_tag
def priority_icon(priority: int, classes: str = "s") -> SafeString:
    """Normal priority is not drawn; only urgent is red."""
    if priority not in PRIORITIES:
        return mark_safe("")
    name, label = PRIORITIES[priority]
    return icon(name, f"{classes} is-danger" if priority == 2 else classes, label)


# People ---------------------------------------------------------------------------------------------------------
@register.filter
def tint(who) -> str:
    """One of eight quiet tints, always the same for the same person."""
    return f"t{zlib.crc32(str(who).encode('utf-8', 'replace')) % 8 + 1}"


@register.filter
def initials(name: str) -> str:
    """“IC” for “Inês Carvalho”; one sign for names that are not written in Latin, Greek or Cyrillic letters."""
    words = [word for word in ("".join(c if c.isalnum() else " " for c in str(name))).split() if word]
    if not words:
        return "?"
    first, last = words[0], words[-1]
    if not first[0].upper() < "\u0530":
        return first[0]
    return (first[0] + (last[0] if len(words) > 1 else first[1:2])).upper()


@register.simple_tag
def mate(colleague, user) -> SafeString:
    """Who owns something: blue for oneself, a dashed ring for nobody yet."""
    if colleague is None:
        return _mate("none", "Nobody yet", "")
    return _mate("you", "Yours", user.short) if colleague.pk == user.pk else _mate("", str(colleague), colleague.short)


@lru_cache(maxsize=512)
def _mate(kind: str, name: str, short: str) -> SafeString:
    return format_html('<span class="mate {}" role="img" aria-label="{}" title="{}">{}</span>', kind, name, name, short)


@register.filter
def reach(followers: int | None) -> str:
    """“48 k” for 48,213; nothing where the network does not say."""
    if followers is None:
        return ""
    if followers >= 1_000_000:
        return f"{followers / 1_000_000:.1f}".removesuffix(".0") + f"{NARROW}M"
    return f"{followers // 1000}{NARROW}k" if followers >= 10_000 else figure(followers)


@register.filter
def figure(number) -> str:
    """“34 277” with a narrow space, a true minus."""
    return "" if number is None else f"{number:,}".replace(",", NARROW).replace("-", "−")


@register.filter
def up_to_99(number) -> str:
    """“99+” for what is counted no further."""
    return "99+" if number and number > 99 else figure(number)


# Time -----------------------------------------------------------------------------------------------------------
@register.filter
def span(length: timedelta | None) -> str:
    """Minutes up to 90, then hours, then days: “12 min”, “2 h”, “1 d 4 h”. Hours are rounded, so that 100 minutes do
    not read as less than 80."""
    if length is None:
        return ""
    seconds = abs(length.total_seconds())
    if seconds < 90 * MINUTE:
        return f"{max(1, int(seconds // MINUTE))} min"
    if seconds < DAY:
        return f"{round(seconds / HOUR)} h"
    days, hours = int(seconds // DAY), int(seconds % DAY // HOUR)
    return f"{days} d {hours} h" if hours and days < 3 else f"{days} d"


@register.filter
def when(moment: datetime | None, now: datetime | None = None) -> str:
    """Today by the clock, this week with the weekday, this year with the day, else with the year."""
    if moment is None:
        return ""
    here, today = timezone.localtime(moment), timezone.localtime(now)
    apart = abs((today.date() - here.date()).days)
    if apart == 0:
        return date_format(here, "H:i")
    if apart < 7:
        return date_format(here, "D H:i")
    return date_format(here, "j M" if here.year == today.year else "j M Y")


@register.filter
def day(moment: datetime) -> str:
    """“Today”, “Yesterday”, else “Sunday 16 November”."""
    here, today = timezone.localtime(moment), timezone.localtime()
    named = {0: "Today", 1: "Yesterday"}.get((today.date() - here.date()).days)
    return named or date_format(here, "l j F" if here.year == today.year else "l j F Y")


@register.simple_tag
def moment(at: datetime | None, classes: str = "", style: str = "when") -> SafeString:
    """A `<time>` with the exact moment in its tooltip; `when` as the filter, `clock` “14:06”, `ago` “12 min ago”."""
    if at is None:
        return mark_safe("")
    here = timezone.localtime(at)
    text = {"when": when, "clock": lambda _: date_format(here, "H:i"), "ago": _ago}[style](at)
    named = (classes, _iso(at), exactly(at), style, text)
    return format_html('<time class="{}" datetime="{}" title="{}" data-clock="{}">{}</time>', *named)


def _ago(at: datetime) -> str:
    passed = timezone.now() - at
    return "now" if passed < timedelta(minutes=1) else f"{span(passed)} ago"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def exactly(at: datetime) -> str:
    """“Tue 18 Nov 2025, 14:06”, for tooltips."""
    minute = timezone.localtime(at).replace(second=0, microsecond=0)
    return _said_exactly(minute, minute.utcoffset(), get_language())


@lru_cache(maxsize=8192)
def _said_exactly(minute: datetime, offset: timedelta | None, language: str | None) -> str:
    """Equal moments read differently in another zone or language, so these are part of what is remembered."""
    return date_format(minute, "D j M Y, H:i")


@register.simple_tag
def clock(item) -> SafeString:
    """How long an item may still wait, in words: grey, amber under an hour, red when overdue. Scripts keep it going."""
    if item.handed_to:
        return format_html('<span class="clock">waits for {}</span>', item.handed_to)
    at, kind, text, tone = _spoken(item)
    if at is None:
        return format_html('<span class="clock">{}</span>', text) if text else mark_safe("")
    return _clock(at, kind, text, tone, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=8192)
def _clock(at: datetime, kind: str, text: str, tone: str, zone: tzinfo, language: str | None) -> SafeString:
    """Zone and language are those in which it is read."""
    return format_html(
        '<time class="clock{}" datetime="{}" title="{}" data-clock="{}">{}</time>',
        tone and f" {tone}", _iso(at), exactly(at), kind, text,
    )  # fmt: skip


def _spoken(item) -> tuple[datetime | None, str, str, str]:
    """Moment, kind, words and tone of an item's clock."""
    if item.status == "snoozed":
        return _until(item.snoozed_until)
    if item.status == "pending":
        return item.last_message_at, "since", f"their turn since {when(item.last_message_at)}", ""
    if item.status == "resolved":
        return None, "", "resolved", ""
    return _due(item.due_at) if item.due_at else (item.last_message_at, "ago", _ago(item.last_message_at), "")


def _until(at: datetime | None) -> tuple[datetime | None, str, str, str]:
    return at, "back", f"back {when(at)}" if at else "until they answer", ""


def _due(at: datetime) -> tuple[datetime, str, str, str]:
    left = at - timezone.now()
    if left <= timedelta():
        return at, "due", f"{span(left)} overdue", "late"
    return at, "due", f"due in {span(left)}", "soon" if left < timedelta(hours=1) else ""


@register.filter
def urgency(item, now: datetime | None = None, tonight: datetime | None = None) -> str:
    """The heading under which an item stands in a list sorted by urgency. Who asks for many gives the hour with it."""
    if item.status != "open":
        return "Waiting"
    if item.due_at is None:
        return "No clock"
    left = item.due_at - (now or timezone.now())
    if left <= timedelta():
        return "Overdue"
    if left < timedelta(hours=1):
        return "Due within the hour"
    return "Later today" if item.due_at <= (tonight or end_of_today()) else "Later"


def end_of_today() -> datetime:
    """The last second of the day, where the person is."""
    return timezone.localtime().replace(hour=23, minute=59, second=59)


# What was said --------------------------------------------------------------------------------------------------
@register.filter
def kind_words(kind: str) -> str:
    return KINDS.get(kind, "")


@register.filter
def language_name(code: str) -> str:
    """“Portuguese” for `pt`; a code that nobody knows stays a code."""
    try:
        return get_language_info(code)["name"]
    except KeyError:
        return code


@register.filter
def is_web(address: str) -> bool:
    """Whether an address that a network gave us may become a link: only the web's own, never `javascript:`."""
    return str(address).startswith(("https://", "http://"))


@register.filter
def original(entries: list[dict]) -> str:
    """Where the newest message that has an address can be seen on its network."""
    messages = (entry["message"] for entry in reversed(entries) if entry["type"] == "message")
    return next((message.url for message in messages if is_web(message.url)), "")
