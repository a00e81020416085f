"""Decisions of a message are found by `decision_once`, which begins with it; nobody looks for those of a department."""

import django.db.models.deletion
from django.db import migrations, models

DROPPED = {
    "routing_decision_message_id_28750514": "routing_decision (message_id)",
    "routing_decision_department_id_0907f799": "routing_decision (department_id)",
}
CASCADE, PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [("routing", "0002_versions_stand")]
    operations = [
        # By hand: altering the fields would check every row's foreign keys once more.
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX {name} ON {where}")
                for name, where in DROPPED.items()
            ],
            [
                migrations.AlterField(
                    "decision",
                    "message",
                    models.ForeignKey(
                        db_index=False, on_delete=CASCADE, related_name="decisions", to="inbox.message"
                    ),
                ),
                migrations.AlterField(
                    "decision",
                    "department",
                    models.ForeignKey(
                        db_index=False, on_delete=PROTECT, related_name="+", to="departments.department"
                    ),
                ),
            ],
        ),
    ]
