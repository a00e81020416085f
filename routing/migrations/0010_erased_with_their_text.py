"""What was read out of a text goes when the text does. The inbox below, which makes the tombstone, does not know that
anybody reads; so a trigger on messages does it, in the same transaction. It costs nothing where no text is erased."""

from django.db import migrations

FORGET = """
CREATE FUNCTION routing_forget_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM routing_embedding WHERE message_id = NEW.id;
    DELETE FROM routing_messagescores WHERE message_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER message_erased AFTER UPDATE OF deleted_at ON inbox_message FOR EACH ROW
    WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL) EXECUTE FUNCTION routing_forget_erased();

DELETE FROM routing_embedding USING inbox_message WHERE inbox_message.id = message_id AND deleted_at IS NOT NULL;
DELETE FROM routing_messagescores USING inbox_message WHERE inbox_message.id = message_id AND deleted_at IS NOT NULL;
"""
BACK = """
DROP TRIGGER message_erased ON inbox_message;
DROP FUNCTION routing_forget_erased();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0009_approval_and_notices"), ("routing", "0009_guesses_by_default")]
    operations = [migrations.RunSQL(FORGET, BACK)]
