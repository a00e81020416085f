"""Giving out work, for programs."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from departments.access import departments_for, people_of, rights
from departments.api import StrictSerializer
from departments.models import ApiToken, Department
from routing.assignment.arranging import OF_A_PERSON, arrange, arrangement_of, may_arrange, set_capacity, shape
from routing.assignment.forms import LONGEST

NUMBER: dict[str, Any] = {"required": False, "min_value": 0}


class Taker(StrictSerializer):
    username = serializers.CharField(max_length=150)
    most = serializers.IntegerField(
        min_value=0, max_value=1000, allow_null=True, help_text="Open items; null: as the department says."
    )
    languages = serializers.ListField(child=serializers.CharField(max_length=12), help_text="None: any.")
    skills = serializers.ListField(child=serializers.CharField(max_length=50), help_text="Tags of conversations.")


class Arrange(StrictSerializer):
    """Whatever is left out stays as it is."""

    on = serializers.BooleanField(required=False)
    capacity = serializers.IntegerField(max_value=1000, **NUMBER)
    sticky_days = serializers.IntegerField(max_value=365, **NUMBER)
    only_present = serializers.BooleanField(required=False)
    only_in_hours = serializers.BooleanField(required=False)
    relax_after = serializers.IntegerField(max_value=LONGEST, **NUMBER)
    return_after = serializers.IntegerField(max_value=LONGEST, **NUMBER)
    people = Taker(many=True, required=False)


class TakerShape(Taker):
    name = serializers.CharField()
    load = serializers.IntegerField(help_text="Open items that the person holds here now.")
    takes = serializers.IntegerField(help_text="How many of them at most.")
    why_not = serializers.CharField(help_text="Why nothing is given to them now; empty when it may be.")


class NextShape(serializers.Serializer):
    item = serializers.UUIDField()
    to = serializers.CharField(allow_null=True)
    because = serializers.CharField()


class AssignmentShape(Arrange):
    people = TakerShape(many=True)
    next = NextShape(allow_null=True, help_text="Who would get the next item that waits.")


class OneAssignment(APIView):
    scopes = {"PUT": ApiToken.Scope.CONFIGURE}

    @extend_schema(responses=AssignmentShape)
    def get(self, request, slug):
        """How a department gives out its work, what its people hold, and who would get the next item."""
        return Response(shape(arrangement_of(self._department(slug), request.user)))

    @extend_schema(request=Arrange, responses=AssignmentShape)
    def put(self, request, slug):
        """Change it, all or nothing."""
        department = self._department(slug)
        asked = Arrange(data=request.data)
        asked.is_valid(raise_exception=True)
        people = asked.validated_data.pop("people", [])
        with transaction.atomic():
            arrange(department, by=request.user, **asked.validated_data)
            for each in people:
                self._set(department, each)
        return Response(shape(arrangement_of(department, request.user)))

    def _set(self, department: Department, given: dict) -> None:
        person = people_of(department).filter(username=given["username"]).first()
        if person is None:
            raise exceptions.ValidationError({"people": [f"Nobody called “{given['username']}” works here."]})
        set_capacity(department, person, by=self.request.user, **{name: given[name] for name in OF_A_PERSON})

    def _department(self, slug: str) -> Department:
        """Hidden is 404; seen, but not theirs to arrange, 403."""
        user = self.request.user
        seen = Department.objects.open() if rights(user).admin else departments_for(user)
        department = get_object_or_404(seen, slug=slug)
        if not may_arrange(user, department):
            raise exceptions.PermissionDenied(f"Only a lead of {department} arranges how it gives out work.")
        return department
