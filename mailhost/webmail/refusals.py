"""What the store and the way out refuse, in words for who reads the page.

One row for each type of the store's, and one for each reply of our own; what another
server said stays as it said it.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailhost import delivery
from mailhost.delivery import scheduled, submission
from mailhost.store import errors

WORDS: dict[type[errors.StoreError], str | Promise] = {
    errors.NoSuchFolder: _("There is no such folder."),
    errors.NoSuchMessage: _("This message is gone."),
    errors.FolderExists: _("There is a folder of this name already."),
    errors.RoleTaken: _("Another folder is for this already."),
    errors.FolderHasChildren: _("Delete or move the folders below it first."),
    errors.BadName: _("A folder cannot have this name."),
    errors.NotPermitted: _("You may not do this here."),
    errors.OverQuota: _("The account is full."),
    errors.NoSuchQuota: _("There is no such limit."),
    errors.MessageTooBig: _("The message is too large."),
    errors.TooMany: _("There are too many of these already."),
    errors.EntryTooBig: _("This note is too long."),
    errors.TooManyEntries: _("There are too many notes already."),
    errors.BadIdentifier: _("There is nobody of this name."),
    errors.RightsFixed: _("These rights cannot be changed."),
    errors.InUse: _("Somebody else is changing this: try again."),
}
REPLIES: dict[str, str | Promise] = {
    submission.NOT_YOURS: _("This sender address is not yours."),
    submission.NO_AUTHOR: _("The sender cannot be read."),
    submission.HELD: _("Sending is stopped for you: ask your administrator."),
    scheduled.FULL: _("Too much waits to be sent already."),
    scheduled.TOO_LATE: _("It cannot be held for so long."),
}


def in_words(error: errors.StoreError | delivery.NotPermitted) -> str:
    """Return what was refused, in the language in force."""
    if isinstance(error, errors.StoreError):
        return str(WORDS.get(type(error)) or error)
    return reply(str(error))


def reply(text: str) -> str:
    """Return an SMTP reply for people."""
    return str(REPLIES.get(text) or text)
