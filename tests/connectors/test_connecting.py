"""Ada connects channels in the browser: on the network's own page and back, by what she enters, and tries them."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from connectors import actions, connecting, registry, vault
from connectors.contract import Account, Checked
from connectors.errors import MissingScope, RateLimited, Unreachable
from connectors.models import Channel, FetchRun
from departments.models import AuditEntry
from departments.tokens import make_token
from tests.connectors.gate import CANARY, Gate, account
from tests.connectors.mastodon.stage import MastodonStage
from tests.connectors.web import serving

THE_GATE = {"slug": "gate"}


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setitem(registry.NETWORKS, "gate", "tests.connectors.gate.Gate")
    Gate.accounts, Gate.refuses, Gate.happened = [account("@mirabelo")], {}, []


@pytest.fixture
def gate(house):
    return actions.open_channel(network="gate", slug="gate", name="Gate", by="system")


@pytest.fixture
def adas(ada, client_of):
    return client_of(ada)


def post(adas, name, said=None, **of):
    return adas.post(reverse(name, kwargs=of or THE_GATE), said or {}, follow=True)


def leave(adas) -> str:
    """Press “Sign in”; the state with which the network's page will send the browser back."""
    page = adas.post(reverse("channel-sign-in", kwargs=THE_GATE)).content.decode()
    address = page.split("url=")[1].split('"')[0].replace("&amp;", "&")
    asked = parse_qs(urlsplit(address).query)
    assert (asked.get("back") or asked["redirect_uri"]) == ["http://testserver/channels/signed-in/"]
    return asked["state"][0]


def come_back(adas, **said):
    return adas.get(reverse("channel-signed-in"), said, follow=True)


# There and back ---------------------------------------------------------------------------------------------------


def test_a_channel_that_is_opened_without_credentials_waits_for_its_sign_in(gate, adas):
    assert (gate.state, gate.trouble, gate.next_poll_at) == ("needs_login", "NotConnected", None)
    page = adas.get(reverse("channel", kwargs=THE_GATE)).content.decode()
    assert "Nobody has connected this channel yet." in page and "Sign in to Gate" in page
    assert "No mentions and direct messages are read before it is connected." in page


def test_ada_opens_a_channel_and_goes_straight_on_to_the_networks_page(house, adas):
    said = {
        "name": "Gate",
        "slug": "gate",
        "sign_in": "1",
        "credentials.client_id": "ours",
        "credentials.client_secret": CANARY,
    }
    page = adas.post(reverse("channel-new") + "?network=gate", said).content.decode()
    assert 'http-equiv="refresh" content="0; url=https://gate.example/allow?' in page and CANARY not in page
    assert Channel.objects.get().state == "needs_login"


def test_ada_signs_in_and_the_channel_is_read_as_that_account(gate, adas):
    page = come_back(adas, state=leave(adas), code="good").content.decode()
    gate.refresh_from_db()
    assert "Gate is connected as @mirabelo." in page and "Reading mentions" in page
    assert (gate.state, gate.settings["account"], gate.failures) == ("listening", "@mirabelo", 0)
    assert gate.next_poll_at <= timezone.now()
    assert gate.credentials == {
        "client_id": "made",
        "client_secret": CANARY,
        "token": f"{CANARY}-@mirabelo",
        "scopes": "dm",
    }
    code, back, kept, client = Gate.happened[0]
    assert (code, back, kept) == ("good", "http://testserver/channels/signed-in/", {"verifier": CANARY})
    assert (client, Gate.happened[1]) == ("made", "connected")
    verbs = list(AuditEntry.objects.order_by("at").values_list("verb", flat=True))
    assert verbs[-2:] == ["channel_sign_in_begun", "channel_signed_in"]
    assert CANARY not in page + json.dumps(list(AuditEntry.objects.values_list("facts", flat=True)))


def test_what_only_we_may_know_lies_encrypted_in_the_session(gate, adas):
    leave(adas)
    assert CANARY not in json.dumps(dict(adas.session))
    sealed = list(adas.session[connecting.KEPT_IN].values())
    assert vault.unseal(sealed[0])["keep"] == {"verifier": CANARY}


