"""Empty an account that is about to go, in short transactions."""

from mailhost.store import sql
from mailhost.store.gate import gate

AT_ONCE = 1000  # rows of one transaction
OF_FOLDERS = "folder_id IN (SELECT id FROM mail_folder WHERE account_id = %s)"
TABLES = {
    "mail_message": OF_FOLDERS,
    "mail_tombstone": OF_FOLDERS,
    "mail_arrival": "account_id = %s",
}


def empty(account_id: int) -> None:
    """Remove the messages and tombstones of an account, which nobody may open.

    Without counters: the folders go next. May be cut off and done again.
    """
    for table in TABLES:
        while gate.write_sync([account_id], _remove_some, table, account_id):
            pass


def _remove_some(table: str, account_id: int) -> int:
    chosen = f"SELECT id FROM {table} WHERE {TABLES[table]} LIMIT %s"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE id IN ({chosen})"  # noqa: S608 - our words
    return sql.run(delete, [account_id, AT_ONCE])
