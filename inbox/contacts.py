"""The people outside, as far as one person may know them: only through conversations that this person sees."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from departments.models import User
from inbox.models import Contact, Conversation, Identity, QueueItem
from inbox.paging import Cursor, Order, Page, page

BY_NAME = Order("name", kind=str)
NEWEST = Order("last_message_at", descending=True)


def handles_seen_by(user: User) -> QuerySet[Identity]:
    """Handles under which somebody has a conversation that the user sees. Another one of the same person stays
    unknown."""
    seen = Conversation.objects.visible_to(user).filter(identity=OuterRef("pk"))
    return Identity.objects.filter(Exists(seen))


def with_handles(contacts: Iterable[Contact], user: User) -> list[Contact]:
    """Give each contact its `handles`: those that the user may know of. One query."""
    contacts = list(contacts)
    known: dict = {}
    for handle in handles_seen_by(user).filter(contact__in=contacts).order_by("network", "handle"):
        known.setdefault(handle.contact_id, []).append(handle)
    for contact in contacts:
        contact.handles = known.get(contact.pk, [])
    return contacts


def people(user: User, name: str = "") -> QuerySet[Contact]:
    """People whom the user may know, called so; each with `last_at`, the time of the last word that the user may
    see."""
    last = Conversation.objects.visible_to(user).filter(identity__contact=OuterRef("pk")).order_by("-last_message_at")
    known = handles_seen_by(user).filter(contact=OuterRef("pk"))
    if name:
        known = known.filter(called(name))
    return Contact.objects.filter(Exists(known)).annotate(last_at=Subquery(last.values("last_message_at")[:1]))


def called(name: str, path: str = "") -> Q:
    """A name or handle that holds this."""
    return Q(**{f"{path}name__icontains": name}) | Q(**{f"{path}handle__icontains": name.lstrip("@")})


def people_page(user: User, name: str = "", *, cursor: Cursor | None = None, size: int = 50) -> Page:
    """A page of people by name, each with handles."""
    found = page([people(user, name)], BY_NAME, cursor=cursor, size=size)
    with_handles(found.rows, user)
    return found


def conversations_page(user: User, contact: Contact, *, cursor: Cursor | None = None, size: int = 25) -> Page:
    """Their conversations that the user sees, newest first, each with its `lead_item` (or None)."""
    theirs = Conversation.objects.visible_to(user).of_contact(contact).select_related("channel", "identity")
    found = page([theirs], NEWEST, cursor=cursor, size=size)
    with_lead(found.rows)
    return found


def earlier(user: User, conversation: Conversation, *, most: int = 5) -> list[Conversation]:
    """The newest other conversations with the same person, as far as the user sees them."""
    if conversation.identity is None:
        return []
    theirs = Conversation.objects.visible_to(user).filter(identity__contact=conversation.identity.contact_id)
    return with_lead(theirs.exclude(pk=conversation.pk).select_related("channel").order_by("-last_message_at")[:most])


def with_lead(conversations: Iterable[Conversation]) -> list[Conversation]:
    """Give each conversation the item of the department that speaks in it, and with it words to show. One query."""
    conversations = list(conversations)
    items = QueueItem.objects.filter(conversation__in=conversations, sealed=False).select_related(
        "department", "assignee"
    )
    lead: dict = {}
    for item in items.order_by("lead", "-placed_at"):
        lead[item.conversation_id] = item
    for conversation in conversations:
        conversation.lead_item = lead.get(conversation.pk)
        conversation.preview = conversation.lead_item.preview if conversation.lead_item else ""
    return conversations
