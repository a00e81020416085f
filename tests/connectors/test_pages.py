"""The channels' pages as their people use them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions, ledger
from connectors.contract import Unreadable
from connectors.models import Channel, FetchRun, QuarantinedPost
from departments.models import AuditEntry
from departments.roles import HouseRole, give_house
from tests.connectors.conftest import QUIET

CANARY = "canary-4711"


@pytest.fixture
def channel(house, customer_service, hr):
    return actions.open_channel(
        network="demo",
        slug="mirabelo",
        name="Mirabelo",
        settings=QUIET,
        credentials={"token": CANARY},
        speakers=[customer_service],
        monitors=[hr],
        by="system",
    )


@pytest.fixture
def quarantined(channel):
    run = ledger.start(channel, FetchRun.Via.PUSH)
    ledger.quarantine(
        run, [({"id": "9", "text": f"<script>alert('{CANARY}')</script>"}, "There is no “kind” <b>here</b>.")]
    )
    return QuarantinedPost.objects.get()


@pytest.fixture
def auditor(stranger):
    give_house(stranger, HouseRole.AUDITOR)
    return stranger


def page(client, name="channel", **of):
    of = of or ({"slug": "mirabelo"} if name == "channel" else {})
    return client.get(reverse(name, kwargs=of))


def do(client, verb, slug="mirabelo"):
    return client.post(reverse("channel-verb", kwargs={"slug": slug, "verb": verb}), follow=True)


# Who sees what ----------------------------------------------------------------------------------------------------


def test_the_coordinator_reads_every_channel_in_one_table(channel, cora, client_of):
    shown = page(client_of(cora), "channels").content.decode()
    for words in ("Mirabelo", "Demo network", "Listening.", "Customer service", "HR", "None yet", "Nothing taken in"):
        assert words in shown
    assert "is-danger" not in shown
    assert reverse("channel-new") not in shown


def test_trouble_is_red_and_says_what_to_do(channel, ada, client_of):
    Channel.objects.update(state="needs_login", state_reason="The network does not accept our credentials: …")
    for name in ("channels", "channel"):
        shown = page(client_of(ada), name).content.decode()
        assert "is-danger" in shown
        assert "does not accept our credentials" in shown
    assert "Connect it again" in shown


def test_carl_sees_how_his_channel_is_and_nothing_to_press_or_inspect(channel, quarantined, carl, client_of):
    shown = page(client_of(carl)).content.decode()
    assert "Listening." in shown
    for words in ("Ledger", "Quarantine", "Pause", "Change", "Seconds between"):
        assert words not in shown
    assert do(client_of(carl), "pause").status_code == 403
    assert client_of(carl).post(reverse("channel-replay", kwargs={"slug": "mirabelo"})).status_code == 403
    assert page(client_of(carl), "channel-edit", slug="mirabelo").status_code == 404
    assert page(client_of(carl), "channel-new").status_code == 404


def test_pia_can_not_tell_a_channel_of_others_from_none(channel, pia, client_of):
    client = client_of(pia)
    assert "Mirabelo" not in page(client, "channels").content.decode()
    hidden, random = page(client), page(client, slug="no-such-channel")
    assert hidden.status_code == random.status_code == 404
    assert do(client, "pause").status_code == do(client, "pause", "no-such-channel").status_code == 404


def test_a_stranger_finds_nothing_here(channel, stranger, client_of):
    client = client_of(stranger)
    for name, of in (("channels", {}), ("channel", {"slug": "mirabelo"}), ("channel-new", {})):
        assert client.get(reverse(name, kwargs=of)).status_code == 404


def test_an_auditor_reads_ledger_and_settings_and_presses_nothing(channel, quarantined, auditor, client_of):
    shown = page(client_of(auditor)).content.decode()
    assert "Ledger" in shown and "Quarantine" in shown
    assert "<form" not in shown.split('id="channel"')[1].split("</main>")[0]
    assert do(client_of(auditor), "freeze").status_code == 403


def test_no_page_shows_a_secret_or_what_a_quarantined_post_says(channel, quarantined, ada, client_of):
    for address in (
        reverse("channels"),
        reverse("channel", kwargs={"slug": "mirabelo"}),
        reverse("channel-edit", kwargs={"slug": "mirabelo"}),
    ):
        shown = client_of(ada).get(address).content.decode()
        assert CANARY not in shown
        assert "<b>here</b>" not in shown
    assert "&lt;b&gt;here&lt;/b&gt;" in page(client_of(ada)).content.decode()


def test_the_list_costs_the_same_whatever_its_length(channel, ada, client_of, django_assert_num_queries):
    client = client_of(ada)
    page(client, "channels")
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        page(client, "channels")
    for number in range(12):
        actions.open_channel(network="demo", slug=f"c{number}", name=f"C{number}", settings=QUIET, by="system")
    with django_assert_num_queries(len(few)):
        page(client, "channels")


# What people do ---------------------------------------------------------------------------------------------------


def test_cora_pauses_resumes_freezes_thaws_and_looks_now(channel, cora, client_of):
    client = client_of(cora)
    steps = [
        ("pause", "Mirabelo is paused", ("paused", False)),
        ("resume", "from where it stopped", ("listening", False)),
        ("freeze", "Nothing leaves through Mirabelo", ("listening", True)),
        ("thaw", "Replies leave through Mirabelo again", ("listening", False)),
        ("poll", "is looked at now", ("listening", False)),
    ]
    for verb, said, state in steps:
        assert said in do(client, verb).content.decode()
        channel.refresh_from_db()
        assert (channel.state, channel.is_frozen) == state
    assert do(client, "explode").status_code == 404
    assert client.get(reverse("channel-verb", kwargs={"slug": "mirabelo", "verb": "pause"})).status_code == 405


def test_ada_connects_a_channel_by_the_form(house, ada, client_of, customer_service):
    client = client_of(ada)
    assert "Demo network" in page(client, "channel-new").content.decode()
    address = reverse("channel-new") + "?network=demo"
    form = client.get(address).content.decode()
    assert "Posts a minute" in form and "Access token" in form
    wrong = {"name": "Mirabelo", "slug": "new", "settings.rate": "99999"}
    shown = client.post(address, wrong).content.decode()
    assert "less than or equal to 6000" in shown and not Channel.objects.exists()
    right = {
        "name": "Mirabelo",
        "slug": "mirabelo",
        "settings.rate": "4",
        "settings.calm": "on",
        "settings.refuse": "",
        "credentials.token": CANARY,
        "speakers": [str(customer_service.pk)],
    }
    assert "is open" in client.post(address, right, follow=True).content.decode()
    made = Channel.objects.get()
    assert (made.settings["rate"], made.settings["calm"], made.settings["story"]) == (4, True, False)
    assert "refuse" not in made.settings
    assert (made.credentials, list(made.speakers.all())) == ({"token": CANARY}, [customer_service])


def test_ada_changes_settings_and_departments_and_what_the_form_does_not_ask_stays(channel, ada, client_of, pr):
    Channel.objects.update(settings=QUIET | {"allow_private_hosts": True})
    posted = {"name": "Mirabelo E-bikes", "settings.rate": "0.5", "settings.outage": "on", "monitors": [str(pr.pk)]}
    client_of(ada).post(reverse("channel-edit", kwargs={"slug": "mirabelo"}), posted)
    channel.refresh_from_db()
    assert channel.name == "Mirabelo E-bikes"
    assert (channel.settings["rate"], channel.settings["outage"], channel.settings["allow_private_hosts"]) == (
        0.5,
        True,
        True,
    )
    assert (list(channel.speakers.all()), list(channel.monitors.all())) == ([], [pr])
    assert channel.credentials == {"token": CANARY}
    verbs = list(AuditEntry.objects.filter(by=ada).values_list("verb", flat=True))
    assert sorted(verbs) == ["channel_changed", "channel_departments_set"]


def test_ada_connects_again_and_sees_no_old_secret(channel, ada, client_of):
    Channel.objects.update(state="needs_login", next_poll_at=None)
    client_of(ada).post(reverse("channel-connect", kwargs={"slug": "mirabelo"}), {"credentials.token": "fresh"})
    channel.refresh_from_db()
    assert (channel.state, channel.credentials) == ("listening", {"token": "fresh"})


def test_ada_has_one_or_all_quarantined_posts_tried_again(channel, quarantined, ada, client_of):
    run = ledger.start(channel, FetchRun.Via.PUSH)
    ledger.keep(run, [Unreadable("a", "b"), Unreadable("c", "d")], None)
    client, address = client_of(ada), reverse("channel-replay", kwargs={"slug": "mirabelo"})
    assert "1 post is tried again" in client.post(address, {"post": quarantined.pk}, follow=True).content.decode()
    assert list(QuarantinedPost.objects.asked_for()) == [quarantined]
    client.post(address)
    assert QuarantinedPost.objects.asked_for().count() == 3
    assert client.post(address, {"post": "nonsense"}).status_code == 302


def test_a_refresh_brings_only_the_piece(channel, ada, client_of):
    for name in ("channels", "channel"):
        of = {"slug": "mirabelo"} if name == "channel" else {}
        piece = client_of(ada).get(reverse(name, kwargs=of), headers={"HX-Request": "true"}).content.decode()
        assert piece.strip().startswith(f'<div class="page-in is-channel" id="{name}"')
        assert "<html" not in piece


def test_the_day_is_drawn_and_said(channel, ada, client_of):
    FetchRun.objects.create(channel=channel, outcome="ok", read=7, taken_in=7)
    FetchRun.objects.create(
        channel=channel, outcome="ok", read=5, taken_in=5, started=timezone.now() - timezone.timedelta(hours=30)
    )
    shown = page(client_of(ada), "channels").content.decode()
    assert "7 posts taken in during the last 24 hours, 7 of them in this hour." in shown
