"""What the inbox keeps, a file for each part of it."""

from inbox.models.conversation import Conversation, Message, Revision, Sighting, Tag
from inbox.models.moderation import Moderation
from inbox.models.notices import Notice
from inbox.models.people import Contact, Identity
from inbox.models.queue import Access, Change, Clock, HandOff, QueueCount, QueueItem
from inbox.models.reply import Note, Reply
from inbox.models.searching import SearchEntry

__all__ = [
    "Access",
    "Change",
    "Clock",
    "Contact",
    "Conversation",
    "HandOff",
    "Identity",
    "Message",
    "Moderation",
    "Note",
    "Notice",
    "QueueCount",
    "QueueItem",
    "Reply",
    "Revision",
    "SearchEntry",
    "Sighting",
    "Tag",
]