def test_a_sign_in_is_good_once_for_ten_minutes_and_for_who_began_it(gate, adas, ada, cora, client_of, monkeypatch):
    state = leave(adas)
    for stranger in ({"state": "made-up", "code": "good"}, {"code": "good"}, {}):
        assert "This sign-in is over" in come_back(adas, **stranger).content.decode()
    come_back(adas, state=state, code="good")
    Channel.objects.update(state="needs_login")
    assert "This sign-in is over" in come_back(adas, state=state, code="good").content.decode()
    assert len([each for each in Gate.happened if each != "connected"]) == 1
    state = leave(adas)
    kept = dict(adas.session[connecting.KEPT_IN])
    other = client_of(ada)
    assert "This sign-in is over" in come_back(other, state=state, code="good").content.decode()
    session = other.session
    told = vault.unseal(kept[state])
    for change in ({"by": str(cora.pk)}, {"at": (timezone.now() - timedelta(minutes=11)).isoformat()}):
        session[connecting.KEPT_IN] = {state: vault.seal(told | change)}
        session.save()
        assert "This sign-in is over" in come_back(other, state=state, code="good").content.decode()
    assert Channel.objects.get().state == "needs_login"


def test_only_the_newest_sign_ins_of_a_browser_are_kept(gate, adas):
    states = [leave(adas) for _ in range(connecting.MOST_AT_ONCE + 2)]
    assert list(adas.session[connecting.KEPT_IN]) == states[2:]


def test_a_refusal_on_the_networks_page_is_shown_in_words(gate, adas):
    page = come_back(adas, state=leave(adas), error="access_denied").content.decode()
    assert "Nobody allowed it on the network’s page." in page
    said = "<b>The app</b> is not live " + "x" * 500
    page = come_back(adas, state=leave(adas), error="nope", error_description=said).content.decode()
    assert "The network’s page says: “&lt;b&gt;The app&lt;/b&gt; is not live" in page and "x" * 300 not in page
    assert Channel.objects.get().state == "needs_login"


def test_trouble_on_the_way_is_shown_in_words_and_without_secrets(gate, adas):
    page = come_back(adas, state=leave(adas), code="bad").content.decode()
    assert "does not accept our credentials" in page and "The code of ••• is not good." in page and CANARY not in page
    Gate.refuses = {"sign_in": Unreachable("gate.example does not answer")}
    page = post(adas, "channel-sign-in").content.decode()
    assert "No answer, or an answer that makes no sense" in page and "gate.example does not answer" in page
    Gate.refuses, Gate.accounts = {}, []
    page = come_back(adas, state=leave(adas), code="good").content.decode()
    assert "there is no account there that this channel could be" in page


def test_ada_chooses_when_the_sign_in_gives_several_accounts(gate, adas):
    Gate.accounts = [account("Mirabelo"), account("Mirabelo E-bikes")]
    chooses = come_back(adas, state=leave(adas), code="good")
    page, address = chooses.content.decode(), chooses.redirect_chain[-1][0]
    assert "Which of them is Gate?" in page and "Mirabelo E-bikes" in page and CANARY not in page
    assert CANARY not in json.dumps(dict(adas.session))
    key = address.strip("/").rpartition("/")[2]
    assert "This sign-in is over" in come_back(adas, state=key, code="good").content.decode(), "it is no state"
    assert "Which of them" in adas.post(address, {"account": "7"}, follow=True).content.decode()
    assert "connected as Mirabelo E-bikes" in adas.post(address, {"account": "1"}, follow=True).content.decode()
    assert Channel.objects.get().credentials["token"] == f"{CANARY}-Mirabelo E-bikes"
    assert "This sign-in is over" in adas.post(address, {"account": "0"}, follow=True).content.decode()


