"""The inbox as JSON: what each thing looks like to a program, and the rows to make it from.

Lists are made from plain rows (`values`), not from model objects or serializers: a page of fifty costs a third of that.
"""

from departments import audit
from departments.models import AuditEntry
from inbox.models import Contact, Conversation, Message, Note, QueueItem, Reply

#: Columns of an item's row, and the names under which they go out.
ITEM = {
    "id": "id",
    "conversation": "conversation_id",
    "department": "department__slug",
    "lead": "lead",
    "status": "status",
    "resolution": "resolution",
    "priority": "priority",
    "unread": "unread",
    "probably_nothing": "probably_nothing",
    "confidential": "confidential",
    "handed_to": "handed_to__slug",
    "waiting_since": "waiting_since",
    "due_at": "due_at",
    "snoozed_until": "snoozed_until",
    "resolved_at": "resolved_at",
    "placed_at": "placed_at",
    "last_message_at": "last_message_at",
    "why": "why",
    "preview": "preview",
    "network": "network",
    "kind": "kind",
    "language": "language",
    "mood": "mood",
    "rating": "rating",
    "version": "version",
}
ASSIGNEE = ("assignee_id", "assignee__username", "assignee__name")
AUTHOR = ("author_name", "author_handle", "followers")
OFFER = ("offer_id", "offer__item__department__slug", "offer__reason", "offer__note", "offer__at")
COLUMNS = (*ITEM.values(), *ASSIGNEE, *AUTHOR, *OFFER, "sort_at")


def item_rows(items):
    """These items as rows for `item`."""
    return items.values(*COLUMNS)


def item(row: dict) -> dict:
    shape = {name: row[column] for name, column in ITEM.items()}
    shape["assignee"] = _person(row["assignee_id"], row["assignee__username"], row["assignee__name"])
    shape["author"] = {"name": row["author_name"], "handle": row["author_handle"], "followers": row["followers"]}
    shape["offer"] = row["offer_id"] and {
        "from": row["offer__item__department__slug"],
        "reason": row["offer__reason"],
        "note": row["offer__note"],
        "at": row["offer__at"],
    }
    return shape


def items_of(conversation: Conversation) -> list[dict]:
    return [item(row) for row in item_rows(QueueItem.objects.of(conversation))]


def _person(pk, username, name):
    return {"id": pk, "username": username, "name": name or username} if pk else None


def person(user) -> dict | None:
    return user and _person(user.pk, user.username, user.name)


def conversation(found: Conversation, last: Message | None) -> dict:
    """Needs channel, identity and tags loaded. `last` is the newest message, which a reply names as seen."""
    return {
        "id": found.pk,
        "channel": {"slug": found.channel.slug, "name": found.channel.name, "network": found.channel.network},
        "author": author(found.identity),
        "contact": found.identity and found.identity.contact_id,
        "confidential": found.confidential,
        "history": found.history,
        "language": found.language,
        "mood": found.mood,
        "tags": [tag.name for tag in found.tags.all()],
        "created_at": found.created_at,
        "last_message_at": found.last_message_at,
        "last_in_at": found.last_in_at,
        "last_out_at": found.last_out_at,
        "last_message": last and last.pk,
        "items": items_of(found),
    }


def author(identity) -> dict | None:
    return identity and {
        "name": identity.name,
        "handle": identity.handle,
        "followers": identity.followers,
        "verified": identity.verified,
    }


def message(found: Message) -> dict:
    """Needs identity, parent and reply loaded. A parent in another conversation is not named: it may be hidden."""
    parent = found.parent
    return {
        "id": found.pk,
        "kind": found.kind,
        "direction": found.direction,
        "title": found.title,
        "text": found.text,
        "language": found.language,
        "url": found.url,
        "rating": found.rating,
        "media": found.media,
        "visibility": found.visibility,
        "created_at": found.created_at,
        "received_at": found.received_at,
        "edited_at": found.edited_at,
        "revision": found.revision,
        "deleted": found.deleted_at is not None,
        "author": author(found.identity),
        "in_reply_to": parent.pk if parent and parent.conversation_id == found.conversation_id else None,
        "reply": found.reply.pk if hasattr(found, "reply") else None,
    }


def note(found: Note) -> dict:
    return {
        "id": found.pk,
        "text": found.text,
        "author": person(found.author),
        "audience": found.audience and found.audience.slug,
        "at": found.at,
    }


def reply(found: Reply) -> dict:
    return {
        "id": found.pk,
        "conversation": found.conversation_id,
        "department": found.department.slug,
        "author": person(found.author),
        "text": found.text,
        "state": found.state,
        "trouble": found.trouble,
        "in_reply_to": found.target_id,
        "seen": found.seen_id,
        "resolve": found.resolve,
        "created_at": found.created_at,
        "sent_at": found.sent_at,
        "url": found.remote_url,
        "message": found.message_id,
    }


def step(entry: AuditEntry) -> dict:
    return {
        "at": entry.at,
        "verb": entry.verb,
        "by": person(entry.by),
        "department": entry.department and entry.department.slug,
        "text": audit.sentence(entry),
    }


def contact(found: Contact) -> dict:
    """Needs `handles` (contacts.with_handles) and, in lists, `last_at`."""
    handles = [{"network": each.network, **(author(each) or {})} for each in found.handles]
    return {"id": found.pk, "name": found.name, "handles": handles, "last_at": found.last_at}


def lead_of(found: Conversation) -> dict:
    """A conversation in a list of somebody's. Needs `lead_item` (contacts.with_lead)."""
    lead = found.lead_item
    return {
        "id": found.pk,
        "network": found.channel.network,
        "last_message_at": found.last_message_at,
        "preview": found.preview,
        "department": lead and lead.department.slug,
        "status": lead and lead.status,
    }
