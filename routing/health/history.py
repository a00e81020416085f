"""What posts tell of rules: which never fitted, which want what another department's rule takes, which people overrule.

Everything is counted over decisions that the person may see; the figures say of how many.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import combinations
from typing import Any

from django.utils import timezone

from departments.models import User
from routing.health.findings import BEFORE, OFF, Finding, finding, only_places
from routing.models import Correction, Decision, RuleSetVersion
from routing.rules import Then

DAYS = 30
#: The newest so many decisions are looked at.
MOST = 20_000
#: Fewer tell nothing about what never happens.
LEAST = 500
#: Two rules overlap when so many posts fitted both, and they are so much of the smaller one's.
LEAST_SHARED, SHARED = 5, 0.2
#: A rule is overruled when people looked at so many of its posts, and moved so much of them.
LEAST_LOOKED, OVERRULED = 5, 0.3


_told = partial(finding, on_history=True)


@dataclass
class Past:
    """How often each rule fitted and decided, and which fitted together, over `read` decisions."""

    read: int = 0
    fitted: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    together: Counter[tuple[str, str]] = field(default_factory=Counter)
    looked: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)
    moved_to: dict[str, Counter[str]] = field(default_factory=dict)


def past(user: User, *, days: int = DAYS, most: int = MOST) -> Past:
    """What was decided of late, as far as the person may see it."""
    since = timezone.now() - timedelta(days=days)
    seen = Decision.objects.visible_to(user).live().filter(at__gte=since).order_by("-at")
    found = Past()
    for uid, matched in seen.values_list("rule_uid", "matched")[:most]:
        found.read += 1
        found.fitted.update(matched)
        if uid:
            found.decided[uid] += 1
        if len(matched) > 1:
            found.together.update(combinations(matched, 2))  # in the order in which they were asked
    _corrected(found, user, since)
    return found


def _corrected(found: Past, user: User, since) -> None:
    """What people did with what rules had placed."""
    decided = Decision.objects.live().filter(at__gte=since).exclude(rule_uid="")
    told = Correction.objects.visible_to(user).filter(message__decisions__in=decided)
    for uid, placed, belongs, name in told.values_list(
        "message__decisions__rule_uid", "message__decisions__department", "belongs", "belongs__name"
    ):
        found.looked[uid] += 1
        if placed != belongs:
            found.moved[uid] += 1
            found.moved_to.setdefault(uid, Counter())[name or "nobody"] += 1


def of_history(version: RuleSetVersion, past: Past, *, hidden: Collection[str] = ()) -> list[Finding]:
    """What the past tells of these rules; not of those in `hidden`, whose posts the person may not see."""
    on = [raw for raw in version.rules if raw.get("on", True) and raw["uid"] not in hidden]
    return [*_unused(on, version, past), *_passed_over(on, past), *_overlapping(on, past), *_overruled(on, past)]


def _unused(rules: Sequence[dict[str, Any]], version: RuleSetVersion, past: Past) -> Iterable[Finding]:
    """Rules that fitted nothing; said only of a version that stood long enough to tell."""
    stood = version.published_at and version.published_at < timezone.now() - timedelta(days=7)
    if past.read < LEAST or not stood:
        return
    for raw in rules:
        if not past.fitted[raw["uid"]]:
            evidence = f"It fitted none of the last {past.read:,} posts."
            yield _told("unused", raw, evidence, "Look whether its words are still said, or switch it off.", OFF)


def _passed_over(rules: Sequence[dict[str, Any]], past: Past) -> Iterable[Finding]:
    """Rules that would place, that fitted, and that another one was always quicker than."""
    by_uid = {raw["uid"]: raw for raw in rules}
    for raw in rules:
        fitted = past.fitted[raw["uid"]]
        if fitted < LEAST_SHARED or past.decided[raw["uid"]] or not only_places(raw):
            continue
        before = Counter({a: n for (a, b), n in past.together.items() if b == raw["uid"] and a in by_uid})
        placing = [(uid, n) for uid, n in before.most_common() if Then(**by_uid[uid]["then"]).places]
        if placing and placing[0][1] == fitted:
            other = by_uid[placing[0][0]]
            evidence = (
                f"It fitted {fitted:,} of the last {past.read:,} posts, and “{other['name']}” placed all of them."
            )
            yield _told("shadowed", raw, evidence, f"Put it before “{other['name']}”, or delete it.", BEFORE, other)


def _overlapping(rules: Sequence[dict[str, Any]], past: Past) -> Iterable[Finding]:
    """Pairs of rules that place the same posts in different departments: the order alone decides between them."""
    by_uid = {raw["uid"]: raw for raw in rules}
    for (first, second), both in past.together.most_common():
        one, other = by_uid.get(first), by_uid.get(second)
        if both < LEAST_SHARED or one is None or other is None:
            continue
        smaller = min(past.fitted[first], past.fitted[second])
        places = one["then"].get("place"), other["then"].get("place")
        if all(places) and places[0] != places[1] and both >= SHARED * smaller:
            evidence = (
                f"{both:,} of the last {past.read:,} posts fitted both, which is {both / smaller:.0%} of those of "
                f"“{other['name'] if past.fitted[second] == smaller else one['name']}”. “{one['name']}” takes them, "
                "because it stands first."
            )
            advice = "Tell the two apart by a condition, or let the second department join."
            yield _told("overlap", one, evidence, advice, "", other)


def _overruled(rules: Sequence[dict[str, Any]], past: Past) -> Iterable[Finding]:
    for raw in rules:
        looked, moved = past.looked[raw["uid"]], past.moved[raw["uid"]]
        if looked >= LEAST_LOOKED and moved >= OVERRULED * looked:
            where, many = past.moved_to[raw["uid"]].most_common(1)[0]
            evidence = f"People moved {moved} of the {looked} posts that they looked at, {many} of them to {where}."
            yield _told("overruled", raw, evidence, "Ask for more in its conditions, or let it place elsewhere.")
