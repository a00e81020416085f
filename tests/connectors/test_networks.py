"""What every network must keep, written once and run against each that has a stage, `tests/connectors/<code>/stage.py`.

A new network is held to all of this by its stage alone; what its capabilities do not claim is not asked of it. The
posts go the whole way: the connector reads a network on loopback, the worker's own visit keeps what it read in the real
inbox, and answers leave through the real outbox.
"""

import logging
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html import unescape
from importlib import import_module
from itertools import islice
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import addresses, deliveries, http, registry, tokens
from connectors.contract import Connector, Outgoing, Post, Taken, Target
from connectors.errors import (
    ConnectorError,
    CreditsUsedUp,
    MaybeSent,
    MissingScope,
    NotAuthorized,
    NotSent,
    RateLimited,
    Rejected,
    Unreachable,
)
from connectors.models import Channel, Delivery, FetchRun, QuarantinedPost
from departments.models import AuditEntry
from departments.tokens import make_token
from inbox import actions, outbox, rechecking
from inbox.errors import Refused
from inbox.models import Message, Moderation, Reply, Revision
from socialhub import pipeline
from tests.connectors import table
from tests.connectors.visits import (
    WITHOUT,
    bring,
    deliver,
    interrupted,
    lies_with,
    offered,
    on_stage,
    open_channel,
    read_all,
    stages,
    told,
    visit,
)
from tests.connectors.web import counting

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def every(*claims: str, **more):
    """For every network that can do all of this, by its capabilities; `more` are facts of its stage."""

    def fits(network: str) -> bool:
        offers, stage = offered(network), stages()[network]
        return all(getattr(offers, each) for each in claims) and all(
            bool(getattr(stage, name)) == wanted for name, wanted in more.items()
        )

    return pytest.mark.parametrize("network", [each for each in stages() if fits(each)])


@pytest.fixture
def stage(network, house, settings):
    settings.UNDO_SEND_SECONDS = 0
    with on_stage(network) as stage:
        yield stage


@pytest.fixture
def channel(stage) -> Channel:
    return open_channel(stage)


@pytest.fixture
def somebody_writes(stage):
    """`somebody_writes("text")`: a post that the network's connector reads first of all, of a moment ago."""

    def write(text="Where is my order?", *, ago=SECOND, **facts):
        return stage.write(text, timezone.now() - ago, **{"kind": stage.kinds[0]} | facts)

    return write


@pytest.fixture
def many_write(somebody_writes):
    """`many_write(12, "b")`: so many posts, a second or `apart` between them, the newest of a moment ago."""

    def write(number, name="a", apart=SECOND, until=SECOND):
        return [somebody_writes(f"{name}{each}", ago=until + (number - each) * apart).text for each in range(number)]

    return write


@pytest.fixture
def hurried(monkeypatch):
    """Nobody waits longer than a moment for an answer."""
    exchange = http.exchange
    monkeypatch.setattr(http, "WITHIN", 0.2)
    monkeypatch.setattr(http, "exchange", lambda *of, **named: exchange(*of, **named | {"within": 0.2}))


def only(direction="in", **facts) -> Message:
    return Message.objects.get(direction=direction, **facts)


# Whom this is asked of ------------------------------------------------------------------------------------------------


SHIPPED = [code for code, where in registry.NETWORKS.items() if where.startswith("connectors.")]


@pytest.mark.parametrize("network", sorted(set(SHIPPED) - WITHOUT))
def test_a_network_that_ships_has_a_stage(network):
    registry.connector_class(network)
    import_module(f"tests.connectors.{network}.stage")
    assert network in stages(), "there is no stage: nothing of what follows is asked of it"


@every()
def test_a_stage_plays_every_kind_of_post_that_is_read(network):
    assert set(stages()[network].kinds) == offered(network).reads


def test_the_page_about_connectors_says_what_the_code_can():
    assert table.on_the_page() == table.table(), "python -m tests.connectors.table --write"


@pytest.mark.parametrize("network", SHIPPED)
def test_what_is_not_there_has_a_reason(network):
    assert table.unexplained(registry.connector_class(network)) == []


# Nothing lost, nothing doubled ----------------------------------------------------------------------------------------


@every("polls")
def test_posts_that_are_written_between_the_pages_are_seen_once_as_all_are(stage, channel, many_write, somebody_writes):
    said = Counter(many_write(3 * stage.page, apart=20 * MINUTE))
    late = (somebody_writes(f"between {number}").text for number in range(4))
    stage.meanwhile = lambda: said.update(islice(late, 1))
    read_all(channel)
    said.update(many_write(2 * stage.page + 1, "b"))
    read_all(channel)
    stage.meanwhile = lambda: None
    read_all(channel)
    assert told() == said
    assert len(said) > 5 * stage.page + 1


@every("polls")
def test_a_worker_that_is_killed_at_every_page_leaves_nothing_out(stage, channel, many_write):
    said = many_write(3 * stage.page, apart=20 * MINUTE)
    for number in range(40):
        if not interrupted(channel, pipeline.take_in, dies_before_commit=number % 2 == 0):
            break
    assert visit(channel).outcome == "ok"
    said += many_write(stage.page + 1, "b")
    interrupted(channel, pipeline.take_in, dies_before_commit=False)
    read_all(channel)
    assert told() == Counter(said)
    assert channel.runs.filter(outcome="running").count() == 0


