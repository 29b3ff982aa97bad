"""Indexes of conversations, and of mail by date."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """`message_thread` is the beginning of `message_thread_folder`."""

    dependencies = [
        ("accounts", "0002_quota_messages"),
        ("mail", "0005_notify_marks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["thread", "folder", "internal_date"],
                name="message_thread_folder",
            ),
        ),
        migrations.RemoveIndex(model_name="message", name="message_thread"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["folder", "internal_date"], name="message_folder_date"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["account", "internal_date"], name="message_date"
            ),
        ),
    ]
