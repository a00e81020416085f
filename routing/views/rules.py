"""Rules read as sentences, and changed one at a time. Every change of the live rules is a new version; a draft is
changed as often as one likes, and published at once."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments.models import Department
from routing import actions
from routing.conditions import Refused
from routing.forms import RuleForm
from routing.models import RuleSet, RuleSetVersion
from routing.offering import offers, people, zones
from routing.rows import ConditionForm
from routing.rules import Rule, load_one, moved, put, switched, without
from routing.views.bench import Bench, bench
from routing.views.pages import based_on, editable, newest_versions, page, workers_only
from routing.views.trying import try_form


@require_GET
@workers_only
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule in order, with how often it fitted; beside them a box to try them, and their versions."""
    return render(request, "routing/rules.html", _list(request))


def _list(request: HttpRequest, only: RuleSetVersion | None = None) -> dict[str, Any]:
    return page(request, only=only, try_form=try_form(request, only=only), versions=newest_versions(request))


# Changing one ---------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def rule(request: HttpRequest, rule_set: uuid.UUID, uid: str = "") -> HttpResponse:
    """One rule in a form, or a new one. A button that changes the rows draws the form again and saves nothing."""
    at = bench(request, rule_set)
    old = _readable(at.find(uid)) if uid else None
    conditions, form = forms_of(request, at, old)
    saves = request.method == "POST" and not request.POST.get("change")
    if saves and _save(request, at, conditions, form, uid):
        return redirect(at.home)
    offered = offers(request.user)
    if request.method == "POST":
        conditions.offer(offered).change(request.POST.get("change", ""))
        # What was published meanwhile is before the person now: saving again is meant.
        form.data["based_on"] = at.number or ""
    drawn = {"conditions": conditions.offer(offered), "form": form, "old": old, "uid": uid, "zones": zones()}
    only = at.version if at.is_draft else None
    context = page(request, only=only, bench=at, rule_set=at.rule_set, **drawn)
    return render(request, "routing/rule.html", context, status=422 if saves else 200)


def forms_of(request: HttpRequest, at: Bench, old: Rule | None) -> tuple[ConditionForm, RuleForm]:
    """The two halves of the form: as they were sent, or as the rule stands."""
    department = at.rule_set.department
    named: dict[str, Any] = {"own": department is not None, "departments": Department.objects.open()}
    named["people"] = people(department)
    if request.method == "POST":
        data = request.POST.copy()
        return ConditionForm.sent(data), RuleForm(data, **named)
    initial = (RuleForm.values(old) if old else {}) | {"based_on": at.number}
    conditions = ConditionForm.of(old.when) if old else ConditionForm.empty()
    return conditions, RuleForm(initial=initial, **named)


def _save(request: HttpRequest, at: Bench, conditions: ConditionForm, form: RuleForm, uid: str) -> bool:
    """Whether everything was right and the rule is kept."""
    when = conditions.read()
    if not form.is_valid() or when is None:
        return False
    said = form.rule(uid or str(uuid.uuid4()), when)
    listed = put(at.rules, said)
    why = form.cleaned_data["why"] or f"{'Changed' if uid else 'Added'} “{said['name']}”"
    try:
        told, undo = at.save(listed, by=request.user, why=why, based_on=form.cleaned_data["based_on"])
    except Refused as refused:
        form.refuse(_about(refused, listed, said["uid"]))
        return False
    messages.success(request, told, extra_tags=undo)
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


def _readable(raw: Any) -> Rule:
    """A rule that can not be read any more can only be deleted."""
    try:
        return load_one(raw)
    except Refused:
        raise Http404 from None


# Changing the list ----------------------------------------------------------------------------------------------
@require_POST
@workers_only
def rule_verb(request: HttpRequest, rule_set: uuid.UUID, uid: str, verb: str) -> HttpResponse:
    """Move a rule up or down, switch it on or off, delete it: at once, as a new version; or in a draft."""
    at = bench(request, rule_set)
    old = at.find(uid)
    if verb not in VERBS:
        raise Http404
    done, change = VERBS[verb]
    return _changed(request, at, change(at.rules, uid), f"{done} “{old['name']}”")


VERBS = {
    "up": ("Moved up", lambda rules, uid: moved(rules, uid, -1)),
    "down": ("Moved down", lambda rules, uid: moved(rules, uid, 1)),
    "on": ("Switched on", lambda rules, uid: switched(rules, uid, True)),
    "off": ("Switched off", lambda rules, uid: switched(rules, uid, False)),
    "delete": ("Deleted", without),
}


@require_POST
@workers_only
def order(request: HttpRequest, rule_set: uuid.UUID) -> HttpResponse:
    """Put the rules into the order in which their uids are sent: once, when somebody has finished moving them."""
    at = bench(request, rule_set)
    wanted = {uid: place for place, uid in enumerate(request.POST.getlist("uid"))}
    # What was added meanwhile, and so was not sent, stays at the end; `based_on` refuses that of live rules anyway.
    changed = sorted(at.rules, key=lambda each: wanted.get(each["uid"], len(wanted)))
    moving = next((each for each in changed if each["uid"] == request.POST.get("moved")), None)
    if changed == at.rules or moving is None:
        return redirect(at.home)
    return _changed(request, at, changed, f"Moved “{moving['name']}” to place {changed.index(moving) + 1}")


def _changed(request: HttpRequest, at: Bench, rules: list, why: str) -> HttpResponse:
    try:
        told, undo = at.save(rules, by=request.user, why=why, based_on=None if at.is_draft else based_on(request))
        messages.success(request, told, extra_tags=undo)
    except Refused as refused:
        messages.error(request, str(_about(refused, rules, "")))
    return redirect(at.home)


# Beginning ------------------------------------------------------------------------------------------------------
@require_POST
@workers_only
def begin(request: HttpRequest, department: str) -> HttpResponse:
    """Give a department rules of its own; the first one is written next."""
    found = get_object_or_404(Department.objects.open(), slug=department)
    rule_set = RuleSet.objects.filter(department=found).first() or RuleSet(department=found)
    if not actions.may_edit(request.user, rule_set):
        raise Http404
    return redirect("rule-new", rule_set=actions.found_rule_set(found, by=request.user).pk)


@require_POST
@workers_only
def begin_draft(request: HttpRequest, rule_set: uuid.UUID) -> HttpResponse:
    """A draft of the live rules, to be worked on in peace."""
    found = editable(request, rule_set)
    live = found.live
    made = actions.draft(found, live.rules if live else [], by=request.user, why=request.POST.get("why", ""))
    return redirect("rules-draft", rule_set=found.pk, number=made.number)


@require_GET
@workers_only
def draft(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """A draft's rules, to be changed; beside them a box to try them."""
    request.GET = request.GET.copy()
    request.GET["draft"] = str(number)
    at = bench(request, rule_set)
    return render(request, "routing/rules.html", _list(request, at.version))
