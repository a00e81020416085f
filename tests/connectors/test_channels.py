"""Who holds a channel, who may see it, and what people do to it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from connectors import actions
from connectors.models import Channel, LeaseLost
from departments.models import AuditEntry


def due():
    return Channel.objects.due(timezone.now())


def claim(batch=20, seconds=60):
    return due().claim(until=timezone.now() + timedelta(seconds=seconds), batch=batch)


def make(slug, **more):
    more = {"name": slug, "network": "demo", "next_poll_at": timezone.now()} | more
    return Channel.objects.create(slug=slug, **more)


def sentences(channel):
    from departments.audit import sentence

    return [sentence(each) for each in AuditEntry.objects.filter(target_id=str(channel.pk)).order_by("id")]


# Leases -----------------------------------------------------------------------------------------------------------


def test_a_channel_is_due_when_its_time_has_come_and_nobody_holds_it(demo):
    make("never", next_poll_at=None)
    make("later", next_poll_at=timezone.now() + timedelta(hours=1))
    assert [each.slug for each in due()] == ["demo"]
    claim()
    assert not due().exists()
    assert Channel.objects.due(timezone.now() + timedelta(seconds=61)).get() == demo, "its lease has run out"


def test_the_longest_waiting_comes_first(house):
    now = timezone.now()
    for number in (2, 0, 1):
        Channel.objects.create(slug=f"c{number}", name="c", network="demo", next_poll_at=now - timedelta(hours=number))
    assert [each.slug for each in claim(batch=2)] == ["c2", "c1"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_channel():
    for number in range(40):
        make(f"c{number}")
    start = Barrier(4)

    def worker():
        try:
            start.wait()
            mine = []
            while claimed := claim(batch=3):
                mine += [each.pk for each in claimed]
            return mine
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        shares = [each.result() for each in [pool.submit(worker) for _ in range(4)]]
    everything = [pk for share in shares for pk in share]
    assert len(everything) == len(set(everything)) == 40


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_wait_for_one_that_is_just_claiming():
    make("held")
    make("free")
    from django.db import transaction

    def other():
        try:
            return [each.slug for each in claim()]
        finally:
            connection.close()

    with transaction.atomic():
        held = due().filter(slug="held").claim(until=timezone.now() + timedelta(minutes=1))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(other).result(timeout=5) == ["free"]
    assert [each.slug for each in held] == ["held"]


def test_a_late_worker_can_not_move_the_cursor_nor_settle(demo):
    [late] = claim(seconds=-1)
    [next_one] = claim()
    with pytest.raises(LeaseLost):
        late.advance({"change": 7})
    next_one.advance({"change": 1})
    assert Channel.objects.get().cursor == {"change": 1}


# Who sees which ---------------------------------------------------------------------------------------------------


def slugs(user):
    return [each.slug for each in Channel.objects.visible_to(user)]


def test_members_see_what_their_departments_speak_through_or_monitor(
    demo, mia, carl, hana, cora, ada, stranger, customer_service, hr
):
    make("careers", name="Careers")
    actions.set_departments(demo, speakers=[customer_service], monitors=[hr], by="system")
    assert slugs(carl) == slugs(hana) == slugs(mia) == ["demo"]
    assert slugs(cora) == slugs(ada) == ["careers", "demo"]
    assert slugs(stranger) == []


# What people do ---------------------------------------------------------------------------------------------------


def test_ada_opens_a_channel_and_the_audit_says_so_without_the_secret(ada, customer_service):
    channel = actions.open_channel(
        network="demo",
        slug="mirabelo",
        name="Mirabelo",
        settings={"rate": 5},
        credentials={"token": "canary-4711"},
        speakers=[customer_service],
        by=ada,
    )
    channel = Channel.objects.get(pk=channel.pk)
    assert (channel.settings, channel.poll_seconds, channel.credentials) == ({"rate": 5}, 3, {"token": "canary-4711"})
    assert list(due()) == [channel]
    assert sentences(channel) == ["Ada Brandt opened the channel Mirabelo"]
    everything = [str(each.__dict__) for each in (channel, *AuditEntry.objects.all())]
    assert "canary" not in "".join(everything) + repr(channel.connector())


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"network": "carrier-pigeon"}, "network", "There is no network “carrier-pigeon”"),
        ({"slug": "new"}, "slug", "choose another short name"),
        ({"slug": "a b"}, "slug", "Enter a valid"),
        ({"name": ""}, "name", "cannot be blank"),
        ({"settings": {"rtae": 2}}, "settings.rtae", "There is no setting “rtae” here"),
        ({"settings": {"rate": "many"}}, "settings.rate", "has to be a number from 0 to 6,000"),
        ({"settings": {"rate": float("nan")}}, "settings.rate", "has to be a number"),
        ({"settings": {"rate": True}}, "settings.rate", "has to be a number"),
        ({"settings": {"outage": "yes"}}, "settings.outage", "has to be true or false"),
        ({"settings": {"account": "someone"}}, "settings.account", "has to be one of mirabelo"),
        ({"settings": {"base_url": "javascript:alert(1)"}}, "settings.base_url", "begins with https://"),
        ({"settings": {"base_url": "https://me:pssst@example.org"}}, "settings.base_url", "must not hold a password"),
        ({"settings": {"poll_seconds": 0}}, "settings.poll_seconds", "from 1 to"),
        ({"settings": {"query": "a\0b"}}, "settings.query", "has to be text"),
        ({"credentials": {"tokne": "canary"}}, "credentials.tokne", "There is no setting"),
    ],
)
def test_what_can_not_be_used_is_refused_with_a_sentence(house, changes, field, sentence):
    with pytest.raises(ValidationError) as caught:
        actions.open_channel(**({"network": "demo", "slug": "x", "name": "X"} | changes), by="system")
    assert sentence in caught.value.message_dict[field][0]
    assert "canary" not in str(caught.value)
    assert not Channel.objects.exists()


def test_a_pause_ends_a_visit_under_way_and_a_resume_goes_on_from_the_cursor(demo, cora):
    [held] = claim()
    actions.pause(demo, by=cora)
    with pytest.raises(LeaseLost):
        held.advance({"change": 9})
    assert not due().exists()
    actions.resume(demo, by=cora)
    [again] = claim()
    assert again.cursor == {}
    assert sentences(demo)[1:] == ["Cora Jensen paused the channel Demo", "Cora Jensen resumed the channel Demo"]


def test_pausing_twice_is_once(demo, cora):
    actions.pause(demo, by=cora)
    actions.pause(demo, by=cora)
    assert len(sentences(demo)) == 2


def test_the_kill_switch_stops_sending_and_not_reading(demo, cora):
    actions.freeze(demo, by=cora)
    assert not Channel.objects.sending().exists()
    assert due().exists()
    actions.thaw(demo, by=cora)
    assert Channel.objects.sending().exists()
    assert sentences(demo)[1:] == [
        "Cora Jensen stopped all sending through Demo",
        "Cora Jensen allowed sending through Demo again",
    ]


def test_looking_now_is_for_channels_that_are_read(demo, ada):
    imported = actions.open_channel(network="import", slug="files", name="Files", by=ada)
    assert imported.next_poll_at is None
    with pytest.raises(ValidationError, match="Posts are pushed"):
        actions.poll_now(imported, by=ada)
    actions.pause(demo, by=ada)
    with pytest.raises(ValidationError, match="Paused"):
        actions.poll_now(demo, by=ada)


def test_connecting_again_heals_a_channel_that_lost_its_login(demo, ada):
    Channel.objects.update(state="needs_login", failures=1, next_poll_at=None, cursor={"change": 3})
    actions.connect_again(demo, credentials={"token": "fresh"}, by=ada)
    demo.refresh_from_db()
    assert (demo.state, demo.failures, demo.credentials, demo.cursor) == (
        "listening",
        0,
        {"token": "fresh"},
        {"change": 3},
    )
    assert due().exists()


def test_correcting_the_settings_heals_a_broken_channel(demo, ada):
    Channel.objects.update(state="broken", state_reason="…", failures=2, next_poll_at=None)
    actions.change_channel(demo, settings={"rate": 1}, by=ada)
    demo.refresh_from_db()
    assert (demo.state, demo.settings, demo.in_words) == ("listening", {"rate": 1}, "Listening.")
    assert "changed the channel Demo: calm, rate, story" in sentences(demo)[-1]
