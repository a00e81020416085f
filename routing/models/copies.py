"""What messages read like, for finding near copies."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from inbox.models import Message
from routing.querysets import FingerprintQuerySet


class Fingerprint(models.Model):
    """A message's fingerprint (routing/scoring/similar.py), kept for some days and only while a rule asks for near
    copies. Gone as soon as the message's text is another one, or is wiped (a trigger sees to that)."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="fingerprint")
    numbers = models.BinaryField()
    bands = ArrayField(models.BigIntegerField())
    # When the message was written, and since when this is kept.
    at = models.DateTimeField()
    kept_at = models.DateTimeField(default=timezone.now)

    objects = FingerprintQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            # Without a list of what is to be put in later: every search would go through the whole of it.
            GinIndex(fields=["bands"], name="fingerprint_bands", fastupdate=False),
            models.Index(fields=["kept_at"], name="fingerprint_age"),
        ]
