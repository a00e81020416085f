"""What ran beside the live rules stands like what was live, and so does who made it, from what, when and why. A state
turns forward only; when a version went in force, and when it ended, is said once."""

from django.db import migrations, models

OLD_SQL = """
CREATE OR REPLACE FUNCTION routing_version_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""
SQL = """
CREATE OR REPLACE FUNCTION routing_version_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    ELSIF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A published version of rules is kept' USING ERRCODE = 'insufficient_privilege';
    ELSIF (NEW.rules, NEW.number, NEW.rule_set_id, NEW.why, NEW.parent_id, NEW.created_by_id, NEW.created_at,
           NEW.shadow_since)
          IS DISTINCT FROM
          (OLD.rules, OLD.number, OLD.rule_set_id, OLD.why, OLD.parent_id, OLD.created_by_id, OLD.created_at,
           OLD.shadow_since)
       OR OLD.published_at IS NOT NULL AND (NEW.published_at, NEW.published_by_id)
          IS DISTINCT FROM (OLD.published_at, OLD.published_by_id)
       OR OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at THEN
        RAISE EXCEPTION 'A published version of rules never changes' USING ERRCODE = 'insufficient_privilege';
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state)
          NOT IN (('shadow', 'live'), ('shadow', 'retired'), ('live', 'retired')) THEN
        RAISE EXCEPTION 'A version of rules does not turn from % to %', OLD.state, NEW.state
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("routing", "0005_what_models_are_held_to")]
    operations = [
        migrations.AddField("rulesetversion", "shadow_since", models.DateTimeField(null=True)),
        migrations.RunSQL(SQL, OLD_SQL),
    ]
