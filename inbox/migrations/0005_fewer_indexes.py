"""Every index is paid for by every post. Those that others begin with go; of columns that are nearly always empty only
the rest is kept; and no LIKE is asked of keys. Pages of conversations keep room, because each is changed once more as
soon as it is routed, and stays in its place then."""

import django.db.models.deletion
from django.db import migrations, models

DROPPED = {
    "inbox_message_key_06226ef7_like": "inbox_message (key varchar_pattern_ops)",
    "inbox_message_conversation_id_37bc0d72": "inbox_message (conversation_id)",
    "inbox_message_parent_id_1dc8274c": "inbox_message (parent_id)",
    "inbox_conversation_about_post_id_878a0142": "inbox_conversation (about_post_id)",
    "inbox_conversation_merged_into_id_7d85ee12": "inbox_conversation (merged_into_id)",
    "inbox_queueitem_conversation_id_d7d4db9f": "inbox_queueitem (conversation_id)",
    "inbox_queueitem_offer_id_467465a9": "inbox_queueitem (offer_id)",
}
PROTECT = django.db.models.deletion.PROTECT


def unindexed(to: str, related_name: str, **more) -> models.ForeignKey:
    return models.ForeignKey(db_index=False, on_delete=PROTECT, related_name=related_name, to=to, **more)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_moderation")]
    operations = [
        migrations.RemoveIndex("queueitem", "item_mine"),
        # By hand: altering the fields would check every row's foreign keys once more.
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX {name} ON {where}")
                for name, where in DROPPED.items()
            ],
            [
                migrations.AlterField("conversation", "about_post", unindexed("inbox.message", "discussed_in", null=True)),
                migrations.AlterField("conversation", "merged_into", unindexed("inbox.conversation", "merged", null=True)),
                migrations.AlterField("message", "conversation", unindexed("inbox.conversation", "messages")),
                migrations.AlterField("message", "parent", unindexed("inbox.message", "children", null=True)),
                migrations.AlterField("queueitem", "conversation", unindexed("inbox.conversation", "items")),
                migrations.AlterField("queueitem", "offer", unindexed("inbox.handoff", "+", null=True, blank=True)),
            ],
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["about_post"], condition=models.Q(about_post__isnull=False), name="conversation_about"
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["merged_into"], condition=models.Q(merged_into__isnull=False), name="conversation_merged"
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(fields=["parent"], condition=models.Q(parent__isnull=False), name="message_parent"),
        ),
        migrations.AddIndex(
            "queueitem",
            models.Index(
                fields=["assignee", "status", "sort_at", "id"],
                condition=~models.Q(status="resolved") & models.Q(sealed=False, assignee__isnull=False),
                name="item_mine",
            ),
        ),
        migrations.AddIndex(
            "queueitem",
            models.Index(fields=["offer"], condition=models.Q(offer__isnull=False), name="item_offered"),
        ),
        migrations.RunSQL(
            "ALTER TABLE inbox_conversation SET (fillfactor = 60)", "ALTER TABLE inbox_conversation RESET (fillfactor)"
        ),
    ]
