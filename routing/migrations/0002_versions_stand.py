"""A published version of rules never changes, so that a decision of last year still says what ran: only its state may
turn, and only a draft may be deleted."""

from django.db import migrations

SQL = """
CREATE FUNCTION routing_version_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    ELSIF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A published version of rules is kept' USING ERRCODE = 'insufficient_privilege';
    ELSIF (NEW.rules, NEW.number, NEW.rule_set_id) IS DISTINCT FROM (OLD.rules, OLD.number, OLD.rule_set_id) THEN
        RAISE EXCEPTION 'A published version of rules never changes' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER version_stands BEFORE UPDATE OR DELETE ON routing_rulesetversion
    FOR EACH ROW EXECUTE FUNCTION routing_version_stands();
"""
BACK = """
DROP TRIGGER version_stands ON routing_rulesetversion;
DROP FUNCTION routing_version_stands();
"""


class Migration(migrations.Migration):
    dependencies = [("routing", "0001_initial")]
    operations = [migrations.RunSQL(SQL, BACK)]
