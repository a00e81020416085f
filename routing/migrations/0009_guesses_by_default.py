"""Decisions of before have no guesses, and an older backup brings them back without."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0008_loads_and_assignments")]
    operations = [
        migrations.AlterField("decision", "guesses", models.JSONField(db_default=[], default=list)),
    ]