@every("polls")
def test_a_post_that_appears_late_behind_newer_ones_is_found(stage, channel, somebody_writes):
    somebody_writes("first", ago=10 * MINUTE)
    somebody_writes("newest")
    read_all(channel)
    somebody_writes("late", ago=stage.late)
    read_all(channel)
    assert told() == Counter(("first", "newest", "late"))


@every("polls")
def test_the_same_page_read_twice_makes_nothing_new(stage, channel, many_write):
    many_write(2)
    read_all(channel)
    start = channel.cursor
    said = many_write(stage.page, "b")
    read_all(channel)
    before = told()
    Channel.objects.filter(pk=channel.pk).update(cursor=start)
    runs = read_all(channel)
    assert sum(run.read for run in runs) >= len(said)
    assert sum(run.taken_in for run in runs) == 0
    assert told() == before and set(said) <= set(before)


@every("polls")
def test_a_visit_is_in_the_ledger_with_what_it_read(stage, channel, many_write):
    many_write(3)
    [run] = read_all(channel)
    assert (run.outcome, run.taken_in, run.quarantined) == ("ok", 3, 0)
    assert run.read >= 3


#: Whoever is told all that came after what it knows can not come too late.
FORWARD = frozenset(("mastodon",))
#: How deep a network goes, where its connector knows that: as shallow as the stage.
DEPTHS = {
    "facebook": ("connectors.walking.DEEPEST", 2),
    "x": ("connectors.dialects.tweetlists.MOST_PAGES", {"mentions": 2}),
    "reddit": ("connectors.networks.reddit.DEEPEST", 200),
    "instagram": ("connectors.walking.DEEPEST", 1),
    "threads": ("connectors.walking.DEEPEST", 1),
}


@every("polls")
def test_what_the_network_does_not_show_any_more_is_a_gap_that_an_admin_sees(
    network, stage, channel, many_write, client, ada, monkeypatch
):
    said = many_write(2, until=300 * MINUTE)
    read_all(channel)
    said += many_write(4 * stage.page, "b")
    if network not in FORWARD:
        stage.deepest = 2 * stage.page
        if network in DEPTHS:
            monkeypatch.setattr(*DEPTHS[network])
    runs = read_all(channel)
    if told() == Counter(said):
        assert network in FORWARD and not any(run.gap for run in runs)
        return
    [lost] = [run for run in runs if run.gap]
    assert lost.gap_since < lost.gap_until <= timezone.now()
    client.force_login(ada)
    assert lost.gap in unescape(client.get(f"/channels/{channel.slug}/ledger/").content.decode())


@every("polls")
def test_every_kind_of_post_arrives_as_what_it_is(stage, channel, somebody_writes):
    for kind in stage.kinds:
        facts = {"visibility": "direct"} if kind == "dm" else {}
        somebody_writes(f"a {kind}", kind=kind, **facts)
    read_all(channel)
    kept = {each.text: (each.kind, each.visibility == "direct") for each in Message.objects.all()}
    assert kept == {f"a {kind}": (kind, kind == "dm") for kind in stage.kinds}


# Orders: whatever happens in whatever order, the same set in the end --------------------------------------------------

#: What may happen next: so many are written; one appears late; a visit; a worker killed before or after a page.
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 7)),
    st.tuples(st.just("late"), st.floats(0, 1)),
    st.tuples(st.just("skewed"), st.floats(0, 1)),
    st.tuples(st.just("visit"), st.just(0)),
    st.tuples(st.just("killed before"), st.just(0)),
    st.tuples(st.just("killed after"), st.just(0)),
)


class Kept:
    """An inbox that only remembers under which ids it was given which posts."""

    def __init__(self):
        self.posts: dict[str, Post] = {}

    def __call__(self, channel, posts, *, history=False):
        new = {each.id: each for each in posts if each.id not in self.posts}
        self.posts |= new
        return Taken(taken_in=len(new), duplicates=len(posts) - len(new))

    def told(self):
        return Counter(each.text for each in self.posts.values())


@every("polls")
def test_in_whatever_order_things_happen_all_is_there_once_in_the_end(network, house):
    @settings(max_examples=7, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEPS, min_size=3, max_size=9), between=st.integers(0, 3))
    def holds(steps, between):
        with on_stage(network) as stage:
            _live_through(stage, steps, between)

    holds()


def _live_through(stage, steps, between):
    Channel.objects.all().delete()
    channel, inbox, said = open_channel(stage), Kept(), Counter()
    read_all(channel, inbox)

    def write(ago):
        stage.numbers += 7  # ids are not counted without a hole
        said[stage.write(f"post {len(said)}", timezone.now() - ago, kind=stage.kinds[0]).text] += 1

    for step, number in steps:
        waiting = iter(range(between))
        stage.meanwhile = lambda waiting=waiting: [write(timedelta()) for _ in islice(waiting, 1)]
        match step:
            case "write":
                for each in range(number):
                    write((number - each) * timedelta(milliseconds=50))
            case "late":
                write(stage.late * number)
            case "skewed":
                write(-20 * SECOND * number)
            case "visit":
                read_all(channel, inbox)
            case "killed before" | "killed after":
                interrupted(channel, inbox, dies_before_commit=step == "killed before")
    stage.meanwhile = lambda: None
    read_all(channel, inbox)
    read_all(channel, inbox)
    assert inbox.told() == said


