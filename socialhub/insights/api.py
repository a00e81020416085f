"""The figures for programs: the same definitions, the same sight as on the page."""

from datetime import timedelta

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from departments.access import rights
from inbox.desk import Desk
from socialhub.insights.metrics import METRICS, Metric, Value
from socialhub.insights.overview import Board, Row
from socialhub.insights.sight import Sight, has_board


class FigureShape(serializers.Serializer):
    """A number with its definition. Spans are seconds, shares lie between 0 and 1; null: there is nothing to count."""

    key = serializers.CharField()
    label = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.ChoiceField(["number", "span", "share"])
    value = serializers.FloatField(allow_null=True)


class BoardRowShape(serializers.Serializer):
    department = serializers.SlugField()
    name = serializers.CharField()
    new = serializers.IntegerField()
    open = serializers.IntegerField()
    overdue = serializers.IntegerField()
    unassigned = serializers.IntegerField()
    waiting = serializers.IntegerField()
    waits_since = serializers.DateTimeField(allow_null=True)
    hours = serializers.ListField(child=serializers.IntegerField())


class HandedShape(serializers.Serializer):
    giver = serializers.SlugField()
    taker = serializers.SlugField()
    number = serializers.IntegerField()


class OverviewShape(serializers.Serializer):
    at = serializers.DateTimeField()
    figures = FigureShape(many=True)
    departments = BoardRowShape(many=True)
    hand_offs = HandedShape(many=True)


class Overview(APIView):
    """The board of whoever asks: a coordinator's or an admin's, or a lead's over the departments that they lead."""

    @extend_schema(operation_id="reports_overview", responses=OverviewShape)
    def get(self, request):
        if not has_board(rights(request.user)):
            raise Http404
        board = Board(Desk(request.user))
        told = {
            "at": board.sight.now,
            "figures": [_figure(each, board.sight) for each in METRICS.values()],
            "departments": [_department(row) for row in board.rows],
            "hand_offs": [
                {"giver": flow.giver.slug, "taker": flow.taker.slug, "number": flow.number} for flow in board.flows
            ],
        }
        return Response(OverviewShape(told).data)


def _figure(metric: Metric, sight: Sight) -> dict:
    names = ("key", "label", "definition", "unit")
    return {name: getattr(metric, name) for name in names} | {"value": _plain(metric.value(sight))}


def _plain(value: Value) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _department(row: Row) -> dict:
    numbers = {figure.metric.key: figure.value for figure in row.figures}
    return {"department": row.department.slug, "name": row.department.name, **numbers,
            "waits_since": row.late.oldest, "hours": row.hours}  # fmt: skip
