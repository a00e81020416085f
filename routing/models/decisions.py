"""What was decided of each message, and why."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from departments.models import Department
from inbox.models import Message
from routing import saying
from routing.querysets import DecisionQuerySet


class Decision(models.Model):
    """The record of one evaluation: where a message went, by which rule, and why. Frozen facts, no text: with the
    message and the versions it names, it can be worked out again."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        SHADOW = "shadow", "Shadow"

    class Source(models.TextChoices):
        RULE = "rule", "A rule"
        MODEL = "model", "What corrections taught"
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
    # Rules that could not be asked.
    broken = ArrayField(models.CharField(max_length=36), default=list, db_default=[])
    joins = ArrayField(models.CharField(max_length=50), default=list)
    tags = ArrayField(models.CharField(max_length=50), default=list)
    priority = models.SmallIntegerField(default=0)
    probably_nothing = models.BooleanField(default=False)
    versions = ArrayField(models.UUIDField(), default=list)
    facts = models.JSONField(default=dict)
    # What the classifier said: its version, its best two guesses [[department or "none", probability]], sure or not.
    model = models.ForeignKey("routing.RoutingModel", models.PROTECT, null=True, related_name="+", db_index=False)
    guesses = models.JSONField(default=list, db_default=[])
    duration_us = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["message", "revision", "mode"], name="decision_once"),
        ]
        indexes = [
            models.Index(fields=["at"], condition=models.Q(mode="live"), name="decision_recent"),
            models.Index(fields=["at"], condition=models.Q(mode="shadow"), name="decision_shadow"),
        ]

    def __str__(self):
        return self.sentence

    @property
    def sentence(self) -> str:
        return saying.decision(self.source, self.rule_name, self.department.name, self.because, self.probably_nothing)
