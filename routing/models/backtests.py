"""A version of rules tried on what came in before."""

import uuid

from django.db import models
from django.utils import timezone

from departments.models import User
from routing.models.versions import RuleSetVersion
from routing.querysets import BackTestQuerySet


class BackTest(models.Model):
    """One trial of a version on stored messages: how far it is, and what came of it. Waiting work is a row: the worker
    claims it with a lease, so that a dead one's trial goes on."""

    #: How far back a trial goes at most.
    MOST = {"days": 365, "posts": 100_000}

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(RuleSetVersion, models.CASCADE, related_name="back_tests")
    # The live version it was compared with; null: there was none.
    against = models.ForeignKey(RuleSetVersion, models.PROTECT, null=True, related_name="+", db_index=False)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField(default=timezone.now)
    # {"days": n} or {"posts": n}.
    scope = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    trouble = models.CharField(max_length=500, blank=True)
    leased_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = BackTestQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-asked_at"]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=models.Q(state__in=["waiting", "running"]), name="back_test_waiting"
            )
        ]

    def __str__(self):
        return f"Back-test of {self.version}"

    @property
    def of_what(self) -> str:
        """“the last 30 days”, “the last 1,000 posts”."""
        ((unit, many),) = self.scope.items()
        return f"the last {many:,} {unit}" if many > 1 else f"the last {unit.removesuffix('s')}"

    @property
    def goes_on(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)