def test_connecting_again_goes_on_where_it_stopped_and_as_another_account_begins_anew(gate, adas):
    come_back(adas, state=leave(adas), code="good")
    run = FetchRun.objects.create(channel=gate, read=3)
    Channel.objects.update(cursor={"seen": 5}, known={"id": "1"}, state="needs_login", trouble="NotAuthorized")
    Gate.accounts = [account("@mirabelo", lasting=3600)]
    come_back(adas, state=leave(adas), code="good")
    gate.refresh_from_db()
    known = {"id": "1", "signed_in_as": "@mirabelo"}
    assert (gate.state, gate.trouble, gate.cursor, gate.known) == ("listening", "", {"seen": 5}, known)
    assert gate.renew_at and list(gate.runs.all()) == [run]
    Gate.accounts = [account("@other")]
    come_back(adas, state=leave(adas), code="good")
    gate.refresh_from_db()
    assert (gate.cursor, gate.known, gate.expires_at) == ({}, {"signed_in_as": "@other"}, None)


def test_a_paused_channel_stays_paused_when_it_is_connected(gate, adas):
    actions.pause(gate, by="system")
    come_back(adas, state=leave(adas), code="good")
    gate.refresh_from_db()
    assert (gate.state, gate.next_poll_at) == ("paused", None) and gate.credentials["token"]


def test_a_set_up_that_fails_is_said_and_the_channel_is_read_all_the_same(gate, adas):
    Gate.refuses = {"connected": Unreachable("It takes no address for deliveries.")}
    page = come_back(adas, state=leave(adas), code="good").content.decode()
    assert "Gate is connected as @mirabelo. But:" in page and "It takes no address for deliveries." in page
    assert Channel.objects.get().state == "listening"


def test_others_than_admins_find_no_way_to_sign_in(gate, cora, carl, client_of, adas):
    for person in (cora, carl):
        client = client_of(person)
        assert client.post(reverse("channel-sign-in", kwargs=THE_GATE)).status_code == 404
        assert client.get(reverse("channel-signed-in")).status_code == 404
        assert client.post(reverse("channel-check", kwargs=THE_GATE)).status_code == 404
    assert adas.post(reverse("channel-sign-in", kwargs={"slug": "none"})).status_code == 404


def test_a_channel_on_a_real_kind_of_network_is_connected_the_same_way(house, adas):
    """Mastodon: we make ourselves known as an app there, and never ask for more than a code."""
    with serving() as web:
        stage = MastodonStage(web).open()
        said = {"name": "Mirabelo", "slug": "gate", "settings.base_url": web.url, "settings.allow_private_hosts": "on"}
        page = adas.post("/channels/new/?network=mastodon", said | {"sign_in": "1"}).content.decode()
        address = page.split("url=")[1].split('"')[0].replace("&amp;", "&")
        asked = parse_qs(urlsplit(address).query)
        assert address.startswith(f"{web.url}/oauth/authorize?") and asked["client_id"] == ["client"]
        assert asked["redirect_uri"] == ["http://testserver/channels/signed-in/"]
        page = come_back(adas, state=asked["state"][0], code="good").content.decode()
        assert "Mirabelo is connected as @mirabelo" in page and "canary" not in page
        asked = [each.path for each in stage.asked]
        assert (asked[0], asked.count("/oauth/token")) == ("/api/v1/apps", 1)
        Channel.objects.update(state="needs_login")
        page = come_back(adas, state=leave(adas), code="bad").content.decode()
        assert "does not accept our credentials" in page and Channel.objects.get().state == "needs_login"


# Trying -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def connected(gate):
    return actions.sign_in(gate, account("@mirabelo", scopes=""), by="system")


def test_ada_tests_a_connection_and_reads_what_is_granted_and_missing(connected, adas):
    page = post(adas, "channel-check").content.decode()
    for words in ("Connected.", "@mirabelo", "Granted", "Reading mentions", "Missing", "Reading direct messages"):
        assert words in page
    assert MissingScope.todo in page and CANARY not in page
    tried = connecting.last_tried(Channel.objects.get())
    assert (tried.works, tried.missing, tried.account) == (False, ("Reading direct messages",), "@mirabelo")


