"""Named selections of rule sets and decisions."""

import json
from datetime import timedelta

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models
from django.db.models import Count, F, Func, Q
from django.utils import timezone

from departments.access import departments_for, rights


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
        """Store these decisions in one statement. They go over as one JSON list, because preparing twenty values of
        each row one by one cost more than deciding."""
        fields = [field for field in self.model._meta.concrete_fields if not field.primary_key]
        names = ", ".join(f'"{field.column}"' for field in fields)
        types = ", ".join(f'"{field.column}" {field.db_type(connections[self.db])}' for field in fields)
        rows = [{field.column: getattr(each, field.attname) for field in fields} for each in decisions]
        given = f"jsonb_to_recordset(%s) AS given({types})"
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.model._meta.db_table} ({names}) SELECT {names} FROM {given}",
                [json.dumps(rows, cls=DjangoJSONEncoder)],
            )

    def about(self, conversation):
        return self.filter(message__conversation=conversation).order_by("id")

    def hits(self, *, days=7):
        """How often each rule fitted in the last days: uid → count."""
        since = timezone.now() - timedelta(days=days)
        fitted = self.live().filter(at__gte=since).annotate(uid=Func(F("matched"), function="unnest"))
        return dict(fitted.values_list("uid").annotate(n=Count("*")).order_by())
