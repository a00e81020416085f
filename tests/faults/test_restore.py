"""A backup is brought back after more replies have left: none leaves twice, and none before Ada says so."""

import json
import zipfile
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connectors import registry, vault
from connectors.contract import Capabilities, Connector, Sent
from connectors.models import Channel
from departments.models import AuditEntry
from inbox import actions, outbox
from inbox.models import Message, Reply
from socialhub import backup, pipeline, restoring
from socialhub.models import House, Pulse
from tests.make import make_channel, make_item

pytestmark = pytest.mark.django_db(transaction=True)


class Outside(Connector):
    """A network that is no part of our database: what left stays there, whatever we restore."""

    network = "outside"
    name = "Outside"
    capabilities = Capabilities(polls=False, replies=True, longest_reply=280)
    posts: list[str] = []

    def send(self, reply):
        self.posts.append(reply.text)
        return Sent(id=f"their-{len(self.posts)}", url="")

    def find_sent(self, reply, since):
        return Sent(id=f"their-{self.posts.index(reply.text) + 1}", url="") if reply.text in self.posts else None


@pytest.fixture(autouse=True)
def outside(settings, monkeypatch):
    settings.UNDO_SEND_SECONDS = 0
    monkeypatch.setitem(registry.NETWORKS, "outside", "tests.faults.test_restore.Outside")
    Outside.posts.clear()
    return Outside.posts


@pytest.fixture
def file(tmp_path):
    return tmp_path / "night.backup"


@pytest.fixture
def says(house, carl):
    """`says("Hello")`: Carl answers somebody with that."""
    channel = make_channel(slug="outside", network="outside", sealed=vault.seal({"token": "x"}))

    def answer(text) -> Reply:
        item = make_item(f"{text}?", author=text.split()[0].lower(), channel=channel)
        return actions.reply(item, text, seen=item.conversation.messages.last().pk, by=carl)

    return answer


def worker(rounds: int = 6) -> None:
    """What the worker does in half an hour."""
    for _ in range(rounds):
        waiting = Reply.objects.filter(state__in=["approved", "unknown", "sent"], send_after__gt=timezone.now())
        waiting.filter(send_after__lt=timezone.now() + timedelta(hours=1)).update(send_after=timezone.now())
        pipeline.send()


def states() -> dict[str, str]:
    return dict(Reply.objects.values_list("text", "state"))


def test_what_left_after_the_backup_never_leaves_again(says, file, outside, client_of, ada, carl, cora, mia):
    says("Dora, it is on its way.")
    worker()
    says("Anna, we look.")
    held = says("Bert, we look too.")
    Reply.objects.filter(pk=held.pk).update(state="sending", attempts=1, leased_until=timezone.now())
    later = says("Cleo, good morning.")
    Reply.objects.filter(pk=later.pk).update(send_after=timezone.now() + timedelta(days=1))
    carls = client_of(carl)
    call_command("backup", file)

    Reply.objects.filter(pk=held.pk).update(state="approved", leased_until=None)
    worker()
    says("Emil, written after the backup.")
    worker()
    assert sorted(text[0] for text in outside) == ["A", "B", "D", "E"]

    call_command("restore", file, replace=True)
    worker()
    says("Fritz, written after the restore.")
    worker()
    assert len(outside) == 4
    assert states()["Anna, we look."] == "approved" and "Emil, written after the backup." not in states()
    assert carls.get("/me/").status_code == 302  # everybody has to sign in again
    assert Client().get("/healthz").json()["sends_held"] is True
    told = {who: "Nothing leaves." in client_of(who).get("/me/").content.decode() for who in (ada, cora, carl, mia)}
    assert told == {ada: True, cora: True, carl: False, mia: False}
    assert "Nothing leaves." in client_of(mia).get(reverse("channels")).content.decode()
    page = client_of(ada).get(reverse("restored")).content.decode()
    assert "<b>3</b> replies were on the way" in page and "<b>1</b> reply was written after" in page

    assert client_of(ada).post(reverse("restored")).status_code == 302
    worker()
    assert sorted(text[0] for text in outside) == ["A", "B", "D", "E", "F"]
    assert sorted((text[0], state) for text, state in states().items()) == [
        ("A", "sent"), ("B", "sent"), ("C", "needs_person"), ("D", "sent"), ("F", "sent"),
    ]  # fmt: skip
    assert Client().get("/healthz").json()["sends_held"] is False
    assert {"house_restored", "sends_confirmed"} <= set(AuditEntry.objects.values_list("verb", flat=True))
    assert call_command("confirm_restore") is None  # a second time does nothing


