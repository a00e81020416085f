"""What a conversation's page is drawn from, whichever door draws it."""

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from connectors.contract import Capabilities
from connectors.errors import ConnectorError
from departments.access import may, people_of, rights
from inbox import thread
from inbox.actions.talking import PUBLIC_KINDS
from inbox.contacts import earlier, with_handles
from inbox.desk import desk_of
from inbox.forms import HandOffForm, NoteForm, ReplyForm, snooze_choices
from inbox.models import Moderation, QueueItem, Reply
from inbox.moderating import offered
from inbox.paging import read

Status = QueueItem.Status
#: Sections of the contract that a network's trouble must not take down with it.
UNKNOWN_NETWORK: dict = {"replies": False, "name": "", "offers": Capabilities()}


def talk(request, conversation, explain, **kept) -> dict:
    """The context of `inbox/conversation.html` and `inbox/_conversation.html`. `kept` overrides parts of it: a form
    with what somebody wrote, a refusal. The number of queries does not depend on how much the conversation holds."""
    user, desk = request.user, desk_of(request)
    items = list(shares(conversation))
    item = own_share(user, items, request.POST.get("in") or request.GET.get("in", ""))
    why = {**thread.NO_REASON, **explain(conversation, user)}
    for each in items:
        each.given_because = why["given"].get(each.pk, "")
    before = read(request.GET.get("before", ""), thread.NEWEST)
    shown = thread.read(conversation, user, spans=why["spans"], cursor=before)
    network = _network(conversation.channel)
    answered = _answered(shown)
    blocked = _reply_blocked(user, conversation, item, items, shown, network, answered, is_older=before is not None)
    _say_what_may_be_done(shown, network["offers"], item)
    contact = conversation.identity.contact if conversation.identity else None
    seen = shown.seen.pk if shown.seen else None
    departments = [each for each in desk.all_departments.values() if item and each.pk != item.department_id]
    return {
        "conversation": conversation,
        "title": str(conversation.identity or "Somebody"),
        "title_count": 0,
        "item": item,
        "items": [each for each in items if each.lead or each == item or each.status != Status.RESOLVED],
        "entries": shown.entries,
        "older_url": f"{conversation.get_absolute_url()}?{urlencode({'before': shown.older})}" if shown.older else "",
        "why": why,
        "contact": with_handles([contact], user)[0] if contact else None,
        "identity": conversation.identity,
        "earlier": earlier(user, conversation),
        "tags": list(conversation.tags.all()),
        "can": can(user, conversation, item, blocked),
        "reply_form": ReplyForm(initial={"seen": seen}),
        "note_form": NoteForm(audiences=audiences(desk, items)),
        "hand_off_form": HandOffForm(departments=departments),
        "snooze_choices": snooze_choices(),
        "assignees": list(people_of(item.department)) if item else [],
        "departments": departments,
        "offers": network["offers"],
        "longest_reply": network["offers"].longest_reply,
        "answered": answered,
        "may_be_private": network["offers"].private_replies and answered is not None and answered.kind in PUBLIC_KINDS,
        "network_name": network["name"],
        "reply_blocked": blocked,
        "refused": "",
        "newer": [],
        "seen": seen,
        "undo_url": undo_url(item),
        "watch": " ".join(f"queue:{each.department_id}" for each in items),
        **kept,
    }


def shares(conversation):
    """Every department's share, the lead's first."""
    return QueueItem.objects.of(conversation).select_related(
        "department", "assignee", "handed_to", "offer__by", "offer__item__department"
    )


def own_share(user, items, wanted: str = ""):
    """The item through which this person works on it: of the queue they came from, else of a department of their own,
    one that is not resolved before one that is, the lead's first. None when they only read."""
    own = rights(user).roles

    def nearness(item):
        return (
            item.department.slug != wanted,
            item.department_id not in own,
            item.status == Status.RESOLVED,
            not item.lead,
        )

    return min((each for each in items if may(user, "work_queue", each.department)), key=nearness, default=None)


def undo_url(item) -> str:
    return reverse("item-verb", args=[item.pk, "undo"]) if item else ""


