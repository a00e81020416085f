"""What was said: one outside person's exchange with us in one thread, and the messages in it."""

import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone

from connectors.models import Channel
from inbox.querysets import ConversationQuerySet, MessageQuerySet


class Tag(models.Model):
    """A word that people or rules put on a conversation."""

    name = models.CharField(max_length=50, unique=True)

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self):
        return self.name


class Conversation(models.Model):
    """One outside person's exchange with us in one thread. Five thousand commenters under one post are five
    thousand."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="conversations", db_index=False)
    # Root of the thread and person outside, by the network's ids: what makes two posts one conversation.
    thread_key = models.CharField(max_length=500)
    identity = models.ForeignKey("inbox.Identity", models.PROTECT, null=True, related_name="conversations")
    about_post = models.ForeignKey(
        "inbox.Message", models.PROTECT, null=True, related_name="discussed_in", db_index=False
    )
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged", db_index=False)
    # Once a confidential department held it, it stays confidential.
    confidential = models.BooleanField(default=False)
    history = models.BooleanField(default=False)
    language = models.CharField(max_length=12, blank=True)
    mood = models.SmallIntegerField(null=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="conversations")
    # Until then nobody but the router sees it.
    routed_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField()
    last_in_at = models.DateTimeField(null=True)
    last_out_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["channel", "thread_key"], name="conversation_once")]
        # Of what is nearly always empty only the rest is kept in an index: each index is paid for by every post.
        indexes = [
            models.Index(
                fields=["about_post"], condition=models.Q(about_post__isnull=False), name="conversation_about"
            ),
            models.Index(
                fields=["merged_into"], condition=models.Q(merged_into__isnull=False), name="conversation_merged"
            ),
        ]

    def __str__(self):
        return f"Conversation {self.pk}"

    def get_absolute_url(self):
        return reverse("conversation", args=[self.pk])


class Message(models.Model):
    """A post as we keep it. Seen by two of our channels it is one message with a sighting for each."""

    class Direction(models.TextChoices):
        IN = "in", "from outside"
        OUT = "out", "from us"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Found by `message_thread`, which begins with it.
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="messages", db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    # The network's global key where it has one, else channel and id: the same post is the same row.
    key = models.CharField(max_length=500, unique=True)
    external_id = models.CharField(max_length=300)
    # Found by `message_author`, which begins with it.
    identity = models.ForeignKey("inbox.Identity", models.PROTECT, null=True, related_name="messages", db_index=False)
    kind = models.CharField(max_length=10)
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.IN)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children", db_index=False)
    # What it answers and the first post of its thread, by the network's ids: a parent may arrive late or never.
    parent_key = models.CharField(max_length=500, blank=True)
    thread_root = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=12, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    rating = models.SmallIntegerField(null=True)
    media = models.JSONField(default=list)
    visibility = models.CharField(max_length=20, default="public")
    # Why the network takes no answer to this very message, in a sentence; and until when it takes one.
    reply_closed = models.CharField(max_length=300, blank=True, db_default="")
    reply_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=1)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    # What we did to it on the network.
    liked_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    # When the network was last asked how it is now (inbox.rechecking).
    checked_at = models.DateTimeField(null=True)
    # The router's waiting column: null on what came from outside is work. Live posts have a lane before history.
    routed_at = models.DateTimeField(null=True)
    route_attempts = models.PositiveSmallIntegerField(default=0)
    history = models.BooleanField(default=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["conversation", "created_at", "id"], name="message_thread"),
            models.Index(
                fields=["identity", "created_at"],
                condition=models.Q(identity__isnull=False),
                name="message_author",
            ),
            models.Index(fields=["parent"], condition=models.Q(parent__isnull=False), name="message_parent"),
            models.Index(
                fields=["history", "received_at"],
                condition=models.Q(routed_at=None, direction="in"),
                name="message_to_route",
            ),
            models.Index(
                fields=["parent_key"], condition=models.Q(parent=None) & ~models.Q(parent_key=""), name="message_orphan"
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}"

    def closed_to_replies(self, at) -> str:
        """Why the network takes no answer to this message at that time, in a sentence; empty when it does."""
        if self.reply_until and self.reply_until <= at:
            return "The time in which the network lets us answer this message is over."
        return self.reply_closed


class Revision(models.Model):
    """How a message read before it was edited."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    replaced_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["message", "number"], name="revision_once")]


class Sighting(models.Model):
    """That a channel of ours saw a message, under the id it has there. Not kept where the message's key is made of just
    that channel and id, and says so itself (`inbox.fresh.sight`)."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="sightings")
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="sighting_once")]
