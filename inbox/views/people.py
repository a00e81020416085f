from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from inbox.contacts import BY_NAME, NEWEST, conversations_page, people_page, with_handles
from inbox.models import Contact
from inbox.paging import read
from inbox.search import name_of
from inbox.views.answering import is_piece


@require_GET
@vary_on_headers("HX-Request")
def contacts(request) -> HttpResponse:
    """People outside with whom this person sees a conversation, by name; `q` is part of a name or handle."""
    name = name_of(request.GET.get("q", ""))
    found = people_page(request.user, name, cursor=read(request.GET.get("after", ""), BY_NAME))
    context = {
        "title": "Contacts",
        "q": name,
        "contacts": found.rows,
        "next_url": _next(request, found, q=name),
        "first": "after" not in request.GET,
    }
    return render(request, "inbox/_contacts.html" if is_piece(request) else "inbox/contacts.html", context)


@require_GET
def contact(request, contact) -> HttpResponse:
    """One person: handles and conversations, as far as this person sees them."""
    found = get_object_or_404(Contact.objects.visible_to(request.user), pk=contact)
    page = conversations_page(request.user, found, cursor=read(request.GET.get("after", ""), NEWEST))
    context = {
        "title": str(found),
        "contact": with_handles([found], request.user)[0],
        "handles": found.handles,
        "conversations": page.rows,
        "next_url": _next(request, page),
    }
    return render(request, "inbox/contact.html", context)


def _next(request, page, **kept) -> str:
    if not page.next:
        return ""
    return f"{request.path}?{urlencode({**{name: value for name, value in kept.items() if value}, 'after': page.next})}"