def audiences(desk, items) -> list:
    """For whom alone a note may be: the departments on the conversation in which its writer works."""
    here = {each.department_id for each in items}
    return [each for each in desk.departments if each.pk in here and may(desk.user, "work_queue", each)]


def can(user, conversation, item, blocked: str) -> dict:
    """Which verbs this person has here, as things stand. The verbs themselves ask again."""
    live = item is not None and item.status != Status.RESOLVED
    leads = item is not None and may(user, "lead_queue", item.department)
    offered = live and item.offer_id is not None
    free = live and not offered and item.handed_to_id is None
    return {
        "take": live and item.assignee_id != user.pk,
        "assign": live and leads,
        "put_back": live and item.assignee_id is not None and (leads or item.assignee_id == user.pk),
        "hand_off": free,
        "accept": offered,
        "decline": offered,
        "add_department": live and (leads or not conversation.confidential),
        "place": free and item.department.is_triage,
        "snooze": live,
        "resolve": live and item.handed_to_id is None,
        "reopen": item is not None and not live,
        "prioritise": item is not None,
        "tag": item is not None,
        "note": item is not None or rights(user).coordinator,
        "reply": item is not None and not blocked,
        "approve": leads,
        "undo": item is not None,
    }


def _network(channel) -> dict:
    """What the composer has to know of the network. A channel that can not be opened is one that takes no replies."""
    try:
        connector = channel.connector()
    except (ConnectorError, ValueError):
        return UNKNOWN_NETWORK
    offers = connector.offers
    return {"replies": offers.replies, "name": connector.name, "offers": offers}


def _reply_blocked(user, conversation, item, items, shown, network, answered, *, is_older: bool) -> str:
    """Why no reply can be written now, in a sentence; empty when one can."""
    if item is None:
        return "You read this conversation; its departments answer."
    if is_older:
        return "These are older messages. Go back to the newest to answer."
    if not item.lead:
        speaker = next((each.department for each in items if each.lead), "the lead")
        return f"{item.department} contributes here; {speaker} speaks. Write an internal note with your proposal."
    if item.offer_id:
        return "Accept the hand-off first."
    return _network_blocks(conversation.channel, network) or _thread_blocks(shown, user, answered)


def _network_blocks(channel, network) -> str:
    if not network["replies"]:
        return f"{network['name'] or channel.network_name} takes no replies from here."
    if channel.frozen_at:
        return f"Sending through {channel} is stopped. Somebody has to start it again."
    return ""


def _answered(shown):
    """The message that a reply would answer: their last one."""
    theirs = [each for each in shown.messages if each.direction == "in" and not each.deleted_at]
    return max(theirs, key=lambda each: (each.created_at, each.pk), default=None)


def _say_what_may_be_done(shown, offers, item) -> None:
    """What this person may have done to each message on the network, in its entry."""
    speaks = item is not None and item.lead and not item.offer_id
    for entry in shown.entries:
        if entry["type"] == "message":
            under_way = entry["moderation"] and entry["moderation"].state == Moderation.State.WAITING
            entry["acts"] = offered(entry["message"], offers) if speaks and not under_way else []


#: Where a reply is that holds up the next one.
ON_ITS_WAY = {
    Reply.State.WAITING_APPROVAL: "waits for approval",
    Reply.State.APPROVED: "goes out in a moment",
    Reply.State.SENDING: "is being sent",
    Reply.State.UNKNOWN: "is not confirmed yet and is being looked for",
    Reply.State.NEEDS_PERSON: "needs somebody to look whether it is there",
}


def _thread_blocks(shown, user, answered) -> str:
    for reply in (entry["reply"] for entry in shown.entries if entry["type"] == "reply"):
        if reply.state in ON_ITS_WAY:
            whose = "Your reply" if reply.author_id == user.pk else f"The reply of {reply.author} ({reply.department})"
            return f"{whose} {ON_ITS_WAY[reply.state]}. One at a time goes out."
    if answered is None:
        return "There is nothing left here to answer: they deleted what they wrote."
    return answered.closed_to_replies(timezone.now())
