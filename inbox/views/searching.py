from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from inbox import search as finding
from inbox.views.answering import is_piece

SIZE = 25
#: What the page tells of the language of search.
HINTS = {
    "“lost bag”": "these words together",
    "refund or voucher": "either",
    "bag -airport": "without a word",
    "from:ines": "who wrote it",
    "network:mastodon": "where",
    "in:pr": "in this queue",
    "tag:outage": "with this tag",
    "is:overdue": "also open, snoozed, pending, resolved, unassigned, mine",
}


@require_GET
@vary_on_headers("HX-Request")
def search(request):
    """What was said, and the people who are called so, among what this person sees."""
    typed = finding.name_of(request.GET.get("q", ""))
    start = finding.start_of(request.GET.get("after", ""))
    results, more = finding.search(request.user, typed, start=start, size=SIZE)
    context = {
        "title": f"Search: {typed}" if typed else "Search",
        "q": typed,
        "results": results,
        "people": finding.people(request.user, typed) if not start else [],
        "next_url": f"{request.path}?{urlencode({'q': typed, 'after': start + SIZE})}" if more else "",
        "hints": HINTS,
    }
    return render(request, "inbox/_results.html" if is_piece(request) else "inbox/search.html", context)
