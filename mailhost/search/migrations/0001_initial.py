"""The tables of the index on PostgreSQL; no models: no row of them is an object.

The extension and the index over it are made where the indexer starts.
"""

from typing import Any

from django.db import migrations

COLUMNS = ("sender", "recipients", "subject", "header", "nested", "body")
CREATE = f"""
    CREATE TABLE search_progress (
        account bigint PRIMARY KEY, version smallint NOT NULL, modseq bigint NOT NULL,
        swept bigint NOT NULL, number bigint NOT NULL
    );
    CREATE TABLE search_document (
        id bigint PRIMARY KEY, email_id bigint NOT NULL, account bigint NOT NULL,
        version smallint NOT NULL,
        {", ".join(f'"{name}" text COLLATE "C" NOT NULL' for name in COLUMNS)}
    );
    CREATE UNIQUE INDEX search_document_email ON search_document (account, email_id)
"""
DROP = "DROP TABLE search_document; DROP TABLE search_progress"


def create(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(CREATE)


def drop(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(DROP)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunPython(create, drop)]
