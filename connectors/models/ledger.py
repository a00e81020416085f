import uuid

from django.db import models
from django.utils import timezone

from connectors.models.channels import Channel
from connectors.querysets import FetchRunQuerySet, QuarantineQuerySet, UsageQuerySet


class FetchRun(models.Model):
    """One line of the ledger: one visit to a network, one file, one push; what came of it, and whether something is
    missing."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        OK = "ok", "Done"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    class Via(models.TextChoices):
        POLL = "poll", "Fetched"
        PUSH = "push", "Pushed"
        FILE = "file", "From a file"
        REPLAY = "replay", "Tried again"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="runs")
    via = models.CharField(max_length=8, choices=Via, default=Via.POLL)
    started = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.RUNNING)
    read = models.PositiveIntegerField(default=0)
    taken_in = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    # What lies between this visit and the one before and could not be had, in words.
    gap = models.CharField(max_length=300, blank=True)
    gap_since = models.DateTimeField(null=True, blank=True)
    gap_until = models.DateTimeField(null=True, blank=True)
    # Set when a later visit has read that stretch of time without a hole.
    gap_closed_at = models.DateTimeField(null=True, blank=True)
    # What it cost, in the network's unit (contract.Capabilities.unit).
    used = models.FloatField(default=0)
    detail = models.CharField(max_length=500, blank=True)
    #: Seconds that the network took for its slowest page, while the visit lasts; not kept.
    waited = 0.0

    objects = FetchRunQuerySet.as_manager()

    class Meta:
        ordering = ["-started", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["channel", "-started", "-id"], name="ledger"),
            models.Index("started", name="taken_in_lately", condition=models.Q(taken_in__gt=0)),
            models.Index("channel", name="visits_under_way", condition=models.Q(outcome="running")),
        ]

    def __str__(self):
        return f"{self.channel}: {self.get_outcome_display()}"

    @property
    def numbers(self) -> list[int]:
        """As the ledger's columns show them: read, new, changed, known, quarantined."""
        return [self.read, self.taken_in, self.changed, self.duplicates, self.quarantined]

    @property
    def took(self) -> str:
        """How long it went on; empty while it does."""
        if self.finished is None:
            return ""
        seconds = (self.finished - self.started).total_seconds()
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


class Usage(models.Model):
    """What a channel used on one day, for reading and for sending, in its network's unit: beside its budget."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="usage")
    day = models.DateField()
    used = models.FloatField(default=0)

    objects = UsageQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["channel", "day"], name="usage_of_a_day")]

    def __str__(self):
        return f"{self.channel}, {self.day}: {self.used:g}"


class QuarantinedPost(models.Model):
    """A post that could not be read or kept, as it came, so that it can be tried again once the reason is gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="quarantine")
    fetch_run = models.ForeignKey(FetchRun, models.SET_NULL, null=True, blank=True, related_name="quarantine")
    # ASCII-only JSON (connectors.normalise.kept): NUL and lone surrogates stand in it escaped.
    raw = models.TextField()
    # It came over our own fetch and not from somebody who pushed it.
    fetched = models.BooleanField(default=False)
    history = models.BooleanField(default=False)
    reason = models.CharField(max_length=300)
    received_at = models.DateTimeField(default=timezone.now)
    replay_asked_at = models.DateTimeField(null=True, blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = QuarantineQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["channel", "-received_at"], name="quarantine_waiting", condition=models.Q(replayed_at=None)
            ),
            models.Index(
                "replay_asked_at",
                name="quarantine_asked_for",
                condition=models.Q(replayed_at=None, replay_asked_at__isnull=False),
            ),
        ]

    def __str__(self):
        return self.reason
