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
from inbox.desk import desk_of
from inbox.errors import Refused
from inbox.listing import one
from inbox.models import QueueItem
from inbox.thread import unexplained
from inbox.views.answering import piece, tell, unchanged, way_back
from inbox.views.conversations import seen
from inbox.views.talk import talk, undo_url


@dataclass(frozen=True)
class Verb:
    """How a door does a verb: what it asks for, what it calls, what it says afterwards (with `{n}` for many at
    once)."""

    act: Callable
    told: Callable[[Any, dict], str]
    form: type[forms.DeskForm] = forms.DeskForm
    undoable: bool = True


def says(text: str) -> Callable:
    return lambda result, given: text


def _snoozed(result, given):
    until = given["until"]
    return (
        f"Snoozed until {date_format(timezone.localtime(until), 'l, j F, H:i')}."
        if until
        else "Snoozed until they answer."
    )


VERBS = {
    "take": Verb(actions.take, says("It is yours.")),
    "assign": Verb(
        actions.assign,
        lambda item, given: f"{item.assignee} has it." if item.assignee else "Back for anybody.",
        forms.AssignForm,
    ),
    "hand-off": Verb(
        actions.hand_off, lambda given, _: f"Offered to {given.to}. It stays here until they accept.", forms.HandOffForm
    ),
    "accept": Verb(actions.accept, lambda item, _: f"{item.department} has it now.", undoable=False),
    "decline": Verb(
        actions.decline, says("Declined. It is back with those who offered it."), forms.DeclineForm, undoable=False
    ),
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
    try:
        said, refused = perform(found, VERBS[verb], request.POST, by=request.user), ""
    except Refused as refusal:
        said, refused = "", refusal.sentence
    # By what they did people may lose sight of it: then there is nothing left for them to undo or to go back to.
    conversation = seen(request.user, found.conversation_id)
    undo = undo_url(found) if VERBS[verb].undoable and conversation and not refused else ""
    tell(request, refused or said, undo_url=undo, refused=bool(refused))
    if not request.htmx:
        return way_back(request, conversation.get_absolute_url() if conversation else queue_url(found))
    return _drawn(request, found, conversation, explain, status=409 if refused else 200)


def find_item(user, pk) -> QueueItem:
    visible = QueueItem.objects.visible_to(user).select_related("department", "conversation")
    return get_object_or_404(visible, pk=pk)


def perform(item, verb: Verb, data, *, by) -> str:
    """Call the verb with what the form holds; what to say of it. Raises Refused, also for a form that can not be
    used."""
    form = verb.form(data)
    if not form.is_valid():
        raise Refused(form.first_error())
    return verb.told(verb.act(item, by=by, **form.cleaned_data), form.cleaned_data)


def queue_url(item) -> str:
    return reverse("queue", args=[item.department.slug])


def _drawn(request, item, conversation, explain, *, status: int):
    """The piece that the verb was asked from: the talk, the row, or nothing but the message."""
    if request.htmx.target == "talk":
        return piece(request, _talk(request, conversation, explain), status=status)
    if request.htmx.target == f"row-{item.pk}":
        return piece(request, _row(request, item), status=status)
    return unchanged(request, status=status)


def _talk(request, conversation, explain) -> str:
    if conversation is None:
        return render_to_string("inbox/_gone.html", request=request)
    return render_to_string("inbox/_conversation.html", talk(request, conversation, explain), request=request)


def _row(request, item) -> str:
    """The row as it is now; nothing when the item has left the open queue."""
    now = one(desk_of(request), item.pk)
    if now is None:
        return ""
    return render_to_string("inbox/_row_alone.html", {"item": now}, request=request)
