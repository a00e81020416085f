"""Named selections of rule sets and decisions."""

from datetime import timedelta

from django.apps import apps
from django.db import models
from django.db.models import Count, F, Func, Q
from django.utils import timezone

from departments import rows
from departments.access import departments_for, rights
from inbox.querysets import seen_by


class RuleSetQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The house's rules, which everybody may read, and the own rules of departments whose queue they may read."""
        if not rights(user).roles and not rights(user).sees_ordinary:
            return self.none()
        return self.filter(Q(department=None) | Q(department__in=departments_for(user)))

    def in_order(self):
        """The house's first, then the departments' in the order of the rail."""
        return self.order_by(F("department__position").asc(nulls_first=True), "department__name")


class RuleSetVersionQuerySet(models.QuerySet):
    def live(self):
        return self.filter(state="live")

    def published(self):
        """Every version that is or was in force, the newest first."""
        return self.filter(published_at__isnull=False).order_by("-number")


class DecisionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Decisions about messages that the user may see."""
        Message = apps.get_model("inbox", "Message")
        return self.filter(message__in=Message.objects.visible_to(user))

    def live(self):
        return self.filter(mode="live")

    def keep(self, decisions):
        """Store these decisions, given as rows, in one statement."""
        rows.insert(self.model, decisions)

    def about(self, conversation):
        return self.filter(message__conversation=conversation).order_by("id")

    def hits(self, *, days=7):
        """How often each rule fitted in the last days: uid → count."""
        since = timezone.now() - timedelta(days=days)
        fitted = self.live().filter(at__gte=since).annotate(uid=Func(F("matched"), function="unnest"))
        return dict(fitted.values_list("uid").annotate(n=Count("*")).order_by())


class RoutingModelQuerySet(models.QuerySet):
    def live(self):
        return self.filter(state="live")

    def told(self):
        """Without what takes room: for lists."""
        return self.defer("artefact", "vocabulary")


class CorrectionQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(seen_by(user, "message__conversation"))

    def since(self, at):
        """What was noted after that moment."""
        return self.filter(noted_at__gt=at)

    def newest(self, most):
        return self.order_by("-at", "-id")[:most]


class HeldOutQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Those of messages that the user may see, so that nobody counts what they may not read."""
        return self.filter(seen_by(user, "message__conversation"))
