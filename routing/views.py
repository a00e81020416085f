"""The pages of rules: read as sentences, tried on a post, changed one at a time. Every change is a new version."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connectors.contract import Author, Post
from departments.decorators import only
from departments.models import Department, User
from inbox.pieces import marked
from routing import actions
from routing.conditions import Refused
from routing.deciding import why_not
from routing.engine import live_rule_sets
from routing.forms import ConditionForm, RuleForm, TryForm
from routing.listing import TERMS, lines_of, may_begin, sections
from routing.models import RuleSet, RuleSetVersion
from routing.previewing import Anywhere, of_post
from routing.rules import load_one, moved, put, switched, without

#: Rules are read by those who work by them; an auditor reads what was done to them in the audit.
workers_only = only(lambda held: bool(held.roles) or held.sees_ordinary)


def _page(request: HttpRequest, **more: Any) -> dict[str, Any]:
    """What every page of rules draws: the list on the left, and what belongs to it."""
    found = sections(request.user)
    return {
        "sections": found,
        "count": sum(len(section.lines) for section in found),
        "may_begin": may_begin(request.user),
        "try_form": TryForm(),
    } | more


@require_GET
@workers_only
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule in order, with how often it fitted; beside them a box to try them, and their versions."""
    return render(request, "routing/rules.html", _page(request, versions=_versions(request)))


def _versions(request: HttpRequest) -> list[dict[str, Any]]:
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


# Changing -------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def rule(request: HttpRequest, rule_set: uuid.UUID, uid: str = "") -> HttpResponse:
    """One rule in a form, or a new one. A button that changes the rows draws the form again and saves nothing."""
    found = _editable(request, rule_set)
    version = found.live
    old = _rule_in(version, uid) if uid else None
    conditions, form = _forms(request, found, version, old)
    saves = request.method == "POST" and not request.POST.get("change")
    if saves and _save(request, found, conditions, form, uid):
        return redirect("rules")
    if request.method == "POST":
        conditions.change(request.POST.get("change", ""))
        # What was published meanwhile is before the person now: saving again is meant.
        form.data["based_on"] = version.number if version else ""
    context = _page(request, rule_set=found, uid=uid, old=old, conditions=conditions, form=form)
    return render(request, "routing/rule.html", context, status=422 if saves else 200)


def _forms(request: HttpRequest, found: RuleSet, version, old) -> tuple[ConditionForm, RuleForm]:
    settings: dict[str, Any] = {"own": found.department is not None, "departments": Department.objects.open()}
    if request.method == "POST":
        data = request.POST.copy()
        return ConditionForm.sent(data), RuleForm(data, **settings)
    initial = (RuleForm.values(old) if old else {}) | {"based_on": version.number if version else None}
    conditions = ConditionForm.of(old.when) if old else ConditionForm.empty()
    return conditions, RuleForm(initial=initial, **settings)


def _save(request: HttpRequest, found: RuleSet, conditions: ConditionForm, form: RuleForm, uid: str) -> bool:
    """Whether everything was right and a new version is in force."""
    when = conditions.read()
    if not form.is_valid() or when is None:
        return False
    said, version = form.rule(uid or str(uuid.uuid4()), when), found.live
    listed = put(version.rules if version else [], said)
    why = form.cleaned_data["why"] or f"{'Changed' if uid else 'Added'} “{said['name']}”"
    try:
        published = actions.publish(found, listed, by=request.user, why=why, based_on=form.cleaned_data["based_on"])
    except Refused as refused:
        form.refuse(_about(refused, listed, said["uid"]))
        return False
    messages.success(request, f"Version {published.number} is live. {why}.")
    return True


def _about(refused: Refused, listed: list[dict], uid: str) -> Refused:
    """What is wrong with this rule by its own places; what is wrong with another one with that one's name."""
    problems = {}
    for place, why in refused.problems.items():
        _, _, rest = place.partition("rules.")
        number, _, inner = rest.partition(".")
        other = number.isdecimal() and listed[int(number)]["uid"] != uid
        problems[place if other else inner or place] = f"“{listed[int(number)]['name']}”: {why}" if other else why
    return Refused(problems)


@require_POST
@workers_only
def rule_verb(request: HttpRequest, rule_set: uuid.UUID, uid: str, verb: str) -> HttpResponse:
    """Move a rule up or down, switch it on or off, delete it: at once, as a new version."""
    found = _editable(request, rule_set)
    version = found.live
    old = next((each for each in version.rules if each["uid"] == uid), None) if version else None
    if verb not in VERBS or version is None or old is None:
        raise Http404
    done, change = VERBS[verb]
    why = f"{done} “{old['name']}”"
    return _published(request, found, change(version.rules, uid), why, _number(request))


