from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from inbox import actions
from inbox.models import Notice

#: So many are shown; older ones have had their day.
SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
def notices(request):
    """What the house told this person, the newest first. POST marks as read: the one that is named and then goes to its
    conversation, or all of them."""
    seen = Notice.objects.visible_to(request.user)
    if request.method == "POST":
        return _read(request, seen)
    found = list(seen.select_related("conversation__identity", "conversation__channel")[:SHOWN])
    context = {"notices": found, "unread": sum(each.read_at is None for each in found)}
    return render(request, "inbox/notices.html", context)


def _read(request, seen):
    wanted = request.POST.get("notice", "")
    one = seen.filter(pk=int(wanted)).first() if wanted.isascii() and wanted.isdecimal() and len(wanted) < 18 else None
    actions.read_notices([one.pk] if one else None if not wanted else [], by=request.user)
    return redirect(one.conversation.get_absolute_url() if one else "notices")
