"""Which model is in force: put live by a refit or by a person, who may go back. What was live can be live again."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from departments import bell
from departments.access import rights
from departments.audit import record, sentences
from departments.models import User
from inbox.errors import Refused
from routing.learning.live import unpack
from routing.models import HeldOut, RoutingModel, ThresholdOverride
from routing.saying import rounded
from routing.scoring.said import NONE

By = User | str
State = RoutingModel.State

sentences(
    model_went_live="{by} put model {number} live: it is not worse than the one before",
    model_put_live="{by} put model {number} live, in place of model {before}",
    threshold_set="{by} set how sure models have to be for {label}: {value}",
)
#: So many models that are not live keep what they hold, so that one can go back to them.
KEPT = 10


def may_choose(user: User) -> bool:
    """Models and thresholds are for coordinator and admin."""
    held = rights(user)
    return held.coordinator or held.admin


@transaction.atomic
def activate(model: RoutingModel, *, by: By) -> RoutingModel:
    """Put this model in force, whatever the comparison said. Refused for one that is live, or can not be read."""
    if isinstance(by, User) and not may_choose(by):
        raise PermissionDenied("Only a coordinator or admin decides which model is live.")
    model = RoutingModel.objects.select_for_update().get(pk=model.pk)
    if model.state == State.LIVE:
        raise Refused(f"{model} is live already.")
    try:
        unpack(model)
    except Exception:
        raise Refused(f"{model} is not kept any more, or can not be read. Choose another one.") from None
    before = put_live(model)
    record("model_put_live", model, by=by, number=model.number, before=before.number if before else 0)
    return model


def previous() -> RoutingModel | None:
    """The model that was live before this one."""
    return RoutingModel.objects.told().filter(state=State.RETIRED).order_by("-retired_at").first()


def go_back(*, by: User) -> RoutingModel:
    """Put the model before this one live again."""
    if (before := previous()) is None:
        raise Refused("No other model was live yet.")
    return activate(before, by=by)


def put_live(model: RoutingModel) -> RoutingModel | None:
    """The one change of state there is; the model that was live before, if any. Inside the caller's transaction."""
    now = timezone.now()
    before = RoutingModel.objects.told().live().select_for_update().first()
    if before:
        RoutingModel.objects.filter(pk=before.pk).update(state=State.RETIRED, retired_at=now)
    model.state, model.live_since, model.retired_at = State.LIVE, now, None
    model.save(update_fields=["state", "live_since", "retired_at"])
    bell.ring_about("rules")
    return before


def forget_old() -> None:
    """Of models that nobody will go back to only what they were is kept, and not what they hold."""
    others = RoutingModel.objects.exclude(state=State.LIVE).order_by("-number")
    old = list(others.values_list("pk", flat=True)[KEPT:])
    HeldOut.objects.filter(model__in=old).delete()
    RoutingModel.objects.filter(pk__in=old).exclude(artefact=b"").update(artefact=b"", vocabulary=b"")


@transaction.atomic
def set_threshold(label: str, value: float | None, *, by: User) -> ThresholdOverride:
    """How sure a model has to be before it places in this department (or says “nobody’s”); None: as each model finds it
    itself. It holds from the next message on, for this model and those after it."""
    from routing.learning.lessons import labels

    if not may_choose(by):
        raise PermissionDenied("Only a coordinator or admin decides how sure models have to be.")
    department = labels().get(label)
    if department is None and label != NONE:
        raise Refused("There is no such department.")
    if value is not None and not 0.3 <= value <= 1:
        raise Refused("Choose a share from 30 to 100 %.")
    chosen = ThresholdOverride.objects.create(label=label, value=value, by=by)
    told = "as each model finds" if value is None else rounded(value)
    named = department.name if department else "what belongs to nobody"
    record("threshold_set", chosen, by=by, department=department, label=named, value=told)
    bell.ring_about("rules")
    return chosen
