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

    def shadow(self):
        """What is evaluated beside the live one."""
        return self.filter(state="shadow")

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

    def shadow(self):
        """What a version in the shadow would have decided otherwise."""
        return self.filter(mode="shadow")

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


class BackTestQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own: a trial counts what its asker may see, and nobody else need see the same."""
        RuleSet = apps.get_model("routing", "RuleSet")
        return self.filter(asked_by=user.pk, version__rule_set__in=RuleSet.objects.visible_to(user))

    def under_way(self):
        return self.filter(state__in=["waiting", "running"])

    def due(self):
        """What waits, and what a worker that died left running; the oldest first."""
        gone = Q(state="running", leased_until__lt=timezone.now())
        return self.filter(Q(state="waiting") | gone).order_by("asked_at")


class FingerprintQuerySet(models.QuerySet):
    def sharing(self, bands, *, after, until):
        """Those of messages written after the one time and until the other that share a band with somebody's, but for
        what lies in confidential conversations: nobody may learn from a number that there is one."""
        written = self.filter(bands__overlap=bands, at__gt=after, at__lte=until)
        return written.filter(message__conversation__confidential=False)

    def stale(self, now):
        """What is older than anybody asks for."""
        return self.filter(kept_at__lt=now - timedelta(days=2))
