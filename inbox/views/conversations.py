from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from departments.away import may_wait
from inbox import actions
from inbox.models import Conversation
from inbox.thread import unexplained
from inbox.views.answering import is_piece
from inbox.views.talk import talk


@require_GET
@vary_on_headers("HX-Request")
def conversation(request, conversation, explain=unexplained):
    """One conversation; only the talk when htmx asks for it. Opening it marks the own item read."""
    found = find(request.user, conversation)
    if found.pk != conversation:
        return redirect(found)
    context = talk(request, found, explain)
    if context["item"] and context["item"].unread:
        with may_wait():
            actions.read(context["item"], by=request.user)
    return render(request, template(request), context)


def template(request) -> str:
    return "inbox/_conversation.html" if is_piece(request) else "inbox/conversation.html"


def find(user, pk) -> Conversation:
    """The conversation, or the one that it became a part of. One that is hidden is like one that is not there:
    Http404."""
    if found := seen(user, pk) or seen(user, pk, "merged"):
        return found
    raise Http404


def seen(user, pk, by="pk") -> Conversation | None:
    """The conversation if this person sees it, with what every page of it draws."""
    visible = Conversation.objects.visible_to(user).select_related("channel", "identity__contact", "about_post")
    return visible.filter(**{by: pk}).first()
