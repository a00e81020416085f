from django.http import Http404
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from inbox.desk import NOTHING_TAB, ORDERS, TABS, desk_of
from inbox.listing import listed
from inbox.paging import read
from inbox.views.answering import is_piece

#: What an empty tab says: that it is good, and why.
EMPTY = {
    "mine": "Nothing is yours right now.",
    "unassigned": "Everything here has somebody.",
    "all": "Nothing is waiting.",
    "waiting": "Nobody waits for others here.",
    "nothing": "Nothing was set aside.",
}
#: Which kept count belongs to a tab. What is mine is not kept for everybody, but counted as far as it is shown.
COUNTED = {"unassigned": "unassigned", "all": "open", "waiting": "waiting", "nothing": "nothing"}


@require_GET
@vary_on_headers("HX-Request")
def queue(request, department=None):
    """A page of one queue, or of all that lie before this person; only its rows when htmx asks."""
    desk = desk_of(request)
    chosen = desk.department(department) if department else None
    if department and chosen is None:
        raise Http404
    queues = [chosen] if chosen else desk.own
    tabs = TABS | NOTHING_TAB if chosen and chosen.is_triage else TABS
    tab = _one_of(tabs, request.GET.get("tab"), "all")
    sort = _one_of(ORDERS, request.GET.get("sort"), "urgent")
    order, after = ORDERS[sort], request.GET.get("after", "")
    found = listed(desk, queues, tab, order, read(after, order))
    counts = {name: sum(desk.counts[each.pk][kept] for each in queues) for name, kept in COUNTED.items()}
    counts["mine"] = desk.mine(chosen)
    context = {
        "department": chosen,
        "title": str(chosen) if chosen else "Inbox",
        "title_count": counts["all"],
        "tabs": [_tab(request, key, name, counts.get(key), key == tab) for key, name in tabs.items()],
        "tab": tab,
        "sort": sort,
        "items": found.rows,
        "next_url": _address(request, tab, sort, found.next) if found.next else "",
        "first": not after,
        "empty": EMPTY[tab],
        "watch": " ".join(f"queue:{each.pk}" for each in queues),
    }
    return render(request, "inbox/_rows.html" if is_piece(request) else "inbox/queue.html", context)


def _one_of(choices, wanted, otherwise):
    return wanted if wanted in choices else otherwise


def _tab(request, key, name, count, current):
    sort = _one_of(ORDERS, request.GET.get("sort"), "urgent")
    return {"key": key, "name": name, "count": count, "url": _address(request, key, sort), "current": current}


def _address(request, tab, sort, cursor=None):
    """The page's address with what differs from the usual."""
    parts = {"tab": tab if tab != "all" else "", "sort": sort if sort != "urgent" else "", "after": cursor or ""}
    parts = {name: value for name, value in parts.items() if value}
    return f"{request.path}?{urlencode(parts)}" if parts else request.path
