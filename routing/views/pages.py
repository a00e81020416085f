"""What the pages of rules share: who may see them, what each of them draws, and how a rule set or version is found."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from departments.decorators import only
from departments.models import Department, User
from routing import actions
from routing.listing import Filter, may_begin, sections
from routing.models import RuleSet, RuleSetVersion

#: Rules are read by those who work by them; an auditor reads what was done to them in the audit.
workers_only = only(lambda held: bool(held.roles) or held.sees_ordinary)


def page(request: HttpRequest, *, only: RuleSetVersion | None = None, **more: Any) -> dict[str, Any]:
    """What every page of rules draws: the list on the left (of the live rules, or `only` this draft), and what belongs
    to it."""
    wanted = Filter(request.GET.get("q", "")[:100], request.GET.get("to", "")[:50])
    found = sections(request.user, only, wanted)
    return {
        "sections": found,
        "count": sum(section.whole for section in found),
        "shown": sum(len(section.lines) for section in found),
        "wanted": wanted,
        "places": Department.objects.open().filter(is_triage=False),
        "draft": only,
        "may_begin": [] if only else may_begin(request.user),
    } | more


def newest_versions(request: HttpRequest) -> list[dict[str, Any]]:
    """The newest versions; beside a live one the one before it, to which the person may go back."""
    seen = RuleSet.objects.visible_to(request.user)
    found = RuleSetVersion.objects.published().filter(rule_set__in=seen).order_by("-published_at")
    newest = list(found.select_related("rule_set__department", "published_by")[:20])
    return [{"version": each, "before": _before(each, newest, request.user)} for each in newest]


def _before(version: RuleSetVersion, newest: list[RuleSetVersion], user: User) -> RuleSetVersion | None:
    if version.state != RuleSetVersion.State.LIVE or not actions.may_edit(user, version.rule_set):
        return None
    older = (each for each in newest if each.rule_set_id == version.rule_set_id and each.number < version.number)
    return next(older, None)


# Finding -------------------------------------------------------------------------------------------------------
def visible(request: HttpRequest, pk: uuid.UUID) -> RuleSet:
    return get_object_or_404(RuleSet.objects.visible_to(request.user).select_related("department"), pk=pk)


def editable(request: HttpRequest, pk: uuid.UUID) -> RuleSet:
    found = visible(request, pk)
    if not actions.may_edit(request.user, found):
        raise PermissionDenied("Only a coordinator or admin changes these rules, and a department’s own its lead.")
    return found


def version_of(request: HttpRequest, pk: uuid.UUID, number: int) -> RuleSetVersion:
    people = ("published_by", "created_by", "parent")
    versions = visible(request, pk).versions.select_related("rule_set__department", *people)
    return get_object_or_404(versions, number=number)


def based_on(request: HttpRequest) -> int | None:
    sent = request.POST.get("based_on") or request.GET.get("based_on", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None