def test_a_test_that_fails_says_what_to_do_and_changes_nothing(connected, adas):
    before = Channel.objects.values("fence", "state", "cursor", "sealed").get()
    Gate.refuses = {"check": RateLimited(f"Too often for {CANARY}-@mirabelo")}
    page = post(adas, "channel-check").content.decode()
    assert "The network asks us to wait." in page and RateLimited.todo in page and CANARY not in page
    Gate.refuses = {"check": KeyError(CANARY)}
    page = post(adas, "channel-check").content.decode()
    assert "Social Hub itself failed here (KeyError)." in page and CANARY not in page
    assert Channel.objects.values("fence", "state", "cursor", "sealed").get() == before


def test_a_program_tests_a_connection(connected, ada, cora, client):
    def ask(person):
        headers = {"Authorization": f"Bearer {make_token(person, 'check', by=person)[1]}"}
        return client.post("/api/v1/channels/gate/check/", headers=headers, content_type="application/json")

    said = ask(ada).json()
    assert (said["works"], said["account"], said["missing"]) == (False, "@mirabelo", ["Reading direct messages"])
    assert said["sentence"] == "Connected." and said["todo"] == MissingScope.todo and CANARY not in json.dumps(said)
    assert ask(cora).status_code == 403


def test_where_the_network_signs_with_its_own_secret_none_is_made_here(gate, adas, monkeypatch):
    monkeypatch.setattr(Gate, "capabilities", replace(Gate.capabilities, hooks=True))
    page = adas.get(reverse("channel", kwargs=THE_GATE)).content.decode()
    assert "http://testserver/hooks/gate/" in page and "The network’s own secret" in page
    assert "signing secret" not in page and "whsec_" not in page
    assert "signs what it delivers with a secret of its own" in post(adas, "channel-secret").content.decode()


def test_a_channel_that_a_program_opens_has_its_network_deliver(house, ada, client, monkeypatch):
    monkeypatch.setattr(Gate, "capabilities", replace(Gate.capabilities, hooks=True))
    headers = {"Authorization": f"Bearer {make_token(ada, 'open', by=ada)[1]}"}

    def say(method, address, **said):
        ask = getattr(client, method)
        return ask(address, json.dumps(said), headers=headers, content_type="application/json").status_code

    opened = {"network": "gate", "slug": "gate", "name": "Gate", "credentials": {"token": CANARY}}
    assert (say("post", "/api/v1/channels/", **opened), Gate.happened) == (201, ["connected"])
    Gate.refuses = {"connected": Unreachable(), "check": Unreachable()}
    assert say("patch", "/api/v1/channels/gate/", credentials={"token": "another"}) == 200
    channel = Channel.objects.get()
    assert (channel.credentials, connecting.last_tried(channel).works) == ({"token": "another"}, False)


# What will end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "renewable", "warned"), [(3, "no", True), (8, "no", False), (3, "yes", False)])
def test_an_end_that_can_not_be_put_off_is_warned_of_a_week_ahead(gate, adas, cora, client_of, days, renewable, warned):
    given = account("@mirabelo", lasting=days * 86_400)
    given = replace(given, credentials=given.credentials | {"renewable": renewable})
    gate = actions.sign_in(gate, given, by="system")
    assert gate.ends_soon is warned
    pages = [adas.get(reverse("channel", kwargs=THE_GATE)), adas.get(reverse("channels"))]
    pages.append(client_of(cora).get(reverse("overview")))
    for page, words in zip(pages, ("The connection ends", "Its connection ends", "renew in 3 d"), strict=True):
        assert (words in page.content.decode()) is warned, words


def test_an_end_that_the_network_tells_of_is_warned_of_though_tokens_are_renewed(gate, adas, monkeypatch):
    """Google ends what an app in testing was allowed after seven days, whatever is renewed meanwhile."""
    gate = actions.sign_in(gate, account("@mirabelo", lasting=3600), by="system")
    assert gate.renew_at and not gate.ends_soon
    ends = timezone.now() + timedelta(days=6)
    monkeypatch.setattr(Gate, "check", lambda self: Checked("Connected as @mirabelo.", "@mirabelo", ends=ends))
    page = post(adas, "channel-check").content.decode()
    assert "The connection ends" in page and "Connected as @mirabelo." in page
    actions.sign_in(Channel.objects.get(), account("@mirabelo", lasting=3600), by="system")
    assert not Channel.objects.get().ends_soon


