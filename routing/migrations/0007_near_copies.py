"""Fingerprints of messages, while a rule asks for near copies. One goes with its text: a trigger, because the inbox
below does not know that there are any. It runs only where a text is written, which routing never does."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

FORGET = """
CREATE FUNCTION routing_forget_fingerprint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM routing_fingerprint WHERE message_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER routing_fingerprint_forgotten AFTER UPDATE OF text, title ON inbox_message FOR EACH ROW
WHEN (OLD.text IS DISTINCT FROM NEW.text OR OLD.title IS DISTINCT FROM NEW.title)
EXECUTE FUNCTION routing_forget_fingerprint();
"""
KEEP = """
DROP TRIGGER routing_fingerprint_forgotten ON inbox_message;
DROP FUNCTION routing_forget_fingerprint();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0008_by_author_and_time"), ("routing", "0006_versions_stand_whole")]
    operations = [
        migrations.CreateModel(
            name="Fingerprint",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fingerprint",
                        serialize=False,
                        to="inbox.message",
                    ),
                ),
                ("numbers", models.BinaryField()),
                ("bands", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("at", models.DateTimeField()),
                ("kept_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="fingerprint_bands"),
                    models.Index(fields=["kept_at"], name="fingerprint_age"),
                ],
            },
        ),
        migrations.RunSQL(FORGET, KEEP),
    ]
