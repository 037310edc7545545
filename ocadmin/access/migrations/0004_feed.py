"""The order in which entries became visible (feed.py). On a big trail the indexes take some minutes."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import ocadmin.access.feed


def _number_transactions(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(ocadmin.access.feed.function_sql(0))


def _forget(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP FUNCTION ocadmin_xact(xid8)")


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_api_clients"),
    ]

    operations = [
        migrations.RunPython(_number_transactions, _forget),
        # Entries that are there get the number of this transaction: no row is rewritten.
        migrations.AddField(
            model_name="auditentry",
            name="xact",
            field=models.BigIntegerField(
                db_default=ocadmin.access.feed.Xact(),
                editable=False,
                help_text="See feed.py.",
                verbose_name="transaction",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(condition=models.Q(("object_type", "number")), fields=["xact", "id"], name="audit_feed"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("object_type", "number")),
                fields=["channel_ref", "xact", "id"],
                name="audit_feed_channel",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("object_type", "number")),
                fields=["customer_ref", "xact", "id"],
                name="audit_feed_customer",
            ),
        ),
    ]
