"""Channels for programs: how they are, what they fetched, and the door through which posts are pushed in."""

from django.core.exceptions import ValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors import actions, connecting, normalise, polling
from connectors.contract import TakeIn
from connectors.doors import find, find_for, may_configure, may_inspect, may_steer
from connectors.models import Channel, FetchRun, QuarantinedPost
from departments.access import rights
from departments.api import CursorPages, StrictSerializer
from departments.models import ApiToken, Department

MOST_POSTS = 500
CONFIGURE, READ, POSTS = ApiToken.Scope.CONFIGURE, ApiToken.Scope.READ, ApiToken.Scope.POSTS


# What goes in and out -------------------------------------------------------------------------------------------


class ChannelShape(serializers.ModelSerializer):
    """A channel as it is. Credentials never come out; settings only for those who run the house."""

    health = serializers.CharField(source="in_words", read_only=True)
    frozen = serializers.BooleanField(source="is_frozen", read_only=True)
    ends_at = serializers.DateTimeField(read_only=True, allow_null=True)
    speakers = serializers.SlugRelatedField("slug", many=True, read_only=True)
    monitors = serializers.SlugRelatedField("slug", many=True, read_only=True)

    class Meta:
        model = Channel
        fields = [
            "id", "slug", "name", "network", "settings", "state", "state_reason", "health", "failures",
            "trouble", "failing_since", "poll_seconds", "next_poll_at", "last_ok_at", "last_post_at", "ends_at",
            "progress", "frozen", "speakers", "monitors", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, channel):
        said = super().to_representation(channel)
        if not may_inspect(rights(self.context["request"].user)):
            del said["settings"]
        return said


class ChannelChange(StrictSerializer):
    """What may be changed; `settings` names only those that change, null sets one back to its default."""

    name = serializers.CharField(max_length=80, required=False)
    settings = serializers.DictField(child=serializers.JSONField(allow_null=True), required=False)
    credentials = serializers.DictField(child=serializers.CharField(), required=False, write_only=True)
    speakers = serializers.SlugRelatedField("slug", many=True, queryset=Department.objects.open(), required=False)
    monitors = serializers.SlugRelatedField("slug", many=True, queryset=Department.objects.open(), required=False)


class NewChannel(ChannelChange):
    network = serializers.CharField(max_length=30)
    slug = serializers.SlugField(max_length=50)
    name = serializers.CharField(max_length=80)


class FetchRunShape(serializers.ModelSerializer):
    class Meta:
        model = FetchRun
        fields = [
            "id", "via", "started", "finished", "outcome", "read", "taken_in", "duplicates", "changed",
            "quarantined", "gap", "gap_since", "gap_until", "gap_closed_at", "used", "detail",
        ]  # fmt: skip


class QuarantineShape(serializers.ModelSerializer):
    """Reason and metadata; what the post says is shown to nobody."""

    size = serializers.IntegerField(read_only=True)

    class Meta:
        model = QuarantinedPost
        fields = ["id", "reason", "received_at", "size", "attempts", "replay_asked_at", "fetch_run"]


class TriedShape(serializers.Serializer):
    """What trying a connection found; `works` is false also when something that we need is not granted."""

    at = serializers.DateTimeField()
    works = serializers.BooleanField()
    sentence = serializers.CharField()
    account = serializers.CharField()
    granted = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())
    ends = serializers.DateTimeField(allow_null=True)
    todo = serializers.CharField()


class PushedPosts(StrictSerializer):
    posts = serializers.ListField(child=serializers.JSONField(), max_length=MOST_POSTS, allow_empty=True)


class RefusedShape(serializers.Serializer):
    index = serializers.IntegerField()
    reason = serializers.CharField()


class PushedShape(serializers.Serializer):
    taken_in = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    quarantined = RefusedShape(many=True)


class ByName(CursorPages):
    ordering = ("name", "id")


class NewestRuns(CursorPages):
    ordering = ("-started", "-id")


class NewestQuarantined(CursorPages):
    ordering = ("-received_at", "-id")