# Edits and deletions --------------------------------------------------------------------------------------------------


@every("edits")
def test_an_edit_is_a_revision_of_the_same_message(stage, channel, somebody_writes, client):
    post = somebody_writes("Where is my order")
    bring(channel, post, stage=stage, client=client)
    stage.edit(post.id, "Where is my order, please")
    bring(channel, stage.posts[post.id], stage=stage, client=client)
    assert (only().text, only().revision) == ("Where is my order, please", 2)
    assert Revision.objects.get().text == "Where is my order"


@every("deletions")
def test_a_deletion_leaves_a_tombstone(stage, channel, somebody_writes, client):
    post = somebody_writes("Forget me")
    bring(channel, post, stage=stage, client=client)
    stage.delete(post.id)
    if channel.offers.hooks:
        deliver(channel, stage.deliver(post), client)
        deliveries.read_waiting(pipeline.take_in)
    else:
        read_all(channel)
    assert only().deleted_at and only().text == ""


@every("lookups")
def test_what_the_network_does_not_tell_shows_when_a_message_is_looked_up(stage, channel, somebody_writes, client):
    posts = [somebody_writes("Where is my order", ago=MINUTE), somebody_writes("Forget me", ago=MINUTE)]
    bring(channel, *posts, stage=stage, client=client)
    stage.edit(posts[0].id, "Where is my order?")
    stage.delete(posts[1].id)
    for each in Message.objects.order_by("text"):
        rechecking.recheck(each)
    assert told() == Counter(["Where is my order?"])
    assert Message.objects.filter(deleted_at=None).get().revision == 2
    assert Message.objects.exclude(deleted_at=None).get().text == ""


@every("lookups")
def test_looked_up_a_post_is_as_it_is_now_and_one_that_is_gone_is_none(stage, channel, somebody_writes, client):
    changed, gone = somebody_writes("Hm"), somebody_writes("Never mind")
    bring(channel, changed, gone, stage=stage, client=client)
    ids = dict(Message.objects.values_list("text", "external_id"))
    stage.edit(changed.id, "Hm?")
    stage.delete(gone.id)
    found = channel.connector().lookup([ids["Hm"], ids["Never mind"]])
    assert found[ids["Hm"]].text == "Hm?" and found[ids["Hm"]].id == ids["Hm"]
    assert found[ids["Never mind"]] is None


# Trouble --------------------------------------------------------------------------------------------------------------

WEATHER = ("down", "html", "truncated", "reset", "drip")


@every("polls")
def test_bad_weather_moves_no_cursor_and_loses_nothing(stage, channel, many_write, somebody_writes, hurried):
    said = many_write(2)
    read_all(channel)
    for trouble in [each for each in WEATHER if each in stage.troubles]:
        before, stage.trouble = channel.cursor, trouble
        said.append(somebody_writes(f"while it is {trouble}").text)
        run = visit(channel)
        assert (run.outcome, run.taken_in) == ("failed", 0), (trouble, run.detail)
        assert channel.cursor == before, trouble
        assert (channel.state, channel.failures) == ("listening", 1), trouble
        assert channel.next_poll_at > timezone.now(), trouble
        with pytest.raises(Unreachable):
            channel.connector().fetch(channel.cursor)
        stage.trouble = ""
        read_all(channel)
        assert (channel.failures, told()) == (0, Counter(said)), trouble


@every("polls")
def test_whoever_is_asked_to_wait_waits(stage, channel, somebody_writes):
    for number, trouble in enumerate(("limited", "limited silently")):
        somebody_writes(trouble)
        stage.trouble = trouble
        with pytest.raises(RateLimited) as limited:
            channel.connector().fetch(channel.cursor)
        assert visit(channel).outcome == "failed"
        if trouble == "limited":
            until = limited.value.until
            assert timezone.now() < until < timezone.now() + timedelta(days=1)
            assert abs(channel.next_poll_at - until) < 3 * SECOND
        asked, stage.trouble = len(stage.asked), ""
        assert channel.next_poll_at > timezone.now()
        assert pipeline.fetch() == 0
        assert len(stage.asked) == asked, "it was asked before the time that it named"
        read_all(channel)
        assert sum(told().values()) == number + 1


