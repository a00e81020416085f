"""Rule sets and their versions."""

import uuid

from django.db import models
from django.utils import timezone

from departments.models import Department, User
from routing.querysets import RuleSetQuerySet, RuleSetVersionQuerySet


class RuleSet(models.Model):
    """An ordered list of rules: the house's own, or a department's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Null: the coordinator's, for everybody.
    department = models.OneToOneField(Department, models.PROTECT, null=True, blank=True, related_name="rule_set")

    objects = RuleSetQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["department"], nulls_distinct=False, name="one_rule_set_each"),
        ]

    def __str__(self):
        return f"{self.department}’s own" if self.department else "For everybody"

    @property
    def live(self) -> "RuleSetVersion | None":
        return self.versions.live().first()


class RuleSetVersion(models.Model):
    """The rules as they were published, or tried in the shadow, once. Never changed after that (a trigger refuses it):
    to change them is to publish a new version, so that what decided yesterday can still be read."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"
        SHADOW = "shadow", "Shadow"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule_set = models.ForeignKey(RuleSet, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    rules = models.JSONField(default=list)
    why = models.CharField("what changed and why", max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    # Null by: shipped with the house.
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    # The version that it was made from, and when it went out of force.
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    retired_at = models.DateTimeField(null=True)
    # When it began to be evaluated beside the live one; kept when that ends.
    shadow_since = models.DateTimeField(null=True)

    objects = RuleSetVersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule_set", "number"], name="version_once"),
            models.UniqueConstraint(fields=["rule_set"], condition=models.Q(state="live"), name="one_live_version"),
            models.UniqueConstraint(fields=["rule_set"], condition=models.Q(state="shadow"), name="one_shadow_version"),
        ]

    def __str__(self):
        return f"{self.rule_set}, version {self.number}"


class BrokenRule(models.Model):
    """A rule of a version that raised while it was asked: the page of rules says so until another version is in
    force."""

    version = models.ForeignKey(RuleSetVersion, models.CASCADE, related_name="broken_rules")
    uid = models.CharField(max_length=36)
    # The last error.
    why = models.CharField(max_length=300)
    since = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["version", "uid"], name="broken_once")]

    def __str__(self):
        return f"{self.uid} of {self.version}"
