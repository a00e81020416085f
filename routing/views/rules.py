"""Rules read as sentences, and changed one at a time. Every change is a new version."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments.models import Department
from routing import actions
from routing.conditions import Refused
from routing.forms import ConditionForm, RuleForm
from routing.models import RuleSet, RuleSetVersion
from routing.rules import load_one, moved, put, switched, without
from routing.views.pages import based_on, editable, newest_versions, page, workers_only


@require_GET
@workers_only
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule in order, with how often it fitted; beside them a box to try them, and their versions."""
    return render(request, "routing/rules.html", page(request, versions=newest_versions(request)))


# Changing -------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def rule(request: HttpRequest, rule_set: uuid.UUID, uid: str = "") -> HttpResponse:
    """One rule in a form, or a new one. A button that changes the rows draws the form again and saves nothing."""
    found = editable(request, rule_set)
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
    context = page(request, rule_set=found, uid=uid, old=old, conditions=conditions, form=form)
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
    found = editable(request, rule_set)
    version = found.live
    old = next((each for each in version.rules if each["uid"] == uid), None) if version else None
    if verb not in VERBS or version is None or old is None:
        raise Http404
    done, change = VERBS[verb]
    why = f"{done} “{old['name']}”"
    return _published(request, found, change(version.rules, uid), why, based_on(request))


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


@require_POST
@workers_only
def begin(request: HttpRequest, department: str) -> HttpResponse:
    """Give a department rules of its own; the first one is written next."""
    found = get_object_or_404(Department.objects.open(), slug=department)
    rule_set = RuleSet.objects.filter(department=found).first() or RuleSet(department=found)
    if not actions.may_edit(request.user, rule_set):
        raise Http404
    return redirect("rule-new", rule_set=actions.found_rule_set(found, by=request.user).pk)


def _rule_in(version: RuleSetVersion | None, uid: str):
    """The rule in the live version; one that can not be read any more can only be deleted."""
    raw = next((each for each in version.rules if each["uid"] == uid), None) if version else None
    try:
        return load_one(raw)
    except Refused:
        raise Http404 from None
