"""Named selections of rule sets and decisions."""

from datetime import timedelta

from django.apps import apps
from django.db import connection, models
from django.db.models import Count, F, Func, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
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
    def keep(self, printed):
        """Store these, given as a message's id, its fingerprint and when it was written; in one statement."""
        told = [
            {"message_id": id, "numbers": rf"\x{own.numbers.hex()}", "bands": own.bands, "at": at}
            for id, own, at in printed
        ]
        rows.insert(self.model, told, unless_there=True)

    def near(self, printed, *, after, until, but_for):
        """Fingerprints of messages written after the one time and until the other that share a band with one of these:
        each once, by its numbers, with the times at which it was written. What lies in confidential conversations is
        left out: nobody may learn from a number that there is something."""
        given = rows.as_json([{"bands": own.bands} for own in {own.numbers: own for own in printed}.values()])
        with connection.cursor() as cursor:
            cursor.execute(_NEAR, [given, after, until, rows.as_json([*but_for])])
            return [(bytes(numbers), times) for numbers, times in cursor.fetchall()]

    def stale(self, now):
        """What is older than anybody asks for."""
        return self.filter(kept_at__lt=now - timedelta(days=2))


#: One after the other, because each is found in the index by its bands then: an index asked for all bands at once is
#: not used, and to compare thousands with thousands takes seconds. What has more than a thousand copies has enough.
_NEAR = """
SELECT kept.numbers, array_agg(kept.at)
FROM routing_fingerprint kept
JOIN inbox_message said ON said.id = kept.message_id
JOIN inbox_conversation talk ON talk.id = said.conversation_id
WHERE NOT talk.confidential AND kept.message_id = ANY(ARRAY(
    SELECT near.message_id FROM json_to_recordset(%s) AS given(bands bigint[]), LATERAL (
        SELECT message_id FROM routing_fingerprint
        WHERE bands && given.bands AND at > %s AND at <= %s ORDER BY at DESC LIMIT 1000
    ) AS near
)) AND kept.message_id <> ALL(ARRAY(SELECT json_array_elements_text(%s)::uuid))
GROUP BY kept.numbers
"""


class NamedByRulesQuerySet(models.QuerySet):
    """What rules name is no more secret than the house's rules."""

    def read_by(self, user):
        """Whether this person reads rules at all."""
        return bool(rights(user).roles) or rights(user).sees_ordinary

    def visible_to(self, user):
        return self.all() if self.read_by(user) else self.none()


class AuthorListQuerySet(NamedByRulesQuerySet):
    def holding(self, names):
        """Pairs of a name and the short name of a list that holds it, of these names."""
        with connection.cursor() as cursor:
            cursor.execute(_HOLDING, [rows.as_json([*names])])
            return cursor.fetchall()


#: A list may hold thousands, and thousands may be asked for: so both are hashed, and not compared one with another.
_HOLDING = """
SELECT handle, slug FROM routing_authorlist, unnest(handles) AS handle
WHERE handle IN (SELECT json_array_elements_text(%s))
"""


class CapacityQuerySet(models.QuerySet):
    def with_held(self):
        """With `held`: the open items that the person has there now."""
        changes = apps.get_model("routing", "LoadChange").objects.filter(
            department=OuterRef("department"), user=OuterRef("user")
        )
        summed = changes.order_by().values("department").annotate(total=Sum("change")).values("total")
        return self.annotate(held=F("load") + Coalesce(Subquery(summed), 0))


class LoadChangeQuerySet(models.QuerySet):
    def fold(self, most=20_000):
        """Add the changes to the capacities' loads. Who folds at the same time waits for the first and finds the rest:
        in the order in which they came, no sum of changes is ever less than none."""
        with connection.cursor() as cursor:
            cursor.execute(_FOLD, [most])

    def recount(self):
        """Hold what is counted to what there is, and write down where they differ. [(department, user, by how much)]"""
        with connection.cursor() as cursor:
            cursor.execute(_RECOUNT)
            return cursor.fetchall()


_FOLD = """
WITH gone AS (
    DELETE FROM routing_loadchange WHERE id IN (SELECT id FROM routing_loadchange ORDER BY id LIMIT %s FOR UPDATE)
    RETURNING department_id, user_id, change
), summed AS (
    SELECT department_id, user_id, sum(change) AS total FROM gone GROUP BY 1, 2
)
INSERT INTO routing_capacity (department_id, user_id, load, languages, skills)
SELECT department_id, user_id, greatest(total, 0), '{}', '{}' FROM summed ORDER BY 1, 2
ON CONFLICT (department_id, user_id) DO UPDATE SET load = routing_capacity.load + (
    SELECT total FROM summed
    WHERE summed.department_id = excluded.department_id AND summed.user_id = excluded.user_id
)
"""
#: In one statement, so that all of it is as it was at one moment.
_RECOUNT = """
INSERT INTO routing_loadchange (department_id, user_id, change)
SELECT department_id, user_id, sum(number) FROM (
    SELECT department_id, assignee_id AS user_id, count(*) AS number FROM inbox_queueitem
    WHERE assignee_id IS NOT NULL AND status = 'open' AND NOT sealed GROUP BY 1, 2
    UNION ALL SELECT department_id, user_id, -load FROM routing_capacity
    UNION ALL SELECT department_id, user_id, -change FROM routing_loadchange
) AS counted GROUP BY 1, 2 HAVING sum(number) <> 0
RETURNING department_id, user_id, change
"""


class AssignmentQuerySet(models.QuerySet):
    def running(self):
        return self.filter(ended_at=None)
