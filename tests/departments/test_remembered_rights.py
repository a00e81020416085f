"""Rights are remembered by a process, and never longer than they hold."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from departments import actions, roles
from departments.access import may, rights
from departments.models import User
from departments.roles import HouseRole, Role

pytestmark = pytest.mark.django_db(transaction=True)


def again(person: User) -> User:
    """The person as the next request reads them."""
    return User.objects.get(pk=person.pk)


def test_the_next_request_of_an_unchanged_person_does_not_ask_again(carl):
    rights(again(carl))
    next_time = again(carl)
    with CaptureQueriesContext(connection) as asked:
        assert rights(next_time).roles
    assert not asked.captured_queries


def test_a_role_that_is_given_or_taken_counts_on_the_next_request(carl, pr):
    assert not may(again(carl), "view_queue", pr)
    actions.give_role(carl, pr, Role.READER, by="system")
    assert may(again(carl), "view_queue", pr)
    actions.take_role(carl, pr, by="system")
    assert not may(again(carl), "view_queue", pr)


def test_a_role_of_the_house_counts_on_the_next_request(carl):
    assert not rights(again(carl)).coordinator
    actions.give_house_role(carl, HouseRole.COORDINATOR, by="system")
    assert rights(again(carl)).coordinator
    actions.take_house_role(carl, HouseRole.COORDINATOR, by="system")
    assert not rights(again(carl)).coordinator


def test_what_was_rolled_back_is_not_remembered(carl, pr, marketing):
    """The epoch that was rolled back is given again to the next change."""
    with transaction.atomic():
        roles.give(carl, pr, Role.LEAD)
        assert may(again(carl), "view_queue", pr)
        transaction.set_rollback(True)
    actions.give_role(carl, marketing, Role.READER, by="system")
    assert not may(again(carl), "view_queue", pr)
    assert may(again(carl), "view_queue", marketing)


def test_a_closed_account_has_no_rights_however_well_they_were_known(carl, customer_service):
    assert may(again(carl), "view_queue", customer_service)
    actions.deactivate(carl, by="system")
    assert not may(again(carl), "view_queue", customer_service)