@every("polls")
def test_what_only_a_person_can_mend_is_called_by_its_name(network, stage, channel):
    # A feed can not say why it is closed.
    kinds = {"expired": NotAuthorized, "unpaid": CreditsUsedUp, "scope": NotAuthorized}
    kinds |= {"scope": MissingScope} if network != "feed" else {}
    for trouble in kinds.keys() & set(stage.troubles):
        stage.trouble = trouble
        with pytest.raises(kinds[trouble]):
            channel.connector().fetch(channel.cursor)
        assert visit(channel).outcome == "failed"
        assert channel.state == ("listening" if trouble == "unpaid" else "needs_login"), trouble
        assert (channel.next_poll_at is None) == (trouble != "unpaid"), trouble
        assert channel.state_reason.startswith(kinds[trouble]().sentence[:20]), trouble
        Channel.objects.filter(pk=channel.pk).update(state="listening", next_poll_at=timezone.now())


# Signing in again -----------------------------------------------------------------------------------------------------


def renews(network: str) -> bool:
    return registry.connector_class(network).renew is not Connector.renew


RENEWING = pytest.mark.parametrize("network", [each for each in stages() if renews(each)])


def about_to_end(channel: Channel, begun: float = 20, ends: float = 1) -> None:
    """Credentials given so many hours ago, that end in so many."""
    now = timezone.now()
    times = {"issued_at": now - timedelta(hours=begun), "expires_at": now + timedelta(hours=ends)}
    channel.credentials = channel.credentials | {name: moment.isoformat() for name, moment in times.items()}
    channel.save(update_fields=["sealed", "expires_at", "renew_at"])
    assert (channel.renew_at <= now) == (begun > 4 * ends)


def asked_of(stage) -> list[tuple[str, str]]:
    return [(each.method, each.path) for each in stage.asked]


@RENEWING
def test_credentials_that_end_soon_are_renewed_before_the_next_page_and_then_left_alone(
    stage, channel, somebody_writes
):
    about_to_end(channel)
    before = channel.credentials
    somebody_writes()
    assert visit(channel).outcome == "ok"
    assert channel.credentials != before and channel.renew_at > timezone.now()
    renewed, how = channel.credentials, asked_of(stage)
    assert visit(channel).outcome == "ok"
    assert channel.credentials == renewed
    assert asked_of(stage)[len(how) :] != how, "it was renewed again"
    assert "canary" not in channel.sealed and sum(told().values()) == 1


@RENEWING
def test_credentials_that_the_network_ends_before_their_time_are_renewed_once_and_it_goes_on(
    stage, channel, somebody_writes
):
    about_to_end(channel, begun=1, ends=10)
    before = channel.credentials
    somebody_writes()
    stage.ahead = ["expired"]
    run = visit(channel)
    assert (run.outcome, channel.state) == ("ok", "listening"), run.detail
    assert channel.credentials != before and sum(told().values()) == 1


@RENEWING
def test_when_only_the_renewal_is_out_of_order_nobody_has_to_sign_in_again(stage, channel, somebody_writes):
    about_to_end(channel, begun=1, ends=10)
    somebody_writes()
    stage.ahead = ["expired", "down", "down", "down"]
    run = visit(channel)
    assert (run.outcome, channel.state, channel.trouble) == ("failed", "listening", "ServerFailed"), run.detail
    stage.ahead = []
    assert visit(channel).outcome == "ok" and sum(told().values()) == 1


@RENEWING
def test_a_renewal_that_the_network_puts_off_is_not_asked_for_at_every_stroke(stage, channel):
    about_to_end(channel, begun=3, ends=-1)
    stage.trouble = "limited"
    assert visit(channel).outcome == "failed" and channel.state == "listening"
    if channel.waits_until:
        asked = len(stage.asked)
        tokens.renew_all(Channel.objects.to_renew(timezone.now()))
        assert len(stage.asked) == asked, "it was asked before the time that it named"
    Channel.objects.update(limits={})
    tokens.renew_all(Channel.objects.to_renew(timezone.now()))
    asked = len(stage.asked)
    tokens.renew_all(Channel.objects.to_renew(timezone.now()))
    assert len(stage.asked) == asked


# Two at once ----------------------------------------------------------------------------------------------------------


def at_once(work, times: int = 2) -> list:
    """Do this in so many threads at the same moment; what each of them got, or what it raised."""
    ready, got = threading.Barrier(times), []

    def one():
        try:
            ready.wait(5)
            got.append(work())
        except Exception as error:
            got.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    return got


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_ask_one_network_at_once(house):
    for network in [each for each in stages() if offered(each).polls]:
        with on_stage(network) as stage:
            channel = open_channel(stage, network)
            stage.write("Where is my order?", timezone.now() - SECOND, kind=stage.kinds[0])
            visited = at_once(pipeline.fetch, 3)
            assert sorted(visited) == [0, 0, 1], (network, visited)
            assert channel.runs.count() == 1, network
            Channel.objects.update(next_poll_at=None)
    assert set(told().values()) == {len([each for each in stages() if offered(each).polls])}


@pytest.mark.django_db(transaction=True)
def test_two_workers_renew_one_channels_credentials_once(house):
    for network in [each for each in stages() if renews(each)]:
        with on_stage(network) as stage:
            channel = open_channel(stage, network)
            with on_stage(network) as alone:
                replace(channel.connector(), settings=dict(alone.settings)).renew()
                once = asked_of(alone)
            about_to_end(channel)
            at_once(lambda pk=channel.pk: tokens.renew_if_due(Channel.objects.get(pk=pk)), 3)
            assert asked_of(stage) == once, network
            assert Channel.objects.get(pk=channel.pk).renew_at > timezone.now()


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def item(stage, channel, somebody_writes, customer_service, client):
    """What somebody wrote, in customer service's queue."""
    post = somebody_writes(ago=MINUTE)
    bring(channel, post, stage=stage, client=client)
    return lies_with(customer_service, only())


