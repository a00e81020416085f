"""Back-tests: asked for, followed while they run, and read."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from departments.models import Department
from routing import actions
from routing.backtest import fingerprint, still_seen
from routing.conditions import Refused
from routing.models import BackTest
from routing.outcomes import NOTHING
from routing.views.pages import editable, version_of, workers_only

#: Rows of the list that are drawn.
SHOWN = 100


@require_POST
@workers_only
def begin(request: HttpRequest, rule_set: uuid.UUID, number: int) -> HttpResponse:
    """Ask for a trial of this version."""
    found = version_of(request, rule_set, number)
    editable(request, rule_set)
    unit, _, many = request.POST.get("scope", "").partition(" ")
    try:
        scope = {unit: int(many) if many.isascii() and many.isdecimal() and len(many) < 9 else 0}
        trial = actions.back_test(found, scope, by=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("rules-version", rule_set=rule_set, number=number)
    return redirect("back-test", trial=trial.pk)


@require_GET
@workers_only
def back_test(request: HttpRequest, trial: uuid.UUID) -> HttpResponse:
    """How far a trial is, or what came of it. `?from=` and `?to=` choose the conversations of one cell."""
    found = _trial(request, trial)
    context: dict[str, Any] = {"trial": found, "version": found.version, "live": found.version.rule_set.live}
    if found.state == BackTest.State.DONE:
        context |= _result(found, request)
    context["may_edit"] = actions.may_edit(request.user, found.version.rule_set)
    template = "routing/_progress.html" if request.htmx and found.goes_on else "routing/back_test.html"
    return render(request, template, context)


@require_POST
@workers_only
def cancel(request: HttpRequest, trial: uuid.UUID) -> HttpResponse:
    """End a trial of one's own before it is done."""
    found = actions.cancel_back_test(_trial(request, trial), by=request.user)
    return redirect("back-test", trial=found.pk)


def _trial(request: HttpRequest, pk: uuid.UUID) -> BackTest:
    mine = BackTest.objects.visible_to(request.user)
    return get_object_or_404(mine.select_related("version__rule_set__department", "against", "asked_by"), pk=pk)


# What came of it, as the page draws it --------------------------------------------------------------------------
def _result(trial: BackTest, request: HttpRequest) -> dict[str, Any]:
    told = trial.result
    if told["rights"] != request.user.permission_epoch:
        # What was counted then may be more than what this person may see now.
        return {"outdated": True}
    places = _places()
    wanted = (request.GET.get("from", ""), request.GET.get("to", ""))
    moved = [row for row in told["moved_list"] if "" in wanted or _way(row) == wanted]
    return {
        "told": told,
        "matrix": _matrix(told["matrix"], places),
        "load": _load(told, places),
        "moved": _rows(moved, trial, request, places),
        "otherwise": _rows(told["otherwise_list"], trial, request, places) if "" in wanted else [],
        "chosen": [places[slug] for slug in wanted] if wanted[0] in places and wanted[1] in places else [],
        "accuracy": _accuracy(told["accuracy"]),
        "rules": told["rules"],
        "amended": fingerprint(trial.version) != told["print"],
    }


def _places() -> dict[str, Any]:
    """Where a message may lie, by the words of a result."""
    found: dict[str, Any] = {each.slug: each for each in Department.objects.all()}
    return found | {NOTHING: Department(slug=NOTHING, name="Probably nothing", hue="d-tr")}


def _way(row: dict) -> tuple[str, str]:
    return row["before"]["place"], row["after"]["place"]


def _matrix(cells: list, places: dict[str, Any]) -> dict[str, Any]:
    """Rows and columns of what occurs, in the order of the rail; each cell with its shade."""
    many = {(old, new): n for old, new, n in cells}
    there = [slug for slug in places if any(slug in pair for pair in many)]
    most = max((n for (old, new), n in many.items() if old != new), default=0)
    rows = [
        {
            "place": places[old],
            "cells": [_cell(old, new, many.get((old, new), 0), most) for new in there],
            "all": sum(many.get((old, new), 0) for new in there),
        }
        for old in there
    ]
    sums = [sum(many.get((old, new), 0) for old in there) for new in there]
    return {"columns": [places[slug] for slug in there], "rows": rows, "sums": sums}


def _cell(old: str, new: str, n: int, most: int) -> dict[str, Any]:
    shade = 0 if old == new or not n else 1 + min(2, int(3 * n / (most + 1)))
    return {"n": n, "same": old == new, "shade": shade, "query": f"?from={old}&to={new}#moved"}


def _load(told: dict, places: dict[str, Any]) -> list[dict[str, Any]]:
    """Conversations a day for each department, before and after, and how long their bars are."""
    days = told["days"]
    most = max((max(row["before"], row["after"]) for row in told["load"]), default=0) or 1
    return [
        {
            "place": places[row["department"]],
            "before": round(row["before"] / days, 1),
            "after": round(row["after"] / days, 1),
            "change": row["after"] - row["before"],
            "was": round(150 * row["before"] / most, 1),
            "is": round(150 * row["after"] / most, 1),
        }
        for row in told["load"]
        if row["department"] in places
    ]


def _rows(rows: list, trial: BackTest, request: HttpRequest, places: dict[str, Any]) -> list[dict[str, Any]]:
    """Conversations that the person may still see, with how each read and both reasons."""
    seen = still_seen(trial, request.user)
    there = [row for row in rows if row["message"] in seen][:SHOWN]
    return [
        {
            "message": seen[row["message"]],
            "before": row["before"] | {"department": places.get(row["before"]["place"])},
            "after": row["after"] | {"department": places.get(row["after"]["place"])},
        }
        for row in there
    ]


def _accuracy(told: dict[str, int]) -> dict[str, Any] | None:
    n = told["n"]
    if not n:
        return None
    return told | {name: round(100 * told[name] / n) for name in ("before", "after", "before_unsure", "after_unsure")}
