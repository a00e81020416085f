"""Versions for programs: compared, tried on what came in before, run in the shadow, carried out and in."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, parsers, renderers, serializers, status
from rest_framework.response import Response

from departments.api import CursorPages, StrictSerializer
from departments.models import ApiToken, Department
from routing import actions, notation, shadowing, shapes
from routing.api import DecisionShape, RulesView, VersionShape
from routing.backtest import still_seen
from routing.comparing import Change, compare
from routing.models import BackTest, RuleSetVersion

READ = ApiToken.Scope.READ


# What goes in and out -------------------------------------------------------------------------------------------
class Scope(StrictSerializer):
    days = serializers.IntegerField(required=False, min_value=1, max_value=BackTest.MOST["days"])
    posts = serializers.IntegerField(required=False, min_value=1, max_value=BackTest.MOST["posts"])


class ResultShape(serializers.Serializer):
    messages = serializers.IntegerField()
    conversations = serializers.IntegerField()
    moved = serializers.IntegerField()
    otherwise = serializers.IntegerField(help_text="Lie where they lie, and differ in something else")
    matrix = serializers.ListField(
        child=serializers.ListField(), help_text="From, to, how many: departments, or `none` for probably nothing"
    )
    moved_list = serializers.ListField(child=serializers.JSONField())
    otherwise_list = serializers.ListField(child=serializers.JSONField())
    rules = serializers.ListField(child=serializers.JSONField())
    load = serializers.ListField(child=serializers.JSONField())
    accuracy = serializers.JSONField()
    days = serializers.FloatField()
    seconds = serializers.FloatField()


class BackTestShape(serializers.Serializer):
    id = serializers.UUIDField()
    url = serializers.CharField()
    rule_set = serializers.UUIDField()
    version = serializers.IntegerField()
    against = serializers.IntegerField(allow_null=True)
    scope = serializers.JSONField()
    state = serializers.ChoiceField(BackTest.State.choices)
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    trouble = serializers.CharField()
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    result = ResultShape(allow_null=True)


class ChangeShape(serializers.Serializer):
    uid = serializers.CharField()
    name = serializers.CharField()
    what = serializers.ListField(child=serializers.CharField())
    before = serializers.CharField()
    after = serializers.CharField()
    old_place = serializers.IntegerField()
    new_place = serializers.IntegerField()


class CompareShape(serializers.Serializer):
    number = serializers.IntegerField()
    against = serializers.IntegerField(allow_null=True)
    changes = ChangeShape(many=True)


class ShadowShape(serializers.Serializer):
    since = serializers.DateTimeField()
    evaluated = serializers.IntegerField()
    differing = serializers.IntegerField()
    newest = DecisionShape(many=True)


WITH = OpenApiParameter("with", OpenApiTypes.INT, description="A version’s number; without it the live one")


class Newest(CursorPages):
    ordering = ("-asked_at", "-id")


def shape(trial: BackTest, user) -> dict[str, Any]:
    """A trial as programs read it; its lists without what the person may not see any more."""
    return {
        "id": trial.pk,
        "url": reverse("api-back-test", args=[trial.pk]),
        "rule_set": trial.version.rule_set_id,
        "version": trial.version.number,
        "against": trial.against.number if trial.against else None,
        "scope": trial.scope,
        "state": trial.state,
        "done": trial.done,
        "total": trial.total,
        "trouble": trial.trouble,
        "asked_at": trial.asked_at,
        "finished_at": trial.finished_at,
        "result": _result(trial, user),
    }


def _result(trial: BackTest, user) -> dict[str, Any] | None:
    """None until it is done, and once the asker's rights are others: it might count what they may not see now."""
    if trial.state != BackTest.State.DONE or trial.result["rights"] != user.permission_epoch:
        return None
    seen = still_seen(trial, user)
    lists = {
        name: [row for row in trial.result[name] if row["message"] in seen] for name in ("moved_list", "otherwise_list")
    }
    return {name: trial.result[name] for name in ResultShape().fields} | lists


def _change(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in ChangeShape().fields} | {"what": list(change.what)}


# The doors ------------------------------------------------------------------------------------------------------
class AskBackTest(RulesView):
    @extend_schema(request=Scope, responses={202: BackTestShape}, operation_id="rule_sets_versions_backtest")
    def post(self, request, pk, number):
        """Try a version on what came in before, of what the caller may see: `{"days": 30}` or `{"posts": 10000}`."""
        trial = actions.back_test(self.version(pk, number), dict(self.given(Scope)), by=request.user)
        return Response(shape(trial, request.user), status=status.HTTP_202_ACCEPTED)


