"""What becomes of posts when they come in: once, in the right thread, the newest version, whatever the order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connectors.contract import Author, Post
from connectors.models import Channel
from inbox import actions, lifecycle
from inbox.intake import take_in
from inbox.models import Conversation, Identity, Message, QueueItem, SearchEntry, Sighting

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 20, 9, tzinfo=UTC)


def post(id, text="Where is my parcel?", *, author="ana", minutes=0, **more):
    more.setdefault("kind", "mention")
    written_by = Author(id=author, handle=f"@{author}", name=author.title()) if author else None
    return Post(id=id, text=text, author=written_by, created_at=MORNING + timedelta(minutes=minutes), **more)


@pytest.fixture
def channel():
    return Channel.objects.create(slug="brand", name="Brand", network="import")


@pytest.fixture
def demo_channels():
    return [Channel.objects.create(slug=slug, name=slug, network="demo") for slug in ("mentions", "keyword")]


def threads():
    """Who lies in which conversation: the external ids of each, sorted."""
    return sorted(
        sorted(each.messages.values_list("external_id", flat=True))
        for each in Conversation.objects.filter(merged_into=None)
        if each.messages.exists()
    )


def placed(conversation, department):
    message = conversation.messages.select_related("conversation", "channel", "identity").first()
    actions.place(conversation, department, message=message, because="it was tested", why="Test")
    return QueueItem.objects.get(conversation=conversation, department=department)


def test_a_post_that_comes_twice_is_one_message(channel):
    first = take_in(channel, [post("1"), post("1")])
    again = take_in(channel, [post("1")])
    assert (first.taken_in, first.duplicates, again.taken_in, again.duplicates) == (1, 1, 0, 1)
    assert Message.objects.count() == 1


def test_a_post_seen_by_two_of_our_channels_is_one_message_with_two_sightings(demo_channels):
    for channel in demo_channels:
        take_in(channel, [post("1", global_id="post-1")])
    assert Message.objects.count() == 1
    assert Sighting.objects.count() == 2


def test_what_a_channel_named_itself_needs_no_sighting_to_be_known_again(channel):
    take_in(channel, [post("1")])
    assert not Sighting.objects.exists()
    taken = take_in(channel, [post("1"), post("2", in_reply_to="1", minutes=1)])
    assert (taken.duplicates, taken.taken_in) == (1, 1)
    assert Message.objects.get(external_id="2").parent.external_id == "1"


def test_what_a_second_channel_saw_is_found_under_the_id_that_it_has_there(demo_channels):
    first, second = demo_channels
    take_in(first, [post("a", global_id="post-1")])
    take_in(second, [post("b", global_id="post-1")])
    take_in(second, [post("c", in_reply_to="b", minutes=1)])
    assert Message.objects.get(external_id="c").parent.external_id == "a"


def test_on_a_network_without_global_ids_the_same_id_in_two_channels_is_two_messages(channel):
    other = Channel.objects.create(slug="other", name="Other", network="import")
    take_in(channel, [post("1")])
    take_in(other, [post("1")])
    assert Message.objects.count() == 2


def test_two_people_under_one_post_are_two_conversations(channel):
    take_in(channel, [post("ours", author="us", direction="out", kind="post")])
    take_in(channel, [post(who, author=who, in_reply_to="ours", kind="comment", minutes=1) for who in ("ana", "ben")])
    assert threads() == [["ana"], ["ben"], ["ours"]]
    about = Conversation.objects.get(messages__external_id="ana").about_post
    assert about.external_id == "ours"


def test_posts_without_an_author_do_not_become_one_person(channel):
    take_in(channel, [post("1", author=None), post("2", author=None, in_reply_to="1")])
    assert threads() == [["1"], ["2"]]


def test_a_thread_comes_out_the_same_whatever_the_order(channel):
    posts = [
        post("1"),
        post("2", in_reply_to="1", minutes=1),
        post("3", in_reply_to="2", minutes=2),
        post("x", author="ben", in_reply_to="2", minutes=3),
    ]
    for number, order in enumerate(permutations(posts)):
        own = Channel.objects.create(slug=f"c{number}", name="C", network="import")
        for each in order:
            take_in(own, [each])
        lying = Conversation.objects.filter(channel=own, merged_into=None)
        found = sorted(sorted(each.messages.values_list("external_id", flat=True)) for each in lying)
        assert found == [["1", "2", "3"], ["x"]], [each.id for each in order]


def test_a_late_parent_joins_two_conversations_and_keeps_what_was_done_on_both(channel, customer_service, rnd, carla):
    take_in(channel, [post("1"), post("3", in_reply_to="2", minutes=2)])
    first, third = (Conversation.objects.get(messages__external_id=each) for each in ("1", "3"))
    placed(first, customer_service)
    placed(third, rnd)
    actions.note(first, "She rang twice.", by=carla)
    take_in(channel, [post("2", in_reply_to="1", minutes=1)])
    assert threads() == [["1", "2", "3"]]
    first.refresh_from_db()
    third.refresh_from_db()
    assert third.merged_into == first
    assert set(first.items.values_list("department__slug", "lead")) == {("customer-service", True), ("rnd", False)}
    assert first.notes.count() == 1


def test_an_edit_shows_the_new_text_and_keeps_the_old_one(channel):
    take_in(channel, [post("1", "Two days")])
    Message.objects.update(routed_at=MORNING)
    take_in(channel, [post("1", "Three days", edited_at=MORNING + timedelta(hours=1))])
    message = Message.objects.get()
    assert (message.text, message.revision, message.routed_at) == ("Three days", 2, None)
    assert message.revisions.get().text == "Two days"


def test_an_older_edit_that_comes_late_changes_nothing(channel):
    take_in(channel, [post("1", "Newest", edited_at=MORNING + timedelta(hours=2))])
    late = take_in(channel, [post("1", "Older", edited_at=MORNING + timedelta(hours=1))])
    assert late.changed == 0
    assert Message.objects.get().text == "Newest"


def test_a_deletion_leaves_a_tombstone_without_text_or_author(channel, customer_service):
    take_in(channel, [post("1", "My salary is 1,234")])
    item = placed(Conversation.objects.get(), customer_service)
    take_in(channel, [post("1", deleted=True)])
    message, item = Message.objects.get(), QueueItem.objects.get(pk=item.pk)
    assert (message.text, message.identity, item.preview, item.author_name) == ("", None, "Deleted on the network", "")
    assert Conversation.objects.get().identity is None
    assert not SearchEntry.objects.exists()


def test_what_was_deleted_before_we_saw_it_does_not_come_back(channel):
    take_in(channel, [post("1", deleted=True)])
    take_in(channel, [post("1", "Here I am")])
    assert Message.objects.get().text == ""
    assert not Message.objects.waiting_for_route().exists()


def test_a_new_message_reopens_what_was_resolved(channel, customer_service, carla):
    take_in(channel, [post("1")])
    item = placed(Conversation.objects.get(), customer_service)
    actions.resolve(item, "replied", by=carla)
    take_in(channel, [post("2", "It is still missing", in_reply_to="1", minutes=5)])
    item.refresh_from_db()
    assert (item.status, item.unread, item.preview) == ("open", True, "It is still missing")
    assert item.due_at is not None


def test_after_fourteen_days_a_new_message_is_a_new_conversation(channel, customer_service, carla):
    take_in(channel, [post("1")])
    item = placed(Conversation.objects.get(), customer_service)
    actions.resolve(item, "replied", by=carla)
    QueueItem.objects.update(resolved_at=MORNING)
    later = lifecycle.REOPENS_WITHIN + timedelta(days=1)
    take_in(channel, [post("2", in_reply_to="1", minutes=later.total_seconds() / 60)])
    item.refresh_from_db()
    assert item.status == "resolved"
    assert threads() == [["1"], ["2"]]


def test_a_contributor_keeps_its_status_and_shows_that_something_is_new(channel, customer_service, pr, carla, pia):
    take_in(channel, [post("1")])
    item = placed(Conversation.objects.get(), customer_service)
    joined = actions.add_department(item, pr, by=carla)
    joined = actions.resolve(joined, "no_reply_needed", by=pia)
    take_in(channel, [post("2", in_reply_to="1", minutes=5)])
    joined.refresh_from_db()
    assert (joined.status, joined.unread) == ("resolved", True)


def test_followers_that_the_network_does_not_tell_are_not_forgotten(channel):
    known = Author(id="ana", handle="@ana", followers=48_200)
    silent = Author(id="ana", handle="@ana")
    take_in(channel, [Post(id="1", kind="mention", text="a", author=known, created_at=MORNING)])
    take_in(channel, [Post(id="2", kind="mention", text="b", author=silent, created_at=MORNING)])
    assert Identity.objects.get().followers == 48_200


def test_one_bad_post_harms_none_of_its_neighbours(channel):
    taken = take_in(channel, [post("1"), post("2", "no \x00 in text"), post("3")])
    assert (taken.taken_in, [place for place, _ in taken.refused]) == (2, [1])
    assert Message.objects.count() == 2


def test_what_comes_in_as_history_starts_no_clock(channel, customer_service):
    take_in(channel, [post("1")], history=True)
    item = placed(Conversation.objects.get(), customer_service)
    assert item.due_at is None
    assert not item.clocks.exists()


def test_a_page_that_comes_again_costs_a_glance_and_an_answer_in_it_still_finds_its_parent(channel):
    old = [post(f"p{number}", author=f"person{number}") for number in range(30)]
    take_in(channel, old)
    with CaptureQueriesContext(connection) as asked:
        assert take_in(channel, old).duplicates == 30
    assert len(asked) <= 4, [each["sql"][:80] for each in asked]
    answer = post("answer", "And another thing", author="person7", minutes=5, in_reply_to="p7", kind="reply")
    taken = take_in(channel, [*old, answer])
    assert (taken.taken_in, taken.duplicates) == (1, 30)
    kept = Message.objects.get(external_id="answer")
    assert kept.parent.external_id == "p7"
    assert kept.conversation == kept.parent.conversation


def test_a_page_of_new_posts_costs_the_same_number_of_queries_at_any_size(channel):
    def queries(many):
        talks = [post(f"{many}-{number}", author=f"p{many}-{number}") for number in range(many)]
        answers = [
            post(f"{each.id}-again", author=each.author.id, in_reply_to=each.id, minutes=1, kind="reply")
            for each in talks
        ]
        counts = []
        for page in (talks, answers):
            with CaptureQueriesContext(connection) as asked:
                assert take_in(channel, page).taken_in == many
            counts.append(len(asked))
        return counts

    assert queries(3) == queries(40)
