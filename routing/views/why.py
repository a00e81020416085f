"""On what a model's decision about a conversation rests."""

from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from inbox.models import Conversation
from routing.grounds import decided, grounds


@require_safe
def why(request, conversation):
    """The words and the examples, for the strip above the conversation; as a page of its own without scripts. Http404
    for who does not see the conversation."""
    found = get_object_or_404(Conversation.objects.visible_to(request.user), pk=conversation)
    decision = decided(found)
    context = {"conversation": found, "grounds": grounds(decision, request.user) if decision else None}
    return render(request, "routing/_grounds.html" if request.htmx else "routing/grounds.html", context)