class BackTests(RulesView):
    @extend_schema(operation_id="back_tests_list", responses=BackTestShape(many=True))
    def get(self, request):
        """The caller’s own back-tests, newest first."""
        pages = Newest()
        found = pages.paginate_queryset(_trials(request.user), request, view=self)
        return pages.get_paginated_response([shape(each, request.user) for each in found])


class OneBackTest(RulesView):
    @extend_schema(operation_id="back_tests_retrieve", responses=BackTestShape)
    def get(self, request, pk):
        """How far it is, and what came of it."""
        return Response(shape(get_object_or_404(_trials(request.user), pk=pk), request.user))


class CancelBackTest(RulesView):
    @extend_schema(request=None, responses=BackTestShape)
    def post(self, request, pk):
        """End it before it is done."""
        trial = actions.cancel_back_test(get_object_or_404(_trials(request.user), pk=pk), by=request.user)
        return Response(shape(trial, request.user))


def _trials(user):
    return BackTest.objects.visible_to(user).select_related("version", "against")


class Shadow(RulesView):
    scopes = RulesView.scopes | {"DELETE": ApiToken.Scope.CONFIGURE}

    @extend_schema(responses=ShadowShape, operation_id="rule_sets_versions_shadow_retrieve")
    def get(self, request, pk, number):
        """What a version in the shadow would have decided otherwise; a version that never was there has none (404)."""
        version = self.version(pk, number)
        if version.shadow_since is None:
            raise exceptions.NotFound
        seen = shadowing.seen(version, request.user)
        newest = [shapes.decision(beside) for beside, _ in seen.newest(50)]
        told = {"since": version.shadow_since, "evaluated": seen.evaluated, "differing": seen.differing}
        return Response(told | {"newest": newest})

    @extend_schema(request=None, responses=VersionShape)
    def post(self, request, pk, number):
        """Evaluate a draft beside the live version on all that comes in."""
        return Response(shapes.version(actions.shadow(self.version(pk, number), by=request.user)))

    @extend_schema(request=None, responses=VersionShape)
    def delete(self, request, pk, number):
        """End that."""
        return Response(shapes.version(actions.unshadow(self.version(pk, number), by=request.user)))


class Compare(RulesView):
    @extend_schema(
        responses=CompareShape,
        parameters=[
            OpenApiParameter("with", OpenApiTypes.INT, description="A version’s number; without it the live one")
        ],
    )
    def get(self, request, pk, number):
        """What this version changes against another one, rule by rule, as sentences."""
        new = self.version(pk, number)
        asked = request.query_params.get("with", "")
        if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 9):
            raise exceptions.ValidationError({"with": "This is no version’s number."})
        old = self.version(pk, int(asked)) if asked else new.rule_set.live
        names = dict(Department.objects.values_list("slug", "name"))
        changes = compare(old.rules if old else [], new.rules, names)
        told = {"number": new.number, "against": old.number if old else None}
        return Response(told | {"changes": [_change(each) for each in changes]})


class Yaml(parsers.BaseParser):
    """A body that is YAML, as bytes."""

    media_type = "application/yaml"

    def parse(self, stream, media_type=None, parser_context=None):
        return stream.read(notation.MOST_BYTES + 1)


class Export(RulesView):
    @extend_schema(responses={(200, "application/yaml"): OpenApiTypes.STR})
    def get(self, request, pk, number):
        """A version’s rules as YAML."""
        return HttpResponse(notation.as_yaml(self.version(pk, number)), content_type="application/yaml; charset=utf-8")


class Document(StrictSerializer):
    yaml = serializers.CharField(max_length=notation.MOST_BYTES)


class Import(RulesView):
    parser_classes = [parsers.JSONParser, Yaml]
    renderer_classes = [renderers.JSONRenderer]

    @extend_schema(
        request={"application/yaml": OpenApiTypes.STR, "application/json": Document}, responses={201: VersionShape}
    )
    def post(self, request, pk):
        """Draft a version of the rules in a YAML document: as the body itself, or as `{"yaml": …}`."""
        said = request.data if isinstance(request.data, bytes) else self.given(Document)["yaml"]
        rule_set, rules = self.rule_set(pk), notation.rules_in(said)
        made: RuleSetVersion = actions.draft(rule_set, rules, by=request.user, why="Imported")
        return Response(shapes.version(made), status=status.HTTP_201_CREATED)
