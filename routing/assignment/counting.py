"""What people hold, counted by a trigger on items (routing/migrations/0008): folded together, and held to what is."""

import logging

from django.db import transaction

from routing.models import LoadChange

logger = logging.getLogger(__name__)


def fold_loads() -> None:
    """Add to the loads what changed them, when much has come together."""
    if LoadChange.objects.order_by()[:50].count() == 50:
        with transaction.atomic():
            LoadChange.objects.all().fold()


def recount_loads() -> int:
    """Hold what is counted to what there is, every night. A difference is a fault: it is put right, and logged."""
    wrong = LoadChange.objects.all().recount()
    for department, user, change in wrong:
        logger.error("The load of %s in %s was wrong by %s and is right again.", user, department, change)
    return len(wrong)
