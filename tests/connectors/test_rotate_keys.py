"""Ada brings all credentials under a new key and throws the old one away."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from connectors import actions, signing
from connectors.errors import WrongKey
from connectors.models import Channel

pytestmark = pytest.mark.django_db
SECRET = signing.new_secret()
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def channels(house, settings):
    settings.CREDENTIAL_KEYS = [OLD]
    for slug in ("forum", "shop"):
        actions.open_channel(network="webhook", slug=slug, name=slug, credentials={"secret": SECRET}, by="system")


def secrets():
    return {each.slug: each.credentials["secret"] for each in Channel.objects.exclude(sealed="")}


def test_the_old_key_can_be_thrown_away_afterwards(channels, settings, capsys):
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="Keep the older keys"):
        call_command("rotate_keys", "--check")
    call_command("rotate_keys")
    assert "2 brought under the newest key: forum, shop." in capsys.readouterr().out
    settings.CREDENTIAL_KEYS = [NEW]
    assert secrets() == {"forum": SECRET, "shop": SECRET}
    call_command("rotate_keys", "--check")
    settings.CREDENTIAL_KEYS = [OLD]
    with pytest.raises(WrongKey):
        secrets()


def test_a_channel_under_a_lost_key_is_named_and_the_others_are_done(channels, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    actions.connect_again(Channel.objects.get(slug="shop"), credentials={"secret": SECRET}, by="system")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match="shop") as told:
        call_command("rotate_keys")
    assert "forum" not in str(told.value)
    settings.CREDENTIAL_KEYS = [NEW]
    assert Channel.objects.get(slug="forum").credentials == {"secret": SECRET}
