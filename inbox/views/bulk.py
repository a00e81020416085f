from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from inbox.errors import Refused
from inbox.models import QueueItem
from inbox.views.answering import tell, unchanged, way_back
from inbox.views.talk import undo_url
from inbox.views.verbs import VERBS, perform

#: As many as one can have looked at.
MOST = 200
TOLD = {
    "take": "taken",
    "assign": "assigned",
    "hand-off": "offered",
    "accept": "accepted",
    "decline": "declined",
    "add-department": "shared",
    "snooze": "snoozed",
    "resolve": "resolved",
    "reopen": "reopened",
    "prioritise": "set",
    "tag": "tagged",
    "move": "placed",
    "undo": "undone",
    "read": "read",
}


@require_POST
def bulk(request):
    """One verb for several items, each by itself: what one refuses does not hold up the others. One undo takes back all
    that were done. Items that the person may not see are left out as if they were not there."""
    # An undo's address carries its items, because a message can hold no form.
    given = request.POST if "items" in request.POST else request.GET
    name = given.get("verb", "")
    if name not in TOLD:
        raise Http404
    done, refusals = _each(request, _items(request.user, given.getlist("items")), VERBS[name])
    _say(request, name, done, refusals)
    if not request.htmx:
        return way_back(request, reverse("inbox"))
    return unchanged(request, status=200 if done else 409)


def _items(user, ids) -> list[QueueItem]:
    wanted = [each for each in map(_uuid, ids[:MOST]) if each]
    visible = QueueItem.objects.visible_to(user).filter(pk__in=wanted)
    found = visible.select_related("department", "conversation").in_bulk()
    return [found[each] for each in dict.fromkeys(wanted) if each in found]


def _uuid(text):
    try:
        return UUID(text)
    except ValueError:
        return None


def _each(request, items, verb):
    done, refusals = [], []
    for item in items:
        try:
            perform(item, verb, request.POST, by=request.user)
        except (Refused, PermissionDenied) as refusal:
            refusals.append(str(refusal))
        else:
            done.append(item)
    return done, refusals


def _say(request, name, done, refusals):
    if done:
        undo = ""
        if VERBS[name].undoable:
            undo = undo_url(done[0]) if len(done) == 1 else _undo_all(done)
        tell(request, f"{len(done)} {TOLD[name]}.", undo_url=undo)
    if refusals:
        tell(request, f"{len(refusals)} could not be {TOLD[name]}: {refusals[0]}", refused=True)
    if not done and not refusals:
        tell(request, "Choose at least one that is still here.", refused=True)


def _undo_all(items) -> str:
    return f"{reverse('bulk')}?{urlencode({'verb': 'undo', 'items': [each.pk for each in items]}, doseq=True)}"