def answer(item, by, text="It left this morning.") -> Reply:
    seen = item.conversation.messages.order_by("received_at").last()
    return actions.reply(item, text, seen=seen.pk, by=by)


def look_later(reply: Reply) -> None:
    Reply.objects.filter(pk=reply.pk).update(send_after=timezone.now() - SECOND)
    outbox.send_due()
    reply.refresh_from_db()


@every("replies")
def test_an_answer_arrives_once_below_what_it_answers_and_is_not_taken_for_a_new_message(
    stage, channel, item, carl, client
):
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, reply.trouble) == ("sent", "")
    [ours] = stage.published
    assert ours.text == "It left this morning."
    assert ours.answers in {each.id for each in stage.posts.values() if not each.ours}
    if channel.offers.polls:
        read_all(channel)
    elif channel.offers.hooks:
        bring(channel, ours, stage=stage, client=client)
    assert told("out") == Counter([ours.text])
    assert only("out") == reply.message
    assert sum(told().values()) == 1
    look_later(reply)
    assert (reply.state, reply.trouble) == ("sent", ""), "it was verified and not found"


@every("replies")
def test_when_the_line_breaks_after_the_network_took_an_answer_it_is_found_and_stands_there_once(
    stage, channel, item, carl
):
    stage.trouble = "accepts and hangs up"
    reply = answer(item, carl)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, len(stage.published)) == ("unknown", 1)
    stage.trouble = ""
    look_later(reply)
    assert (reply.state, len(stage.published)) == ("sent", 1)
    if channel.offers.polls:
        read_all(channel)
    assert told("out") == Counter([reply.text])


#: What the network says when it certainly did not take an answer; in doubt nobody knows.
CERTAIN = {
    "limited": RateLimited,
    "limited silently": RateLimited,
    "expired": NotAuthorized,
    "scope": (NotAuthorized, Rejected),
    "unpaid": RateLimited,
    "elsewhere": ConnectorError,
}


@every("replies")
def test_an_answer_in_trouble_is_doubted_unless_the_network_certainly_did_not_take_it(stage, channel, item, hurried):
    target = outbox.target_of(only())
    with counting() as elsewhere:
        stage.elsewhere = f"http://127.0.0.1:{elsewhere.port}/"
        for trouble in stage.troubles:
            stage.trouble = trouble
            reply = Outgoing(f"Hello ({trouble})", target.id, str(uuid4()), to=target)
            with pytest.raises(CERTAIN.get(trouble, (MaybeSent, NotSent))):
                channel.connector().send(reply)
        assert elsewhere.calls == []
    assert [each.text for each in stage.published] == ["Hello (accepts and hangs up)"]


@every("replies")
def test_an_answer_that_is_too_long_by_the_networks_own_count_does_not_leave(stage, channel, item, carl):
    longest = channel.connector().offers.longest_reply
    if longest is None:
        return
    asked = len(stage.asked)
    with pytest.raises(Refused, match=rf"7 characters too long for .*{longest:,}"):
        answer(item, carl, "x" * (longest + 7))
    assert len(stage.asked) == asked
    answer(item, carl, "x" * longest)
    outbox.send_due()
    assert [each.text for each in stage.published] == ["x" * longest]


DIRECT = [each for each in stages() if offered(each).replies and "dm" in stages()[each].kinds]


@pytest.mark.parametrize("network", DIRECT)
def test_what_was_said_in_private_is_answered_in_private(
    stage, channel, somebody_writes, customer_service, carl, client
):
    post = somebody_writes("Between us", kind="dm", visibility="direct")
    bring(channel, post, stage=stage, client=client)
    assert only().visibility == "direct" and only().kind == "dm"
    answer(lies_with(customer_service, only()), carl, "Only for you")
    outbox.send_due()
    assert [each.visibility for each in stage.published] == ["direct"]
    assert only("out").visibility == "direct"


@every("replies", "lookups")
def test_nobody_answers_what_was_deleted_before_the_answer_left(stage, channel, item, carl):
    reply = answer(item, carl)
    [theirs] = stage.posts
    stage.delete(theirs)
    outbox.send_due()
    reply.refresh_from_db()
    assert (reply.state, stage.published) == ("refused", [])
    assert "deleted" in reply.trouble


@every("private_replies")
def test_a_public_comment_is_answered_in_private_where_that_is_asked(stage, channel, item):
    target = outbox.target_of(only())
    channel.connector().send(Outgoing("Only for you", target.id, "0b4e8a52-6f0e-4df5-9d2f", to=target, private=True))
    assert [each.visibility for each in stage.published] == ["direct"]


@every("likes")
def test_a_like_stands_there_once_however_often_it_is_given(stage, channel, item):
    for _ in range(2):
        channel.connector().like(outbox.target_of(only()))
    assert [each.liked for each in stage.posts.values()] == [True]