VERBS = {
    "up": ("Moved up", lambda rules, uid: moved(rules, uid, -1)),
    "down": ("Moved down", lambda rules, uid: moved(rules, uid, 1)),
    "on": ("Switched on", lambda rules, uid: switched(rules, uid, True)),
    "off": ("Switched off", lambda rules, uid: switched(rules, uid, False)),
    "delete": ("Deleted", without),
}


def _published(request: HttpRequest, found: RuleSet, changed: list, why: str, based_on: int | None) -> HttpResponse:
    try:
        version = actions.publish(found, changed, by=request.user, why=why, based_on=based_on)
        messages.success(request, f"Version {version.number} is live. {why}.")
    except Refused as refused:
        messages.error(request, str(_about(refused, changed, "")))
    return redirect("rules")


def _number(request: HttpRequest) -> int | None:
    sent = request.POST.get("based_on", "")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None


@require_POST
@workers_only
def begin(request: HttpRequest, department: str) -> HttpResponse:
    """Give a department rules of its own; the first one is written next."""
    found = get_object_or_404(Department.objects.open(), slug=department)
    rule_set = RuleSet.objects.filter(department=found).first() or RuleSet(department=found)
    if not actions.may_edit(request.user, rule_set):
        raise Http404
    return redirect("rule-new", rule_set=actions.found_rule_set(found, by=request.user).pk)


# Versions -------------------------------------------------------------------------------------------------------
@require_GET
@workers_only
def version(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """The rules as they were in one version."""
    found = _version(request, rule_set, number)
    departments = {each.slug: each for each in Department.objects.open()}
    lines = lines_of(found, departments, request.user)
    may = actions.may_edit(request.user, found.rule_set)
    return render(request, "routing/version.html", {"version": found, "lines": lines, "may_edit": may})


@require_POST
@workers_only
def restore(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """Put an old version's rules in force again."""
    found = _version(request, rule_set, number)
    _editable(request, rule_set)
    try:
        again = actions.restore(found, by=request.user, based_on=_number(request))
        messages.success(request, f"Version {again.number} is live, with the rules of version {number}.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("rules")


# Trying ---------------------------------------------------------------------------------------------------------
@require_POST
@workers_only
def try_rules(request: HttpRequest) -> HttpResponse:
    """Where a post would go that says this. Nothing is stored."""
    form = TryForm(request.POST)
    tried = _tried(form.cleaned_data) if form.is_valid() else None
    context = {"try_form": form, "tried": tried}
    if request.htmx:
        return render(request, "routing/_try.html", context)
    return render(request, "routing/rules.html", _page(request, versions=_versions(request), **context))


def _tried(said: dict[str, Any]) -> dict[str, Any]:
    author = Author(id="", handle="", followers=said["followers"])
    post = Post("", said["kind"], said["text"], timezone.now(), author, rating=said["rating"])
    rule_sets = live_rule_sets()
    verdict = of_post(post, rule_sets, Anywhere(said["network"]))
    departments = {each.slug: each for each in Department.objects.open()}
    misses = [
        {"department": department, "misses": found}
        for slug, department in departments.items()
        if slug != verdict.department and (found := why_not(slug, verdict.facts, rule_sets, most=TERMS))
    ]
    joins = [{"department": departments[slug], "match": match} for slug, match in verdict.joins]
    return {
        "verdict": verdict,
        "department": departments[verdict.department],
        "pieces": marked(verdict.facts.text, [(span.start, span.end) for span in verdict.spans]),
        "joins": joins,
        "misses": misses,
    }


# Finding --------------------------------------------------------------------------------------------------------
def _rule_set(request: HttpRequest, pk: uuid.UUID) -> RuleSet:
    return get_object_or_404(RuleSet.objects.visible_to(request.user).select_related("department"), pk=pk)


def _editable(request: HttpRequest, pk: uuid.UUID) -> RuleSet:
    found = _rule_set(request, pk)
    if not actions.may_edit(request.user, found):
        raise PermissionDenied("Only a coordinator or admin changes these rules, and a department’s own its lead.")
    return found


def _version(request: HttpRequest, pk: uuid.UUID, number: int) -> RuleSetVersion:
    versions = _rule_set(request, pk).versions.published().select_related("rule_set__department", "published_by")
    return get_object_or_404(versions, number=number)


def _rule_in(version: RuleSetVersion | None, uid: str):
    """The rule in the live version; one that can not be read any more can only be deleted."""
    raw = next((each for each in version.rules if each["uid"] == uid), None) if version else None
    try:
        return load_one(raw)
    except Refused:
        raise Http404 from None
