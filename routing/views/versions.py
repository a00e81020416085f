"""The versions of a rule set: read, and put in force again."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from departments.models import Department
from routing import actions
from routing.conditions import Refused
from routing.listing import lines_of
from routing.views.pages import based_on, editable, version_of, workers_only


@require_GET
@workers_only
def version(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """The rules as they were in one version."""
    found = version_of(request, rule_set, number)
    departments = {each.slug: each for each in Department.objects.open()}
    lines = lines_of(found, departments, request.user)
    may = actions.may_edit(request.user, found.rule_set)
    return render(request, "routing/version.html", {"version": found, "lines": lines, "may_edit": may})


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
