"""How a department gives out its work: its settings, its people, and what would happen next."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from departments.access import people_of
from departments.decorators import needs
from departments.models import Department
from routing.assignment.arranging import arrange, arrangement_of, may_arrange, set_capacity
from routing.assignment.forms import CapacityForm, PolicyForm


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_queue", admins_too=True)
def assignment(request: HttpRequest, department: Department) -> HttpResponse:
    """The settings, the table of people with what they hold, and who would get the next item."""
    _only_arrangers(request, department)
    form = PolicyForm.of(department, request.POST or None)
    if request.method == "POST" and form.carry_out(arrange, department, by=request.user):
        messages.success(request, f"{department} gives out its work so from now on.")
        return redirect("department-assignment", department=department.slug)
    return _drawn(request, department, form)


@require_POST
@needs("view_queue", admins_too=True)
def capacity(request: HttpRequest, department: Department, person: uuid.UUID) -> HttpResponse:
    """What one person of the department takes on."""
    _only_arrangers(request, department)
    found = get_object_or_404(people_of(department), pk=person)
    form = CapacityForm(request.POST)
    if form.carry_out(set_capacity, department, found, by=request.user):
        messages.success(request, f"Noted what {found} takes on.")
    else:
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
    return redirect("department-assignment", department=department.slug)


def _only_arrangers(request: HttpRequest, department: Department) -> None:
    if not may_arrange(request.user, department):
        raise PermissionDenied(f"Only a lead of {department} arranges how it gives out work.")


def _drawn(request: HttpRequest, department: Department, form: PolicyForm) -> HttpResponse:
    found = arrangement_of(department, request.user)
    rows = [(line, CapacityForm.of(line.seat.user, line)) for line in found.lines]
    context = {"department": department, "form": form, "found": found, "rows": rows}
    return render(request, "routing/assignment.html", context, status=422 if form.errors else 200)