@every("hides")
def test_a_post_is_hidden_and_shown_again(stage, channel, item):
    for hidden in (True, True, False):
        channel.connector().hide(outbox.target_of(only()), hidden)
        assert [each.hidden for each in stage.posts.values()] == [hidden]


@every("removes", "replies")
def test_our_own_post_is_deleted(stage, channel, item):
    target = outbox.target_of(only())
    sent = channel.connector().send(Outgoing("Wrong thread", target.id, "0b4e8a52-6f0e-4df5-9d2f", to=target))
    assert len(stage.published) == 1
    channel.connector().remove(Target(sent.id, kind="reply", thread=target.thread))
    assert stage.published == []


# Lengths --------------------------------------------------------------------------------------------------------------

FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"
LONG_LINK = "https://example.com/" + "a" * 80
#: By whose rule → text → how long it is.
LENGTHS = {
    "characters": {"": 0, "abc": 3, "ä": 1, LONG_LINK: 100},
    "x": {"abc": 3, "ä": 1, "日本": 4, FAMILY: 2, "\N{GRINNING FACE}": 2, f"a {LONG_LINK} b": 27},
    "mastodon": {"abc": 3, "日本": 2, f"a {LONG_LINK} b": 27, "hello @ana@far.example": 10},
    "threads": {"abc": 3, "ä": 1, "日本": 2, FAMILY: 25, "\N{GRINNING FACE}": 4, LONG_LINK: 100},
    "graphemes": {"abc": 3, "e\u0301": 1, FAMILY: 1, "\N{GRINNING FACE}": 1, "日本": 2},
}


@every("replies")
def test_length_is_counted_as_the_network_counts_it(network):
    connector = registry.connector_class(network)(slug="brand", settings={})
    for text, length in LENGTHS[connector.offers.counts].items():
        assert connector.length_of(text) == length, (network, text)


