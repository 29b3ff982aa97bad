"""Messages of an account by their Message-ID: what a draft answers, what was sent."""

from dataclasses import dataclass

from mailhost.store import sql, threads

MOST = 100  # copies that are looked at
NAMED = f"""
    SELECT m.folder_id, m.uid, f.role, m.thread_id, m.content_id
    FROM mail_threadkey k JOIN mail_message m ON m.thread_id = k.thread_id
    JOIN mail_content c ON c.id = m.content_id JOIN mail_folder f ON f.id = m.folder_id
    WHERE k.key = %s AND m.account_id = %s AND c.message_id = %s
        AND f.role NOT IN ('trash', 'junk')
    ORDER BY f.role <> 'inbox', f.role <> 'sent', m.id LIMIT {MOST}
"""  # noqa: S608 - our own number


@dataclass(frozen=True, slots=True)
class Named:
    """Where a message is that has the id."""

    folder_id: int
    uid: int
    role: str  # of the folder
    thread_id: int
    content_id: int


def named(account_id: int, message_id: str) -> list[Named]:
    """Return the messages of this id, without <>; INBOX first, not Trash and Junk.

    Looked for in the conversation that the id leads to.
    """
    if not message_id:
        return []
    key = threads.key(account_id, "id", message_id)
    return [Named(*row) for row in sql.rows(NAMED, [key, account_id, message_id])]