def test_what_is_no_secret_may_be_said_and_what_is_one_never(gate, adas, monkeypatch):
    kept = {"token": CANARY, "handle": "mirabelo"}
    actions.sign_in(gate, Account("@mirabelo", {}, kept), by="system")
    monkeypatch.setattr(Gate, "check", lambda self: Checked(f"Connected as @mirabelo with {CANARY}."))
    page = post(adas, "channel-check").content.decode()
    assert "Connected as @mirabelo with •••." in page and CANARY not in page


# What it costs ----------------------------------------------------------------------------------------------------

NEW = "/channels/new/?network=gate"
WORDS = {"name": "E-bikes", "slug": "words", "settings.query": "e-bike", "settings.poll_seconds": "900"}


def test_ada_sees_what_words_to_search_for_will_cost_while_she_writes(house, adas):
    page = adas.get(NEW).content.decode()
    posted = page.split('hx-params="')[1].split('"')[0]
    assert "settings.query" in posted and "credentials" not in posted
    piece = adas.post("/channels/estimate/?network=gate", WORDS).content.decode()
    assert "About US$ 40.00 a month for “e-bike”." in piece and "<html" not in piece
    assert "About" not in adas.post("/channels/estimate/?network=gate", {"settings.query": ""}).content.decode()
    assert adas.post("/channels/estimate/?network=none").status_code == 404
    assert not Channel.objects.exists()


def test_nothing_that_costs_is_kept_before_ada_has_seen_what_it_costs(house, adas):
    page = adas.post(NEW, WORDS).content.decode()
    assert "About US$ 40.00 a month" in page and "Nothing is kept yet" in page and not Channel.objects.exists()
    seen = page.split('name="estimated" value="')[1].split('"')[0]
    dearer = WORDS | {"settings.poll_seconds": "60", "estimated": seen}
    assert "US$ 600.00" in adas.post(NEW, dearer).content.decode() and not Channel.objects.exists()
    adas.post(NEW, WORDS | {"estimated": seen})
    assert Channel.objects.get().settings["query"] == "e-bike"
    edit = reverse("channel-edit", kwargs={"slug": "words"})
    adas.post(edit, WORDS | {"name": "Bikes"})
    assert Channel.objects.get().name == "Bikes"
    assert "Nothing is kept yet" in adas.post(edit, WORDS | {"settings.query": "bike"}).content.decode()
    assert Channel.objects.get().settings["query"] == "e-bike"


def test_who_speaks_is_asked_only_where_somebody_can_be_answered(house, adas, gate):
    actions.open_channel(network="gate", slug="words", name="Words", settings={"query": "e-bike"}, by="system")
    for slug, asked in (("gate", True), ("words", False)):
        page = adas.get(reverse("channel-edit", kwargs={"slug": slug})).content.decode()
        assert ("Who speaks through it" in page, "Who keeps an eye on it" in page) == (asked, True)
        assert ("Speaks through it" in adas.get(reverse("channel", kwargs={"slug": slug})).content.decode()) is asked
    assert "Who speaks" not in adas.get("/channels/new/?network=feed").content.decode()


def test_a_channel_that_could_answer_and_has_no_voice_is_shown_to_cora(house, cora, client_of, customer_service):
    """Also a keyword channel; not one whose finds can not be answered."""
    for network, slug, settings in (("demo", "bikes", {"query": "bike"}), ("gate", "words", {"query": "e-bike"})):
        actions.open_channel(network=network, slug=slug, name=slug.title(), settings=settings, by="system")
    Channel.objects.update(state="listening")
    board = client_of(cora).get(reverse("overview")).content.decode()
    assert "no department answers as Bikes." in board
    actions.set_departments(Channel.objects.get(slug="bikes"), speakers=[customer_service], monitors=[], by="system")
    assert "no department answers" not in client_of(cora).get(reverse("overview")).content.decode()
