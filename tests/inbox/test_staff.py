"""When departments close and people leave, nothing is left with nobody."""

import pytest
from django.core.exceptions import ValidationError

from departments import actions as staff
from departments.models import AuditEntry, User
from departments.roles import HouseRole, Role
from inbox import actions
from tests.make import make_item

pytestmark = pytest.mark.django_db


def again(thing):
    return type(thing).objects.get(pk=thing.pk)


@pytest.fixture
def item(carl, customer_service):
    """An item of customer service's that Carl has in hand."""
    return actions.take(make_item(), by=carl)


def test_what_carl_had_in_hand_is_for_anybody_when_his_account_is_closed(item, carl, ada):
    staff.deactivate(carl, by=ada)
    assert again(item).assignee is None and again(item).version == item.version + 1
    assert AuditEntry.objects.filter(verb="item_unassigned", by=ada, conversation_id=item.conversation_id).exists()


@pytest.mark.parametrize("change", ["ended", "reader"])
def test_what_carl_had_in_hand_is_for_anybody_when_he_no_longer_works_there(
    item, carl, carla, customer_service, change
):
    if change == "ended":
        staff.take_role(carl, customer_service, by=carla)
    else:
        staff.give_role(carl, customer_service, Role.READER, by=carla)
    assert again(item).assignee is None


def test_what_mia_has_in_hand_elsewhere_stays_with_her(mia, ada, triage, marketing):
    here, there = (make_item(department=each) for each in ("triage", "marketing"))
    for each in (here, there):
        actions.take(each, by=mia)
    staff.take_role(mia, triage, by=ada)
    assert again(here).assignee is None and again(there).assignee == mia


def test_cora_puts_back_what_she_had_in_hand_as_coordinator(cora, ada):
    item = make_item(department="pr")
    actions.take(item, by=cora)
    staff.take_house_role(cora, HouseRole.COORDINATOR, by=ada)
    assert again(item).assignee is None


def test_what_is_resolved_stays_carls(item, carl, ada):
    actions.resolve(item, "no_reply_needed", by=carl)
    staff.deactivate(carl, by=ada)
    assert again(item).assignee == User.objects.get(pk=carl.pk)


def test_a_department_is_not_closed_over_unresolved_work(item, carl, ada, customer_service, monkeypatch):
    from inbox.staff import holds_work

    monkeypatch.setattr(staff, "_objections", [holds_work])
    with pytest.raises(ValidationError, match="Not everything that lies in Customer service is resolved"):
        staff.close_department(customer_service, by=ada)
    actions.resolve(item, "no_reply_needed", by=carl)
    staff.close_department(customer_service, by=ada)
    assert again(customer_service).closed_at
