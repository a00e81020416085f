"""The house gives out a department's work: to whom, why, and that what people hold is counted right."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from departments.models import AuditEntry, User
from departments.roles import Role, give
from inbox import actions
from inbox.models import Conversation, QueueItem
from routing import assignment
from routing.models import Assignment, AssignmentPolicy, Capacity, LoadChange
from tests.make import find, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_carl_and_carla(house):
    """Customer service has its work given out; Mia, who helps there, takes what she likes."""
    takes("mia", 0)


def gives_out(department="customer-service", **more) -> AssignmentPolicy:
    return AssignmentPolicy.objects.update_or_create(department=find(department), defaults={"on": True, **more})[0]


def takes(name, most=None, department="customer-service", **more) -> Capacity:
    person = User.objects.get(username=name)
    return Capacity.objects.update_or_create(department=find(department), user=person, defaults={"most": most, **more})[0]


def has(item) -> str:
    item.refresh_from_db()
    return item.assignee.username if item.assignee else "nobody"


def why(item) -> str:
    return Assignment.objects.running().get(item=item).because


def held(name, department="customer-service") -> int:
    return Capacity.objects.with_held().get(department=find(department), user__username=name).held


# Whom -----------------------------------------------------------------------------------------------------------
def test_the_least_busy_gets_it_and_everybody_reads_why(carl, carla):
    gives_out(capacity=4)
    takes("carl", 2)
    first, second, third = make_item(), make_item(author="ben"), make_item(author="cleo")
    actions.take(first, by=carl)
    assert assignment.assign_waiting() == 2
    assert (has(second), has(third)) == ("carla", "carla")  # 0 of 4, then 1 of 4: both less than Carl's 1 of 2
    told = AuditEntry.objects.get(verb="item_given", conversation_id=third.conversation_id)
    assert str(told.facts["because"]) == why(third) == "Carla Mendes has most room (1 of 4)"
    assert assignment.assign_waiting() == 0