class NotNow(exceptions.APIException):
    """The channel is not in a state for this: 409."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


# The doors ------------------------------------------------------------------------------------------------------


class ChannelView(APIView):
    """What all of them do alike."""

    def shown(self, request: Request, channel: Channel, code: int = 200) -> Response:
        return Response(ChannelShape(channel, context={"request": request}).data, status=code)

    def pages(self, request: Request, rows, pagination: type[CursorPages], shape) -> Response:
        pages = pagination()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(shape(page, many=True, context={"request": request}).data)


def given(serializer: type[StrictSerializer], request: Request) -> dict:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return asked.validated_data


class Channels(ChannelView):
    scopes = {"POST": CONFIGURE}

    @extend_schema(operation_id="channels_list", responses=ChannelShape(many=True))
    def get(self, request):
        """Every channel that the caller may know of."""
        return self.pages(request, Channel.objects.visible_to(request.user).with_people(), ByName, ChannelShape)

    @extend_schema(request=NewChannel, responses={201: ChannelShape})
    def post(self, request):
        """Open a channel. Admins only."""
        if not may_configure(rights(request.user)):
            raise exceptions.PermissionDenied("Only an admin opens channels.")
        channel = actions.open_channel(**given(NewChannel, request), by=request.user)
        set_up(channel)
        return self.shown(request, channel, status.HTTP_201_CREATED)


class OneChannel(ChannelView):
    scopes = {"PATCH": CONFIGURE}

    @extend_schema(operation_id="channels_retrieve", responses=ChannelShape)
    def get(self, request, slug):
        return self.shown(request, find(request.user, slug))

    @extend_schema(request=ChannelChange, responses=ChannelShape)
    def patch(self, request, slug):
        """Change name, settings, credentials or departments. Admins only."""
        channel = find_for(may_configure, request.user, slug)
        said = given(ChannelChange, request)
        change(channel, said, by=request.user)
        if "credentials" in said:
            set_up(Channel.objects.get(pk=channel.pk))
        return self.shown(request, find(request.user, slug))


@transaction.atomic
def change(channel: Channel, said: dict, *, by) -> None:
    """Each verb for what was said, all or nothing."""
    if "name" in said or "settings" in said:
        settings = channel.settings | said.get("settings", {})
        settings = {name: value for name, value in settings.items() if value is not None}
        actions.change_channel(channel, name=said.get("name"), settings=settings, by=by)
    if "credentials" in said:
        actions.connect_again(channel, credentials=said["credentials"], by=by)
    if "speakers" in said or "monitors" in said:
        speakers = said.get("speakers", channel.speakers.all())
        actions.set_departments(
            channel, speakers=speakers, monitors=said.get("monitors", channel.monitors.all()), by=by
        )


def set_up(channel: Channel) -> None:
    """Have a network that delivers do so, now that we have its credentials. What went wrong stands beside the
    channel."""
    if channel.sealed and channel.offers.hooks:
        connecting.set_up(channel)


class Poll(ChannelView):
    scopes = {"POST": CONFIGURE}

    @extend_schema(request=None, responses={202: ChannelShape})
    def post(self, request, slug):
        """Look at the network now. Answers at once; what comes of it stands in the fetch runs."""
        channel = find_for(may_steer, request.user, slug)
        try:
            actions.poll_now(channel, by=request.user)
        except ValidationError as refused:
            raise NotNow(" ".join(refused.messages)) from None
        return self.shown(request, find(request.user, slug), status.HTTP_202_ACCEPTED)


class Check(ChannelView):
    scopes = {"POST": CONFIGURE}

    @extend_schema(request=None, responses=TriedShape)
    def post(self, request, slug):
        """Try the connection: which account it is, what the network granted, what is missing and what to do about it.
        Takes nothing in. Admins only."""
        channel = find_for(may_configure, request.user, slug)
        return Response(TriedShape(connecting.try_out(channel)).data)


class Runs(ChannelView):
    @extend_schema(operation_id="channels_fetch_runs_list", responses=FetchRunShape(many=True))
    def get(self, request, slug):
        """The ledger of this channel, newest first."""
        channel = find_for(may_inspect, request.user, slug)
        return self.pages(request, channel.runs.all(), NewestRuns, FetchRunShape)


class Quarantine(ChannelView):
    @extend_schema(operation_id="channels_quarantine_list", responses=QuarantineShape(many=True))
    def get(self, request, slug):
        """What could not be read and waits for a person, newest first."""
        channel = find_for(may_inspect, request.user, slug)
        return self.pages(request, channel.quarantine.waiting().described(), NewestQuarantined, QuarantineShape)


class Posts(ChannelView):
    """Push posts into a channel. `take_in` is handed in where the addresses are put together."""

    scopes = {"POST": POSTS}
    take_in: TakeIn | None = None

    @extend_schema(request=PushedPosts, responses=PushedShape)
    def post(self, request, slug):
        """Up to 500 posts; each is taken in, known already, or put into quarantine with the reason. Pushing them
        again adds nothing."""
        channel = find_for(may_steer, request.user, slug)
        if channel.state == Channel.State.PAUSED:
            raise NotNow("This channel is paused; push the posts again when it is resumed.")
        read = [normalise.post_from(each) for each in given(PushedPosts, request)["posts"]]
        run, refused = polling.receive(channel, read, self.take_in, batch=MOST_POSTS)
        quarantined = [{"index": place, "reason": reason} for place, reason in refused]
        return Response(
            {"taken_in": run.taken_in, "duplicates": run.duplicates + run.changed, "quarantined": quarantined}
        )
