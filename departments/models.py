"""Who works here, the queues they work in, what they did, and the tokens that act for them."""

import uuid
from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from departments.querysets import AuditQuerySet, DepartmentQuerySet, People


class User(AbstractUser):
    """Somebody who works here."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the computer"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=12, default="en")
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    shortcuts = models.BooleanField("single-key shortcuts", default=True)
    away_until = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    # Bumped whenever this person's rights change: caches and streams that carry an older one are thrown away.
    permission_epoch = models.PositiveIntegerField(default=0)
    # Part of every session's seal: bumped, it ends all sessions of this person at once.
    sign_in_epoch = models.PositiveIntegerField(default=0)

    objects = People()
    first_name = last_name = None

    def __str__(self):
        return self.name or self.username

    @property
    def short(self):
        """Two letters for the round mark: “Carla Mendes” is CM, “carl” is CA."""
        words = str(self).split()
        return (words[0][0] + words[-1][0] if len(words) > 1 else str(self)[:2]).upper()

    def get_session_auth_hash(self):
        return self._seal()

    def get_session_auth_fallback_hash(self):
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._seal(secret)

    def _seal(self, secret=None):
        value = f"{self.password}:{self.sign_in_epoch}"
        return salted_hmac("departments.User.session", value, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self):
        return str(self)

    def get_short_name(self):
        return str(self).split()[0]


class Department(models.Model):
    """A queue with people behind it: PR, HR, customer service. Triage is the coordinator's own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80, unique=True)
    about = models.CharField(max_length=300, blank=True, help_text="What belongs here, in one sentence")
    hue = models.CharField(max_length=8, default="d-tr")
    position = models.PositiveSmallIntegerField(default=100)
    is_triage = models.BooleanField(default=False)
    confidential = models.BooleanField(
        default=False, help_text="Its conversations are seen by its own people alone, and stay so"
    )
    answer_within = models.PositiveIntegerField(
        default=240, help_text="Minutes until a first answer is due; they run day and night"
    )
    # When its people are there (departments/hours.py); empty: always.
    time_zone = models.CharField(max_length=64, default="UTC")
    hours = models.JSONField(default=dict, blank=True)
    holidays = ArrayField(models.DateField(), default=list, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        default_permissions = ()
        # The first three are given per department, to its groups; the others to the house's groups, for all of it.
        permissions = [
            ("view_queue", "Read a department's queue"),
            ("work_queue", "Work in a department's queue"),
            ("lead_queue", "Lead a department"),
            ("coordinate", "Coordinate the departments"),
            ("administer", "Configure everything"),
            ("read_audit", "Read the audit"),
        ]
        constraints = [
            models.UniqueConstraint("is_triage", condition=models.Q(is_triage=True), name="one_triage"),
        ]

    def __str__(self):
        return self.name

    @property
    def answer_time(self):
        return timedelta(minutes=self.answer_within)


class AuditEntry(models.Model):
    """Who did what to which thing. Append-only: a trigger refuses UPDATE and DELETE. Ids and verbs, never text."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(User, models.DO_NOTHING, null=True, blank=True, related_name="+")
    # When no person did it: "system", or "rule" with its name among the facts.
    agent = models.CharField(max_length=20, blank=True)
    verb = models.CharField(max_length=40)
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=40)
    department = models.ForeignKey(
        Department, models.DO_NOTHING, null=True, blank=True, related_name="+", db_index=False
    )
    # The conversation it belongs to, where there is one; audit stands below the inbox and knows only its id.
    conversation_id = models.UUIDField(null=True, blank=True, db_index=True)
    facts = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self):
        return f"{self.verb} {self.target_type} {self.target_id}"


class ApiToken(models.Model):
    """A key that lets a program act for a person: never more than its owner may, and only within its scopes."""

    class Scope(models.TextChoices):
        READ = "read", "Read what its owner may read"
        WORK = "work", "Take, assign, hand off, resolve, note"
        REPLY = "reply", "Write replies that go out"
        POSTS = "posts", "Push posts into channels"
        CONFIGURE = "configure", "Change channels and rules"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=12, choices=Scope), default=list)
    # Empty: all that its owner works in.
    departments = models.ManyToManyField(Department, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        default_permissions = ()

    def __str__(self):
        return self.name

    @cached_property
    def limited_to(self) -> list[uuid.UUID]:
        """Ids of the departments to which it is limited; none of them: it is not. Reads that want it anyway bring it
        along (`tokens.living_token`)."""
        return list(self.departments.values_list("pk", flat=True))
