"""Drop indexes that no query uses and that every arrival or expunge wrote.

By their names: Django's own way would rebuild SQLite's tables.
"""

import django.db.models.deletion
from django.db import migrations, models

GONE = (
    ("mail_blobchunk_blob_id_2118e05c", "mail_blobchunk", "blob_id"),
    ("mail_threadkey_account_id_3996bcdc", "mail_threadkey", "account_id"),
    ("mail_threadkey_thread_id_25a2d309", "mail_threadkey", "thread_id"),
    ("mail_tombstone_account_id_1e66916a", "mail_tombstone", "account_id"),
)


class Migration(migrations.Migration):
    """State and database apart."""

    dependencies = [("mail", "0003_url_keys")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX IF EXISTS "{name}"',
                    f'CREATE INDEX "{name}" ON "{table}" ("{column}")',
                )
                for name, table, column in GONE
            ],
            state_operations=[
                migrations.AlterField(
                    "blobchunk",
                    "blob",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="mail.blob",
                    ),
                ),
                migrations.AlterField(
                    "threadkey",
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.account",
                    ),
                ),
                migrations.AlterField(
                    "threadkey",
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mail.thread",
                    ),
                ),
                migrations.AlterField(
                    "tombstone",
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="accounts.account",
                    ),
                ),
            ],
        )
    ]
