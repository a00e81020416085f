"""What people taught, and the models made of it."""

import uuid

from django.db import models
from django.utils import timezone

from departments.models import Department, User
from inbox.models import Message
from routing.models.versions import RuleSet
from routing.querysets import CorrectionQuerySet, HeldOutQuerySet, RoutingModelQuerySet


class RoutingModel(models.Model):
    """One trained classifier. The first is made of the seed posts that ship with the house."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.CANDIDATE)
    # Arrays (npz, read without pickle) and their digest; written once.
    artefact = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    encoder = models.CharField(max_length=40, blank=True)
    # Department slug or "none" → the probability from which on it places.
    thresholds = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    corrections = models.PositiveIntegerField(default=0)
    # Digest of the ids and labels it was trained on.
    trained_on = models.CharField(max_length=64, blank=True)
    why = models.CharField(max_length=300, blank=True)
    # Digests of the words that it learnt from, four bytes each: what it has never read is counted by them.
    vocabulary = models.BinaryField(default=bytes)
    # When what it learnt from was read: whatever was noted later is news to it.
    created_at = models.DateTimeField(default=timezone.now)
    live_since = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    objects = RoutingModelQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="live"), name="one_live_model"),
        ]

    def __str__(self):
        return f"Model {self.number}"


class Correction(models.Model):
    """Where people found that a message belongs: a label to learn from. The last one of a message counts."""

    class Source(models.TextChoices):
        HAND_OFF = "hand_off", "Handed off: wrong department"
        PLACED = "placed", "Placed from Triage"
        CONFIRMED = "confirmed", "Confirmed"
        REPLIED = "replied", "Answered there"

    id = models.BigAutoField(primary_key=True)
    message = models.OneToOneField(Message, models.CASCADE, related_name="correction")
    # Where it lay before; null: nowhere else, it was confirmed.
    was = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", db_index=False)
    # Where it belongs; null: to nobody.
    belongs = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=10, choices=Source)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    # When we came to know it, or that it changed.
    noted_at = models.DateTimeField(default=timezone.now)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at"], name="correction_at"),
            models.Index(fields=["noted_at"], name="correction_noted"),
        ]


class HeldOut(models.Model):
    """What a model said of a corrected message from which it had not learnt: all that is told of a model's quality is
    counted from these, each reader's from those that they may see."""

    id = models.BigAutoField(primary_key=True)
    model = models.ForeignKey(RoutingModel, models.CASCADE, related_name="held_out", db_index=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    # Department slug or "none": where it belongs, and what the model took for likely, [[label, probability]], the best
    # first.
    right = models.CharField(max_length=50)
    guesses = models.JSONField(default=list)

    objects = HeldOutQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "held out"
        constraints = [models.UniqueConstraint(fields=["model", "message"], name="held_out_once")]


class ThresholdOverride(models.Model):
    """How sure a model has to be before it places in a department, as somebody chose it. The newest of a label counts;
    none is ever changed, so that it is known what held at any time."""

    id = models.BigAutoField(primary_key=True)
    label = models.CharField(max_length=50)
    # Null: as each model finds it itself.
    value = models.FloatField(null=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]


class LearningMark(models.Model):
    """Up to when the inbox's rows were read for what people taught: one row."""

    harvested_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()


class DepartmentExample(models.Model):
    """A post that a department's people wrote down as typical of what belongs to it."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="examples")
    text = models.CharField(max_length=1000)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        ordering = ["id"]


class SuggestedRule(models.Model):
    """A rule that corrections speak for, with the evidence."""

    class State(models.TextChoices):
        NEW = "new", "New"
        TAKEN = "taken", "Taken"
        DISMISSED = "dismissed", "Dismissed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule_set = models.ForeignKey(RuleSet, models.CASCADE, related_name="suggestions")
    # What it is about, so that what was dismissed is not suggested again: "vacancy>hr".
    about = models.CharField(max_length=200)
    rule = models.JSONField()
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["rule_set", "about"], name="suggested_once")]
