"""Lists of people and campaigns for programs: read by who reads rules, kept by coordinator and admin."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from departments.api import StrictSerializer
from departments.models import ApiToken
from inbox.api import Conflict
from inbox.errors import Refused
from routing.lists import actions
from routing.models import AuthorList, Campaign

CONFIGURE = ApiToken.Scope.CONFIGURE


# What goes in and out ---------------------------------------------------------------------------------------------
class UseShape(serializers.Serializer):
    uid = serializers.CharField()
    name = serializers.CharField()
    rule_set = serializers.UUIDField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(["live", "shadow"])


class ListShape(serializers.Serializer):
    slug = serializers.SlugField()
    name = serializers.CharField()
    handles = serializers.ListField(child=serializers.CharField())
    used_by = UseShape(many=True)


class ListsShape(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ListShape(many=True)


class CampaignShape(serializers.Serializer):
    slug = serializers.SlugField()
    name = serializers.CharField()
    hashtags = serializers.ListField(child=serializers.CharField())
    links = serializers.ListField(child=serializers.CharField())
    begins_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    used_by = UseShape(many=True)


class CampaignsShape(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = CampaignShape(many=True)


class ListSaid(StrictSerializer):
    name = serializers.CharField(max_length=80)
    handles = serializers.ListField(
        child=serializers.CharField(max_length=240), max_length=20_000, help_text="`x:somebody`: on X alone"
    )


class NewList(ListSaid):
    slug = serializers.SlugField(max_length=50, required=False)


class CampaignSaid(StrictSerializer):
    name = serializers.CharField(max_length=80)
    hashtags = serializers.ListField(child=serializers.CharField(max_length=110), required=False, default=list)
    links = serializers.ListField(child=serializers.CharField(max_length=310), required=False, default=list)
    begins_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    ends_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class NewCampaign(CampaignSaid):
    slug = serializers.SlugField(max_length=50, required=False)


def _shown(found: AuthorList | Campaign, uses: dict[str, list[actions.Use]]) -> dict[str, Any]:
    named = ("slug", "name", "handles") if isinstance(found, AuthorList) else _OF_CAMPAIGN
    used = [
        {"uid": use.uid, "name": use.name, "rule_set": use.version.rule_set_id, "version": use.version.number,
         "state": use.version.state}
        for use in uses.get(found.slug, ())
    ]  # fmt: skip
    return {name: getattr(found, name) for name in named} | {"used_by": used}


_OF_CAMPAIGN = ("slug", "name", "hashtags", "links", "begins_at", "ends_at")


# The doors --------------------------------------------------------------------------------------------------------
class _View(APIView):
    scopes = {"POST": CONFIGURE, "PUT": CONFIGURE, "DELETE": CONFIGURE}
    model: type[AuthorList] | type[Campaign]

    def handle_exception(self, exc):
        if isinstance(exc, ValidationError):
            exc = exceptions.ValidationError(exc.message_dict if hasattr(exc, "error_dict") else exc.messages)
        return super().handle_exception(exc)

    def seen(self):
        return self.model.objects.visible_to(self.request.user)

    def one(self, slug: str):
        return get_object_or_404(self.seen(), slug=slug)

    def given(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        asked = serializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return asked.validated_data

    def keepers_only(self) -> None:
        """For those who read no rules there is nothing here; others may know of it."""
        if not self.model.objects.read_by(self.request.user):
            raise Http404
        if not actions.may_keep(self.request.user):
            raise exceptions.PermissionDenied("Only a coordinator or admin changes lists and campaigns.")

    def listed(self) -> Response:
        uses = actions.uses_of(self.model)
        results = [_shown(each, uses) for each in self.seen()]
        return Response({"next": None, "previous": None, "results": results})

    def shown(self, found, **more: Any) -> Response:
        return Response(_shown(found, actions.uses_of(self.model)), **more)

    def deleted(self, delete, slug: str) -> Response:
        self.keepers_only()
        found = self.one(slug)
        try:
            delete(found, by=self.request.user)
        except ValidationError as used:
            raise Conflict(Refused(" ".join(used.messages))) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class Lists(_View):
    model = AuthorList

    @extend_schema(operation_id="author_lists_list", responses=ListsShape)
    def get(self, request):
        """Lists of people outside that rules may name, and the rules that do."""
        return self.listed()

    @extend_schema(request=NewList, responses={201: ListShape})
    def post(self, request):
        self.keepers_only()
        return self.shown(actions.found_list(**self.given(NewList), by=request.user), status=status.HTTP_201_CREATED)


class OneList(_View):
    model = AuthorList

    @extend_schema(operation_id="author_lists_retrieve", responses=ListShape)
    def get(self, request, slug):
        return self.shown(self.one(slug))

    @extend_schema(request=ListSaid, responses=ListShape)
    def put(self, request, slug):
        """Give it this name and these people, in place of those it had."""
        self.keepers_only()
        return self.shown(actions.change_list(self.one(slug), **self.given(ListSaid), by=request.user))

    @extend_schema(responses={204: None})
    def delete(self, request, slug):
        """Refused with 409 while a rule names it."""
        return self.deleted(actions.delete_list, slug)


class Campaigns(_View):
    model = Campaign

    @extend_schema(operation_id="campaigns_list", responses=CampaignsShape)
    def get(self, request):
        """Campaigns that rules may name, and the rules that do."""
        return self.listed()

    @extend_schema(request=NewCampaign, responses={201: CampaignShape})
    def post(self, request):
        self.keepers_only()
        found = actions.found_campaign(**self.given(NewCampaign), by=request.user)
        return self.shown(found, status=status.HTTP_201_CREATED)


class OneCampaign(_View):
    model = Campaign

    @extend_schema(operation_id="campaigns_retrieve", responses=CampaignShape)
    def get(self, request, slug):
        return self.shown(self.one(slug))

    @extend_schema(request=CampaignSaid, responses=CampaignShape)
    def put(self, request, slug):
        """Give it this name, these hashtags and links and this time, in place of those it had."""
        self.keepers_only()
        return self.shown(actions.change_campaign(self.one(slug), **self.given(CampaignSaid), by=request.user))

    @extend_schema(responses={204: None})
    def delete(self, request, slug):
        """Refused with 409 while a rule names it."""
        return self.deleted(actions.delete_campaign, slug)
