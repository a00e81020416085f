"""Whatever goes wrong with a channel, an admin reads what it is, since when, what does not arrive, and what to do."""

import html
from datetime import timedelta

import pytest
from django.utils import timezone

from connectors import deliveries, errors, health, polling, trouble
from connectors.contract import Batch
from connectors.errors import ConnectorError
from connectors.models import Channel
from departments.models import User
from socialhub.insights import ingest
from tests.connectors.conftest import Scripted

#: What is about one reply or one delivery, and never about reading a channel.
OF_REPLIES = (errors.Rejected, errors.NotSent, errors.MaybeSent)
CANARY = "canary-4711"


def every_error() -> list[type[ConnectorError]]:
    return [each for each in errors._all(ConnectorError) if each.__module__ == errors.__name__]


def raised(kind: type[ConnectorError]) -> ConnectorError:
    if issubclass(kind, errors.Misconfigured):
        return kind("There is no such account.")
    return kind(scopes=["read:mentions"]) if kind is errors.MissingScope else kind(f"it said {CANARY}")


def fails(channel: Channel, error: Exception, inbox) -> Channel:
    Scripted.answers = [error]
    polling.poll(channel, inbox)
    channel.refresh_from_db()
    return channel


@pytest.fixture
def read(scripted, ada, client_of):
    """The channel's page as Ada reads it."""
    client = client_of(ada)
    return lambda: html.unescape(client.get("/channels/scripted/").content.decode())


def test_every_error_of_reading_is_told_with_its_time_what_is_missing_and_what_to_do(scripted, inbox, read):
    began = timezone.now()
    for kind in every_error():
        if issubclass(kind, (*OF_REPLIES, errors.Forged)):
            continue
        Channel.objects.update(state="listening", trouble="", failing_since=None, failures=0, fence=0)
        scripted.refresh_from_db()
        error = raised(kind)
        channel, said = fails(scripted, error, inbox), read()
        told = trouble.of(channel)
        wrong = error.detail if issubclass(kind, errors.Misconfigured) else error.sentence
        assert told.wrong.startswith(wrong), kind
        assert (told.since >= began, told.todo, told.mended_in) == (True, kind.todo, kind.mended_in), kind
        alarm = channel.is_trouble and kind is not errors.NotConnected
        assert (channel.trouble, told.alarm) == (kind.__name__, alarm), kind
        for words in (wrong, "Since", "Last went well", "Not arriving", told.lacking, "What to do", kind.todo):
            assert words in said, (kind, words)
        assert told.lacking.endswith(".") and "{" not in told.lacking


def test_every_error_says_what_to_do_in_a_sentence():
    for kind in every_error():
        assert kind.todo.endswith(".") and "\n" not in kind.todo and kind.mended_in in ("", "connection", "settings")
        assert errors.named(kind.__name__) is kind
    own = [each for each in every_error() if issubclass(each, OF_REPLIES)]
    assert len({each.todo for each in own}) == len(own) == 6


def test_a_fault_of_our_own_is_told_as_ours(scripted, inbox, read):
    channel = fails(scripted, KeyError(CANARY), inbox)
    assert (channel.trouble, errors.named(channel.trouble)) == (health.FAULT, None)
    said = read()
    assert "Social Hub itself failed here (KeyError)." in said and trouble.OURS in said and CANARY not in said


def test_what_the_network_said_stands_beside_it_without_secrets(scripted, inbox, read):
    scripted.credentials = {"token": CANARY}
    scripted.save()
    fails(scripted, errors.ServerFailed(f"502 for {CANARY}"), inbox)
    said = read()
    assert "More exactly" in said and "502 for •••" in said and CANARY not in said


def test_a_missing_permission_is_named(scripted, inbox, read):
    fails(scripted, errors.MissingScope(scopes=["read:mentions", "read:dm"]), inbox)
    assert "grant what is missing. Missing: read:mentions, read:dm." in read()


def test_since_when_is_the_first_failure_in_a_row_and_gone_when_it_works_again(scripted, inbox, read):
    first = fails(scripted, errors.Unreachable(), inbox).failing_since
    assert fails(scripted, errors.TooSlow(), inbox).failing_since == first
    Scripted.answers = [Batch((), {})]
    polling.poll(scripted, inbox)
    scripted.refresh_from_db()
    assert (scripted.trouble, scripted.failing_since, trouble.of(scripted)) == ("", None, None)
    assert "What to do" not in read()


def test_what_costs_money_is_shown_at_once_and_not_after_three_times(scripted, inbox):
    cora = User.objects.get(username="cora")
    for kind, words in ((errors.BudgetSpent, "budget spent"), (errors.CreditsUsedUp, "no credits")):
        channel = fails(scripted, kind(until=timezone.now() + timedelta(hours=1)), inbox)
        assert channel.failures < health.TROUBLE and channel.is_trouble
        assert list(Channel.objects.in_trouble()) == [channel]
        assert ingest.lines(cora, timezone.now())[0].status == words
        Channel.objects.update(failures=0)
        scripted.refresh_from_db()


def test_an_auditor_reads_what_is_wrong_and_has_nothing_to_press(scripted, inbox, cora, client_of):
    fails(scripted, errors.NotAuthorized(), inbox)
    said = client_of(cora).get("/channels/scripted/").content.decode()
    assert "What to do" in said and "Connect it again" not in said


def test_a_delivery_that_nobody_signed_is_noted_once_a_minute(house, ada, client_of):
    channel = Channel.objects.create(network="webhook", slug="hook", name="Hook")
    for _ in range(3):
        with pytest.raises(errors.Forged):
            deliveries.receive("hook", {}, b"{}")
    channel.refresh_from_db()
    noted = channel.refused_at
    assert noted and channel.refused_reason
    said = html.unescape(client_of(ada).get("/channels/hook/").content.decode())
    assert "Last refused" in said and channel.refused_reason in said and errors.Forged.todo in said
    Channel.objects.update(refused_at=noted - timedelta(minutes=2))
    with pytest.raises(errors.Forged):
        deliveries.receive("hook", {}, b"{}")
    channel.refresh_from_db()
    assert channel.refused_at > noted
