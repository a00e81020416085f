"""Secrets at rest, and what an error does to its channel."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from connectors import health, vault
from connectors.errors import Misconfigured, NotAuthorized, RateLimited, Unreachable, WrongKey

NOW = datetime(2026, 11, 22, 14, 6, tzinfo=UTC)
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
SECRET = {"token": "pssst-canary"}


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.CREDENTIAL_KEYS = [OLD]


def test_what_is_sealed_can_not_be_read_and_comes_back():
    sealed = vault.seal(SECRET)
    assert "canary" not in sealed
    assert vault.unseal(sealed) == SECRET


def test_no_credentials_need_no_key(settings):
    settings.CREDENTIAL_KEYS = []
    assert vault.unseal(vault.seal({})) == {}


def test_keys_are_turned_over_without_connecting_anew(settings):
    sealed = vault.seal(SECRET)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    turned = vault.reseal(sealed)
    settings.CREDENTIAL_KEYS = [NEW]
    assert vault.unseal(turned) == SECRET
    with pytest.raises(WrongKey):
        vault.unseal(sealed)


def test_a_wrong_key_is_an_error_that_says_what_to_do(settings):
    sealed = vault.seal(SECRET)
    settings.CREDENTIAL_KEYS = [OTHER]
    with pytest.raises(WrongKey, match="CREDENTIAL_KEYS.*put that key back") as caught:
        vault.unseal(sealed)
    assert "canary" not in str(caught.value)


def test_a_key_that_is_none_stops_with_a_sentence(settings):
    settings.CREDENTIAL_KEYS = ["too short"]
    with pytest.raises(ImproperlyConfigured, match="CREDENTIAL_KEYS"):
        vault.seal(SECRET)


def test_a_secret_in_an_error_is_struck_out():
    assert vault.redacted("bad token pssst-canary in /?t=pssst-canary", SECRET) == "bad token ••• in /?t=•••"


def after(error, failures=0, chance=1.0):
    return health.after_error(error, NOW, failures=failures, poll_seconds=60, chance=lambda: chance)


def test_after_a_good_visit_the_next_comes_in_its_turn_or_at_once():
    at = NOW + timedelta(seconds=0.4)
    assert health.after_success(at, due=NOW, poll_seconds=60).next_poll_at == NOW + timedelta(seconds=60)
    assert health.after_success(at, due=NOW, poll_seconds=60, more=True).next_poll_at == at


def test_failures_wait_longer_and_longer_but_never_beyond_half_an_hour():
    waits = [(after(Unreachable(), failures).next_poll_at - NOW).total_seconds() for failures in range(40)]
    assert waits[:3] == [120, 240, 480]
    assert waits == sorted(waits)
    assert waits[-1] == 1800


def test_channels_do_not_come_back_in_step():
    assert after(Unreachable(), 3, chance=0.5).next_poll_at < after(Unreachable(), 3, chance=0.9).next_poll_at
    assert after(Unreachable(), 3, chance=0.0).next_poll_at == NOW + health.SHORTEST_WAIT


@pytest.mark.parametrize(
    ("until", "wait"),
    [
        (timedelta(minutes=15), timedelta(minutes=15)),
        (-timedelta(1), timedelta(seconds=1)),
        (timedelta(90), timedelta(1)),
    ],
)
def test_when_the_network_names_a_time_that_counts(until, wait):
    verdict = after(RateLimited(until=NOW + until))
    assert (verdict.state, verdict.next_poll_at) == ("listening", NOW + wait)


@pytest.mark.parametrize("error", [NotAuthorized(), WrongKey()])
def test_a_lost_login_waits_for_a_person(error):
    assert after(error).state == "needs_login"
    assert after(error).next_poll_at is None


def test_a_wrong_setting_waits_for_a_person_and_says_which():
    verdict = after(Misconfigured("The address is missing."))
    assert (verdict.state, verdict.reason, verdict.next_poll_at) == ("broken", "The address is missing.", None)


def test_a_fault_of_our_own_is_called_ours_and_tells_no_text():
    verdict = after(ValueError("Ana wrote: my address is …"))
    assert verdict.reason == "Social Hub itself failed here (ValueError)."
    assert verdict.next_poll_at is not None


def test_one_failure_is_weather_three_are_trouble():
    assert not health.is_trouble("listening", 2)
    assert health.is_trouble("listening", 3)
    assert health.is_trouble("needs_login", 1)
    assert not health.is_trouble("paused", 9)


def test_health_is_said_in_a_sentence():
    assert health.in_words("listening", "", 0) == "Listening."
    assert health.in_words("listening", Unreachable().sentence, 2).startswith("Failed 2 times in a row. No answer")
    assert "somebody has to connect" in health.in_words("needs_login", NotAuthorized().sentence, 1)
