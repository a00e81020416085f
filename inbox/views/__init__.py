"""The inbox's pages: thin doors that find, check, call one verb or selection, and answer."""

from inbox.views.bulk import bulk
from inbox.views.conversations import conversation
from inbox.views.notices import notices
from inbox.views.people import contact, contacts
from inbox.views.queues import queue
from inbox.views.searching import search
from inbox.views.talking import message_act, note, reply, reply_verb
from inbox.views.verbs import item_verb

__all__ = [
    "bulk",
    "contact",
    "contacts",
    "conversation",
    "item_verb",
    "message_act",
    "note",
    "notices",
    "queue",
    "reply",
    "reply_verb",
    "search",
]
