from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST

from inbox import actions, forms
from inbox.desk import desk_of, dress
from inbox.errors import Refused
from inbox.models import Conversation, QueueItem
from inbox.thread import unexplained
from inbox.views.answering import piece, tell, unchanged, way_back
from inbox.views.talk import talk, undo_url


@dataclass(frozen=True)
class Verb:
    """How a door does a verb: what it asks for, what it calls, what it says afterwards (with `{n}` for many at once)."""

    act: Callable
    told: Callable[[Any, dict], str]
    form: type[forms.DeskForm] = forms.DeskForm
    undoable: bool = True


def says(text: str) -> Callable:
    return lambda result, given: text


def _snoozed(result, given):
    until = given["until"]
    return f"Snoozed until {date_format(timezone.localtime(until), 'l, j F, H:i')}." if until else "Snoozed until they answer."


VERBS = {
    "take": Verb(actions.take, says("It is yours.")),
    "assign": Verb(
        actions.assign, lambda item, given: f"{item.assignee} has it." if item.assignee else "Back for anybody.", forms.AssignForm
    ),
    "hand-off": Verb(
        actions.hand_off, lambda given, _: f"Offered to {given.to}. It stays here until they accept.", forms.HandOffForm
    ),
    "accept": Verb(actions.accept, lambda item, _: f"{item.department} has it now.", undoable=False),
    "decline": Verb(actions.decline, says("Declined. It is back with those who offered it."), forms.DeclineForm, undoable=False),
    "add-department": Verb(
        actions.add_department, lambda joined, _: f"{joined.department} was asked to join.", forms.PlaceForm
    ),
    "snooze": Verb(actions.snooze, _snoozed, forms.SnoozeForm),
    "resolve": Verb(
        actions.resolve, lambda item, _: f"Resolved: {item.get_resolution_display().lower()}.", forms.ResolveForm
    ),
    "reopen": Verb(actions.reopen, says("Open again.")),
    "prioritise": Verb(
        actions.prioritise, lambda item, _: f"Priority: {item.get_priority_display().lower()}.", forms.PriorityForm
    ),
    "tag": Verb(actions.tag, says("Tags are set."), forms.TagForm),
    "move": Verb(actions.move, lambda placed, _: f"Placed in {placed.department}.", forms.PlaceForm),
    "undo": Verb(actions.undo, lambda change, _: f"Undone: {change.verb.replace('-', ' ')}.", undoable=False),
    "read": Verb(actions.read, says(""), undoable=False),
}


@require_POST
def item_verb(request, item, verb, explain=unexplained):
    """Do one verb to one queue item and draw what it was asked from anew. Http404 for what this person may not see."""
    if verb not in VERBS:
        raise Http404
    found = find_item(request.user, item)
    refused = attempt(request, found, VERBS[verb])
    if not request.htmx:
        return way_back(request, place_of(request.user, found))
    return _drawn(request, found, explain, status=409 if refused else 200)


def find_item(user, pk) -> QueueItem:
    visible = QueueItem.objects.visible_to(user).select_related("department", "conversation")
    return get_object_or_404(visible, pk=pk)


def attempt(request, item, verb: Verb) -> str:
    """Do it and tell; the sentence of refusal when it could not be done, else nothing."""
    try:
        result, given = perform(item, verb, request.POST, by=request.user)
    except Refused as refusal:
        tell(request, refusal.sentence, refused=True)
        return refusal.sentence
    tell(request, verb.told(result, given), undo_url=undo_url(item) if verb.undoable else "")
    return ""


def perform(item, verb: Verb, data, *, by) -> tuple[Any, dict]:
    """Call the verb with what the form holds. Raises Refused, also for a form that can not be used."""
    form = verb.form(data)
    if not form.is_valid():
        raise Refused(form.first_error())
    return verb.act(item, by=by, **form.cleaned_data), form.cleaned_data


def place_of(user, item) -> str:
    """Where to go after a verb: the conversation; when the person lost sight of it by that verb, the queue."""
    if Conversation.objects.visible_to(user).filter(pk=item.conversation_id).exists():
        return reverse("conversation", args=[item.conversation_id])
    return reverse("queue", args=[item.department.slug])


def _drawn(request, item, explain, *, status: int):
    """The piece that the verb was asked from: the talk, the row, or nothing but the message."""
    target = request.htmx.target or ""
    conversation = Conversation.objects.visible_to(request.user).filter(pk=item.conversation_id)
    conversation = conversation.select_related("channel", "identity__contact", "about_post").first()
    if target == "talk":
        return _talk(request, conversation, item, explain, status)
    if target == f"row-{item.pk}":
        return piece(request, _row(request, item), status=status)
    return unchanged(request, status=status)


def _talk(request, conversation, item, explain, status):
    if conversation is None:
        response = unchanged(request, status=status)
        response["HX-Redirect"] = reverse("queue", args=[item.department.slug])
        return response
    context = talk(request, conversation, explain)
    return piece(request, render_to_string("inbox/_conversation.html", context, request=request), status=status)


def _row(request, item) -> str:
    """The row as it is now; nothing when the item has left the open queue."""
    now = QueueItem.objects.visible_to(request.user).select_related("department", "assignee", "offer", "handed_to")
    now = now.filter(pk=item.pk).exclude(status=QueueItem.Status.RESOLVED).first()
    if now is None:
        return ""
    dress([now], desk_of(request).all_departments)
    return render_to_string("inbox/_row.html", {"item": now, "department": now.department}, request=request)