@every("replies", "longest_bytes")
def test_a_text_of_few_signs_and_many_bytes_is_too_long(network):
    connector = registry.connector_class(network)(slug="brand", settings={})
    most = connector.offers.longest_bytes
    families = FAMILY * (most // len(FAMILY.encode()) + 1)
    assert "byte" in connector.too_long(families), (network, len(families.encode()))
    assert connector.too_long(FAMILY * (most // len(FAMILY.encode()))) == ""


# Deliveries -----------------------------------------------------------------------------------------------------------


@every("hooks")
def test_a_delivery_is_kept_at_once_and_read_afterwards(stage, channel, somebody_writes, client):
    post = somebody_writes("Grüße \N{GRINNING FACE} 日本")
    delivered = stage.deliver(post)
    began = timezone.now()
    assert deliver(channel, delivered, client).status_code == 200
    assert timezone.now() - began < SECOND
    assert bytes(Delivery.objects.get().body) == delivered.body
    assert told() == {}
    deliveries.read_waiting(pipeline.take_in)
    assert told() == Counter([post.text])


@every("hooks")
def test_a_delivery_that_comes_again_is_known(stage, channel, somebody_writes, client):
    delivered = stage.deliver(somebody_writes())
    assert [deliver(channel, delivered, client).json()["status"] for _ in range(3)] == ["kept", "known", "known"]
    deliveries.read_waiting(pipeline.take_in)
    assert sum(told().values()) == 1


@every("hooks")
def test_a_delivery_that_nobody_whom_we_know_signed_is_refused(stage, channel, somebody_writes, client):
    good = stage.deliver(somebody_writes())
    signed = {name for name in good.headers if "signature" in name.lower()}
    assert signed
    forgeries = [
        (good.body, {name: value for name, value in good.headers.items() if name not in signed}),
        (good.body, good.headers | dict.fromkeys(signed, "sha256=" + "0" * 64)),
        (good.body, good.headers | dict.fromkeys(signed, "")),
        (good.body, good.headers | dict.fromkeys(signed, "ünsigned")),
        (good.body + b" ", good.headers),
        (good.body.replace(b"\\u", b"\\U").replace(b'"', b"'", 1), good.headers),
    ]
    for body, headers in forgeries:
        answer = client.post(f"/hooks/{channel.slug}/", body, content_type="application/json", headers=headers)
        assert answer.status_code == 401, headers
    assert not Delivery.objects.exists()


@every("hooks")
def test_another_secret_is_refused_and_a_retired_one_too(stage, channel, somebody_writes, client):
    post = somebody_writes()
    other = stage.secrets[0][:-12] + stage.secrets[0][-12:][::-1].swapcase()
    assert other != stage.secrets[0]
    assert deliver(channel, stage.deliver(post, secret=other), client).status_code == 401
    for secret in stage.secrets[1:]:
        assert deliver(channel, stage.deliver(post, secret=secret), client).status_code == 200, "a rotation has no gap"
    assert not Delivery.objects.exclude(channel=channel).exists()


@every("hooks", dates_deliveries=True)
def test_an_old_delivery_is_refused(stage, channel, somebody_writes, client):
    for minutes in (-60, -6, 6, 60):
        delivered = stage.deliver(somebody_writes(), at=timezone.now() + minutes * MINUTE)
        assert deliver(channel, delivered, client).status_code == 401
    assert not Delivery.objects.exists()


ASKING = [each for each in stages() if registry.connector_class(each).handshake is not Connector.handshake]


@pytest.mark.parametrize("network", ASKING)
def test_the_question_whether_a_hook_is_ours_is_answered_to_the_network_alone(network, stage, channel, client):
    params, wanted = stage.question()
    answer = client.get(f"/hooks/{channel.slug}/", params)
    assert (answer.status_code, answer.content.decode()) == (200, wanted)
    wrong, _ = stage.question(good=False)
    if wrong != params:
        assert client.get(f"/hooks/{channel.slug}/", wrong).status_code == 403
    assert client.get(f"/hooks/{channel.slug}/").status_code == 403
    assert client.get("/hooks/nothing-here/", params).status_code == 403


@every("hooks", "polls")
def test_a_post_that_is_delivered_and_read_is_one_message(stage, channel, somebody_writes, client):
    first, second = somebody_writes("delivered first"), somebody_writes("read first")
    deliver(channel, stage.deliver(first), client)
    deliveries.read_waiting(pipeline.take_in)
    read_all(channel)
    deliver(channel, stage.deliver(second), client)
    deliveries.read_waiting(pipeline.take_in)
    read_all(channel)
    assert told() == Counter(("delivered first", "read first"))


# What may stand in a post ---------------------------------------------------------------------------------------------


@every()
def test_fields_that_nobody_has_heard_of_are_passed_over(stage, channel, somebody_writes, client):
    stage.strange = True
    posts = [somebody_writes(f"{kind} with more", kind=kind) for kind in stage.kinds]
    bring(channel, *posts, stage=stage, client=client)
    assert told() == Counter(each.text for each in posts)
    assert not channel.quarantine.exists()


@every(anonymous=True)
def test_a_post_without_an_author_is_a_message_of_nobody(stage, channel, somebody_writes, client):
    bring(channel, somebody_writes("Who am I", author="", kind=stage.kinds[-1]), stage=stage, client=client)
    assert only().text == "Who am I" and only().identity is None
    assert not channel.quarantine.exists()


HOSTILE = 'Hello <b>you</b><script>alert("raven")</script> <a href="javascript:alert(1)" onclick="alert(2)">here</a>'


@every()
def test_nothing_in_a_post_runs_on_our_pages(stage, channel, somebody_writes, client, customer_service, carl):
    bring(channel, somebody_writes(HOSTILE), stage=stage, client=client)
    kept = only()
    assert not kept.url.lower().startswith("javascript:")
    if stage.html:
        assert "<" not in kept.text and "alert" not in kept.text and "Hello you" in kept.text
    else:
        assert kept.text == HOSTILE
    lies_with(customer_service, kept)
    client.force_login(carl)
    page = client.get(kept.conversation.get_absolute_url()).content.decode()
    assert "Hello" in page
    for runs in ('<script>alert("raven")', '<a href="javascript:', 'onclick="alert(2)"'):
        assert runs not in page


# Where it asks --------------------------------------------------------------------------------------------------------


@every("polls")
def test_it_asks_the_address_in_its_settings_and_no_other(stage, channel, somebody_writes, monkeypatch):
    asked, resolve = set(), addresses.resolve
    monkeypatch.setattr(addresses, "resolve", lambda host, port: asked.add((host, port)) or resolve(host, port))
    somebody_writes()
    read_all(channel)
    channel.connector().check()
    assert asked == {("127.0.0.1", stage.web.port)}
    assert stage.asked


@every("polls")
def test_a_redirect_into_our_own_network_is_not_followed(stage, channel):
    with counting() as elsewhere:
        stage.trouble, stage.elsewhere = "elsewhere", f"http://127.0.0.1:{elsewhere.port}/"
        assert visit(channel).outcome == "failed"
        assert elsewhere.calls == []


@every("polls")
def test_an_address_in_our_own_network_is_not_asked_unless_that_is_allowed(stage, house):
    channel = open_channel(stage, allow_private_hosts=False)
    assert visit(channel).outcome == "failed"
    assert stage.asked == []


# Listening ------------------------------------------------------------------------------------------------------------


@every("searches", finds_all=True)
def test_a_keyword_channel_finds_what_is_not_addressed_to_us_and_both_see_one_message(stage, somebody_writes, house):
    somebody_writes("a zebra on a bike")
    somebody_writes("nothing of the kind")
    words = open_channel(stage, "words", query="zebra")
    read_all(words)
    assert told() == Counter(["a zebra on a bike"])
    read_all(open_channel(stage))
    assert told() == Counter(["a zebra on a bike", "nothing of the kind"])


# On screen and for programs -------------------------------------------------------------------------------------------


def program(person) -> Client:
    _, secret = make_token(person, "test", by=person)
    return Client(headers={"Authorization": f"Bearer {secret}"})


#: What may be done to their post → the capability that it needs.
ACTS = {"like": "likes", "hide": "hides", "remove": "removes_of_others"}


@pytest.fixture
def shown(stage, channel, somebody_writes, client, customer_service, carl):
    """A message that may be hidden and deleted where any may, in Carl's browser; and its page."""
    kind = next((each for each in ("comment", "reply") if each in stage.kinds), stage.kinds[0])
    bring(channel, somebody_writes(kind=kind), stage=stage, client=client)
    lies_with(customer_service, only())
    client.force_login(carl)
    return client.get(only().conversation.get_absolute_url()).content.decode()


@every()
def test_what_the_network_can_not_do_is_neither_offered_nor_done(channel, shown, client, carl):
    offers, message = channel.offers, only()
    path = f"/api/v1/conversations/{message.conversation_id}/replies/"
    body = {"text": "It left this morning.", "seen": str(message.pk)}
    asked = [body] * (not offers.replies) + [body | {"private": True}] * (not offers.private_replies)
    answers = [program(carl).post(path, each, content_type="application/json") for each in asked]
    assert {each.status_code // 100 for each in answers} <= {4}, [each.content for each in answers]
    assert (f'/inbox/c/{message.conversation_id}/reply/"' in shown) == offers.replies
    for act in [act for act, capability in ACTS.items() if not getattr(offers, capability)]:
        place = reverse("message-act", args=[message.pk, act])
        assert place not in shown
        client.post(place)
    assert not Moderation.objects.exists() and not Reply.objects.exists()


@every()
def test_what_the_network_can_do_is_offered_and_done(stage, channel, shown, client):
    for act in [act for act, capability in ACTS.items() if getattr(channel.offers, capability)]:
        place = reverse("message-act", args=[only().pk, act])
        assert place in shown, act
        client.post(place)
        pipeline.send()
        asked = Moderation.objects.get(act=act)
        assert (asked.state, asked.trouble) == ("done", "")
        there = [*stage.posts.values()]
        # Some networks keep what was deleted where nobody sees it any more.
        assert there[0].liked if act == "like" else not there or there[0].hidden, act


# Secrets --------------------------------------------------------------------------------------------------------------


@every()
def test_no_secret_shows_anywhere(
    stage, channel, somebody_writes, client, customer_service, ada, carl, caplog, hurried
):
    caplog.set_level(logging.DEBUG)
    assert all("canary" in each for each in stage.credentials.values()), "a secret that would not be found"
    connector, heard = channel.connector(), []
    bring(channel, somebody_writes(ago=MINUTE), stage=stage, client=client)
    message = only()
    target = outbox.target_of(message)
    reply = Outgoing("Hello", target.id, "0b4e8a52-6f0e-4df5-9d2f-7f2f0f3c5a11", to=target)
    tries = [lambda: connector.fetch(channel.cursor), connector.check, connector.connected]
    tries += [lambda: connector.lookup([target.id]), connector.renew] if channel.offers.polls else []
    tries += [lambda: connector.send(reply), lambda: connector.find_sent(reply, message.created_at)]
    for trouble in ["", *(each for each in stage.troubles if each != "drip")]:
        stage.trouble = trouble
        for attempt in tries:
            try:
                heard.append(repr(attempt()) if attempt != connector.renew else attempt() and "")
            except NotImplementedError:
                continue
            except Exception as error:
                assert isinstance(error, ConnectorError), f"{trouble}: {error!r} of the library's came out"
                heard += [repr(error), str(error), error.detail, repr(error.__cause__), repr(vars(error))]
        visit(channel)
    lies_with(customer_service, message)
    heard += [caplog.text, repr(connector), str(connector), repr(channel)]
    heard += [repr(list(model.objects.values())) for model in (FetchRun, AuditEntry, Message, QuarantinedPost)]
    heard += [repr(list(Channel.objects.defer("sealed").values(*COLUMNS)))]
    heard += _pages(client, channel, message, ada, carl)
    assert [text for text in heard if "canary" in text] == []
    assert [each.path for each in stage.asked if "canary" in f"{each.path}{each.query}"] == [], "in an address"


COLUMNS = [each.attname for each in Channel._meta.concrete_fields if each.name != "sealed"]


def _pages(client, channel, message, ada, carl) -> list[str]:
    """What an admin, a colleague and a program are shown of it."""
    client.force_login(ada)
    own = f"/channels/{channel.slug}/"
    paths = ["/channels/", own, f"{own}edit/", f"{own}ledger/", f"/channels/new/?network={channel.network}"]
    read = [client.post(f"{own}check/", follow=True), *map(client.get, paths)]
    client.force_login(carl)
    read += [client.get(message.conversation.get_absolute_url()), client.get("/inbox/")]
    tool, api = program(ada), f"/api/v1/channels/{channel.slug}/"
    read += [tool.get(each) for each in ("/api/v1/channels/", api, f"{api}fetch-runs/", f"{api}quarantine/")]
    assert {each.status_code for each in read} == {200}, [each.status_code for each in read]
    return [each.content.decode() for each in read]


def test_no_secret_stands_in_the_description_of_the_api(ada):
    said = program(ada).get("/api/v1/schema/").content.decode()
    assert "openapi" in said and "canary" not in said
