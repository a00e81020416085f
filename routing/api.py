"""Rules for programs: the sets and their versions, what a post would meet, and what was decided of a conversation."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.models import Channel
from departments.access import NOTHING, rights
from departments.api import CursorPages, StrictSerializer
from departments.models import ApiToken
from inbox.models import Conversation
from routing import actions, rules, shapes
from routing.conditions import Refused
from routing.engine import live_rule_sets
from routing.models import Decision, RuleSet, RuleSetVersion
from routing.previewing import preview

MOST_POSTS = 500
CONFIGURE, READ = ApiToken.Scope.CONFIGURE, ApiToken.Scope.READ


# What goes in and out -------------------------------------------------------------------------------------------
class VersionShape(serializers.Serializer):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(RuleSetVersion.State.choices)
    why = serializers.CharField()
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField(allow_null=True, help_text="Null: shipped with the house, or not published")
    rules = serializers.ListField(child=serializers.JSONField(), required=False)


class RuleSetShape(serializers.Serializer):
    id = serializers.UUIDField()
    department = serializers.SlugField(allow_null=True, help_text="Null: for everybody")
    name = serializers.CharField()
    may_edit = serializers.BooleanField()
    versions = VersionShape(many=True)


class NewVersion(StrictSerializer):
    rules = serializers.ListField(child=serializers.JSONField(), max_length=2000)
    why = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class Posts(StrictSerializer):
    posts = serializers.ListField(child=serializers.JSONField(), max_length=MOST_POSTS)
    channel = serializers.SlugField(required=False)


class RuleShape(serializers.Serializer):
    uid = serializers.CharField()
    name = serializers.CharField()


class AlsoShape(RuleShape):
    version = serializers.UUIDField()
    because = serializers.CharField()


class MissShape(serializers.Serializer):
    rule = serializers.CharField()
    because = serializers.CharField()


class DecidedShape(serializers.Serializer):
    department = serializers.SlugField()
    source = serializers.ChoiceField(Decision.Source.choices)
    rule = RuleShape(allow_null=True)
    label = serializers.CharField()
    because = serializers.CharField()
    spans = serializers.ListField(
        child=serializers.ListField(), help_text="Where the reason stands: title or text, start, end, the rule’s term"
    )
    also_matched = AlsoShape(many=True)
    joins = serializers.ListField(child=serializers.SlugField())
    priority = serializers.IntegerField()
    tags = serializers.ListField(child=serializers.CharField())
    probably_nothing = serializers.BooleanField()
    broken = serializers.ListField(child=serializers.CharField(), help_text="Rules that could not be asked")
    versions = serializers.ListField(child=serializers.UUIDField())
    model = serializers.UUIDField(allow_null=True, help_text="Null: no model read it")
    guesses = serializers.ListField(
        child=serializers.ListField(), help_text="The best two of the model: department or none, and how likely"
    )


class DecisionShape(DecidedShape):
    message = serializers.UUIDField()
    revision = serializers.IntegerField()
    mode = serializers.ChoiceField(Decision.Mode.choices)
    at = serializers.DateTimeField()


class VerdictShape(DecidedShape):
    language = serializers.CharField()
    why_not = serializers.DictField(child=MissShape(many=True))


class PreviewShape(serializers.Serializer):
    decisions = serializers.ListField(
        child=VerdictShape(), help_text="In the order of the posts; one that can not be read has only an `error`"
    )


class NewestDecisions(CursorPages):
    ordering = ("-at", "-id")


# The doors ------------------------------------------------------------------------------------------------------
class RulesView(APIView):
    """What all of them do alike."""

    scopes = {"POST": CONFIGURE}

    def handle_exception(self, exc):
        return super().handle_exception(exceptions.ValidationError(exc.problems) if isinstance(exc, Refused) else exc)

    def rule_set(self, pk) -> RuleSet:
        return get_object_or_404(_rule_sets(self.request.user), pk=pk)

    def version(self, pk, number: int) -> RuleSetVersion:
        versions = self.rule_set(pk).versions.select_related("rule_set__department", "published_by")
        return get_object_or_404(versions, number=number)

    def given(self, serializer: type[StrictSerializer]) -> dict:
        asked = serializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return asked.validated_data


def _rule_sets(user):
    return RuleSet.objects.visible_to(user).select_related("department").prefetch_related("versions__published_by")


class RuleSets(RulesView):
    @extend_schema(operation_id="rule_sets_list", responses=RuleSetShape(many=True))
    def get(self, request):
        """The house's rules, and the own rules of departments that the caller may see."""
        found = _rule_sets(request.user).in_order()
        results = [shapes.rule_set(each, may_edit=actions.may_edit(request.user, each)) for each in found]
        return Response({"next": None, "previous": None, "results": results})


class Schema(RulesView):
    @extend_schema(operation_id="rule_sets_schema", responses=OpenApiTypes.OBJECT)
    def get(self, request):
        """The form of the list of rules that a version holds, as JSON Schema."""
        return Response(rules.schema())


class OneRuleSet(RulesView):
    @extend_schema(operation_id="rule_sets_retrieve", responses=RuleSetShape)
    def get(self, request, pk):
        found = self.rule_set(pk)
        return Response(shapes.rule_set(found, may_edit=actions.may_edit(request.user, found)))


class Versions(RulesView):
    @extend_schema(request=NewVersion, responses={201: VersionShape})
    def post(self, request, pk):
        """Draft a version. It is not in force until it is published."""
        version = actions.draft(self.rule_set(pk), **self.given(NewVersion), by=request.user)
        return Response(shapes.version(version), status=status.HTTP_201_CREATED)


class OneVersion(RulesView):
    @extend_schema(operation_id="rule_sets_versions_retrieve", responses=VersionShape)
    def get(self, request, pk, number):
        return Response(shapes.version(self.version(pk, number)))


class Publish(RulesView):
    @extend_schema(request=None, responses=VersionShape)
    def post(self, request, pk, number):
        """Put a version in force: a draft, or one in the shadow, as it is; an old version as a new one with the same
        rules."""
        version = self.version(pk, number)
        if version.state in (RuleSetVersion.State.DRAFT, RuleSetVersion.State.SHADOW):
            return Response(shapes.version(actions.publish_draft(version, by=request.user)))
        return Response(shapes.version(actions.restore(version, by=request.user)))


class Preview(RulesView):
    scopes = {"POST": READ}

    @extend_schema(request=Posts, responses=PreviewShape)
    def post(self, request):
        """What the live rules would decide of these posts. Nothing is stored."""
        if rights(request.user) == NOTHING:
            raise exceptions.PermissionDenied("Only people who work here try rules.")
        asked, rule_sets = self.given(Posts), live_rule_sets()
        decisions = preview(asked["posts"], rule_sets, self._channel(asked.get("channel")))
        found = [{"error": each} if isinstance(each, str) else shapes.verdict(each, rule_sets) for each in decisions]
        return Response({"decisions": found})

    def _channel(self, slug: str | None) -> Channel | None:
        return get_object_or_404(Channel.objects.visible_to(self.request.user), slug=slug) if slug else None


class Decisions(RulesView):
    @extend_schema(operation_id="conversations_decisions_list", responses=DecisionShape(many=True))
    def get(self, request, pk):
        """What was decided of each message of a conversation, newest first."""
        if not Conversation.objects.visible_to(request.user).filter(pk=pk).exists():
            raise Http404
        found = Decision.objects.live().filter(message__conversation=pk).select_related("department")
        pages = NewestDecisions()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response([shapes.decision(each) for each in page])
