"""Rule sets, their versions, and what was decided by them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from departments.models import Department, User
from inbox.models import Message
from routing import saying
from routing.querysets import DecisionQuerySet, RuleSetQuerySet, RuleSetVersionQuerySet


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
    """The rules as they were published once. Never changed after that (a trigger refuses it): to change them is to
    publish a new version, so that what decided yesterday can still be read."""

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

    objects = RuleSetVersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["rule_set", "number"], name="version_once"),
            models.UniqueConstraint(fields=["rule_set"], condition=models.Q(state="live"), name="one_live_version"),
        ]

    def __str__(self):
        return f"{self.rule_set}, version {self.number}"


class Decision(models.Model):
    """The record of one evaluation: where a message went, by which rule, and why. Frozen facts, no text: with the
    message and the versions it names, it can be worked out again."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        SHADOW = "shadow", "Shadow"

    class Source(models.TextChoices):
        RULE = "rule", "A rule"
        THREAD = "thread", "The conversation it continues"
        NONE = "none", "Nothing fitted"
        PERSON = "person", "A person"

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(Message, models.CASCADE, related_name="decisions", db_index=False)
    revision = models.PositiveIntegerField(default=1)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=8, choices=Source)
    rule_uid = models.CharField(max_length=36, blank=True)
    rule_name = models.CharField(max_length=80, blank=True)
    label = models.CharField(max_length=120)
    # The end of a sentence: “the text contains “parcel””.
    because = models.TextField()
    # [["text" or "title", start, end, the rule's term]]: where in the message the reason stands.
    spans = models.JSONField(default=list)
    # The other rules that fitted: [{"uid", "name", "version", "because"}].
    also_matched = models.JSONField(default=list)
    # Every rule that fitted, for counting.
    matched = ArrayField(models.CharField(max_length=36), default=list)
    joins = ArrayField(models.CharField(max_length=50), default=list)
    tags = ArrayField(models.CharField(max_length=50), default=list)
    priority = models.SmallIntegerField(default=0)
    probably_nothing = models.BooleanField(default=False)
    versions = ArrayField(models.UUIDField(), default=list)
    facts = models.JSONField(default=dict)
    duration_us = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["message", "revision", "mode"], name="decision_once"),
        ]
        indexes = [models.Index(fields=["at"], condition=models.Q(mode="live"), name="decision_recent")]

    def __str__(self):
        return self.sentence

    @property
    def sentence(self) -> str:
        return saying.decision(self.source, self.rule_name, self.department.name, self.because, self.probably_nothing)
