"""What people do about conversations, and what they may not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from connectors.contract import Author, Post
from connectors.models import Channel
from departments import audit
from departments.models import AuditEntry
from inbox import actions
from inbox.errors import Refused, SomethingNewer
from inbox.intake import take_in
from inbox.models import Access, Conversation, HandOff, Note, QueueItem, Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel():
    return Channel.objects.create(slug="demo", name="Demo", network="demo")


@pytest.fixture
def ask(channel):
    """Ana asks from outside, and it lies in a department."""

    def ask(department, text="Where is my parcel?", *, id="1", author="ana", **placing):
        post = Post(
            id=id,
            kind="mention",
            text=text,
            author=Author(id=author, handle=author),
            created_at=datetime.now(UTC),
            thread=author,
        )
        take_in(channel, [post])
        conversation = Conversation.objects.get(messages__external_id=id)
        message = conversation.messages.select_related("conversation", "channel", "identity").get(external_id=id)
        actions.place(conversation, department, message=message, because="the text contains “parcel”", **placing)
        return QueueItem.objects.get(conversation=conversation, department=department)

    return ask


def last_sentence(item):
    return audit.sentence(AuditEntry.objects.about(item.conversation_id).last())


def fresh(item):
    return QueueItem.objects.get(pk=item.pk)


def test_carl_takes_an_item_and_it_is_told(ask, customer_service, carl):
    item = actions.take(ask(customer_service), by=carl)
    assert item.assignee == carl
    assert last_sentence(item) == f"{carl} took it for Customer service"


def test_a_rule_that_places_tells_why(ask, customer_service):
    item = ask(customer_service, rule="Parcels")
    assert last_sentence(item) == "The rule “Parcels” put this in Customer service, because the text contains “parcel”"


def test_carl_may_not_give_work_to_others_but_his_lead_may(ask, customer_service, carl, carla):
    item = ask(customer_service)
    with pytest.raises(PermissionDenied):
        actions.assign(item, carla, by=carl)
    assert actions.assign(item, carl, by=carla).assignee == carl


def test_nobody_is_given_work_of_a_department_they_are_not_in(ask, customer_service, carla, pia):
    with pytest.raises(Refused, match="does not work in Customer service"):
        actions.assign(ask(customer_service), pia, by=carla)


def test_pia_can_not_touch_what_she_can_not_see(ask, customer_service, pia):
    item = ask(customer_service)
    for verb in (actions.take, actions.reopen, actions.undo):
        with pytest.raises(Http404):
            verb(item, by=pia)
    assert fresh(item).version == item.version


def test_an_admin_reads_and_does_not_work(ask, customer_service, ada):
    with pytest.raises(PermissionDenied):
        actions.take(ask(customer_service), by=ada)


def test_a_clock_runs_until_it_is_resolved_and_again_when_it_is_reopened(ask, customer_service, carl):
    item = ask(customer_service)
    assert item.due_at - item.waiting_since == timedelta(minutes=customer_service.answer_within)
    item = actions.resolve(item, "no_reply_needed", by=carl)
    assert item.due_at is None
    assert item.clocks.get().stopped_at is not None
    assert actions.reopen(item, by=carl).due_at is not None
    assert item.clocks.count() == 2


def test_urgent_is_due_earlier(ask, customer_service, carl):
    item = ask(customer_service)
    before = item.due_at
    assert actions.prioritise(item, 2, by=carl).due_at < before


def test_a_snoozed_item_comes_back_by_itself(ask, customer_service, carl):
    item = actions.snooze(ask(customer_service), timezone.now() + timedelta(hours=1), by=carl)
    assert item.status == "snoozed"
    assert actions.wake() == 0
    QueueItem.objects.update(snoozed_until=timezone.now())
    assert actions.wake() == 1
    assert fresh(item).status == "open"


def test_nobody_snoozes_into_the_past(ask, customer_service, carl):
    with pytest.raises(Refused, match="has passed"):
        actions.snooze(ask(customer_service), timezone.now() - timedelta(minutes=1), by=carl)


def test_until_they_answer_means_until_they_answer(ask, customer_service, carl):
    item = actions.snooze(ask(customer_service), None, by=carl)
    ask(customer_service, "I answer", id="2")
    assert fresh(item).status == "open"


def test_a_hand_off_waits_until_it_is_accepted_and_the_lead_passes_over(ask, customer_service, rnd, carla, ravi):
    item = ask(customer_service)
    actions.hand_off(item, rnd, reason="expertise", note="It is the tracker.", by=carla)
    assert (fresh(item).status, fresh(item).handed_to) == ("open", rnd)
    offered = QueueItem.objects.get(conversation=item.conversation, department=rnd)
    actions.accept(offered, by=ravi)
    assert (fresh(item).status, fresh(item).resolution, fresh(item).lead) == ("resolved", "handled_elsewhere", False)
    assert (fresh(offered).lead, fresh(offered).status) == (True, "open")


def test_a_declined_hand_off_goes_back_with_what_was_said(ask, customer_service, rnd, carla, ravi):
    item = ask(customer_service)
    actions.hand_off(item, rnd, reason="wrong_department", by=carla)
    offered = QueueItem.objects.get(conversation=item.conversation, department=rnd)
    actions.decline(offered, note="It is a refund.", by=ravi)
    assert (fresh(item).status, fresh(item).handed_to, fresh(item).lead) == ("open", None, True)
    assert HandOff.objects.get().answer == "It is a refund."
    assert not QueueItem.objects.visible_to(ravi).exists()


def test_a_hand_off_needs_a_reason_and_somebody_else(ask, customer_service, rnd, carla):
    item = ask(customer_service)
    with pytest.raises(Refused, match="Say why"):
        actions.hand_off(item, rnd, reason="", by=carla)
    with pytest.raises(Refused, match="lies in Customer service already"):
        actions.hand_off(item, customer_service, reason="other", by=carla)


def test_once_hr_accepted_everybody_else_has_lost_sight(ask, customer_service, hr, pr, carla, pia, cora, ada, hana):
    item = ask(customer_service)
    actions.add_department(item, pr, by=carla)
    actions.hand_off(item, hr, reason="wrong_department", by=carla)
    offered = QueueItem.objects.get(conversation=item.conversation, department=hr)
    actions.accept(offered, by=hana)
    for person in (carla, pia, cora, ada):
        assert not Conversation.objects.visible_to(person).exists(), person
        assert not QueueItem.objects.visible_to(person).exists(), person
    assert Conversation.objects.visible_to(hana).get() == item.conversation
    with pytest.raises(Http404):
        actions.note(item.conversation, "I remember her", by=carla)


def test_what_hr_held_stays_confidential_when_hr_asks_pr_to_join(ask, hr, pr, hana, pia, cora):
    item = ask(hr, "I am your colleague and it is unsafe here")
    actions.add_department(item, pr, by=hana)
    assert Conversation.objects.visible_to(pia).exists()
    assert not Conversation.objects.visible_to(cora).exists()
    assert not QueueItem.objects.in_queue(pr, cora).exists()


def test_a_rule_that_names_hr_lets_nobody_else_in(ask, hr, pr, pia, hana):
    item = ask(hr, joins=[pr])
    assert item.conversation.confidential
    assert list(Access.objects.values_list("department__slug", flat=True)) == ["hr"]


def test_mia_places_what_lies_in_triage_and_it_can_be_undone(ask, triage, marketing, mia):
    item = ask(triage)
    placed = actions.move(item, marketing, by=mia)
    assert (placed.lead, placed.status, fresh(item).status) == (True, "open", "resolved")
    actions.undo(item, by=mia)
    assert (fresh(item).lead, fresh(item).status) == (True, "open")
    assert not QueueItem.objects.filter(department=marketing, sealed=False).exists()


def test_each_act_can_be_undone_one_after_the_other(ask, customer_service, carl):
    item = ask(customer_service)
    actions.take(item, by=carl)
    actions.prioritise(item, 2, by=carl)
    actions.resolve(item, "spam", by=carl)
    for expected in (("open", 2, carl), ("open", 0, carl), ("open", 0, None)):
        actions.undo(item, by=carl)
        now = fresh(item)
        assert (now.status, now.priority, now.assignee) == expected
    with pytest.raises(Refused, match="nothing of yours"):
        actions.undo(item, by=carl)


def test_an_undo_never_undoes_somebody_else(ask, customer_service, carl, carla):
    item = ask(customer_service)
    actions.resolve(item, "spam", by=carl)
    actions.reopen(item, by=carla)
    with pytest.raises(Refused, match="Somebody else"):
        actions.undo(item, by=carl)


def test_undoing_a_hand_off_takes_it_back(ask, customer_service, rnd, carla, ravi):
    item = ask(customer_service)
    actions.hand_off(item, rnd, reason="their_turn", by=carla)
    actions.undo(item, by=carla)
    assert fresh(item).handed_to is None
    assert not QueueItem.objects.visible_to(ravi).exists()


def test_a_note_for_one_department_is_read_by_nobody_else(ask, customer_service, pr, carla, carl, pia):
    item = ask(customer_service)
    actions.add_department(item, pr, by=carla)
    actions.note(item.conversation, "For all", by=carla)
    actions.note(item.conversation, "For us", audience=customer_service, by=carla)
    assert Note.objects.visible_to(carl).count() == 2
    assert Note.objects.visible_to(pia).get().text == "For all"


def reply_to(item, by, text="We look into it.", **more):
    seen = item.conversation.messages.order_by("received_at").last()
    return actions.reply(item, text, seen=more.pop("seen", seen.pk), by=by, **more)


def test_carl_answers_and_the_reply_waits_to_go_out(ask, customer_service, carl):
    item = ask(customer_service)
    reply = reply_to(item, carl)
    assert (reply.state, reply.approved_hash, fresh(item).assignee) == ("approved", reply.body_hash, carl)


def test_only_one_answer_goes_out(ask, customer_service, carl, carla):
    item = ask(customer_service)
    reply_to(item, carl)
    with pytest.raises(SomethingNewer, match="has answered already"):
        reply_to(item, carla)
    assert Reply.objects.count() == 1


def test_an_answer_written_without_the_newest_message_is_refused_with_the_difference(ask, customer_service, carl):
    item = ask(customer_service)
    seen = item.conversation.messages.get().pk
    ask(customer_service, "It has arrived, thank you", id="2")
    with pytest.raises(SomethingNewer) as refused:
        reply_to(item, carl, seen=seen)
    assert [each.text for each in refused.value.newer] == ["It has arrived, thank you"]


def test_who_contributes_does_not_speak(ask, customer_service, pr, carla, pia):
    joined = actions.add_department(ask(customer_service), pr, by=carla)
    with pytest.raises(Refused, match="PR contributes here; Customer service speaks"):
        reply_to(joined, pia)


@pytest.mark.parametrize("text, why", [("   ", "empty"), ("a" * 5000, "too long")])
def test_an_empty_or_overlong_reply_is_refused(ask, customer_service, carl, text, why):
    with pytest.raises(Refused, match=why):
        reply_to(ask(customer_service), carl, text)


def test_carl_stops_his_reply_before_it_leaves(ask, customer_service, carl):
    item = ask(customer_service)
    reply = reply_to(item, carl)
    actions.undo(item, by=carl)
    assert Reply.objects.get(pk=reply.pk).state == "cancelled"


def test_the_audit_can_not_be_changed(ask, customer_service):
    from django.db import DatabaseError, transaction

    ask(customer_service)
    for change in (lambda rows: rows.update(verb="nothing"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change(AuditEntry.objects.all())
