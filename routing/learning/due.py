"""Whether it is time to learn: found from rows, so that nothing has to be remembered and nothing gets lost."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from departments.models import AuditEntry, Department
from routing.learning.lessons import learning_departments
from routing.models import Correction, DepartmentExample, RoutingModel
from routing.saying import listed

#: After so many new corrections; fewer wait for the night.
ENOUGH = 25
#: By the clock of the house.
NIGHT = time(3)
#: What is done to departments changes what there is to learn.
RESHAPING = ("department_founded", "department_changed", "department_closed")


def due(now: datetime | None = None) -> str:
    """Why a model should be trained now, in words that stand beside it; empty when there is no reason."""
    newest = RoutingModel.objects.told().order_by("-number").first()
    if newest is None or not RoutingModel.objects.live().exists():
        founded = Department.objects.open().filter(is_triage=False).exists()
        return "The first model, from the seed posts" if founded else ""
    if Correction.objects.since(newest.created_at).count() >= ENOUGH:
        return f"After {ENOUGH} new corrections"
    if names := _new_examples(newest.created_at):
        return f"New examples of {listed(names, 'and')}"
    return "Nightly" if newest.created_at < _last_night(now or timezone.now()) and _news(newest.created_at) else ""


def _new_examples(since: datetime) -> list[str]:
    """Departments with examples enough, some of which are new."""
    new = DepartmentExample.objects.filter(department__in=learning_departments(), at__gt=since)
    return sorted(set(new.values_list("department__name", flat=True)))


def _last_night(now: datetime) -> datetime:
    local = timezone.localtime(now)
    night = local.replace(hour=NIGHT.hour, minute=0, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)


def _news(since: datetime) -> bool:
    reshaped = AuditEntry.objects.filter(verb__in=RESHAPING, at__gt=since)
    return Correction.objects.since(since).exists() or reshaped.exists()
