"""Where a post would go that says this."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from connectors.contract import Author, Post
from departments.models import Department
from inbox.pieces import marked
from routing.deciding import why_not
from routing.engine import live_rule_sets
from routing.forms import TryForm
from routing.listing import TERMS
from routing.previewing import Anywhere, of_post
from routing.views.pages import newest_versions, page, workers_only


@require_POST
@workers_only
def try_rules(request: HttpRequest) -> HttpResponse:
    """Where a post would go that says this. Nothing is stored."""
    form = TryForm(request.POST)
    tried = _tried(form.cleaned_data) if form.is_valid() else None
    context = {"try_form": form, "tried": tried}
    if request.htmx:
        return render(request, "routing/_try.html", context)
    return render(request, "routing/rules.html", page(request, versions=newest_versions(request), **context))


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
