"""Who in a department gets the next item."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from departments.models import Department, User


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
    """What one person can take on in one department, and how much they hold. `load` is changed in the transaction that
    changes the items, and worked out anew every night."""

    department = models.ForeignKey(Department, models.CASCADE, related_name="capacities")
    user = models.ForeignKey(User, models.CASCADE, related_name="capacities", db_index=False)
    most = models.PositiveSmallIntegerField(null=True, blank=True)  # null: as the department says
    load = models.PositiveIntegerField(default=0)
    languages = ArrayField(models.CharField(max_length=12), default=list, blank=True)  # empty: any
    skills = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    last_assigned_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "capacities"
        constraints = [models.UniqueConstraint(fields=["department", "user"], name="capacity_once")]
