"""The versions of rule sets: listed, compared as sentences, tried, put in force, brought back, carried out and in."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from departments.models import Department
from routing import actions, notation
from routing.comparing import Change, compare, counts
from routing.conditions import Refused
from routing.listing import lines_of
from routing.models import BackTest, RuleSet, RuleSetVersion
from routing.views.pages import based_on, editable, version_of, visible, workers_only

State = RuleSetVersion.State
#: Versions of one set on the page; older ones are reached by their number.
MOST = 50


# Looking --------------------------------------------------------------------------------------------------------
@require_GET
@workers_only
def versions(request: HttpRequest) -> HttpResponse:
    """Every version of every set that the person may read, with who, when and why."""
    sets = RuleSet.objects.visible_to(request.user).in_order().select_related("department")
    return render(request, "routing/versions.html", {"sets": [_listed(each, request) for each in sets]})


def _listed(rule_set: RuleSet, request: HttpRequest) -> dict[str, Any]:
    people = ("created_by", "published_by", "parent")
    listed = rule_set.versions.select_related("rule_set__department", *people)
    found = list(listed.defer("rules", "parent__rules")[:MOST])
    may = actions.may_edit(request.user, rule_set)
    live = next((each for each in found if each.state == State.LIVE), None)
    before = next((each for each in found if live and each.state == State.RETIRED and each.number < live.number), None)
    back = _compared(live, before)["in_short"] if before else ""
    return {"rule_set": rule_set, "versions": found, "live": live, "before": before, "back": back, "may_edit": may}


@require_GET
@workers_only
def version(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """One version: what it changes against the live one (or against `?with=` another), its trials, its rules."""
    found = version_of(request, rule_set, number)
    other = _other(request, found)
    may = actions.may_edit(request.user, found.rule_set)
    context = {
        "version": found,
        "other": other,
        "others": found.rule_set.versions.exclude(pk=found.pk).defer("rules")[:MOST],
        "may_edit": may,
        "live": found.rule_set.live,
        "lines": lines_of(found, {each.slug: each for each in Department.objects.open()}, request.user),
        "trials": BackTest.objects.visible_to(request.user).filter(version=found)[:10],
        "scopes": SCOPES,
    }
    return render(request, "routing/version.html", context | _compared(other, found))


def _other(request: HttpRequest, found: RuleSetVersion) -> RuleSetVersion | None:
    """What it is compared with: what was asked for, else the live one; for the live one what it was made from."""
    if asked := request.GET.get("with", ""):
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else -1
        return get_object_or_404(found.rule_set.versions.all(), number=number)
    return found.parent if found.state == State.LIVE else found.rule_set.live


def _compared(old: RuleSetVersion | None, new: RuleSetVersion) -> dict[str, Any]:
    if old is None:
        return {"changes": [], "in_short": ""}
    changes: list[Change] = compare(old.rules, new.rules, dict(Department.objects.values_list("slug", "name")))
    return {"changes": changes, "in_short": counts(changes)}


#: How far back a trial may be asked to go, as the form offers it: what is sent → what it means.
SCOPES = [
    ("posts 1000", "the last 1,000 posts"),
    ("posts 10000", "the last 10,000 posts"),
    ("posts 100000", "the last 100,000 posts"),
    ("days 7", "the last 7 days"),
    ("days 30", "the last 30 days"),
    ("days 90", "the last 90 days"),
    ("days 365", "the last year"),
]


# Changing -------------------------------------------------------------------------------------------------------
@require_POST
@workers_only
def restore(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """Put an old version's rules in force again."""
    found = version_of(request, rule_set, number)
    editable(request, rule_set)
    try:
        again = actions.restore(found, by=request.user, based_on=based_on(request))
        messages.success(request, f"Version {again.number} is live, with the rules of version {number}.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("rules")


@require_POST
@workers_only
def verb(request: HttpRequest, rule_set: uuid.UUID, number: int, verb: str) -> HttpResponse:
    """Publish a version, let it run in the shadow or end that, throw a draft away."""
    found = version_of(request, rule_set, number)
    editable(request, rule_set)
    if verb not in VERBS:
        raise Http404
    act, done, home = VERBS[verb]
    try:
        act(found, request)
        messages.success(request, done.format(number=number))
    except Refused as refused:
        messages.error(request, "; ".join(notation.told(refused, found.rules)))
        home = "rules-version"
    return redirect(home) if home in ("rules", "rules-versions") else redirect(home, rule_set=rule_set, number=number)


#: Verb → what it does, what it says, and the page after it.
VERBS = {
    "publish": (
        lambda version, request: actions.publish_draft(version, by=request.user, based_on=based_on(request)),
        "Version {number} is live. The next message is routed by it.",
        "rules",
    ),
    "shadow": (
        lambda version, request: actions.shadow(version, by=request.user),
        "Version {number} runs in the shadow: it is evaluated beside the live rules and moves nothing.",
        "rules-shadow",
    ),
    "unshadow": (
        lambda version, request: actions.unshadow(version, by=request.user),
        "Version {number} no longer runs in the shadow. What it showed stays here.",
        "rules-shadow",
    ),
    "discard": (
        lambda version, request: actions.discard(version, by=request.user),
        "The draft of version {number} is thrown away.",
        "rules-versions",
    ),
}


# Out and in -----------------------------------------------------------------------------------------------------
@require_GET
@workers_only
def export(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """A version's rules as a file."""
    found = version_of(request, rule_set, number)
    answer = HttpResponse(notation.as_yaml(found), content_type="application/yaml; charset=utf-8")
    whose = found.rule_set.department.slug if found.rule_set.department else "house"
    answer["Content-Disposition"] = f'attachment; filename="rules-{whose}-{number}.yaml"'
    return answer


@require_POST
@workers_only
def bring_in(request: HttpRequest, rule_set: uuid.UUID) -> HttpResponse:
    """Make a draft of the rules in a file. What is wrong is told with the rule's number, and nothing is kept."""
    found, sent, rules = editable(request, rule_set), request.FILES.get("file"), None
    try:
        if sent is None:
            raise Refused({"file": "Choose a file first."})
        rules = notation.rules_in(sent.read(notation.MOST_BYTES + 1))
        made = actions.draft(found, rules, by=request.user, why=f"From the file {sent.name}")
    except Refused as refused:
        found = visible(request, rule_set)
        told = {"sets": [_listed(found, request)], "refused": notation.told(refused, rules)[:30]}
        return render(request, "routing/versions.html", told, status=422)
    messages.success(
        request, f"Draft {made.number} holds the {len(made.rules)} rules of the file. Nothing is in force."
    )
    return redirect("rules-version", rule_set=rule_set, number=made.number)
