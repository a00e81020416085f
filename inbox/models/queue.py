"""The work on a conversation: each department's share of it, who may see it, its clocks, and what people did."""

import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone

from departments.models import Department, User
from inbox.models.conversation import Conversation
from inbox.querysets import QueueCountQuerySet, QueueItemQuerySet


class QueueItem(models.Model):
    """A department's share of a conversation. One leads (it speaks), the others contribute."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PENDING = "pending", "Their turn"
        SNOOZED = "snoozed", "Snoozed"
        RESOLVED = "resolved", "Resolved"

    class Resolution(models.TextChoices):
        REPLIED = "replied", "Replied"
        NO_REPLY_NEEDED = "no_reply_needed", "No reply needed"
        SPAM = "spam", "Spam"
        DUPLICATE = "duplicate", "Duplicate"
        HANDLED_ELSEWHERE = "handled_elsewhere", "Handled elsewhere"

    class Priority(models.IntegerChoices):
        NORMAL = 0, "Normal"
        HIGH = 1, "High"
        URGENT = 2, "Urgent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.PROTECT, related_name="items", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="items", db_index=False)
    lead = models.BooleanField(default=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    resolution = models.CharField(max_length=20, choices=Resolution, blank=True)
    assignee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="items", db_index=False)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL)
    unread = models.BooleanField(default=True)
    probably_nothing = models.BooleanField(default=False)
    # What its department writes goes out once a lead has read it.
    needs_approval = models.BooleanField(default=False, db_default=False)
    # Handed on and not accepted yet: where to (on the giver's item), by which hand-off (on the receiver's).
    handed_to = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    offer = models.ForeignKey("inbox.HandOff", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    # Its department lost sight of it, because a confidential one accepted the conversation.
    sealed = models.BooleanField(default=False)
    waiting_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    placed_at = models.DateTimeField(default=timezone.now)
    # Turns with every verb: an undo, or a form drawn before somebody else's verb, meets a newer one and is refused.
    version = models.PositiveIntegerField(default=1)

    # A copy of what the list shows and sorts by, so that a page of it is one indexed read.
    confidential = models.BooleanField(default=False)
    sort_at = models.DateTimeField()
    last_message_at = models.DateTimeField()
    why = models.CharField(max_length=120, blank=True)
    preview = models.CharField(max_length=300, blank=True)
    network = models.CharField(max_length=20)
    kind = models.CharField(max_length=10)
    author_name = models.CharField(max_length=200, blank=True)
    author_handle = models.CharField(max_length=200, blank=True)
    followers = models.PositiveIntegerField(null=True, blank=True)
    language = models.CharField(max_length=12, blank=True)
    mood = models.SmallIntegerField(null=True, blank=True)
    rating = models.SmallIntegerField(null=True, blank=True)

    objects = QueueItemQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["conversation", "department"], name="item_once"),
            models.UniqueConstraint(fields=["conversation"], condition=models.Q(lead=True), name="one_lead"),
        ]
        indexes = [
            models.Index(
                fields=["department", "status", "sort_at", "id"],
                condition=~models.Q(status="resolved") & models.Q(sealed=False),
                name="item_urgent",
            ),
            models.Index(
                fields=["department", "status", "-last_message_at", "-id"],
                condition=~models.Q(status="resolved") & models.Q(sealed=False),
                name="item_newest",
            ),
            models.Index(
                fields=["assignee", "status", "sort_at", "id"],
                condition=~models.Q(status="resolved") & models.Q(sealed=False, assignee__isnull=False),
                name="item_mine",
            ),
            # With what the overview counts and compares, so that it reads the index alone.
            models.Index(
                fields=["department", "due_at"],
                include=["confidential", "assignee", "waiting_since", "probably_nothing"],
                condition=models.Q(status="open", sealed=False, due_at__isnull=False),
                name="item_due",
            ),
            models.Index(
                fields=["department", "-placed_at"],
                include=["confidential"],
                condition=models.Q(sealed=False, probably_nothing=False),
                name="item_placed",
            ),
            models.Index(
                fields=["department", "-last_message_at", "-id"],
                condition=models.Q(status="resolved", sealed=False),
                name="item_resolved",
            ),
            models.Index(fields=["snoozed_until"], condition=models.Q(status="snoozed"), name="item_snoozed"),
            models.Index(fields=["offer"], condition=models.Q(offer__isnull=False), name="item_offered"),
        ]

    def __str__(self):
        return f"Item {self.pk}"

    def get_absolute_url(self):
        return reverse("conversation", args=[self.conversation_id])

    @property
    def is_overdue(self):
        return self.status == self.Status.OPEN and self.due_at is not None and self.due_at <= timezone.now()


class Access(models.Model):
    """That a department may see a conversation, since when, and until when: a fact of its own, not “has an item”."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="access")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "department"], condition=models.Q(until=None), name="access_once"
            )
        ]
        indexes = [
            models.Index(fields=["department", "conversation"], condition=models.Q(until=None), name="access_now")
        ]


class Clock(models.Model):
    """One spell of waiting for our answer: a row each time it begins."""

    class Kind(models.TextChoices):
        ANSWER = "answer", "Answer"

    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="clocks")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ANSWER)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    breached = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["item", "kind"], condition=models.Q(stopped_at=None), name="one_clock_running"
            )
        ]


class HandOff(models.Model):
    """That a department passed its share to another one: why, and what became of it."""

    class Reason(models.TextChoices):
        WRONG_DEPARTMENT = "wrong_department", "Wrong department"
        THEIR_TURN = "their_turn", "Their turn now"
        EXPERTISE = "expertise", "They know better"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(QueueItem, models.PROTECT, related_name="hand_offs")
    to = models.ForeignKey(Department, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason)
    note = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["item"],
                condition=models.Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                name="one_hand_off_waiting",
            )
        ]
        indexes = [
            models.Index(fields=["at"], name="hand_off_at"),
            # Of these learns whoever reads them later.
            models.Index(
                fields=["accepted_at"],
                condition=models.Q(reason="wrong_department", accepted_at__isnull=False),
                name="hand_off_corrects",
            ),
        ]

    @property
    def is_waiting(self):
        return not (self.accepted_at or self.declined_at or self.withdrawn_at)


#: Verbs by which people say where something belongs: out of Triage, to nobody, not after all, just where it lies.
TELLING = ["move", "resolve", "reopen", "confirm"]


class Change(models.Model):
    """What one verb did to one item, so that it can be undone: the fields as they were, and the version it left."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="changes")
    verb = models.CharField(max_length=40)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    before = models.JSONField()
    version = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-at"]
        indexes = [
            # Those that tell where something belongs, for whoever learns from them.
            models.Index(fields=["at"], condition=models.Q(verb__in=TELLING), name="change_tells"),
            models.Index(
                fields=["undone_at"],
                condition=models.Q(verb__in=TELLING, undone_at__isnull=False),
                name="change_untold",
            ),
        ]


class QueueCount(models.Model):
    """How many items lie in a queue: the sum over a department's rows. A trigger on QueueItem adds a row of differences
    with each statement (adding never waits for a lock, as updating one number would); `tidy` folds them into one."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="+")
    confidential = models.BooleanField(default=False)
    open = models.IntegerField(default=0)
    unassigned = models.IntegerField(default=0)
    waiting = models.IntegerField(default=0)
    nothing = models.IntegerField(default=0)

    objects = QueueCountQuerySet.as_manager()

    class Meta:
        default_permissions = ()
