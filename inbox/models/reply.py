"""What we say: replies on their way out, and notes that stay inside."""

import uuid

from django.db import models
from django.utils import timezone

from connectors.models import Channel
from departments.models import Department, User
from inbox.models.conversation import Conversation, Message
from inbox.querysets import NoteQuerySet, ReplyQuerySet


class Reply(models.Model):
    """Text going out, and honestly where it is on its way (docs/architecture.md, “send”)."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        WAITING_APPROVAL = "waiting_approval", "Waits for approval"
        APPROVED = "approved", "Goes out"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        REFUSED = "refused", "Refused"
        UNKNOWN = "unknown", "Not confirmed: looking"
        NEEDS_PERSON = "needs_person", "Needs you"
        CANCELLED = "cancelled", "Cancelled"

    #: While a reply is in one of these, no other one goes out in the conversation.
    ACTIVE = (State.WAITING_APPROVAL, State.APPROVED, State.SENDING, State.UNKNOWN, State.NEEDS_PERSON)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="replies")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+")
    target = models.ForeignKey(Message, models.PROTECT, related_name="replies")
    author = models.ForeignKey(User, models.PROTECT, related_name="replies")
    text = models.TextField()
    # A direct message to the author of a public post.
    private = models.BooleanField(default=False, db_default=False)
    body_hash = models.CharField(max_length=64)
    approved_hash = models.CharField(max_length=64, blank=True)
    # The last message that its author had seen.
    seen = models.ForeignKey(Message, models.PROTECT, related_name="+")
    resolve = models.BooleanField(default=False)
    state = models.CharField(max_length=16, choices=State, default=State.APPROVED)
    client_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    # The waiting column: when to try, or in `unknown` when to look for it on the network.
    send_after = models.DateTimeField(null=True, default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True)
    looks = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    remote_id = models.CharField(max_length=300, blank=True)
    remote_url = models.CharField(max_length=2000, blank=True)
    trouble = models.CharField(max_length=500, blank=True)
    message = models.OneToOneField(Message, models.PROTECT, null=True, related_name="reply")

    objects = ReplyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["created_at"]
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(state__in=["waiting_approval", "approved", "sending", "unknown", "needs_person"]),
                name="one_reply_on_its_way",
            )
        ]
        indexes = [
            models.Index(
                fields=["send_after"],
                condition=models.Q(send_after__isnull=False),
                name="reply_due",
            ),
            models.Index(fields=["sent_at"], condition=models.Q(sent_at__isnull=False), name="reply_sent"),
        ]


class Note(models.Model):
    """Text for colleagues: for everyone on the conversation, or for one department."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, models.PROTECT, related_name="+")
    audience = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["at"]
