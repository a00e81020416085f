"""The model in force."""

import hashlib
import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Subquery

from routing.models import RoutingModel, ThresholdOverride

if TYPE_CHECKING:
    from routing.scoring.classifier import Classifier

logger = logging.getLogger(__name__)

_kept: tuple[tuple, "tuple[RoutingModel, Classifier] | None"] = ((), None)


def live_model() -> "tuple[RoutingModel, Classifier] | None":
    """The live model and its classifier; None where there is none, or where it can not be read (the log says why).

    The row's `thresholds` are those that hold now: the model's own, and over them what people chose. One short query a
    call; the arrays are read anew only when another model went live or a threshold was changed.
    """
    global _kept
    newest = ThresholdOverride.objects.order_by("-pk").values("pk")[:1]
    key = RoutingModel.objects.live().annotate(chosen=Subquery(newest)).values_list("pk", "chosen").first()
    if key is None:
        return None
    if _kept[0] != key:
        _kept = (key, _made_ready(key[0]))
    return _kept[1]


def _made_ready(pk) -> "tuple[RoutingModel, Classifier] | None":
    row = RoutingModel.objects.defer("vocabulary").get(pk=pk)
    try:
        classifier = unpack(row)
    except Exception:
        logger.exception("%s can not be read; nothing is placed by what corrections taught.", row)
        return None
    row.thresholds = thresholds_of(row)
    row.artefact = b""  # the classifier holds it now
    return row, replace(classifier, thresholds=row.thresholds)


def unpack(row: RoutingModel) -> "Classifier":
    """The classifier of this row. Raises ValueError where it is not what was stored."""
    from routing.scoring.classifier import Classifier

    packed = bytes(row.artefact)
    if hashlib.sha256(packed).hexdigest() != row.sha256:
        raise ValueError(f"{row} is not what was stored: its digest differs.")
    return Classifier.from_bytes(packed)


def thresholds_of(row: RoutingModel, at: datetime | None = None) -> dict[str, float]:
    """Department slug or "none" → how sure this model had to be at that time (or has to be now) to place there."""
    chosen = ThresholdOverride.objects.order_by("label", "-pk").distinct("label")
    if at:
        chosen = chosen.filter(at__lte=at)
    found = dict(row.thresholds)
    found.update({each.label: each.value for each in chosen if each.value is not None})
    return found
