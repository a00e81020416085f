"""The inbox as JSON: what each thing looks like to a program, and the rows to make it from.

Lists are made from plain rows (`values`), not from model objects or serializers: a page of fifty costs a third of that.
"""

import json

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery, TextField
from django.db.models.functions import Cast

from departments import audit
from departments.models import AuditEntry
from inbox.models import Contact, Conversation, Message, Moderation, Note, Reply, Tag

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


def _person(pk, username, name):
    return {"id": pk, "username": username, "name": name or username} if pk else None


def person(user) -> dict | None:
    return user and _person(user.pk, user.username, user.name)


#: Columns of a conversation's row.
CONVERSATION = (
    "id",
    "confidential",
    "history",
    "language",
    "mood",
    "created_at",
    "last_message_at",
    "last_in_at",
    "last_out_at",
)
CHANNEL = ("slug", "name", "network")
IDENTITY = ("name", "handle", "followers", "verified")
CONVERSATION_COLUMNS = (
    *CONVERSATION,
    *(f"channel__{name}" for name in CHANNEL),
    "identity_id",
    *(f"identity__{name}" for name in IDENTITY),
    "identity__contact_id",
    "tag_names",
    "last_message",
)


def conversation_rows(conversations):
    """These conversations as rows for `conversation`: with their tags, and the newest message, which a reply names as
    seen."""
    tags = Tag.objects.filter(conversations=OuterRef("pk")).order_by("name").values("name")
    said = Message.objects.filter(conversation=OuterRef("pk")).order_by("-received_at", "-created_at", "-id")
    found = conversations.annotate(tag_names=ArraySubquery(tags), last_message=Subquery(said.values("pk")[:1]))
    return found.values(*CONVERSATION_COLUMNS)


def conversation(row: dict, shares: list[dict]) -> dict:
    """`shares` are the rows of its items."""
    return {name: row[name] for name in CONVERSATION} | {
        "channel": {name: row[f"channel__{name}"] for name in CHANNEL},
        "author": _author(row),
        "contact": row["identity__contact_id"],
        "tags": row["tag_names"],
        "last_message": row["last_message"],
        "items": [item(each) for each in shares],
    }


def _author(row: dict) -> dict | None:
    return {name: row[f"identity__{name}"] for name in IDENTITY} if row["identity_id"] else None


def author(identity) -> dict | None:
    return identity and {
        "name": identity.name,
        "handle": identity.handle,
        "followers": identity.followers,
        "verified": identity.verified,
    }


#: Columns of a message's row.
MESSAGE = (
    "id",
    "kind",
    "direction",
    "title",
    "text",
    "language",
    "url",
    "rating",
    "visibility",
    "created_at",
    "received_at",
    "edited_at",
    "revision",
    "reply_closed",
    "reply_until",
    "liked_at",
    "hidden_at",
)
MESSAGE_COLUMNS = (
    *MESSAGE,
    "deleted_at",
    "conversation_id",
    "parent_id",
    "parent__conversation_id",
    "reply__id",
    "identity_id",
    *(f"identity__{name}" for name in IDENTITY),
    "enclosed",
)


def message_rows(messages):
    """These messages as rows for `message`."""
    return messages.annotate(enclosed=Cast("media", TextField())).values(*MESSAGE_COLUMNS)


def message(row: dict) -> dict:
    """A parent in another conversation is not named: it may be hidden."""
    here = row["parent__conversation_id"] == row["conversation_id"]
    return {name: row[name] for name in MESSAGE} | {
        "media": json.loads(row["enclosed"]),
        "deleted": row["deleted_at"] is not None,
        "author": _author(row),
        "in_reply_to": row["parent_id"] if here else None,
        "reply": row["reply__id"],
    }


def moderation(found: Moderation) -> dict:
    return {
        "id": found.pk,
        "message": found.message_id,
        "act": found.act,
        "state": found.state,
        "trouble": found.trouble,
        "by": person(found.by),
        "department": found.department.slug,
        "created_at": found.created_at,
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
        "body_hash": found.body_hash,
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