def test_a_worker_that_held_a_reply_across_the_restore_can_not_send_it(says, file, outside):
    says("Anna, we look.")
    backup.make(file)
    (reply,) = Reply.objects.all().claim()
    restoring.restore(file, replace=True)
    with pytest.raises(outbox.LostLease):
        outbox.step(reply, House.objects.holds_sends)
    (reply,) = Reply.objects.all().claim()  # and one that came too late to hear of the hold
    outbox.step(reply, House.objects.holds_sends)
    assert outside == [] and states() == {"Anna, we look.": "approved"}


def test_a_restore_that_can_not_be_is_refused_and_changes_nothing(says, file, house):
    says("Anna, we look.")
    backup.make(file)
    before = {table: backup.count(table) for table in backup.tables()}
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", file)
    with pytest.raises(CommandError, match="not empty. With --replace"):
        call_command("restore", file)
    Pulse.objects.create(name="worker", at=timezone.now())
    with pytest.raises(CommandError, match="stop web, worker and beat"):
        call_command("restore", file, replace=True)
    Pulse.objects.all().delete()
    for wrong, told in (
        (altered(file, migrations=["inbox.0999_of_tomorrow"]), "by a newer version of Social Hub"),
        (altered(file, counts={"inbox_reply": 7}), "has not as many rows as the backup counted"),
        (altered(file, format=99), "of a kind that this version does not know"),
        (broken(file), "is broken|not a whole one|can not be"),
        (file.with_name("none"), "There is no file"),
    ):
        with pytest.raises(CommandError, match=told):
            call_command("restore", wrong, replace=True)
    assert {table: backup.count(table) for table in backup.tables()} == before
    assert not House.objects.holds_sends()


def test_a_backup_holds_everything_but_the_keys_and_goes_into_an_empty_database(says, file, settings, capsys):
    says("Anna, we look.")
    backup.make(file)
    content = file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert not any(key.encode() in content for key in settings.CREDENTIAL_KEYS)
    before = {table: backup.count(table) for table in backup.tables()}
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    settings.CREDENTIAL_KEYS = [vault.Fernet.generate_key().decode()]
    call_command("restore", file)
    after = {table: backup.count(table) for table in backup.tables()}
    changed = {"django_session", "socialhub_pulse", "socialhub_house", "departments_auditentry"}
    assert {name for name in before if before[name] != after[name]} <= changed
    assert Message.objects.get().text == "Anna, we look.?" and Channel.objects.get().slug == "outside"
    assert "credentials of outside were sealed with other keys" in capsys.readouterr().out


def test_an_older_backup_learns_what_this_version_knows(house, file):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX decision_shadow")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'routing' AND name >= '0013'")
    backup.make(file)
    restoring.restore(file, replace=True)
    assert "routing.0013_shadows_are_found" in backup.applied()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('decision_shadow'), to_regclass('decision_once')")
        assert cursor.fetchone() == ("decision_shadow", "decision_once")


def altered(file, **manifest):
    other = file.with_name(f"{next(iter(manifest))}.backup")
    with zipfile.ZipFile(file) as bag, zipfile.ZipFile(other, "w") as into:
        into.writestr(backup.DUMP, bag.read(backup.DUMP))
        into.writestr(backup.MANIFEST, json.dumps(json.loads(bag.read(backup.MANIFEST)) | manifest))
    return other


def broken(file):
    other = file.with_name("broken.backup")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    other.write_bytes(content)
    return other
