"""What Meta's headers tell of how much we asked, and of the network's own time. Pure."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from connectors import http
from connectors.contract import Limits

SHARES = ("call_count", "total_time", "total_cputime")
REGAINED = "estimated_time_to_regain_access"  # minutes


def usage(headers: Mapping[str, str]) -> Limits | None:
    """How much of the rate limit is left, in per cent: Meta tells only what share of it is used up."""
    if not (told := list(_told(headers))):
        return None
    used = max(_number(each, name) for each in told for name in SHARES)
    return Limits(remaining=max(0, 100 - used), limit=100, reset=regained(headers))


def regained(headers: Mapping[str, str]) -> datetime | None:
    """When we may ask again after too much, if the network says."""
    if asked := http.asked_wait(headers):
        return asked
    minutes = min(max((_number(each, REGAINED) for each in _told(headers)), default=0), 7 * 24 * 60)
    return datetime.now(UTC) + timedelta(minutes=minutes) if minutes > 0 else None


def clock(headers: Mapping[str, str]) -> datetime:
    """The network's own time: what it dates is measured by that, whatever our clock says."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return datetime.now(UTC)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _told(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Each of the little tables in these headers: of the app, of the Page, and a list of them for each business."""
    for name in ("x-app-usage", "x-page-usage", "x-business-use-case-usage"):
        try:
            said = json.loads(headers.get(name) or "null")
        except (ValueError, RecursionError):
            continue
        tables = [said] if not name.startswith("x-business") else [one for each in _lists(said) for one in each]
        yield from (each for each in tables if isinstance(each, dict))


def _lists(said: Any) -> list[list]:
    return [each for each in said.values() if isinstance(each, list)] if isinstance(said, dict) else []


def _number(table: Mapping[str, Any], name: str) -> int:
    value = table.get(name)
    return int(value) if isinstance(value, int | float) and value == value and 0 <= value < 1e6 else 0
