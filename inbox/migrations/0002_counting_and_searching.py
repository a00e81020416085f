"""What the database does for the inbox by itself: counts queues, and knows the words of the search."""

from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations

# Words without accents, in no language in particular: posts of one queue come in many.
WORDS = """
CREATE TEXT SEARCH CONFIGURATION socialhub (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION socialhub ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, hword, hword_part, word
    WITH unaccent, simple;
"""
WORDS_BACK = "DROP TEXT SEARCH CONFIGURATION socialhub;"

# Each statement on items adds a row of differences for each department it touched. Adding rows never waits, as many
# workers changing one number would.
COUNTS = """
CREATE FUNCTION inbox_count(
    item inbox_queueitem, sign integer,
    OUT open integer, OUT unassigned integer, OUT waiting integer, OUT nothing integer
) LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN NOT item.sealed AND item.status = 'open' AND NOT item.probably_nothing THEN sign ELSE 0 END,
           CASE WHEN NOT item.sealed AND item.status = 'open' AND NOT item.probably_nothing
                     AND item.assignee_id IS NULL THEN sign ELSE 0 END,
           CASE WHEN NOT item.sealed AND item.status IN ('pending', 'snoozed') THEN sign ELSE 0 END,
           CASE WHEN NOT item.sealed AND item.status = 'open' AND item.probably_nothing THEN sign ELSE 0 END
$$;

CREATE FUNCTION inbox_count_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO inbox_queuecount (department_id, confidential, open, unassigned, waiting, nothing)
        SELECT n.department_id, n.confidential, sum(c.open), sum(c.unassigned), sum(c.waiting), sum(c.nothing)
        FROM new_rows n, LATERAL inbox_count(n, 1) c
        GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO inbox_queuecount (department_id, confidential, open, unassigned, waiting, nothing)
        SELECT o.department_id, o.confidential, sum(c.open), sum(c.unassigned), sum(c.waiting), sum(c.nothing)
        FROM old_rows o, LATERAL inbox_count(o, -1) c
        GROUP BY 1, 2;
    ELSE
        INSERT INTO inbox_queuecount (department_id, confidential, open, unassigned, waiting, nothing)
        SELECT d.department_id, d.confidential, sum(d.open), sum(d.unassigned), sum(d.waiting), sum(d.nothing)
        FROM (
            SELECT n.department_id, n.confidential, c.* FROM new_rows n, LATERAL inbox_count(n, 1) c
            UNION ALL
            SELECT o.department_id, o.confidential, c.* FROM old_rows o, LATERAL inbox_count(o, -1) c
        ) d
        GROUP BY 1, 2
        HAVING (sum(d.open), sum(d.unassigned), sum(d.waiting), sum(d.nothing)) <> (0, 0, 0, 0);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_added AFTER INSERT ON inbox_queueitem
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION inbox_count_items();
CREATE TRIGGER count_changed AFTER UPDATE ON inbox_queueitem
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION inbox_count_items();
CREATE TRIGGER count_removed AFTER DELETE ON inbox_queueitem
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION inbox_count_items();
"""
COUNTS_BACK = """
DROP TRIGGER count_added ON inbox_queueitem;
DROP TRIGGER count_changed ON inbox_queueitem;
DROP TRIGGER count_removed ON inbox_queueitem;
DROP FUNCTION inbox_count_items();
DROP FUNCTION inbox_count(inbox_queueitem, integer);
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]
    operations = [
        UnaccentExtension(),
        migrations.RunSQL(WORDS, WORDS_BACK),
        migrations.RunSQL(COUNTS, COUNTS_BACK),
    ]
