"""What a verdict asks of the inbox: who leads, who joins and why, and what else is done to the conversation."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from departments.models import Department
from inbox.actions import Order, Placement
from inbox.waiting import Waiting
from routing.deciding import Match, Verdict
from routing.scoring.language import UNKNOWN
from routing.scoring.sentiment import as_step


def placements_of(verdict: Verdict, message: Waiting, departments: Mapping[str, Department]) -> list[Placement]:
    """The lead's share, then one for each other rule that asked somebody to join, so that each says its own reason.
    `departments` are the open ones by slug."""
    asked: dict[int, tuple[Match, list[Department]]] = {}
    for slug, match in verdict.joins:
        asked.setdefault(id(match), (match, []))[1].append(departments[slug])
    lead = Placement(
        message=message,
        department=None if verdict.source == "thread" else departments[verdict.department],
        joins=asked.pop(id(verdict.by), (None, []))[1],
        because=verdict.reason,
        why=verdict.label,
        rule=verdict.by.rule.name if verdict.by else "",
        priority=verdict.priority,
        probably_nothing=verdict.probably_nothing,
        tags=verdict.tags,
        language="" if verdict.facts.lang == UNKNOWN else verdict.facts.lang,
        mood=as_step(verdict.facts.mood),
        orders=[*_orders(verdict.matches)],
    )
    return [lead, *(_joining(verdict, message, match, joins) for match, joins in asked.values())]


def _orders(matches: Sequence[Match]) -> Iterator[Order]:
    """What else the rules that fitted ask for, in their order."""
    for match in matches:
        then, rule = match.rule.then, match.rule.name
        if then.assign:
            yield Order("assign", rule, then.assign)
        if then.spam:
            yield Order("spam", rule)
        if then.snooze:
            yield Order("snooze", rule, timezone.now() + timedelta(minutes=then.snooze))
        if then.approval:
            yield Order("approval", rule)
        for name in then.notify:
            yield Order("notify", rule, name)


def _joining(verdict: Verdict, message: Waiting, match: Match, joins: Sequence[Department]) -> Placement:
    name = match.rule.name
    return Placement(
        message=message,
        department=None,
        joins=joins,
        because=match.reason,
        why=name,
        rule=name,
        priority=verdict.priority,
    )
