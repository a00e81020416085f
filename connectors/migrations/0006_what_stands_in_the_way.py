from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connectors", "0005_what_the_company_did")]

    operations = [
        migrations.AddField("channel", "trouble", models.CharField(blank=True, max_length=40)),
        migrations.AddField("channel", "failing_since", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("channel", "tried", models.JSONField(blank=True, default=dict)),
        migrations.AddField("channel", "refused_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("channel", "refused_reason", models.CharField(blank=True, max_length=200)),
    ]
