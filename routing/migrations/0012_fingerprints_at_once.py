"""Fingerprints go into their index at once, and not into a list beside it that every search would go through."""

import django.contrib.postgres.indexes
from django.db import migrations

INDEX = django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="fingerprint_bands", fastupdate=False)


class Migration(migrations.Migration):
    dependencies = [("routing", "0011_broken_rules")]
    operations = [
        migrations.RemoveIndex("fingerprint", "fingerprint_bands"),
        migrations.AddIndex("fingerprint", INDEX),
    ]
