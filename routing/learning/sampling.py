"""Two in a hundred of what a model placed are marked “check me”. Who looks only at what was corrected sees the mistakes
and not what went well; of these both is known. Which they are is said by their id, so nothing is kept of it."""

from datetime import timedelta
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast, Right
from django.utils import timezone

from departments.models import User
from inbox.querysets import seen_by
from routing.learning.measuring import Judged
from routing.models import Correction, Decision
from routing.scoring.said import NONE

#: Ids end in two random digits, of which there are 256; with these five it is 1.95 %.
ENDS = ("00", "01", "02", "03", "04")
#: What is older than that is not asked for any more.
ASKED = timedelta(days=14)


def is_sampled(message: UUID) -> bool:
    """Whether somebody should look, wherever a model has placed it."""
    return str(message)[-2:] in ENDS


def sampled(user: User):
    """The decisions of models that were marked, of messages that the user may see."""
    ends = Right(Cast("message_id", TextField()), 2)
    by_model = Decision.objects.live().filter(source=Decision.Source.MODEL).alias(ends=ends).filter(ends__in=ENDS)
    return by_model.filter(seen_by(user, "message__conversation"))


def to_check(user: User, departments, most: int = 10):
    """Those that wait in these departments for somebody to say whether they lie right, the newest first."""
    recent = sampled(user).filter(at__gte=timezone.now() - ASKED, department__in=departments)
    waiting = recent.filter(message__correction=None)
    return waiting.select_related("message__conversation", "message__identity", "department").order_by("-at")[:most]


def judged(user: User, since) -> list[Judged]:
    """Of those that were marked since then and that people answered: what was right, and what the model had done."""
    rows = sampled(user).filter(at__gte=since, message__correction__isnull=False).select_related("department")
    answers = {
        each.message_id: each.belongs.slug if each.belongs else NONE
        for each in Correction.objects.filter(message__in=rows.values("message")).select_related("belongs")
    }
    return [
        Judged(answers[each.message_id], ((NONE if each.department.is_triage else each.department.slug, 1.0),))
        for each in rows
    ]
