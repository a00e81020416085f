"""What people are told of by the house itself."""

from django.db import models
from django.utils import timezone

from departments.models import User
from inbox.models.conversation import Conversation
from inbox.querysets import NoticeQuerySet


class Notice(models.Model):
    """That somebody should look at a conversation, and why. Whether they may see it is asked when it is made, and again
    whenever it is shown."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    why = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["user", "-at", "-id"], name="notice_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self):
        return self.why
