"""What models read out of messages, kept so that nothing is read twice."""

from django.db import models
from django.utils import timezone

from inbox.models import Message


class Embedding(models.Model):
    """A message's text as a point: float16 numbers, by one encoder. Erased with its message's text."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="embedding")
    revision = models.PositiveIntegerField(default=1)
    encoder = models.CharField(max_length=40)
    vector = models.BinaryField()

    class Meta:
        default_permissions = ()


class MessageScores(models.Model):
    """What one version of the classifier said of one revision of a message."""

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, models.CASCADE, related_name="scores", db_index=False)
    revision = models.PositiveIntegerField(default=1)
    model = models.ForeignKey("routing.RoutingModel", models.PROTECT, null=True, related_name="+", db_index=False)
    language = models.CharField(max_length=12, default="und")
    # -1 (angry) to 1 (glad); null where it could not be told.
    mood = models.FloatField(null=True)
    # [[department slug or "none", probability]], the best first.
    labels = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "message scores"
        constraints = [
            models.UniqueConstraint(fields=["message", "revision", "model"], nulls_distinct=False, name="scored_once")
        ]
