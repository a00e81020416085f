"""Charts in templates: inline SVG with a sentence, drawn with classes and tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from socialhub.insights import charts
from socialhub.templatetags.look import figure, span

register = template.Library()
NARROW = "\u202f"


@register.simple_tag
def spark(numbers: Sequence[int], said: str) -> SafeString:
    """A small line of how it went; `said` is what a screen reader reads and the tooltip shows."""
    width, height = (int(side) for side in charts.SPARK)
    drawn = charts.spark(numbers)
    return format_html(
        '<svg class="spark" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>'
        '<path d="{}"/><circle cx="{}" cy="{}" r="2"/></svg>',
        width, height, width, height, said, said, drawn.path, drawn.x, drawn.y,
    )  # fmt: skip


@register.simple_tag
def bars(numbers: Sequence[int], said: str, width: int = 72, height: int = 18) -> SafeString:
    """A bar for each hour on a base line; an hour in which nothing came is a hole."""
    drawn = charts.bars(numbers, (width, height))
    boxes = ((bar.x, bar.y, bar.width, bar.height) for bar in drawn)
    return format_html(
        '<svg class="strip24" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}'
        '<path class="base" d="M0 {}H{}"/></svg>',
        width, height, width, height, said, said,
        format_html_join("", '<rect class="b" x="{}" y="{}" width="{}" height="{}" rx=".8"/>', boxes),
        charts.short(height - 1.5), width,
    )  # fmt: skip


@register.filter
def hourly(numbers: Sequence[int]) -> str:
    """“118 in 24 hours, 12 of them in the last one”."""
    total, last = sum(numbers), numbers[-1] if numbers else 0
    if not total:
        return f"None in {len(numbers)} hours"
    return f"{figure(total)} in {len(numbers)} hours, {figure(last) if last else 'none'} of them in the last one"


@register.filter
def short(number: float) -> str:
    """A place on a canvas, the same in every language."""
    return charts.short(number)


@register.filter
def plus(number: float, more: float) -> float:
    return number + more


@register.simple_tag
def amount(value: int | float | timedelta | None, unit: str = "number") -> str:
    """A metric's value as it is written: “34 277”, “38 min”, “91 %”; a dash where there is none."""
    if value is None:
        return "–"
    if unit == "span":
        return span(value)
    return f"{round(100 * value)}{NARROW}%" if unit == "share" else figure(value)


@register.filter
def waited(since: datetime, now: datetime) -> str:
    """How long it has been: “3 h”, “1 d 4 h”."""
    return span(now - since)
