"""The departments: what belongs where, who works there, and how that is changed."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments import actions
from departments.access import departments_for, may_appoint, rights
from departments.decorators import admins_only, members_only, needs
from departments.forms import AppointForm, DepartmentForm, HoursForm, NewDepartmentForm
from departments.models import Department, User
from departments.roles import held_by


@require_GET
@members_only
def departments(request: HttpRequest) -> HttpResponse:
    """Every department by name, since colleagues hand things on to each; those that one may open are links."""
    admin = rights(request.user).admin
    context = {
        "departments": Department.objects.open(),
        "opens": set(Department.objects.open() if admin else departments_for(request.user)),
        "admin": admin,
    }
    return render(request, "departments/departments.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_queue", admins_too=True)
def department(request: HttpRequest, department: Department) -> HttpResponse:
    """Who works in this department; whoever leads it, or an admin, gives and takes roles here."""
    appoints = may_appoint(request.user, department)
    form = AppointForm(request.POST or None)
    if request.method == "POST":
        if not appoints:
            raise PermissionDenied("Only an admin or a lead gives roles here.")
        if form.carry_out(lambda person, role: actions.give_role(person, department, role, by=request.user)):
            messages.success(
                request, f"{form.cleaned_data['person']} is {form.cleaned_data['role'].word} of {department} now."
            )
            return redirect("department", department=department.slug)
    context = {"department": department, "people": _people_in(department), "appoints": appoints, "form": form,
               "admin": rights(request.user).admin}  # fmt: skip
    return render(request, "departments/department.html", context)


@require_POST
@needs("view_queue", admins_too=True)
def dismiss(request: HttpRequest, department: Department) -> HttpResponse:
    """End somebody's role in this department."""
    person = get_object_or_404(User, pk=request.POST.get("person") or None)
    actions.take_role(person, department, by=request.user)
    messages.success(request, f"{person} has no role in {department} any more.")
    if departments_for(request.user).contains(department) or rights(request.user).admin:
        return redirect("department", department=department.slug)
    return redirect("departments")  # a lead who ended their own role


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def new(request: HttpRequest) -> HttpResponse:
    form = NewDepartmentForm(request.POST or None)
    if request.method == "POST" and form.carry_out(actions.found_department, by=request.user):
        messages.success(request, f"{form.result} is founded. Give its people their roles.")
        return redirect("department", department=form.result.slug)
    return render(request, "departments/department_edit.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def edit(request: HttpRequest, department: str) -> HttpResponse:
    department = get_object_or_404(Department.objects.open(), slug=department)
    form = DepartmentForm.of(department, request.POST or None)
    if request.method == "POST" and form.carry_out(actions.change_department, department, by=request.user):
        messages.success(request, f"{department} is changed.")
        return redirect("departments")
    return render(request, "departments/department_edit.html", {"form": form, "department": department})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("lead_queue", admins_too=True)
def hours(request: HttpRequest, department: Department) -> HttpResponse:
    """When its people are there."""
    form = HoursForm.of(department, request.POST or None)
    if request.method == "POST" and form.carry_out(actions.change_hours, department, by=request.user):
        messages.success(request, f"When {department} is there is changed.")
        return redirect("department", department=department.slug)
    return render(request, "departments/hours.html", {"form": form, "department": department})


@require_POST
@admins_only
def close(request: HttpRequest, department: str) -> HttpResponse:
    department = get_object_or_404(Department.objects.open(), slug=department)
    try:
        actions.close_department(department, by=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("department-edit", department=department.slug)
    messages.success(request, f"{department} is closed.")
    return redirect("departments")


def _people_in(department: Department) -> list[dict]:
    """Everybody with a role of their own here, leads first."""
    people = (
        User.objects.active().filter(groups__name__startswith=f"dept:{department.slug}:").distinct().order_by("name")
    )
    held = held_by(people)
    found = [{"person": each, "role": held[each.pk].departments[department.slug]} for each in people]
    return sorted(found, key=lambda one: -one["role"])
