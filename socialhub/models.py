"""The house itself, the answers it gave to requests that may come twice, and whether its parts live."""

from datetime import timedelta

from django.db import models
from django.utils import timezone


class HouseManager(models.Manager):
    def the(self):
        """The one row, made when it is first asked for."""
        return self.get_or_create(pk=1)[0]

    def as_it_stands(self):
        """The one row, or what it would be: for pages, which only read."""
        return self.filter(pk=1).first() or House()

    def holds_sends(self) -> bool:
        """Whether nothing may leave, because a restore has not been confirmed (socialhub.restoring)."""
        return self.filter(pk=1, sends_held_since__isnull=False).exists()


class House(models.Model):
    """This installation: its name, and the door for its first admin. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=120, blank=True)
    # The one-time link for the first admin: only its SHA-256 is kept, and nothing once it was used.
    first_admin_sha256 = models.CharField(max_length=64, blank=True)
    first_admin_until = models.DateTimeField(null=True, blank=True)
    founded_at = models.DateTimeField(default=timezone.now)
    # After a restore: since when nothing leaves, and of which moment the backup is. Empty once an admin has confirmed.
    sends_held_since = models.DateTimeField(null=True, blank=True)
    restored_to = models.DateTimeField(null=True, blank=True)

    objects = HouseManager()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_house")]

    def __str__(self):
        return self.name or "Social Hub"


class AnswerQuerySet(models.QuerySet):
    KEPT = timedelta(hours=24)

    def fresh(self):
        return self.filter(at__gt=timezone.now() - self.KEPT)

    def stale(self):
        return self.filter(at__lte=timezone.now() - self.KEPT)


class IdempotencyKey(models.Model):
    """What the API answered to a POST that carried this key, so that the same POST again gets the same answer."""

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    # Of method, address and body: the same key with something else in it is a mistake of the caller's.
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.BinaryField()
    at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="answer_once")]

    def __str__(self):
        return self.key


class Pulse(models.Model):
    """A sign of life that others look for: beat rang and the worker heard it."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name
