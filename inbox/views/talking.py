from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST

from inbox import actions
from inbox.desk import desk_of
from inbox.errors import Refused, SomethingNewer
from inbox.forms import ApproveForm, ConfirmForm, DeskForm, NoteForm, ReplyForm, ReviseForm, SendBackForm
from inbox.models import Change, Message, Moderation, Reply
from inbox.pieces import marked
from inbox.thread import unexplained
from inbox.views.answering import piece, tell, unchanged, way_back
from inbox.views.conversations import find, template
from inbox.views.talk import audiences, own_share, shares, talk, undo_url


@require_POST
def reply(request, conversation, explain=unexplained):
    """Answer the person outside. What can not be sent comes back with its text, and with what is newer than its writer
    knew."""
    found = find(request.user, conversation)
    form = ReplyForm(request.POST)
    item = own_share(request.user, list(shares(found)), request.POST.get("in", ""))
    if not form.is_valid():
        return _kept(request, found, explain, 422, reply_form=form, refused=form.first_error())
    try:
        if item is None:
            raise Refused("You read this conversation; its departments answer.")
        written = actions.reply(item, by=request.user, **form.cleaned_data)
    except Refused as refusal:
        return _kept(request, found, explain, 409, refused=refusal.sentence, **_difference(form, refusal))
    waits = written.state == Reply.State.WAITING_APPROVAL
    said = "A lead reads it before it goes out." if waits else "The reply goes out in a moment."
    tell(request, said, undo_url=undo_url(item))
    return _done(request, found, explain)


def _difference(form, refusal) -> dict:
    """The form as it was, and what is newer. It counts as seen now, so that the same text can be sent once it was
    read."""
    newer = getattr(refusal, "newer", []) if isinstance(refusal, SomethingNewer) else []
    arrived = [each for each in newer if isinstance(each, Message)]
    if arrived:
        data = form.data.copy()
        data["seen"] = str(arrived[-1].pk)
        form = ReplyForm(data)
    return {"reply_form": form, "newer": [_entry(each) for each in newer]}


def _entry(newer) -> dict:
    if isinstance(newer, Message):
        return {"type": "message", "at": newer.created_at, "message": newer, "pieces": marked(newer.text, ())}
    return {"type": "reply", "at": newer.created_at, "reply": newer}


@require_POST
def note(request, conversation, explain=unexplained):
    """Write to colleagues."""
    found = find(request.user, conversation)
    items = list(shares(found))
    form = NoteForm(request.POST, audiences=audiences(desk_of(request), items))
    if not form.is_valid():
        return _kept(request, found, explain, 422, note_form=form, refused=form.first_error())
    try:
        actions.note(found, by=request.user, **form.cleaned_data)
    except Refused as refusal:
        return _kept(request, found, explain, 409, note_form=form, refused=refusal.sentence)
    # A note is remembered on the writer's own share, for the undo.
    change = Change.objects.filter(item__conversation=found, by=request.user).select_related("item").first()
    tell(request, "The note is there.", undo_url=undo_url(change and change.item))
    return _done(request, found, explain)


def _kept(request, conversation, explain, status: int, **kept):
    """The page again, with what was written in it."""
    context = talk(request, conversation, explain, **kept)
    if not request.htmx:
        return render(request, template(request), context, status=status)
    return piece(request, render_to_string("inbox/_conversation.html", context, request=request), status=status)


def _done(request, conversation, explain):
    if not request.htmx:
        return way_back(request, conversation.get_absolute_url())
    context = talk(request, conversation, explain)
    return piece(request, render_to_string("inbox/_conversation.html", context, request=request))


@require_POST
def message_act(request, message, act, explain=unexplained):
    """Like, hide, show again or delete a message on its network."""
    if act not in Moderation.Act.values:
        raise Http404
    found = get_object_or_404(Message.objects.visible_to(request.user), pk=message)
    conversation = find(request.user, found.conversation_id)
    item = own_share(request.user, list(shares(conversation)), request.POST.get("in", ""))
    if item is None:
        raise PermissionDenied("You read this conversation; its departments act on the network.")
    try:
        asked = actions.moderate(item, found, act, by=request.user)
    except Refused as refusal:
        tell(request, refusal.sentence, refused=True)
        return _done(request, conversation, explain)
    tell(request, f"{asked.get_act_display()}: the network is told now.")
    return _done(request, conversation, explain)


#: What people do about a reply on its way: the verb, its form, what is said.
REPLY_VERBS = {
    "cancel": (actions.cancel_reply, DeskForm, "The reply was stopped. Nothing went out."),
    "send-again": (actions.send_again, DeskForm, "It is tried once more."),
    "confirm": (actions.confirm_sent, ConfirmForm, "Noted that it is there."),
    "approve": (actions.approve, ApproveForm, "Approved. It goes out in a moment."),
    "send-back": (actions.send_back, SendBackForm, "It is back with its writer."),
    "revise": (actions.revise, ReviseForm, "The reply is changed."),
}


@require_POST
def reply_verb(request, reply, verb, explain=unexplained):
    """Cancel, send again, confirm, approve, send back or change one reply."""
    if verb not in REPLY_VERBS:
        raise Http404
    written = get_object_or_404(Reply.objects.visible_to(request.user).select_related("conversation"), pk=reply)
    refused = _try(request, written, *REPLY_VERBS[verb])
    conversation = find(request.user, written.conversation_id)
    if not request.htmx:
        return way_back(request, reverse("conversation", args=[conversation.pk]))
    if request.htmx.target != "talk":
        return unchanged(request, status=409 if refused else 200)
    context = talk(request, conversation, explain)
    html = render_to_string("inbox/_conversation.html", context, request=request)
    return piece(request, html, status=409 if refused else 200)


def _try(request, written, act, form_class, told) -> bool:
    form = form_class(request.POST)
    try:
        if not form.is_valid():
            raise Refused(form.first_error())
        act(written, by=request.user, **form.cleaned_data)
    except Refused as refusal:
        tell(request, refusal.sentence, refused=True)
        return True
    tell(request, told)
    return False
