"""A version in the shadow: what it would have decided otherwise since it began."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from routing import actions, shadowing
from routing.views.pages import version_of, workers_only

#: Differences that are drawn, the newest ones.
SHOWN = 50


@require_GET
@workers_only
def shadow(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """“12 of 3,400 differ”, and which: both explanations side by side."""
    found = version_of(request, rule_set, number)
    if found.shadow_since is None:
        raise Http404
    seen = shadowing.seen(found, request.user)
    context = {
        "version": found,
        "seen": seen,
        "pairs": seen.newest(SHOWN),
        "live": found.rule_set.live,
        "may_edit": actions.may_edit(request.user, found.rule_set),
    }
    return render(request, "routing/shadow.html", context)
