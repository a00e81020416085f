"""Rules that raise while they are asked are noted with the error, so that the page of rules shows them everywhere."""

import logging
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from routing.deciding import Broken, Verdict
from routing.models import BrokenRule, RuleSetVersion

logger = logging.getLogger(__name__)


def note_broken(verdicts: Iterable[Verdict]) -> None:
    """Keep each rule that these verdicts could not ask, once, with its last error; when the transaction in which they
    are stored is through, so that nobody waits for anybody else's note."""
    found = {(each.version, each.uid): each for verdict in verdicts for each in verdict.broken if each.version}
    if found:
        transaction.on_commit(lambda: _note(found), robust=True)


def _note(found: Mapping[tuple[str, str], Broken]) -> None:
    now = timezone.now()
    for (version, uid), each in sorted(found.items()):
        logger.error("Rule %s (%s) of version %s could not be asked: %s", uid, each.name, version, each.why)
    BrokenRule.objects.bulk_create(
        [
            BrokenRule(version_id=version, uid=uid, why=each.why.replace("\0", "")[:300], since=now, last_at=now)
            for (version, uid), each in sorted(found.items())
        ],
        update_conflicts=True,
        unique_fields=["version", "uid"],
        update_fields=["why", "last_at"],
    )


def broken_of(version: RuleSetVersion) -> dict[str, str]:
    """The rules of this version that raised: uid → the last error."""
    return dict(version.broken_rules.values_list("uid", "why"))
