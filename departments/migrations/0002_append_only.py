"""The audit is append-only: the database itself refuses to change or delete a row of it."""

from django.db import migrations

SQL = """
CREATE FUNCTION departments_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON departments_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION departments_audit_is_append_only();
"""
BACK = """
DROP TRIGGER append_only ON departments_auditentry;
DROP FUNCTION departments_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("departments", "0001_initial")]
    operations = [migrations.RunSQL(SQL, BACK)]
