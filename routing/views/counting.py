"""What a condition finds while it is still being typed: counted on recent posts, and said as a sentence."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from departments.models import Department
from inbox.pieces import marked
from routing.conditions import read_condition
from routing.engine import made_ready
from routing.forms import RuleForm
from routing.listing import TERMS
from routing.offering import offers
from routing.parts import Part
from routing.recent import Found, asked_of, count, recent_posts
from routing.rules import Rule, Then
from routing.views.bench import Bench, bench
from routing.views.pages import workers_only
from routing.views.rules import forms_of

#: Characters around what was found, and of a post in which nothing in particular was.
AROUND, WHOLE = 40, 130


@require_POST
@workers_only
def counted(request: HttpRequest, rule_set: uuid.UUID) -> HttpResponse:
    """The condition as it stands in the form: its sentence, and what it finds among the newest posts that this person
    may see. Nothing is stored."""
    at = bench(request, rule_set)
    conditions, form = forms_of(request, at, None)
    data = conditions.read()
    condition = read_condition(data) if data is not None else None
    form.is_valid()
    # What nobody has typed yet is not wrong yet.
    rows = [row for row in conditions.offer(offers(request.user)).root.all() if not row.join]
    for row in rows:
        row.problem = row.problem if row.typed else ""
    context: dict[str, Any] = {"conditions": conditions, "condition": condition, "rows": rows}
    if condition is not None:
        context |= {"said": condition.say(most=TERMS), "then": _then(form)} | _counted(request, at, condition)
    return render(request, "routing/_count.html", context)


def _counted(request: HttpRequest, at: Bench, condition: Part) -> dict[str, Any]:
    posts = recent_posts(request.user, asked_of(condition))
    found = count(condition, posts, _earlier(at, request.POST.get("uid", "")))
    return {"count": found, "newest": [_shown(each) for each in found.newest]}


def _earlier(at: Bench, uid: str) -> list[Rule]:
    """The rules that are asked before this one; before a new one, all of them."""
    if at.version is None:
        return []
    rules = made_ready(at.version).rules
    place = next((place for place, each in enumerate(rules) if each.uid == uid), len(rules))
    return rules[:place]


def _shown(found: Found) -> dict[str, Any]:
    """A stretch of the post around the first thing that was found, with every such place marked."""
    text, spans = found.post.facts.text, [(span.start, span.end) for span in found.spans]
    start = max(0, spans[0][0] - AROUND) if spans else 0
    end = min(len(text), (spans[0][1] + WHOLE) if spans else WHOLE)
    pieces = marked(text[start:end], [(a - start, b - start) for a, b in spans if b > start and a < end])
    return {
        "pieces": pieces,
        "cut": start > 0,
        "more": end < len(text),
        "conversation": found.post.conversation,
        "at": found.post.facts.created_at,
    }


def _then(form: RuleForm) -> str:
    """What the rule does, in words, as far as it is chosen."""
    people = dict(form.fields["assign"].choices) if "assign" in form.fields else {}
    names = people | dict(Department.objects.open().values_list("slug", "name"))
    try:
        return Then.model_validate(form.then(form.cleaned_data)).say(names)
    except ValueError:
        return ""
