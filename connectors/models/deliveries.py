import uuid

from django.db import models
from django.utils import timezone

from connectors.models.channels import Channel
from connectors.querysets import DeliveryQuerySet


class Delivery(models.Model):
    """What a network delivered to us, byte for byte, kept before anybody reads it: once this row stands the sender may
    forget it. What it says is shown to nobody."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    # The sender's own, signed with the body: the same whenever it is sent again.
    key = models.CharField(max_length=255)
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)
    # Waiting until one of the two is set.
    read_at = models.DateTimeField(null=True, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    # Counted when it is claimed and not when it fails: one that kills the worker counts too.
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["received_at", "id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["channel", "key"], name="delivered_once")]
        indexes = [
            models.Index(
                "received_at",
                name="deliveries_waiting",
                condition=models.Q(read_at=None, set_aside_at=None),
            ),
            models.Index(fields=["channel", "-received_at"], name="deliveries_of_a_channel"),
            models.Index("read_at", name="deliveries_read", condition=models.Q(read_at__isnull=False)),
        ]

    def __str__(self):
        return self.key
