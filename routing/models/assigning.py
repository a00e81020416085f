"""Who in a department gets the next item."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from departments.models import Department, User
from inbox.models import QueueItem
from routing.querysets import AssignmentQuerySet, CapacityQuerySet, LoadChangeQuerySet


class AssignmentPolicy(models.Model):
    """How a department gives out its work. Without a row, or switched off: people take it themselves."""

    department = models.OneToOneField(Department, models.CASCADE, primary_key=True, related_name="assignment")
    on = models.BooleanField(default=False)
    # Open items that one person holds at most, unless their own capacity says otherwise.
    capacity = models.PositiveSmallIntegerField(default=20)
    sticky_days = models.PositiveSmallIntegerField(default=14)
    only_present = models.BooleanField(default=False)
    only_in_hours = models.BooleanField(default=True)
    # Minutes after which a language or skill that nobody free has is no longer asked for.
    relax_after = models.PositiveIntegerField(default=30)
    # Minutes without a sign of work after which an item goes back; 0: never.
    return_after = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "assignment policies"


class Capacity(models.Model):
    """What one person can take on in one department, and how much they hold: `load` and the changes to it that are not
    folded in yet (`held`, of `with_held`)."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="capacities")
    user = models.ForeignKey(User, models.CASCADE, related_name="capacities", db_index=False)
    most = models.PositiveSmallIntegerField(null=True, blank=True)  # null: as the department says
    load = models.PositiveIntegerField(default=0)
    languages = ArrayField(models.CharField(max_length=12), default=list, blank=True)  # empty: any
    skills = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    last_assigned_at = models.DateTimeField(null=True)

    held: int  # the open items that the person has now, of `with_held`

    objects = CapacityQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "capacities"
        constraints = [models.UniqueConstraint(fields=["department", "user"], name="capacity_once")]


class LoadChange(models.Model):
    """By how much a person's open items in a department changed. A trigger on QueueItem adds a row with each statement
    that touches somebody's items (adding never waits for a lock, as changing one number would, and so no two who do
    many things at once meet in a circle); `fold` adds them to `Capacity.load`."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    change = models.IntegerField()

    objects = LoadChangeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["department", "user"], include=["change"], name="load_change_of")]


class Assignment(models.Model):
    """That the house gave an item to somebody, and why."""

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(QueueItem, models.CASCADE, related_name="assignments")
    department = models.ForeignKey(Department, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    # The end of a sentence: “she answered this person before”.
    because = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    # When it was over: they set to work, somebody else has it, or it was taken back.
    ended_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=models.Q(ended_at=None), name="one_assignment_running"),
        ]
        indexes = [
            models.Index(fields=["department", "at"], condition=models.Q(ended_at=None), name="assignment_running"),
        ]
