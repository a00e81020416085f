"""What search reads."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from departments.models import Department
from inbox.models.conversation import Conversation
from inbox.querysets import SearchQuerySet


class SearchEntry(models.Model):
    """The words of one message or note. Notes have an audience of their own, so a conversation is not one entry."""

    class Source(models.TextChoices):
        MESSAGE = "message", "Message"
        NOTE = "note", "Note"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    source = models.CharField(max_length=8, choices=Source)
    source_id = models.UUIDField(default=uuid.uuid4)
    audience = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField()
    words = SearchVectorField()

    objects = SearchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="search_entry_once")]
        indexes = [
            GinIndex(fields=["words"], name="search_words"),
            models.Index(fields=["-at"], name="search_newest"),
        ]
