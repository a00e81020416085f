"""The board, and the rows behind each of its numbers."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from departments.decorators import only
from departments.models import Department
from inbox.desk import Desk, desk_of
from inbox.paging import page, read
from inbox.views.answering import is_piece
from socialhub.insights.metrics import METRICS, Metric
from socialhub.insights.overview import Board
from socialhub.insights.sight import Sight, has_board, on_board

#: For coordinators and admins, and for leads over their own departments; for others there is nothing here.
board_only = only(has_board)
PAGE = 50
#: What is read together with the rows of each kind, so that drawing them asks nothing.
WITH = {
    "items": ("assignee", "department", "handed_to", "offer"),
    "answers": ("author", "department", "target__identity", "channel"),
    "hand-offs": ("item", "item__department", "to", "by"),
    "replies": ("author", "department", "target__identity", "channel"),
}


@require_GET
@board_only
@vary_on_headers("HX-Request")
def overview(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx only the board, which is the same piece."""
    board = Board(desk_of(request))
    context = {"board": board, "as_table": request.GET.get("hand-offs") == "table"}
    return render(request, "insights/_board.html" if is_piece(request) else "insights/overview.html", context)


@require_GET
@board_only
def rows(request: HttpRequest, metric: str) -> HttpResponse:
    """What a number is made of, row by row: of one department, or of all on the person's board."""
    if (chosen := METRICS.get(metric)) is None:
        raise Http404
    desk = desk_of(request)
    department = _department(desk, request.GET.get("department"))
    sight = Sight(desk, [department] if department else None)
    after = read(request.GET.get("after", ""), chosen.order)
    found = page(_sources(chosen, sight), chosen.order, cursor=after, size=PAGE)
    context = {
        "metric": chosen,
        "value": chosen.value(sight),
        "department": department,
        "rows": found.rows,
        "piece": f"insights/_{chosen.holds.replace('-', '_')}.html",
        "next_url": _further(request, found.next),
    }
    return render(request, "insights/rows.html", context)


def _department(desk: Desk, slug: str | None) -> Department | None:
    if not slug:
        return None
    if found := next((each for each in on_board(desk) if each.slug == slug), None):
        return found
    raise Http404


def _sources(metric: Metric, sight: Sight) -> list[QuerySet]:
    """Items are read queue by queue, each along its own index; the other kinds are few."""
    apart = [Sight(sight.desk, [each], sight.window) for each in sight.departments]
    parts = apart if metric.holds == "items" else [sight]
    return [metric.rows(part).select_related(*WITH[metric.holds]) for part in parts]


def _further(request: HttpRequest, cursor) -> str:
    if cursor is None:
        return ""
    kept = {name: request.GET[name] for name in ("department",) if name in request.GET}
    return f"?{urlencode(kept | {'after': cursor})}"
