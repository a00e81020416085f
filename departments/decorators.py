"""Doors before views. What somebody may not know of answers 404, the same as an address that was never there; what
they see but may not do, 403."""

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404

from departments.access import NOTHING, Rights, departments_for, may, rights
from departments.models import Department


def needs(what: str, *, admins_too: bool = False):
    """The view's `department` (a slug in the address) becomes the Department, if the person may do `what` in it.

    `admins_too`: an admin passes everywhere, for what is configured and not read.
    """

    def decorate(view):
        @wraps(view)
        def door(request, *args, department: str, **named):
            admin = admins_too and rights(request.user).admin
            seen = Department.objects.open() if admin else departments_for(request.user)
            found = get_object_or_404(seen, slug=department)
            if not admin and not may(request.user, what, found):
                raise PermissionDenied(f"Your role in {found} does not allow this.")
            return view(request, *args, department=found, **named)

        return door

    return decorate


def only(question: Callable[[Rights], bool]):
    """A door for people whose rights answer the question with yes; for others there is nothing here."""

    def decorate(view):
        @wraps(view)
        def door(request, *args, **named):
            if not question(rights(request.user)):
                raise Http404
            return view(request, *args, **named)

        return door

    return decorate


admins_only = only(lambda held: held.admin)
coordinators_only = only(lambda held: held.coordinator)
audit_readers_only = only(lambda held: held.auditor or held.admin or held.coordinator)
members_only = only(lambda held: held != NOTHING)
