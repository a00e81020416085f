"""The people who work here, for admins: accounts, roles, invitations."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from departments import actions, links
from departments.decorators import admins_only
from departments.forms import InviteForm, RolesForm
from departments.models import Department, User
from departments.roles import HouseRole, held_by


@require_GET
@admins_only
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, with their roles as a matrix of people and departments."""
    everybody = User.objects.order_by("-is_active", "name", "username")
    columns = list(Department.objects.open())
    held = held_by(everybody)
    rows = [
        {
            "person": each,
            "house": sorted(held[each.pk].house),
            "cells": [held[each.pk].departments.get(column.slug) for column in columns],
        }
        for each in everybody
    ]
    return render(request, "departments/people.html", {"rows": rows, "departments": columns})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def invite(request: HttpRequest) -> HttpResponse:
    """A new account; its page then shows the link with which the person chooses a password."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.carry_out(actions.invite, by=request.user):
        return _with_link(request, form.result)
    return render(request, "departments/invite.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def person(request: HttpRequest, person: User | str) -> HttpResponse:
    """One person's account and everything they are; POST sets the roles as ticked."""
    person = get_object_or_404(User, pk=person)
    form = RolesForm(request.POST or None, departments=Department.objects.open(), initial=_roles_of(person))
    if request.method == "POST" and form.is_valid() and _set_roles(form, person, request.user):
        messages.success(request, f"{person}’s roles are set.")
        return redirect("person", person.pk)
    return render(request, "departments/person.html", {"person": person, "form": form, "tokens": _tokens(person)})


@require_POST
@admins_only
def link(request: HttpRequest, person: str) -> HttpResponse:
    """A fresh link with which the person chooses a password; it is shown this once."""
    person = get_object_or_404(User, pk=person)
    try:
        return _with_link(request, person)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("person", person.pk)


@require_POST
@admins_only
def close(request: HttpRequest, person: str) -> HttpResponse:
    """Close the account, or open it again."""
    person = get_object_or_404(User, pk=person)
    verb = actions.deactivate if request.POST.get("open") != "1" else actions.reactivate
    try:
        verb(person, by=request.user)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, f"{person}’s account is {'open again' if person.is_active else 'closed'}.")
    return redirect("person", person.pk)


def _with_link(request: HttpRequest, person: User) -> HttpResponse:
    actions.allow_new_password(person, by=request.user)
    address = request.build_absolute_uri(links.password_path(person))
    return render(request, "departments/link.html", {"person": person, "address": address, "days": links.DAYS})


def _roles_of(person: User) -> dict:
    held = held_by([person])[person.pk]
    in_departments = {f"in-{slug}": role.word for slug, role in held.departments.items()}
    return {"house": [role.value for role in held.house], **in_departments}


def _set_roles(form: RolesForm, person: User, by: User) -> bool:
    """All of what was ticked, or nothing of it."""
    held = held_by([person])[person.pk].house
    try:
        with transaction.atomic():
            actions.set_roles(person, form.wanted(), by=by)
            for role in HouseRole:
                if role in form.wanted_of_house() - held:
                    actions.give_house_role(person, role, by=by)
                elif role in held - form.wanted_of_house():
                    actions.take_house_role(person, role, by=by)
    except ValidationError as refused:
        form.add_error(None, refused)
        return False
    return True


def _tokens(person: User):
    return person.tokens.filter(revoked_at=None)
