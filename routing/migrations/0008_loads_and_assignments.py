"""What people hold is counted as queues are (inbox/migrations/0006): a trigger on items, because the inbox below does
not know that anybody counts, adds a row of changes for each person whom a statement touched. Most touch nobody."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

_ADD = "INSERT INTO routing_loadchange (department_id, user_id, change)"
_HELD = "WHERE assignee_id IS NOT NULL AND status = 'open' AND NOT sealed"

COUNT = f"""
CREATE FUNCTION routing_count_loads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {_ADD} SELECT department_id, assignee_id, count(*) FROM new_rows {_HELD} GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        {_ADD} SELECT department_id, assignee_id, -count(*) FROM old_rows {_HELD} GROUP BY 1, 2;
    ELSE
        {_ADD} SELECT department_id, assignee_id, sum(sign) FROM (
            SELECT department_id, assignee_id, 1 AS sign FROM new_rows {_HELD}
            UNION ALL SELECT department_id, assignee_id, -1 FROM old_rows {_HELD}
        ) AS changed GROUP BY 1, 2 HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER load_added AFTER INSERT ON inbox_queueitem
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION routing_count_loads();
CREATE TRIGGER load_changed AFTER UPDATE ON inbox_queueitem
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION routing_count_loads();
CREATE TRIGGER load_removed AFTER DELETE ON inbox_queueitem
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION routing_count_loads();

{_ADD} SELECT department_id, assignee_id, count(*) FROM inbox_queueitem {_HELD} GROUP BY 1, 2;
"""
BACK = """
DROP TRIGGER load_added ON inbox_queueitem;
DROP TRIGGER load_changed ON inbox_queueitem;
DROP TRIGGER load_removed ON inbox_queueitem;
DROP FUNCTION routing_count_loads();
"""


def _key(to: str, **more) -> models.ForeignKey:
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=to, **more)


class Migration(migrations.Migration):
    dependencies = [
        ("departments", "0003_opening_hours"),
        ("inbox", "0009_approval_and_notices"),
        ("routing", "0007_near_copies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="LoadChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("change", models.IntegerField()),
                ("department", _key("departments.department", db_index=False, related_name="+")),
                ("user", _key(settings.AUTH_USER_MODEL, db_index=False, related_name="+")),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["department", "user"], include=["change"], name="load_change_of"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("because", models.CharField(max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
                ("returned_at", models.DateTimeField(null=True)),
                ("department", _key("departments.department", db_index=False, related_name="+")),
                ("item", _key("inbox.queueitem", related_name="assignments")),
                ("user", _key(settings.AUTH_USER_MODEL, db_index=False, related_name="+")),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)), fields=["department", "at"], name="assignment_running"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("item",), name="one_assignment_running"
                    ),
                ],
            },
        ),
        migrations.RunSQL(COUNT, BACK),
    ]
