"""A network that asked to be left alone is left alone by everybody, and a stopped channel is silent within a second:
asked of every network that has a stage."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connectors import actions as channels
from connectors import waits
from connectors.errors import BudgetSpent, CreditsUsedUp
from connectors.models import Channel
from inbox import actions, outbox, rechecking
from inbox.models import Message, Moderation, Reply
from inbox.moderating import moderate_due
from tests.connectors.test_networks import answer, channel, every, item, only, somebody_writes, stage  # noqa: F401
from tests.connectors.visits import visit

# ruff: noqa: F811  (fixtures of the networks' tests, by their names)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def time_passes():
    """What was to be waited for is over."""
    for each in Channel.objects.all():
        each.limits.pop(waits.KEPT_IN, None)
        each.save(update_fields=["limits"])
    Reply.objects.update(send_after=timezone.now())
    Moderation.objects.update(try_after=timezone.now())


def long_ago():
    """What lies there has to be looked up again."""
    Message.objects.update(checked_at=None, received_at=timezone.now() - timedelta(days=2))


def do_all():
    """The worker does what is due, twice, should the first only put it off."""
    for _ in range(2):
        outbox.send_due()
        moderate_due()
        rechecking.recheck_open()


def acts_on(item, carl):
    offers, message = item.conversation.messages.get().channel.offers, only()
    for act in ("like", "hide"):
        if getattr(offers, f"{act}s") and (act == "like" or message.kind in ("comment", "reply")):
            actions.moderate(item, message, act, by=carl)
            return


@every("polls", "replies")
def test_what_a_visit_was_asked_to_wait_for_replies_acts_and_look_ups_wait_for_too(stage, channel, item, carl):
    long_ago()
    reply = answer(item, carl)
    acts_on(item, carl)
    stage.trouble = "limited"
    assert visit(channel).outcome == "failed"
    stage.trouble, asked = "", len(stage.asked)
    do_all()
    reply.refresh_from_db()
    assert len(stage.asked) == asked, "it was asked before the time that it named"
    assert reply.state == "approved" and reply.send_after > timezone.now() and reply.trouble == channel.state_reason
    assert abs(reply.send_after - channel.next_poll_at) < timedelta(seconds=6)
    time_passes()
    do_all()
    reply.refresh_from_db()
    assert (reply.state, len(stage.published)) == ("sent", 1)
    assert not Moderation.objects.exclude(state="done").exists()


@every("polls", "replies")
def test_what_one_reply_was_asked_to_wait_for_the_others_wait_for_and_reading_goes_on(
    stage, channel, item, carl, somebody_writes
):
    reply = answer(item, carl)
    stage.trouble = "limited"
    outbox.send_due()
    stage.trouble, asked = "", len(stage.asked)
    Reply.objects.update(send_after=timezone.now())
    do_all()
    assert len(stage.asked) == asked and stage.published == []
    assert visit(channel).outcome == "ok"
    asked = len(stage.asked)
    Reply.objects.update(send_after=timezone.now())
    outbox.send_due()
    assert len(stage.asked) == asked, "reading says nothing about writing"
    time_passes()
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, len(stage.published)) == ("sent", 1)


@every("polls", "replies")
def test_a_reply_that_is_looked_for_waits_as_long_as_the_network_asks(stage, channel, item, carl):
    reply = answer(item, carl)
    stage.trouble = "accepts and hangs up"
    outbox.send_due()
    Reply.objects.update(send_after=timezone.now())
    stage.trouble = "limited"
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, reply.looks) == ("unknown", 0)
    assert reply.send_after > timezone.now() + MINUTE
    stage.trouble = ""
    time_passes()
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, len(stage.published)) == ("sent", 1)


@every("replies")
def test_what_is_stopped_while_a_connector_still_asks_before_it_writes_does_not_leave(stage, channel, item, carl, cora):
    """The worker has marked the reply already, and the network takes its time."""
    reply = answer(item, carl)
    [claimed] = Reply.objects.all().claim(batch=1)
    assert outbox._mark_sending(claimed)
    channels.freeze(channel, by=cora)
    claimed.state = "approved"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "_mark_sending", lambda *of: True)
        outbox.step(claimed)
    reply.refresh_from_db()
    assert (reply.state, stage.published) == ("approved", [])
    assert not [each for each in stage.asked if stage.is_write(each) and "createSession" not in each.path]


@pytest.mark.parametrize("network", ["mastodon"])
def test_a_clock_that_is_behind_ours_makes_nobody_ask_in_a_circle_and_no_wait_is_for_ever(channel):
    now = timezone.now()
    assert waits.note(channel, CreditsUsedUp(until=now - MINUTE)) > now
    assert waits.note(channel, CreditsUsedUp(until=now + 10_000 * MINUTE)) <= timezone.now() + 1440 * MINUTE
    with pytest.raises(CreditsUsedUp):
        waits.check(Channel.objects.get())


@pytest.mark.parametrize("network", ["x"])
def test_a_budget_that_is_spent_ends_reading_and_no_reply(stage, channel, item, carl):
    long_ago()
    channel.settings["budget"] = 0
    channel.save()
    asked = len(stage.asked)
    assert rechecking.recheck_open() == 1 and len(stage.asked) == asked, "looking up costs too"
    assert visit(channel).outcome == "failed" and channel.trouble == BudgetSpent.__name__
    assert len(stage.asked) == asked
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, len(stage.published)) == ("sent", 1)
