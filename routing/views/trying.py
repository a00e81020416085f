"""Where a post would go that says this, and the whole way there."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from departments.models import Department
from inbox.models import Message
from inbox.pieces import marked
from inbox.search import search
from routing.deciding import TRIAGE
from routing.forms import TryForm
from routing.models import RuleSetVersion
from routing.tracing import Trace
from routing.trying import first_message, model_in_force, on_message, on_text, rule_sets_for, runs, versions_to_try
from routing.views.pages import newest_versions, page, workers_only

#: Posts that a search offers to try.
OFFERED = 6
#: Of what a model says, the best so many.
GUESSES = 2


@require_http_methods(["GET", "HEAD", "POST"])
@workers_only
def try_rules(request: HttpRequest) -> HttpResponse:
    """The way of a text that is sent, or of the post that began a conversation (`?conversation=…`). Nothing is
    stored."""
    message = _asked_for(request) if request.method != "POST" else None
    form = try_form(request, message)
    context = {"try_form": form, "tried": _tried(request, form, message), "tried_on": message} | _offered(request)
    if request.htmx and request.method == "POST":
        return render(request, "routing/_try.html", context)
    return render(request, "routing/try.html", page(request, versions=newest_versions(request), **context))


def try_form(request: HttpRequest, message: Message | None = None, only: RuleSetVersion | None = None) -> TryForm:
    """The box in which rules are tried: as it was sent, filled with a message, or empty."""
    named = {"versions": [(str(each.pk), _called(each)) for each in versions_to_try(request.user)]}
    if request.method == "POST" and "text" in request.POST:
        return TryForm(request.POST, **named)
    by = str(only.pk) if only else request.GET.get("by", "")
    return TryForm(initial={"by": by} | (_of(message) if message else {}), **named)


def _called(version: RuleSetVersion) -> str:
    return f"{version.get_state_display()} {version.number}, {str(version.rule_set).lower()}"


def _of(message: Message) -> dict[str, Any]:
    """A message as the form shows it, so that it can be changed and tried again."""
    author = message.identity
    return {
        "text": f"{message.title}\n{message.text}".strip(),
        "network": message.channel.network,
        "kind": message.kind,
        "followers": author.followers if author else None,
        "author": author.handle if author else "",
        "rating": message.rating,
        "at": message.created_at,
    }


def _asked_for(request: HttpRequest) -> Message | None:
    asked = request.GET.get("conversation", "")
    if not asked:
        return None
    try:
        found = first_message(request.user, UUID(asked))
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _offered(request: HttpRequest) -> dict[str, Any]:
    """What a search finds among the posts that the person sees, to be picked."""
    typed = request.GET.get("find", "")[:200]
    found = search(request.user, typed, size=OFFERED)[0] if typed.strip() else []
    return {"find": typed, "found": [each for each in found if each.source == "message"]}


def _tried(request: HttpRequest, form: TryForm, message: Message | None) -> dict[str, Any] | None:
    if message is None and not form.is_valid():
        return None
    said = form.cleaned_data if form.is_bound else {"by": form.initial["by"]}
    version = next((each for each in versions_to_try(request.user) if str(each.pk) == said["by"]), None)
    rule_sets = rule_sets_for(request.user, version)
    # With scripts the rules answer at once, and the model after them.
    later = bool(request.htmx) and "read" not in request.POST and model_in_force() is not None
    way = on_message(message, rule_sets) if message else on_text(said, rule_sets, read=not later)
    return _told(way, version) | {"later": later}


def _told(way: Trace, version: RuleSetVersion | None) -> dict[str, Any]:
    verdict = way.verdict
    departments = {each.slug: each for each in Department.objects.open()}
    return {
        "way": way,
        "by": version,
        "verdict": verdict,
        "department": departments[verdict.department],
        "pieces": marked(verdict.facts.text, [(span.start, span.end) for span in verdict.spans]),
        "joins": [{"department": departments[slug], "match": match} for slug, match in verdict.joins],
        "house": list(runs(way.house)),
        "own": list(runs(way.own)),
        "elsewhere": [{"department": departments[each.department], "way": each} for each in way.elsewhere],
        "loose": [{"department": departments.get(each.department), "way": each} for each in way.loose],
        "closed": [departments[slug] for slug in way.closed],
        "guesses": [(departments.get(slug), round(100 * sure)) for slug, sure in verdict.facts.labels[:GUESSES]],
        "to_triage": verdict.department == TRIAGE,
    }
