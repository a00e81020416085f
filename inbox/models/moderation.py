"""What is done to a post on its network besides answering it: like, hide, show again, remove."""

import uuid

from django.db import models
from django.utils import timezone

from departments.models import Department, User
from inbox.models.conversation import Message
from inbox.querysets import ModerationQuerySet


class Moderation(models.Model):
    """One such act, waiting for the network or done. Doing it twice is the same as once, so it is tried until the
    network has answered."""

    class Act(models.TextChoices):
        LIKE = "like", "Like"
        HIDE = "hide", "Hide"
        SHOW = "show", "Show again"
        REMOVE = "remove", "Delete"

    class State(models.TextChoices):
        WAITING = "waiting", "On its way"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, models.PROTECT, related_name="moderations")
    act = models.CharField(max_length=8, choices=Act)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    # The waiting column: when to try.
    try_after = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=500, blank=True)

    objects = ModerationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["message"], condition=models.Q(state="waiting"), name="one_moderation_under_way"
            )
        ]
        indexes = [
            models.Index(fields=["try_after"], condition=models.Q(state="waiting"), name="moderation_due"),
        ]

    def __str__(self):
        return f"{self.get_act_display()}: {self.get_state_display()}"
