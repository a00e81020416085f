"""What differs in the shadow is few among many decisions: it has an index of its own, for which nothing live pays."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0012_fingerprints_at_once")]
    operations = [
        migrations.AddIndex(
            "decision",
            models.Index(fields=["at"], condition=models.Q(mode="shadow"), name="decision_shadow"),
        ),
    ]
