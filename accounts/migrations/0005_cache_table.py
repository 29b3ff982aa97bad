"""The table of Django's cache: made here, so that migrate is all there is to run."""

from typing import Any

from django.core.management import call_command
from django.db import migrations


def make(_apps: Any, schema_editor: Any) -> None:
    call_command("createcachetable", database=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_signing_in")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
