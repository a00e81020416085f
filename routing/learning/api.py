"""What people taught, for programs: the figures as the caller may see them, the models, and saying that a conversation
lies right."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from departments.access import rights
from departments.api import StrictSerializer
from departments.models import ApiToken
from inbox.api import Conflict
from inbox.errors import Refused
from inbox.views.conversations import find
from routing.learning import choosing
from routing.learning.confirming import confirm
from routing.learning.quality import Quality, has_quality
from routing.models import RoutingModel

CONFIGURE, WORK = ApiToken.Scope.CONFIGURE, ApiToken.Scope.WORK


# What goes in and out -------------------------------------------------------------------------------------------
class ShareShape(serializers.Serializer):
    """Of `n`, `right` were; `low` and `high` bound the share with 95 % confidence (Wilson)."""

    n = serializers.IntegerField()
    right = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField()
    high = serializers.FloatField()


class BinShape(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()
    n = serializers.IntegerField()
    sure = serializers.FloatField()
    right = serializers.IntegerField()


class ConfusionShape(serializers.Serializer):
    belongs = serializers.CharField()
    guessed = serializers.CharField()
    n = serializers.IntegerField()


class ThresholdShape(serializers.Serializer):
    label = serializers.CharField(help_text="A department, or `none`: what belongs to nobody")
    value = serializers.FloatField(allow_null=True, help_text="Null: never placed by the model")
    chosen_by = serializers.CharField(allow_null=True)
    placed = serializers.IntegerField()
    right = serializers.IntegerField()


class MistakenShape(serializers.Serializer):
    word = serializers.CharField()
    wrong = serializers.IntegerField()
    n = serializers.IntegerField()


class DriftShape(serializers.Serializer):
    notable = serializers.BooleanField()
    sentence = serializers.CharField()
    moved = serializers.FloatField()
    unknown = serializers.FloatField(allow_null=True)
    unknown_before = serializers.FloatField(allow_null=True)


class QualityShape(serializers.Serializer):
    model = serializers.IntegerField(allow_null=True)
    accuracy = ShareShape()
    macro_f1 = serializers.FloatField()
    ece = serializers.FloatField()
    coverage = serializers.FloatField()
    precision = serializers.FloatField()
    sampled = ShareShape()
    thresholds = ThresholdShape(many=True)
    bins = BinShape(many=True)
    confusion = ConfusionShape(many=True)
    mistaken_words = MistakenShape(many=True)
    drift = DriftShape()


class ModelShape(serializers.Serializer):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(RoutingModel.State.choices)
    why = serializers.CharField()
    created_at = serializers.DateTimeField()
    live_since = serializers.DateTimeField(allow_null=True)
    metrics = serializers.DictField(allow_null=True, help_text="On what is not confidential; null for leads")
    compared = serializers.DictField(allow_null=True, help_text="With the model that was live; null where none was")


class Confirmed(StrictSerializer):
    confirmed = serializers.BooleanField(required=False, default=True)


# The doors ------------------------------------------------------------------------------------------------------
class LearningView(APIView):
    def handle_exception(self, exc):
        return super().handle_exception(Conflict(exc) if isinstance(exc, Refused) else exc)

    def check_sight(self):
        if not has_quality(rights(self.request.user)):
            raise Http404


class QualityView(LearningView):
    @extend_schema(operation_id="routing_quality", responses=QualityShape)
    def get(self, request):
        """How good the live model is on the organisation's corrections, counted from what the caller may see."""
        self.check_sight()
        return Response(QualityShape(_told(Quality(request.user))).data)


class Models(LearningView):
    @extend_schema(operation_id="routing_models_list", responses=ModelShape(many=True))
    def get(self, request):
        """The newest models, live or not."""
        self.check_sight()
        quality = Quality(request.user)
        results = [_model(each, with_figures=quality.whole) for each in quality.models]
        return Response({"next": None, "previous": None, "results": results})


class Activate(LearningView):
    scopes = {"POST": CONFIGURE}

    @extend_schema(request=None, responses=ModelShape)
    def post(self, request, model):
        """Put the model of this number in force, whatever the comparison said; 409 when it is live already or not kept
        any more."""
        self.check_sight()
        found = get_object_or_404(RoutingModel.objects.told(), number=model)
        return Response(_model(choosing.activate(found, by=request.user), with_figures=True))


class Confirm(LearningView):
    scopes = {"POST": WORK}

    @extend_schema(request=Confirmed, responses=Confirmed)
    def post(self, request, pk):
        """Say that a conversation lies where it belongs, or (`confirmed: false`) take that back. Twice is once."""
        found = find(request.user, pk)
        asked = Confirmed(data=request.data)
        asked.is_valid(raise_exception=True)
        confirm(found, by=request.user, yes=asked.validated_data["confirmed"])
        return Response(asked.validated_data)


def _told(quality: Quality) -> dict[str, Any]:
    drift = quality.drift
    return {
        "model": quality.live.number if quality.live else None,
        "accuracy": _share(quality.n, sum(row.holds for row in quality.rows), quality.interval),
        "sampled": _share(len(quality.sampled), quality.sampled_right, quality.sampled_interval),
        "thresholds": [_threshold(each) for each in quality.dials],
        "bins": quality.bins,
        "confusion": [
            {"belongs": right.slug, "guessed": guess.slug, "n": cell.n}
            for right, cells, _ in quality.matrix
            for guess, cell in zip(quality.columns, cells, strict=True)
            if cell.n
        ],
        "mistaken_words": quality.mistaken,
        "drift": {
            "notable": drift.is_notable,
            "sentence": drift.sentence,
            "moved": drift.moved,
            "unknown": drift.unknown,
            "unknown_before": drift.unknown_before,
        },
        **{name: getattr(quality, name) for name in ("macro_f1", "ece", "coverage", "precision")},
    }


def _share(n: int, right: int, interval: tuple[float, float]) -> dict[str, Any]:
    return {"n": n, "right": right, "share": right / n if n else None, "low": interval[0], "high": interval[1]}


def _threshold(dial) -> dict[str, Any]:
    by = dial.chosen.by.username if dial.chosen else None
    return {"label": dial.label.slug, "value": dial.value, "chosen_by": by, "placed": dial.placed, "right": dial.right}


def _model(model: RoutingModel, *, with_figures: bool) -> dict[str, Any]:
    told = {name: getattr(model, name) for name in ("number", "state", "why", "created_at", "live_since")}
    figures = model.metrics if with_figures else {}
    return told | {"metrics": figures.get("open"), "compared": figures.get("compared")}
