"""What people do in the inbox becomes what is learnt from, and what they take back does not."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from departments.models import AuditEntry
from inbox import actions, outbox
from inbox.errors import Refused
from inbox.models import QueueItem, Reply
from routing.learning import harvest
from routing.learning.confirming import confirm
from routing.models import Correction
from tests.make import item_of, make_conversation, make_item

pytestmark = pytest.mark.django_db


def taught(conversation):
    """What is known of the message that opened it: (where it belongs, how we know); None: nothing."""
    harvest()
    found = Correction.objects.filter(message__conversation=conversation).select_related("belongs").first()
    return found and (found.belongs.slug if found.belongs else None, found.source)


def handed_on(to, reason="wrong_department", *, by, accepted_by, text="Where is my parcel?"):
    item = make_item(text)
    actions.hand_off(item, to, reason=reason, by=by)
    actions.accept(item_of(item.conversation, to), by=accepted_by)
    return item.conversation


def sent(item, by):
    """A reply that has gone out."""
    message = item.conversation.messages.order_by("received_at").last()
    written = actions.reply(item, "We look after it.", seen=message.pk, by=by)
    Reply.objects.filter(pk=written.pk).update(state="sent", sent_at=timezone.now(), send_after=None)
    return written


def test_an_accepted_hand_off_for_the_wrong_department_teaches_and_a_declined_or_other_one_does_not(
    carl, pia, pr, customer_service
):
    assert taught(handed_on(pr, by=carl, accepted_by=pia)) == ("pr", "hand_off")
    found = Correction.objects.get()
    assert (found.was, found.by) == (customer_service, carl)
    assert taught(handed_on(pr, "expertise", by=carl, accepted_by=pia)) is None

    declined = make_item("Are you hiring?")
    actions.hand_off(declined, pr, reason="wrong_department", by=carl)
    assert taught(declined.conversation) is None
    actions.decline(item_of(declined.conversation, pr), by=pia)
    assert taught(declined.conversation) is None


def test_the_last_hand_off_counts_and_one_back_to_triage_leaves_nothing(carl, pia, mara, cora, pr, marketing, triage):
    conversation = handed_on(pr, by=carl, accepted_by=pia)
    assert taught(conversation) == ("pr", "hand_off")
    actions.hand_off(item_of(conversation, pr), marketing, reason="wrong_department", by=pia)
    actions.accept(item_of(conversation, marketing), by=mara)
    assert taught(conversation) == ("marketing", "hand_off")
    actions.hand_off(item_of(conversation, marketing), triage, reason="wrong_department", by=mara)
    actions.accept(item_of(conversation, triage), by=cora)
    assert taught(conversation) is None
    assert not Correction.objects.exists()


def test_what_is_placed_out_of_triage_teaches_until_it_is_undone(cora, rnd):
    item = make_item("It crashes", "triage")
    actions.move(item, rnd, by=cora)
    assert taught(item.conversation) == ("rnd", "placed")
    item.refresh_from_db()
    actions.undo(item, by=cora)
    assert taught(item.conversation) is None


@pytest.mark.parametrize("resolution", ["no_reply_needed", "spam"])
def test_what_triage_resolves_as_nothing_is_nobodys_until_it_is_opened_again(cora, resolution):
    item = make_item("Lovely weather", "triage")
    actions.resolve(item, resolution, by=cora)
    assert taught(item.conversation) == (None, "placed")
    item.refresh_from_db()
    actions.reopen(item, by=cora)
    assert taught(item.conversation) is None


def test_what_a_department_resolves_without_an_answer_says_nothing(carl):
    item = make_item()
    actions.resolve(item, "no_reply_needed", by=carl)
    assert taught(item.conversation) is None


def test_a_reply_teaches_when_it_is_out_and_a_hand_off_beats_it(carl, pia, pr, customer_service):
    item = make_item()
    written = sent(item, carl)
    assert taught(item.conversation) == ("customer-service", "replied")
    item.refresh_from_db()
    actions.hand_off(item, pr, reason="wrong_department", by=carl)
    actions.accept(item_of(item.conversation, pr), by=pia)
    assert taught(item.conversation) == ("pr", "hand_off")
    assert Correction.objects.count() == 1

    waiting = make_item("And mine?")
    message = waiting.conversation.messages.get()
    actions.reply(waiting, "Soon.", seen=message.pk, by=carl)
    assert taught(waiting.conversation) is None
    assert Reply.objects.get(pk=written.pk).state == outbox.State.SENT


def test_what_rules_placed_teaches_nothing(house):
    assert taught(make_conversation()) is None


# Confirming ---------------------------------------------------------------------------------------------------------
def test_carl_confirms_and_takes_it_back(carl, mia):
    item = make_item()
    for _ in range(2):
        confirm(item.conversation, by=carl)
    assert taught(item.conversation) == ("customer-service", "confirmed")
    assert AuditEntry.objects.filter(verb="routing_confirmed").count() == 1
    confirm(item.conversation, by=mia, yes=False)
    assert taught(item.conversation) is None
    assert AuditEntry.objects.filter(verb="routing_not_confirmed", by=mia).exists()

    confirm(item.conversation, by=carl)
    item.refresh_from_db()
    actions.undo(item, by=carl)
    assert taught(item.conversation) is None


def test_only_who_works_in_the_leading_department_confirms(carl, pia, cora, ada, stranger, triage):
    conversation = make_conversation(joins=("pr",))
    with pytest.raises(PermissionDenied):
        confirm(conversation, by=pia)
    with pytest.raises(PermissionDenied):
        confirm(conversation, by=ada)
    with pytest.raises(Http404):
        confirm(conversation, by=stranger)
    with pytest.raises(Http404):
        confirm(make_conversation("my boss", "hr"), by=cora)
    lying = make_conversation("Hm?", "triage")
    with pytest.raises(Refused):
        confirm(lying, by=cora)
    confirm(make_conversation("Nice day", "triage", probably_nothing=True), by=cora)


def test_a_confirmed_nothing_is_nobodys(cora):
    conversation = make_conversation("Nice day", "triage", probably_nothing=True)
    confirm(conversation, by=cora)
    assert taught(conversation) == (None, "confirmed")


# Reading again ------------------------------------------------------------------------------------------------------
def test_reading_twice_is_reading_once_and_costs_the_same_however_much_is_known(carl, pia, pr):
    handed_on(pr, by=carl, accepted_by=pia)
    assert harvest() == 1
    before = Correction.objects.values().get()
    with CaptureQueriesContext(connection) as few:
        assert harvest() == 0
    assert Correction.objects.values().get() == before
    for number in range(5):
        handed_on(pr, by=carl, accepted_by=pia, text=f"parcel {number}")
    assert harvest() == 5
    with CaptureQueriesContext(connection) as many:
        assert harvest() == 0
    assert len(many) == len(few)
    assert QueueItem.objects.filter(department=pr, lead=True).count() == 6
