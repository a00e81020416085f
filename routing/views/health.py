"""The health of rules, and rules that corrections speak for. A change goes into a draft: nothing comes into force."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from departments.models import Department
from inbox.models import Message
from routing import actions
from routing.conditions import Refused
from routing.health import suggesting
from routing.health.checking import check
from routing.health.findings import changed
from routing.health.suggesting import Suggestion
from routing.models import RuleSet
from routing.views.pages import editable, workers_only

#: Posts that stand below a suggestion.
EXAMPLES = 3
#: What a suggestion is tried on.
DAYS = 30


@require_GET
@workers_only
def health(request: HttpRequest) -> HttpResponse:
    """What is wrong with the rules that the person may read, and what corrections suggest."""
    checked, past = check(request.user)
    house = RuleSet.objects.filter(department=None).first()
    context = {
        "checked": checked,
        "past": past,
        "suggested": [_shown(each, request) for each in _suggested(request, house)],
        "may_edit_house": bool(house) and actions.may_edit(request.user, house),
    }
    return render(request, "routing/health.html", context)


@require_POST
@workers_only
def mend(request: HttpRequest, rule_set: uuid.UUID) -> HttpResponse:
    """Draft the rules with the change that a finding advises."""
    found = editable(request, rule_set)
    live, asked = found.live, request.POST
    try:
        rules = changed(live.rules if live else [], asked.get("change"), asked.get("uid"), asked.get("other", ""))
        name = next(each["name"] for each in live.rules if each["uid"] == asked["uid"])
        version = actions.draft(found, rules, by=request.user, why=f"Mended “{name}”")
    except KeyError:
        raise Http404 from None
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("rules-health")
    messages.success(request, f"Version {version.number} is drafted. Try it on the past, or publish it.")
    return redirect("rules-version", rule_set=found.pk, number=version.number)


@require_POST
@workers_only
def suggestion(request: HttpRequest) -> HttpResponse:
    """Draft a suggested rule and try it on the past, or do not suggest it again."""
    house = get_object_or_404(RuleSet, department=None)
    editable(request, house.pk)
    found = next((each for each in _suggested(request, house) if each.about == request.POST.get("about")), None)
    if found is None:
        raise Http404
    if request.POST.get("answer") == "dismiss":
        suggesting.dismiss(found, house, by=request.user)
        messages.success(request, "It is not suggested again.")
        return redirect("rules-health")
    return _tried(request, found, house)


def _tried(request: HttpRequest, found: Suggestion, house: RuleSet) -> HttpResponse:
    try:
        version = suggesting.take(found, house, names=_names(), uid=str(uuid.uuid4()), by=request.user)
        trial = actions.back_test(version, {"days": DAYS}, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("rules-health")
    return redirect("back-test", trial=trial.pk)


def _suggested(request: HttpRequest, house: RuleSet | None) -> list[Suggestion]:
    return suggesting.suggestions(request.user, house) if house else []


def _shown(found: Suggestion, request: HttpRequest) -> dict:
    """With its sentence, and a few of its posts."""
    posts = Message.objects.visible_to(request.user).filter(pk__in=found.messages, deleted_at=None)
    return {
        "of": found,
        "sentence": suggesting.sentence_of(found, _names()),
        "posts": posts.order_by("-created_at")[:EXAMPLES],
    }


def _names() -> dict[str, str]:
    return dict(Department.objects.open().values_list("slug", "name"))
